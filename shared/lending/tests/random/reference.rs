//! The lending rules once more, written as plainly as they stand and without regard to speed:
//! rational numbers of unlimited size, day counts by walking through the days, the instalment by
//! the other of the two formulas. It shares nothing with the crate but the types of the terms.

use jiff::civil::Date;
use jiff::{Span, ToSpan};
use lending::{
    Amortization, DayCount, FeeValue, FeeWhen, InterestMethod, InterestPeriod, MonthEnd, RepayUnit, Rounding, Terms,
};
use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};

use crate::loans::Loan;

/// One row, in smallest units of the currency.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) due_on: Date,
    pub(crate) days: i64,
    pub(crate) principal: BigInt,
    pub(crate) interest: BigInt,
    pub(crate) fees: BigInt,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) instalment: BigInt,
    pub(crate) paid_out: BigInt,
    pub(crate) rows: Vec<Row>,
}

pub(crate) fn rational(numerator: i64, denominator: i64) -> BigRational {
    BigRational::new(numerator.into(), denominator.into())
}

/// To a whole multiple of `unit`.
pub(crate) fn round(value: &BigRational, unit: &BigInt, rounding: Rounding) -> BigInt {
    let exact = value / unit;
    let size = exact.abs();
    let (below, part) = (size.floor().to_integer(), size.fract());
    let half = rational(1, 2);
    let up = match rounding {
        Rounding::Up => !part.is_zero(),
        Rounding::Down => false,
        Rounding::HalfUp => part >= half,
        Rounding::HalfEven => part > half || (part == half && below.is_odd()),
    };
    let rounded = if up { below + 1 } else { below };
    let signed = if exact.is_negative() { -rounded } else { rounded };
    signed * unit
}

fn is_taken(date: Date) -> bool {
    (1900..=2200).contains(&date.year())
}

/// `count` periods after the seed.
pub(crate) fn due_date(terms: &Terms, seed: Date, count: u32) -> Option<Date> {
    let steps = i64::from(count) * i64::from(terms.repay_every());
    let span: Span = match terms.repay_unit() {
        RepayUnit::Month => Span::new().try_months(steps).ok()?,
        RepayUnit::Week => Span::new().try_weeks(steps).ok()?,
        RepayUnit::Day => Span::new().try_days(steps).ok()?,
    };
    // jiff takes the last day of a shorter month.
    let date = seed.checked_add(span).ok()?;
    let was_clamped = terms.repay_unit() == RepayUnit::Month && date.day() != seed.day();
    let date = if was_clamped && terms.month_end() == MonthEnd::Roll { date.tomorrow().ok()? } else { date };
    is_taken(date).then_some(date)
}

/// The days of a period: its last day counts, its first does not.
pub(crate) fn days(start: Date, end: Date) -> i64 {
    i64::from(start.until(end).unwrap().get_days())
}

fn year_length(date: Date) -> i64 {
    if date.in_leap_year() { 366 } else { 365 }
}

/// Every month has 30 days and ends on the 30th.
fn thirty_360(start: Date, end: Date) -> i64 {
    let last_of_february = |date: Date| date.month() == 2 && date.tomorrow().unwrap().month() == 3;
    let first_day = if last_of_february(start) { 30 } else { start.day().min(30) };
    let last_day = match end.day() {
        31 if first_day == 30 => 30,
        _ if last_of_february(start) && last_of_february(end) => 30,
        day => day,
    };
    let years = i64::from(end.year()) - i64::from(start.year());
    let months = i64::from(end.month()) - i64::from(start.month());
    years * 360 + months * 30 + i64::from(last_day) - i64::from(first_day)
}

