//! Schedules: when an instalment falls due, and how much of it is principal, interest and fees.
//!
//! All arithmetic is on whole numbers of the smallest amount; every cell is rounded once, from its
//! exact value.

use jiff::civil::Date;
use serde::Serialize;

use crate::calendar::{YearFraction, days_between, is_taken};
use crate::exact::{Ratio, level_instalment, round_div, round_to_multiple};
use crate::rate::Percent;
use crate::refusal::{Reason, Refusal};
use crate::terms::{Amortization, FeeValue, FeeWhen, InterestMethod, MAX_INSTALMENTS, Rounding, Terms, Units};
use crate::{Money, MoneyError};

/// What a loan costs and when it is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Schedule {
    /// Principal and interest of an instalment, without fees, by the method's formula: what every
    /// row that repays principal asks for, up to rounding in the last. Where the rows differ
    /// (equal principal, or flat with periods of different length), that of the first such row.
    pub instalment: Money,
    /// The interest of all rows.
    pub total_interest: Money,
    /// The fees at disbursement and of all rows.
    pub total_fees: Money,
    /// The sum of what the rows ask for.
    pub total_due: Money,
    /// The amount of the loan less the fees at disbursement; negative if those are more.
    pub paid_out: Money,
    /// One for each due date, in their order.
    pub rows: Vec<Row>,
}

/// One instalment of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Counted from 1.
    pub n: u32,
    /// When it falls due.
    pub due_on: Date,
    /// Calendar days since the due date before, or since the disbursement.
    pub days: u32,
    /// Principal repaid.
    pub principal: Money,
    /// Interest paid.
    pub interest: Money,
    /// Fees paid.
    pub fees: Money,
    /// All three together.
    pub due: Money,
    /// Principal that is left afterwards.
    pub balance: Money,
}

/// The schedule of a loan of `amount`, paid out on `disbursed_on`.
///
/// 10,000 at 12 % a year in three monthly instalments: `10000 / (1/1.01 + 1/1.01^2 + 1/1.01^3)`
/// is 3400.2211..., and the last row takes what rounding left:
///
/// ```
/// use lending::{Currency, Money, TermsPatch, parse_date, schedule};
///
/// let euro = Currency::from_code("EUR")?;
/// let terms: TermsPatch =
///     serde_json::from_str(r#"{"interest_rate_apr": "12", "instalments": 3}"#)?;
/// let terms = terms.complete(euro)?;
/// let schedule = schedule(Money::parse("10000", euro)?, parse_date("2025-01-31")?, &terms)?;
///
/// assert_eq!(schedule.instalment.to_string(), "3400.22");
/// assert_eq!(schedule.total_interest.to_string(), "200.67");
/// let rows: Vec<String> = schedule
///     .rows
///     .iter()
///     .map(|row| format!("{} {} {} {}", row.due_on, row.principal, row.interest, row.balance))
///     .collect();
/// assert_eq!(rows, [
///     "2025-02-28 3300.22 100.00 6699.78",
///     "2025-03-31 3333.22 67.00 3366.56",
///     "2025-04-30 3366.56 33.67 0.00",
/// ]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A [`Refusal`] naming the field: an amount that is not positive, larger than any request may
/// have, or no multiple of `smallest_amount`; `first_due_on` not after `disbursed_on`; a date
/// outside the years 1900 to 2200; an instalment below the interest of its row
/// (`does_not_amortise`); amounts in the terms that the currency does not have.
pub fn schedule(amount: Money, disbursed_on: Date, terms: &Terms) -> Result<Schedule, Refusal> {
    let units = terms.units(amount.currency())?;
    if amount.units() <= 0 {
        return Err(Refusal::amount(Reason::NotPositive));
    }
    if amount.units() > Money::MAX_REQUEST_UNITS {
        return Err(Refusal::amount(Reason::Money(MoneyError::TooLarge)));
    }
    if amount.units() % units.smallest != 0 {
        return Err(Refusal::amount(Reason::NotAMultipleOfSmallestAmount));
    }
    let fees = Fees::of(amount, terms, units)?;
    let mut rows = dated_rows(amount, disbursed_on, terms)?;
    let loan = Loan::new(amount, disbursed_on, terms, units, &rows);
    let instalment = loan.fill(&mut rows)?;
    loan.defer_interest(&mut rows);
    Ok(loan.total(instalment, &fees, rows))
}

