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
    let first_due_on = terms.first_due_on();
    lay_out(amount, disbursed_on, first_due_on, terms, &mut |_| (), &mut |_, _| ()).map(|(schedule, _)| schedule)
}

/// A schedule with what its rows were made from.
pub(crate) struct Plan {
    pub(crate) schedule: Schedule,
    /// One for each row.
    pub(crate) periods: Vec<Period>,
    /// The interest of each period, in smallest units of the currency, wherever it is paid.
    pub(crate) arising: Vec<i128>,
    /// The fees of each row, in smallest units of the currency.
    pub(crate) fees_each_row: i128,
}

/// What a row's interest is computed with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Period {
    pub(crate) annual_rate: Percent,
    /// The part of a year that the period is.
    pub(crate) fraction: YearFraction,
    /// The annual rate for that part; nothing where the period bears no interest.
    pub(crate) rate: Ratio,
}

/// [`schedule`], with what its rows were made from; the first due date is given apart from the terms.
pub(crate) fn plan(
    amount: Money,
    disbursed_on: Date,
    first_due_on: Option<Date>,
    terms: &Terms,
) -> Result<Plan, Refusal> {
    let instalments = terms.instalments() as usize;
    let (mut periods, mut arising) = (Vec::with_capacity(instalments), vec![0; instalments]);
    let mut keep = |index: usize, interest| {
        if let Some(place) = arising.get_mut(index) {
            *place = interest;
        }
    };
    let mut push = |period| periods.push(period);
    let (schedule, fees) = lay_out(amount, disbursed_on, first_due_on, terms, &mut push, &mut keep)?;
    Ok(Plan { schedule, periods, arising, fees_each_row: fees.each_row })
}

/// The schedule and its fees. Tells the period of each row in their order, and the interest that arises
/// in it, in smallest units of the currency: a schedule alone keeps nothing but its rows.
fn lay_out(
    amount: Money,
    disbursed_on: Date,
    first_due_on: Option<Date>,
    terms: &Terms,
    tell_period: &mut impl FnMut(Period),
    tell_interest: &mut impl FnMut(usize, i128),
) -> Result<(Schedule, Fees), Refusal> {
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
    let mut rows = dated_rows(amount, disbursed_on, first_due_on, terms)?;
    let mut rates = [Ratio::ZERO; MAX_INSTALMENTS as usize];
    let mut flat_term = YearFraction::ZERO;
    for (period, rate) in periods(disbursed_on, first_due_on, terms, &rows).zip(&mut rates) {
        *rate = period.rate;
        if terms.interest_method() == InterestMethod::Flat {
            flat_term = flat_term.plus(period.flat_share());
        }
        tell_period(period);
    }
    let principal = amount.units() / units.smallest;
    let amortisation = Amortisation {
        terms,
        units,
        principal,
        flat_base: principal,
        rates: &rates[..rows.len()],
        flat_term,
        first_interest: None,
        first_repaying: terms.grace().principal as usize,
        shortfall: Shortfall::Refuse,
    };
    let money = |value: i128| Money::computed(value * units.smallest, amount.currency());
    let instalment = amortisation.fill(&mut |index, principal, interest| {
        if let Some(row) = rows.get_mut(index) {
            row.principal = money(principal);
            row.interest = money(interest);
            tell_interest(index, interest * units.smallest);
        }
    })?;
    defer_interest(terms, &mut rows);
    Ok((total(amount, money(instalment), &fees, rows), fees))
}