pub(crate) fn by_days(terms: &Terms, start: Date, end: Date) -> BigRational {
    match terms.day_count() {
        DayCount::Thirty360 => rational(thirty_360(start, end), 360),
        DayCount::Actual360 => rational(days(start, end), 360),
        DayCount::Actual364 => rational(days(start, end), 364),
        DayCount::Actual365 => rational(days(start, end), 365),
        DayCount::ActualActual => {
            let (mut common, mut leap) = (0, 0);
            let mut day = start;
            while day < end {
                // Whole years at a time where there are any: the walk is slow enough.
                let next = day.checked_add(1.year()).unwrap();
                if (day.month(), day.day()) == (1, 1) && next <= end {
                    let counted = if year_length(day) == 366 { &mut leap } else { &mut common };
                    *counted += year_length(day);
                    day = next;
                    continue;
                }
                let counted = if year_length(day) == 366 { &mut leap } else { &mut common };
                *counted += 1;
                day = day.tomorrow().unwrap();
            }
            rational(common, 365) + rational(leap, 366)
        }
    }
}

pub(crate) fn fraction(terms: &Terms, start: Date, end: Date, is_regular: bool) -> BigRational {
    if !is_regular {
        return by_days(terms, start, end);
    }
    let every = i64::from(terms.repay_every());
    match terms.interest_period() {
        InterestPeriod::RepaymentPeriod => match terms.repay_unit() {
            RepayUnit::Month => rational(every, 12),
            RepayUnit::Week => rational(every, 52),
            RepayUnit::Day => by_days_regular(terms, start, end),
        },
        InterestPeriod::Daily => by_days_regular(terms, start, end),
    }
}

fn by_days_regular(terms: &Terms, start: Date, end: Date) -> BigRational {
    let every = i64::from(terms.repay_every());
    match (terms.day_count(), terms.repay_unit()) {
        (DayCount::Thirty360, RepayUnit::Month) => rational(30 * every, 360),
        (DayCount::Thirty360, RepayUnit::Week) => rational(7 * every, 360),
        (DayCount::Thirty360, RepayUnit::Day) => rational(every, 360),
        _ => by_days(terms, start, end),
    }
}

/// `P * prod(1 + r) / f_n` with `f_1 = 1`, `f_k = 1 + f_(k-1) * (1 + r_k)`, over the common
/// denominator `d` of all rates: `F_k = d^(k-1) * f_k` is whole.
pub(crate) fn level_instalment(principal: &BigInt, rates: &[BigRational]) -> BigRational {
    let d = rates.iter().fold(BigInt::one(), |d, rate| d.lcm(rate.denom()));
    let (mut f, mut product, mut power) = (BigInt::zero(), BigInt::one(), BigInt::one());
    for rate in rates {
        let factor = (rate * &d).to_integer() + &d;
        // F_1 is 1; F_k is d^(k-1) + F_(k-1) * factor.
        f = if f.is_zero() { power.clone() } else { f * &factor + &power };
        power *= &d;
        product *= factor;
    }
    // No reduction to lowest terms, which would take most of the time.
    BigRational::new_raw(principal * product, f * d)
}

struct Cells {
    instalment: BigInt,
    principal: Vec<BigInt>,
    interest: Vec<BigInt>,
}