/// The rows with their dates, and no money in them yet.
fn dated_rows(amount: Money, disbursed_on: Date, terms: &Terms) -> Result<Vec<Row>, Refusal> {
    if !is_taken(disbursed_on) {
        return Err(Refusal::disbursed_on(Reason::DateOutOfRange));
    }
    if terms.first_due_on().is_some_and(|first| first <= disbursed_on) {
        return Err(Refusal::terms("/first_due_on", Reason::NotAfterDisbursement));
    }
    // The date that gives the seed day, and the number of the row that is one period after it.
    let (seed, periods_before) = match terms.first_due_on() {
        Some(first) => (first, 1),
        None => (disbursed_on, 0),
    };
    let zero = Money::zero(amount.currency());
    let mut rows = Vec::with_capacity(terms.instalments() as usize);
    let mut start = disbursed_on;
    for n in 1..=terms.instalments() {
        let due_on = terms.frequency().after(seed, n - periods_before).ok_or_else(|| {
            let field = if n == 1 { "/repay_every" } else { "/instalments" };
            Refusal::terms(field, Reason::DateOutOfRange)
        })?;
        let days = days_between(start, due_on).unsigned_abs();
        rows.push(Row { n, due_on, days, principal: zero, interest: zero, fees: zero, due: zero, balance: zero });
        start = due_on;
    }
    Ok(rows)
}

/// Fees in smallest units of the currency.
struct Fees {
    at_disbursement: i128,
    each_row: i128,
}

impl Fees {
    fn of(amount: Money, terms: &Terms, units: Units) -> Result<Self, Refusal> {
        let mut fees = Self { at_disbursement: 0, each_row: 0 };
        for (index, fee) in terms.fees().iter().enumerate() {
            let charged = match fee.value {
                FeeValue::Amount(number) => units
                    .amount(number)
                    .map_err(|reason| Refusal::terms(format!("/fees/{index}/amount"), reason))?
                    .units(),
                FeeValue::Percent(percent) => {
                    let hundred_percent = i128::from(Percent::MILLIONTHS_OF_ONE);
                    let exact = amount.units() / units.smallest * i128::from(percent.millionths());
                    round_div(exact, hundred_percent, terms.rounding()) * units.smallest
                }
            };
            match fee.when {
                FeeWhen::Disbursement => fees.at_disbursement += charged,
                FeeWhen::Instalment => fees.each_row += charged,
            }
        }
        Ok(fees)
    }
}

/// A loan in whole numbers of its smallest amount, at most 10^15 of them.
struct Loan<'a> {
    terms: &'a Terms,
    units: Units,
    amount: Money,
    /// The amount in smallest amounts.
    principal: i128,
    /// The rate of each period; only the first `rows` count.
    rates: [Ratio; MAX_INSTALMENTS as usize],
    rows: usize,
    /// The first row that repays principal, counted from 0.
    first_repaying: usize,
    /// The periods that bear interest, together.
    whole_term: YearFraction,
}

impl<'a> Loan<'a> {
    fn new(amount: Money, disbursed_on: Date, terms: &'a Terms, units: Units, rows: &[Row]) -> Self {
        let rate = terms.interest_rate_apr().percent();
        let mut rates = [Ratio::ZERO; MAX_INSTALMENTS as usize];
        let mut whole_term = YearFraction::ZERO;
        let mut start = disbursed_on;
        // Periods of the same length follow each other: the fraction is reduced once for them.
        let mut latest = (YearFraction::ZERO, Ratio::ZERO);
        for (index, row) in rows.iter().enumerate() {
            if index >= terms.grace().interest_free as usize {
                let fraction = period(terms, index, start, row.due_on);
                if latest.0 != fraction {
                    latest = (fraction, Ratio::new(rate, fraction));
                }
                rates[index] = latest.1;
                whole_term = whole_term.plus(fraction);
            }
            start = row.due_on;
        }
        Self {
            terms,
            units,
            amount,
            principal: amount.units() / units.smallest,
            rates,
            rows: rows.len(),
            first_repaying: terms.grace().principal as usize,
            whole_term,
        }
    }