/// The rows with their dates, and no money in them yet.
fn dated_rows(
    amount: Money,
    disbursed_on: Date,
    first_due_on: Option<Date>,
    terms: &Terms,
) -> Result<Vec<Row>, Refusal> {
    if !is_taken(disbursed_on) {
        return Err(Refusal::disbursed_on(Reason::DateOutOfRange));
    }
    if first_due_on.is_some_and(|first| first <= disbursed_on) {
        return Err(Refusal::terms("/first_due_on", Reason::NotAfterDisbursement));
    }
    // The date that gives the seed day, and the number of the row that is one period after it.
    let (seed, periods_before) = match first_due_on {
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

/// The periods of the rows. The first ones may bear no interest: their rate is nothing.
fn periods(
    disbursed_on: Date,
    first_due_on: Option<Date>,
    terms: &Terms,
    rows: &[Row],
) -> impl Iterator<Item = Period> {
    let annual_rate = terms.interest_rate_apr().percent();
    let mut start = disbursed_on;
    // Periods of the same length follow each other: the fraction is reduced once for them.
    let mut latest = Period { annual_rate, fraction: YearFraction::ZERO, rate: Ratio::ZERO };
    rows.iter().enumerate().map(move |(index, row)| {
        let fraction = if index == 0 && first_due_on.is_some() {
            first_period(terms, start, row.due_on)
        } else {
            regular_period(terms, start, row.due_on)
        };
        start = row.due_on;
        if index < terms.grace().interest_free as usize {
            return Period { annual_rate, fraction, rate: Ratio::ZERO };
        }
        if latest.fraction != fraction {
            latest = Period::new(annual_rate, fraction);
        }
        latest
    })
}

/// What [`Period::flat_share`] makes of periods together: at most 10^9 for 301 years.
pub(crate) fn whole_term(periods: &[Period]) -> YearFraction {
    periods.iter().fold(YearFraction::ZERO, |sum, period| sum.plus(period.flat_share()))
}

impl Period {
    pub(crate) fn new(annual_rate: Percent, fraction: YearFraction) -> Self {
        Self { annual_rate, fraction, rate: Ratio::new(annual_rate, fraction) }
    }

    /// The annual rate times the part of a year, in millionths of a percent; nothing where the period
    /// bears no interest.
    fn flat_share(&self) -> YearFraction {
        if self.rate == Ratio::ZERO {
            return YearFraction::ZERO;
        }
        self.fraction.times(self.annual_rate.millionths())
    }
}

/// What becomes of an instalment below its row's interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shortfall {
    /// There is no such schedule.
    Refuse,
    /// The row asks for its interest alone.
    InterestOnly,
}

/// Principal to be spread over rows, in whole numbers of the smallest amount, at most 10^15 of
/// them.
pub(crate) struct Amortisation<'a> {
    /// For the method, the amortisation and the rounding alone.
    pub(crate) terms: &'a Terms,
    pub(crate) units: Units,
    /// The amount in smallest amounts, positive.
    pub(crate) principal: i128,
    /// What flat interest is charged on, in smallest amounts.
    pub(crate) flat_base: i128,
    /// The rate of each period, one for each row; at least one.
    pub(crate) rates: &'a [Ratio],
    /// What [`whole_term`] makes of the periods that bear flat interest by their rate.
    pub(crate) flat_term: YearFraction,
    /// The interest of the first row where it is known already. Its rate is then that of
    /// [`Ratio::of_whole`], and its period is not in `flat_term`.
    pub(crate) first_interest: Option<i128>,
    /// The first row that repays principal, counted from 0; below the number of rows.
    pub(crate) first_repaying: usize,
    pub(crate) shortfall: Shortfall,
}