pub(crate) fn reference(loan: &Loan) -> Result<Reference, &'static str> {
    let terms = &loan.terms;
    let n = terms.instalments() as usize;
    let principal = BigInt::from(loan.amount.units());
    let smallest = BigInt::from(loan.smallest());

    // Dates.
    if terms.first_due_on().is_some_and(|first| first <= loan.disbursed_on) {
        return Err("not_after_disbursement");
    }
    let mut dates = vec![loan.disbursed_on];
    for k in 1..=terms.instalments() {
        let date = match terms.first_due_on() {
            Some(first) => due_date(terms, first, k - 1),
            None => due_date(terms, loan.disbursed_on, k),
        };
        dates.push(date.ok_or("date_out_of_range")?);
    }

    // Rates.
    let hundred = rational(100, 1);
    let annual: BigRational = terms.interest_rate_apr().to_decimal().to_string().parse_exactly() / hundred;
    let mut fractions = Vec::new();
    for k in 0..n {
        if k < terms.grace().interest_free as usize {
            fractions.push(BigRational::zero());
            continue;
        }
        let is_regular = k > 0 || due_date(terms, dates[0], 1) == Some(dates[1]);
        fractions.push(fraction(terms, dates[k], dates[k + 1], is_regular));
    }
    let rates: Vec<BigRational> = fractions.iter().map(|fraction| fraction * &annual).collect();

    // Cells.
    let cells = match (terms.interest_method(), terms.amortization()) {
        (InterestMethod::Flat, _) => flat(loan, &annual, &fractions, &rates)?,
        (_, Amortization::EqualPrincipal) => equal_principal(loan, &rates),
        (_, Amortization::EqualInstalments) => equal_instalments(loan, &rates)?,
    };
    let mut interest = cells.interest;
    let deferred = terms.grace().interest_payment as usize;
    let sum: BigInt = interest[..deferred].iter().sum();
    interest[..deferred].fill(BigInt::zero());
    interest[deferred] += sum;

    // Fees.
    let fees_when = |when: FeeWhen| -> BigInt {
        terms
            .fees()
            .iter()
            .filter(|fee| fee.when == when)
            .map(|fee| match fee.value {
                FeeValue::Amount(number) => {
                    let scale = 10i64.pow(loan.amount.currency().decimals());
                    (number.get().to_string().parse_exactly() * rational(scale, 1)).to_integer()
                }
                FeeValue::Percent(percent) => {
                    let share = percent.to_decimal().to_string().parse_exactly() / rational(100, 1);
                    round(&(share * &principal), &smallest, terms.rounding())
                }
            })
            .sum()
    };
    let each_row = fees_when(FeeWhen::Instalment);

    let rows = (0..n)
        .map(|k| Row {
            due_on: dates[k + 1],
            days: days(dates[k], dates[k + 1]),
            principal: cells.principal[k].clone(),
            interest: interest[k].clone(),
            fees: each_row.clone(),
        })
        .collect();
    let paid_out = &principal - fees_when(FeeWhen::Disbursement);
    Ok(Reference { instalment: cells.instalment, paid_out, rows })
}

fn equal_instalments(loan: &Loan, rates: &[BigRational]) -> Result<Cells, &'static str> {
    let terms = &loan.terms;
    let grace = terms.grace().principal as usize;
    let n = BigInt::from(rates.len() - grace);
    let (smallest, multiple) = (BigInt::from(loan.smallest()), BigInt::from(loan.multiple()));
    let to_smallest = |value: &BigRational| round(value, &smallest, terms.rounding());
    let to_multiple = |value: BigInt| round(&BigRational::from(value), &multiple, terms.rounding());

    let rows = |instalment: &BigInt| -> Result<Cells, &'static str> {
        let mut balance = BigInt::from(loan.amount.units());
        let (mut principal, mut interest) = (Vec::new(), Vec::new());
        for (k, rate) in rates.iter().enumerate() {
            interest.push(to_smallest(&(rate * &balance)));
            principal.push(if k < grace {
                BigInt::zero()
            } else if k + 1 == rates.len() {
                balance.clone()
            } else if *instalment < interest[k] {
                return Err("does_not_amortise");
            } else {
                balance.clone().min(instalment - &interest[k])
            });
            balance -= &principal[k];
        }
        Ok(Cells { instalment: instalment.clone(), principal, interest })
    };
    let last = |cells: &Cells| cells.principal.last().unwrap() + cells.interest.last().unwrap();

    let exact = level_instalment(&BigInt::from(loan.amount.units()), &rates[grace..]);
    let mut cells = rows(&to_multiple(to_smallest(&exact)))?;
    for _ in 0..3 {
        let gap: BigInt = last(&cells) - &cells.instalment;
        if gap.abs() / &smallest <= n.div_floor(&BigInt::from(2)) {
            break;
        }
        let change = to_smallest(&BigRational::new(gap.clone(), n.clone()));
        match rows(&to_multiple(&cells.instalment + change)) {
            Ok(moved) if (last(&moved) - &moved.instalment).abs() < gap.abs() => cells = moved,
            _ => break,
        }
    }
    Ok(cells)
}