    fn rounding(&self) -> Rounding {
        self.terms.rounding()
    }

    fn rates(&self) -> &[Ratio] {
        &self.rates[..self.rows]
    }

    /// How many rows repay principal; at least one.
    fn repaying(&self) -> i128 {
        (self.rows - self.first_repaying) as i128
    }

    fn to_instalment_multiple(&self, value: i128) -> i128 {
        let multiple = self.units.multiple / self.units.smallest;
        round_to_multiple(value, multiple, self.rounding())
    }

    fn money(&self, value: i128) -> Money {
        Money::computed(value * self.units.smallest, self.amount.currency())
    }

    /// Puts principal and interest into the rows, interest where it arises, and gives the
    /// instalment.
    fn fill(&self, rows: &mut [Row]) -> Result<i128, Refusal> {
        let mut put = |index: usize, principal: i128, interest: i128| {
            if let Some(row) = rows.get_mut(index) {
                row.principal = self.money(principal);
                row.interest = self.money(interest);
            }
        };
        match (self.terms.interest_method(), self.terms.amortization()) {
            (InterestMethod::DecliningBalance, Amortization::EqualInstalments) => {
                let instalment = self.smoothed_instalment()?;
                self.equal_instalments(instalment, put)?;
                Ok(instalment)
            }
            (InterestMethod::DecliningBalance, Amortization::EqualPrincipal) => Ok(self.equal_principal(&mut put)),
            (InterestMethod::Flat, _) => self.flat(&mut put),
        }
    }

    /// Declining balance, equal instalments: what the row's interest leaves of the instalment is
    /// principal; the last row takes the whole balance. Gives what the last row asks for.
    fn equal_instalments(&self, instalment: i128, mut put: impl FnMut(usize, i128, i128)) -> Result<i128, Refusal> {
        let mut balance = self.principal;
        let mut due = 0;
        for (index, rate) in self.rates().iter().enumerate() {
            let interest = rate.of(balance, self.rounding());
            let principal = if index < self.first_repaying {
                0
            } else if index + 1 == self.rows {
                balance
            } else if instalment < interest {
                return Err(does_not_amortise());
            } else {
                balance.min(instalment - interest)
            };
            put(index, principal, interest);
            balance -= principal;
            due = principal + interest;
        }
        Ok(due)
    }

    /// The instalment of the formula, moved until the last row is close to it: while they differ
    /// by more than half a smallest amount a row, and at most three times, the difference is
    /// shared among the rows; a move that does not bring them closer is not made.
    fn smoothed_instalment(&self) -> Result<i128, Refusal> {
        let rates = &self.rates()[self.first_repaying..];
        let exact = level_instalment(self.principal, rates, self.rounding());
        let mut instalment = self.to_instalment_multiple(exact);
        let mut gap = self.equal_instalments(instalment, |_, _, _| ())? - instalment;
        for _ in 0..3 {
            if gap.abs() <= self.repaying() / 2 {
                break;
            }
            let moved = instalment + round_div(gap, self.repaying(), self.rounding());
            let moved = self.to_instalment_multiple(moved);
            // Too low an instalment is no reason to refuse here: the one before it amortises.
            let Ok(last) = self.equal_instalments(moved, |_, _, _| ()) else {
                break;
            };
            if (last - moved).abs() >= gap.abs() {
                break;
            }
            (instalment, gap) = (moved, last - moved);
        }
        Ok(instalment)
    }

    /// Declining balance, equal principal: the last row takes the rest. Gives what the first row
    /// that repays principal asks for.
    fn equal_principal(&self, put: &mut impl FnMut(usize, i128, i128)) -> i128 {
        let share = round_div(self.principal, self.repaying(), self.rounding());
        let mut balance = self.principal;
        let mut instalment = 0;
        for (index, rate) in self.rates().iter().enumerate() {
            let interest = rate.of(balance, self.rounding());
            let principal = if index < self.first_repaying {
                0
            } else if index + 1 == self.rows {
                balance
            } else {
                balance.min(share)
            };
            if index == self.first_repaying {
                instalment = principal + interest;
            }
            put(index, principal, interest);
            balance -= principal;
        }
        instalment
    }