impl Amortisation<'_> {
    fn rounding(&self) -> Rounding {
        self.terms.rounding()
    }

    /// How many rows repay principal; at least one.
    fn repaying(&self) -> i128 {
        (self.rates.len() - self.first_repaying) as i128
    }

    fn to_instalment_multiple(&self, value: i128) -> i128 {
        let multiple = self.units.multiple / self.units.smallest;
        round_to_multiple(value, multiple, self.rounding())
    }

    /// Gives principal and interest of each row, interest where it arises, and returns the
    /// instalment.
    pub(crate) fn fill(&self, put: &mut impl FnMut(usize, i128, i128)) -> Result<i128, Refusal> {
        match (self.terms.interest_method(), self.terms.amortization()) {
            (InterestMethod::DecliningBalance, Amortization::EqualInstalments) => {
                let instalment = self.smoothed_instalment()?;
                self.equal_instalments(instalment, put)?;
                Ok(instalment)
            }
            (InterestMethod::DecliningBalance, Amortization::EqualPrincipal) => {
                let share = round_div(self.principal, self.repaying(), self.rounding());
                Ok(self.equal_principal(share, put))
            }
            (InterestMethod::Flat, _) => self.flat(None, put),
        }
    }

    /// The same where the instalment is given (under equal principal: the principal of a row); the
    /// last row still takes all that is left.
    pub(crate) fn fill_with(&self, instalment: i128, put: &mut impl FnMut(usize, i128, i128)) -> Result<(), Refusal> {
        match (self.terms.interest_method(), self.terms.amortization()) {
            (InterestMethod::DecliningBalance, Amortization::EqualInstalments) => {
                self.equal_instalments(instalment, put)?;
            }
            (InterestMethod::DecliningBalance, Amortization::EqualPrincipal) => {
                self.equal_principal(instalment, put);
            }
            (InterestMethod::Flat, _) => {
                self.flat(Some(instalment), put)?;
            }
        }
        Ok(())
    }

    /// What a row with this interest has for principal.
    fn principal_within(&self, instalment: i128, interest: i128) -> Result<i128, Refusal> {
        match self.shortfall {
            Shortfall::Refuse if instalment < interest => Err(does_not_amortise()),
            Shortfall::Refuse | Shortfall::InterestOnly => Ok((instalment - interest).max(0)),
        }
    }

    /// Declining balance, equal instalments: what the row's interest leaves of the instalment is
    /// principal; the last row takes the whole balance. Gives what the last row asks for.
    fn equal_instalments(&self, instalment: i128, put: &mut impl FnMut(usize, i128, i128)) -> Result<i128, Refusal> {
        let mut balance = self.principal;
        let mut due = 0;
        for (index, rate) in self.rates.iter().enumerate() {
            let interest = rate.of(balance, self.rounding());
            let principal = if index < self.first_repaying {
                0
            } else if index + 1 == self.rates.len() {
                balance
            } else {
                balance.min(self.principal_within(instalment, interest)?)
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
        let rates = &self.rates[self.first_repaying..];
        let exact = level_instalment(self.principal, rates, self.rounding());
        let mut instalment = self.to_instalment_multiple(exact);
        let mut gap = self.equal_instalments(instalment, &mut |_, _, _| ())? - instalment;
        for _ in 0..3 {
            if gap.abs() <= self.repaying() / 2 {
                break;
            }
            let moved = instalment + round_div(gap, self.repaying(), self.rounding());
            let moved = self.to_instalment_multiple(moved);
            // Too low an instalment is no reason to refuse here: the one before it amortises.
            let Ok(last) = self.equal_instalments(moved, &mut |_, _, _| ()) else {
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
    fn equal_principal(&self, share: i128, put: &mut impl FnMut(usize, i128, i128)) -> i128 {
        let mut balance = self.principal;
        let mut instalment = 0;
        for (index, rate) in self.rates.iter().enumerate() {
            let interest = rate.of(balance, self.rounding());
            let principal = if index < self.first_repaying {
                0
            } else if index + 1 == self.rates.len() {
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
    /// of the total. A row's principal is, under equal principal, an equal share; else what its
    /// interest leaves of the instalment: an equal share of principal with the row's interest, to the
    /// multiple. The share or the instalment may be given. Gives what the first row that repays
    /// principal asks for, up to rounding.
    fn flat(&self, given: Option<i128>, put: &mut impl FnMut(usize, i128, i128)) -> Result<i128, Refusal> {
        let mut balance = self.principal;
        let mut interest_left = self.total_flat_interest();
        let mut first_instalment = 0;
        for (index, rate) in self.rates.iter().enumerate() {
            let is_last = index + 1 == self.rates.len();
            let own = match self.first_interest {
                Some(interest) if index == 0 => interest,
                _ => rate.of(self.flat_base, self.rounding()),
            };
            let interest = if is_last { interest_left } else { interest_left.min(own) };
            let mut principal = 0;
            if index >= self.first_repaying {
                let (instalment, share) = self.flat_row(given, interest);
                principal = match share {
                    _ if is_last => balance,
                    Some(share) => balance.min(share),
                    None => balance.min(self.principal_within(instalment, interest)?),
                };
                if index == self.first_repaying {
                    first_instalment = if share.is_some() { principal + interest } else { instalment };
                }
            }
            put(index, principal, interest);
            balance -= principal;
            interest_left -= interest;
        }
        Ok(first_instalment)
    }

    /// The instalment of a flat row with this interest; under equal principal its principal as well.
    fn flat_row(&self, given: Option<i128>, interest: i128) -> (i128, Option<i128>) {
        match self.terms.amortization() {
            Amortization::EqualPrincipal => {
                let share = given.unwrap_or_else(|| round_div(self.principal, self.repaying(), self.rounding()));
                (share + interest, Some(share))
            }
            Amortization::EqualInstalments => {
                let instalment = given.unwrap_or_else(|| {
                    let exact = self.principal + interest * self.repaying();
                    self.to_instalment_multiple(round_div(exact, self.repaying(), self.rounding()))
                });
                (instalment, None)
            }
        }
    }

    /// The flat base times the rates of all the periods that bear interest, rounded once.
    /// Fractions of two kinds have a common denominator below 2^22 and lie within 301 years, so
    /// that the numerator stays below 10^15 * 10^9 * 301 * 2^22 < 2^110.
    fn total_flat_interest(&self) -> i128 {
        let numerator = self.flat_base * i128::from(self.flat_term.numerator);
        let denominator = i128::from(Percent::MILLIONTHS_OF_ONE) * i128::from(self.flat_term.denominator);
        self.first_interest.unwrap_or(0) + round_div(numerator, denominator, self.rounding())
    }
}

/// Moves the interest of the first periods to the first row after them.
fn defer_interest(terms: &Terms, rows: &mut [Row]) {
    let deferred = terms.grace().interest_payment as usize;
    // Always true: terms with a longer grace cannot be made.
    if let Some((row, before)) = rows.get_mut(..=deferred).and_then(<[Row]>::split_last_mut) {
        let mut interest = row.interest.units();
        for early in before {
            interest += early.interest.units();
            early.interest = Money::zero(early.interest.currency());
        }
        row.interest = Money::computed(interest, row.interest.currency());
    }
}

/// Adds the fees, and adds everything up.
fn total(amount: Money, instalment: Money, fees: &Fees, mut rows: Vec<Row>) -> Schedule {
    let money = |units| Money::computed(units, amount.currency());
    let mut balance = amount.units();
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
        instalment,
        total_interest: money(total_interest),
        total_fees: money(total_fees),
        total_due: money(total_due),
        paid_out: money(amount.units() - fees.at_disbursement),
        rows,
    }
}

fn does_not_amortise() -> Refusal {
    Refusal::terms("/interest_rate_apr", Reason::DoesNotAmortise)
}

/// The part of a year that a first period to a given date is. Unless it is one repayment period,
/// it is counted by days.
pub(crate) fn first_period(terms: &Terms, start: Date, end: Date) -> YearFraction {
    if terms.is_regular_period(start, end) {
        return regular_period(terms, start, end);
    }
    YearFraction::by_days(terms.day_count(), start, end)
}

/// The part of a year that a whole repayment period is.
pub(crate) fn regular_period(terms: &Terms, start: Date, end: Date) -> YearFraction {
    YearFraction::regular(terms.frequency(), terms.interest_period(), terms.day_count(), start, end)
}