fn equal_principal(loan: &Loan, rates: &[BigRational]) -> Cells {
    let terms = &loan.terms;
    let grace = terms.grace().principal as usize;
    let smallest = BigInt::from(loan.smallest());
    let mut balance = BigInt::from(loan.amount.units());
    let share = BigRational::new(balance.clone(), (rates.len() - grace).into());
    let share = round(&share, &smallest, terms.rounding());
    let (mut principal, mut interest) = (Vec::new(), Vec::new());
    for (k, rate) in rates.iter().enumerate() {
        interest.push(round(&(rate * &balance), &smallest, terms.rounding()));
        principal.push(if k < grace {
            BigInt::zero()
        } else if k + 1 == rates.len() {
            balance.clone()
        } else {
            share.clone().min(balance.clone())
        });
        balance -= &principal[k];
    }
    let instalment = &principal[grace] + &interest[grace];
    Cells { instalment, principal, interest }
}

fn flat(
    loan: &Loan,
    annual: &BigRational,
    fractions: &[BigRational],
    rates: &[BigRational],
) -> Result<Cells, &'static str> {
    let terms = &loan.terms;
    let grace = terms.grace().principal as usize;
    let (smallest, multiple) = (BigInt::from(loan.smallest()), BigInt::from(loan.multiple()));
    let amount = BigInt::from(loan.amount.units());
    let years: BigRational = fractions.iter().sum();
    let mut left = round(&(annual * years * &amount), &smallest, terms.rounding());
    let mut balance = amount.clone();
    let (mut principal, mut interest) = (Vec::new(), Vec::new());
    let mut instalments = Vec::new();
    for (k, rate) in rates.iter().enumerate() {
        let is_last = k + 1 == rates.len();
        let own = round(&(rate * &amount), &smallest, terms.rounding());
        interest.push(if is_last { left.clone() } else { own.min(left.clone()) });
        left -= &interest[k];
        if k < grace {
            principal.push(BigInt::zero());
            continue;
        }
        let share = BigRational::new(amount.clone(), (rates.len() - grace).into());
        if terms.amortization() == Amortization::EqualPrincipal {
            let share = round(&share, &smallest, terms.rounding()).min(balance.clone());
            principal.push(if is_last { balance.clone() } else { share });
            balance -= &principal[k];
            instalments.push(&principal[k] + &interest[k]);
            continue;
        }
        let exact = share + &interest[k];
        let instalment = round(&exact, &smallest, terms.rounding());
        let instalment = round(&BigRational::from(instalment), &multiple, terms.rounding());
        if is_last {
            principal.push(balance.clone());
        } else if instalment < interest[k] {
            return Err("does_not_amortise");
        } else {
            principal.push((&instalment - &interest[k]).min(balance.clone()));
        }
        balance -= &principal[k];
        instalments.push(instalment);
    }
    Ok(Cells { instalment: instalments[0].clone(), principal, interest })
}

/// Numbers by their text, so that the crate's own conversions are not relied upon.
pub(crate) trait ParseNumber {
    fn parse_exactly(&self) -> BigRational;
}

impl ParseNumber for String {
    fn parse_exactly(&self) -> BigRational {
        let (whole, fraction) = self.split_once('.').unwrap_or((self, ""));
        let digits: BigInt = format!("{whole}{fraction}").parse().unwrap();
        BigRational::new(digits, BigInt::from(10).pow(u32::try_from(fraction.len()).unwrap()))
    }
}

/// For comparison with the crate's numbers.
pub(crate) fn units(value: &BigInt) -> i128 {
    value.to_i128().unwrap()
}