    /// Flat: every row's interest is on the whole principal, and the last row takes what is left
    /// of the total. The instalment is an equal share of principal with the row's interest, to the
    /// multiple; gives that of the first row that repays principal.
    fn flat(&self, put: &mut impl FnMut(usize, i128, i128)) -> Result<i128, Refusal> {
        let mut balance = self.principal;
        let mut interest_left = self.total_flat_interest();
        let mut first_instalment = 0;
        for (index, rate) in self.rates().iter().enumerate() {
            let is_last = index + 1 == self.rows;
            let interest =
                if is_last { interest_left } else { interest_left.min(rate.of(self.principal, self.rounding())) };
            let mut principal = 0;
            if index >= self.first_repaying {
                let exact = self.principal + interest * self.repaying();
                let instalment = round_div(exact, self.repaying(), self.rounding());
                let instalment = self.to_instalment_multiple(instalment);
                if index == self.first_repaying {
                    first_instalment = instalment;
                }
                if is_last {
                    principal = balance;
                } else if instalment < interest {
                    return Err(does_not_amortise());
                } else {
                    principal = balance.min(instalment - interest);
                }
            }
            put(index, principal, interest);
            balance -= principal;
            interest_left -= interest;
        }
        Ok(first_instalment)
    }

    /// Principal times rate times all the periods that bear interest, rounded once. Fractions of
    /// two kinds have a common denominator below 2^22 and lie within 301 years, so that the
    /// numerator stays below 10^15 * 10^9 * 301 * 2^22 < 2^110.
    fn total_flat_interest(&self) -> i128 {
        let rate = i128::from(self.terms.interest_rate_apr().percent().millionths());
        let numerator = self.principal * rate * i128::from(self.whole_term.numerator);
        let denominator = i128::from(Percent::MILLIONTHS_OF_ONE) * i128::from(self.whole_term.denominator);
        round_div(numerator, denominator, self.rounding())
    }

    /// Moves the interest of the first periods to the first row after them.
    fn defer_interest(&self, rows: &mut [Row]) {
        let deferred = self.terms.grace().interest_payment as usize;
        // Always true: terms with a longer grace cannot be made.
        if let Some((row, before)) = rows.get_mut(..=deferred).and_then(<[Row]>::split_last_mut) {
            let mut interest = row.interest.units();
            for early in before {
                interest += early.interest.units();
                early.interest = Money::zero(self.amount.currency());
            }
            row.interest = Money::computed(interest, self.amount.currency());
        }
    }

    /// Adds the fees, and adds everything up.
    fn total(&self, instalment: i128, fees: &Fees, mut rows: Vec<Row>) -> Schedule {
        let money = |units| Money::computed(units, self.amount.currency());
        let mut balance = self.amount.units();
        let (mut total_interest, mut total_due) = (0, 0);
        let mut total_fees = fees.at_disbursement;
        for row in &mut rows {
            let due = row.principal.units() + row.interest.units() + fees.each_row;
            balance -= row.principal.units();
            row.fees = money(fees.each_row);
            row.due = money(due);
            row.balance = money(balance);
            total_interest += row.interest.units();
            total_fees += fees.each_row;
            total_due += due;
        }
        Schedule {
            instalment: self.money(instalment),
            total_interest: money(total_interest),
            total_fees: money(total_fees),
            total_due: money(total_due),
            paid_out: money(self.amount.units() - fees.at_disbursement),
            rows,
        }
    }
}

fn does_not_amortise() -> Refusal {
    Refusal::terms("/interest_rate_apr", Reason::DoesNotAmortise)
}

/// The part of a year that a period is. The first one, if `first_due_on` made it irregular, is
/// counted by days.
fn period(terms: &Terms, index: usize, start: Date, end: Date) -> YearFraction {
    if index == 0 && terms.is_first_period_irregular(start, end) {
        return YearFraction::by_days(terms.day_count(), start, end);
    }
    let (basis, day_count) = (terms.interest_period(), terms.day_count());
    YearFraction::regular(terms.frequency(), basis, day_count, start, end)
}
