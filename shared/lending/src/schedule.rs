//! Schedules: when an instalment falls due, and how much of it is principal, interest and fees.
//!
//! All arithmetic is on whole numbers of the smallest amount; every cell is rounded once, from its
//! exact value.

mod amortisation;
mod due_dates;
mod level_instalment;
mod period;

use jiff::civil::Date;
use serde::Serialize;

pub(crate) use amortisation::{Amortisation, Shortfall};
pub(crate) use due_dates::{DueDates, PeriodDates, Seed};
pub(crate) use period::{Period, PeriodRate, whole_term};

use crate::calendar::{Calendar, YearFraction, is_taken};
use crate::number::rounding::round_div;
#[cfg(feature = "openapi")]
use crate::openapi::BusinessDate;
use crate::rate::Percent;
use crate::refusal::{Reason, Refusal};
use crate::terms::{FeeValue, FeeWhen, InterestMethod, MAX_INSTALMENTS, Terms, Units};
use crate::{Money, MoneyError};

use period::Periods;

/// The cost of a loan and its due dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Schedule {
    /// Principal and interest of an instalment, without fees, by the method's formula: the amount of
    /// every row that repays principal, up to rounding in the last. Where the rows differ
    /// (equal principal, or flat with periods of different length), that of the first such row.
    pub instalment: Money,
    /// The interest of all rows.
    pub total_interest: Money,
    /// The fees at disbursement and of all rows.
    pub total_fees: Money,
    /// The sum of the rows.
    pub total_due: Money,
    /// The amount of the loan less the fees at disbursement; negative if those are more.
    pub paid_out: Money,
    /// One for each due date, in their order.
    pub rows: Vec<ScheduledInstalment>,
}

/// One instalment of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = ScheduleRow, example = json!({
    "n": 1, "due_on": "2026-04-02", "days": 31, "principal": "1902.39", "interest": "240.01", "fees": "0.00",
    "due": "2142.40", "balance": "10098.11"})))]
pub struct ScheduledInstalment {
    /// Counted from 1.
    pub n: u32,
    /// When it falls due.
    #[cfg_attr(feature = "openapi", schema(value_type = BusinessDate))]
    pub due_on: Date,
    /// When it would fall due by the rhythm of the terms alone, without a calendar.
    #[serde(skip)]
    pub nominal_due_on: Date,
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
    /// The principal left afterwards.
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
/// Where the terms name a calendar, due dates are working days of it:
///
/// ```
/// # use std::sync::Arc;
/// # use lending::{Calendar, Currency, Money, TermsPatch, WeekDay, parse_date, schedule};
/// let shilling = Currency::from_code("KES")?;
/// let terms: TermsPatch = serde_json::from_str(
///     r#"{"interest_rate_apr": "12", "instalments": 3, "calendar": {"code": "ke", "rule": "following"}}"#,
/// )?;
/// let calendar = Calendar::new(1, [WeekDay::Saturday, WeekDay::Sunday], [parse_date("2026-06-01")?]);
/// let terms = terms.complete(shilling)?.with_calendar(Some(Arc::new(calendar)));
/// let schedule = schedule(Money::parse("10000", shilling)?, parse_date("2026-03-31")?, &terms)?;
/// let dates: Vec<String> = schedule.rows.iter().map(|row| row.due_on.to_string()).collect();
/// // 31 May is a Sunday, and 1 June a holiday.
/// assert_eq!(dates, ["2026-04-30", "2026-06-02", "2026-06-30"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A [`Refusal`] naming the field: an amount that is not positive, larger than any request may
/// have, or no multiple of `smallest_amount`; `first_due_on` not after `disbursed_on`; a date
/// outside the years 1900 to 2200; an instalment below the interest of its row
/// (`does_not_amortise`); amounts in the terms that the currency does not have; weeks that
/// would always skip their due date (`never_a_working_day`).
pub fn schedule(amount: Money, disbursed_on: Date, terms: &Terms) -> Result<Schedule, Refusal> {
    let dates = (disbursed_on, terms.first_due_on());
    lay_out(amount, dates, terms, None, &mut |_, _| (), &mut |_, _| ()).map(|(schedule, _)| schedule)
}

/// A schedule with the periods and interest behind its rows.
pub(crate) struct Plan {
    pub(crate) schedule: Schedule,
    /// One for each row.
    pub(crate) periods: Vec<(PeriodDates, Period)>,
    /// The series of the due dates.
    pub(crate) seed: Seed,
    /// The interest of each period, in smallest units of the currency, wherever it is paid.
    pub(crate) arising: Vec<i128>,
    /// The fees of each row, in smallest units of the currency.
    pub(crate) fees_each_row: i128,
}

/// [`schedule`] with the periods and interest behind its rows; the first due date is given apart from the terms.
pub(crate) fn plan(
    amount: Money,
    (disbursed_on, first_due_on): (Date, Option<Date>),
    terms: &Terms,
    calendar: Option<&Calendar>,
) -> Result<Plan, Refusal> {
    let instalments = terms.instalments() as usize;
    let (mut periods, mut arising) = (Vec::with_capacity(instalments), vec![0; instalments]);
    let mut keep = |index: usize, interest| {
        if let Some(place) = arising.get_mut(index) {
            *place = interest;
        }
    };
    let mut push = |dates, period| periods.push((dates, period));
    let (schedule, fees) = lay_out(amount, (disbursed_on, first_due_on), terms, calendar, &mut push, &mut keep)?;
    let seed = Seed::of_disbursement(disbursed_on, first_due_on);
    Ok(Plan { schedule, periods, seed, arising, fees_each_row: fees.each_row })
}

/// The schedule and its fees. Passes on the period of each row in their order, and the interest that
/// arises in it, in smallest units of the currency: a schedule alone keeps only its rows.
fn lay_out(
    amount: Money,
    (disbursed_on, first_due_on): (Date, Option<Date>),
    terms: &Terms,
    calendar: Option<&Calendar>,
    tell_period: &mut impl FnMut(PeriodDates, Period),
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
    let mut rows = dated_rows(amount, (disbursed_on, first_due_on), terms, calendar)?;
    let mut rates = [PeriodRate::ZERO; MAX_INSTALMENTS as usize];
    let mut flat_term = YearFraction::ZERO;
    let mut periods = Periods::new(terms);
    for (index, ((_, dates), rate)) in rows.iter().zip(&mut rates).enumerate() {
        let period = periods.of(index, dates);
        *rate = period.rate;
        if terms.interest_method() == InterestMethod::Flat {
            flat_term = flat_term.plus(period.flat_share());
        }
        tell_period(*dates, period);
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
        if let Some((row, _)) = rows.get_mut(index) {
            row.principal = money(principal);
            row.interest = money(interest);
            tell_interest(index, interest * units.smallest);
        }
    })?;
    let mut rows: Vec<ScheduledInstalment> = rows.into_iter().map(|(row, _)| row).collect();
    defer_interest(terms, &mut rows);
    Ok((total(amount, money(instalment), &fees, rows), fees))
}

/// The rows with their dates, still without amounts.
fn dated_rows(
    amount: Money,
    (disbursed_on, first_due_on): (Date, Option<Date>),
    terms: &Terms,
    calendar: Option<&Calendar>,
) -> Result<Vec<(ScheduledInstalment, PeriodDates)>, Refusal> {
    if !is_taken(disbursed_on) {
        return Err(Refusal::disbursed_on(Reason::DateOutOfRange));
    }
    if first_due_on.is_some_and(|first| first <= disbursed_on) {
        return Err(Refusal::terms("/first_due_on", Reason::NotAfterDisbursement));
    }
    let seed = Seed::of_disbursement(disbursed_on, first_due_on);
    let mut due_dates = DueDates::after((disbursed_on, disbursed_on), 1, seed, terms, calendar)?;
    let zero = Money::zero(amount.currency());
    let mut rows = Vec::with_capacity(terms.instalments() as usize);
    for n in 1..=terms.instalments() {
        let dates = due_dates.next().ok_or_else(|| {
            let field = if n == 1 { "/repay_every" } else { "/instalments" };
            Refusal::terms(field, Reason::DateOutOfRange)
        })?;
        let row = ScheduledInstalment {
            n,
            due_on: dates.due_on,
            nominal_due_on: dates.nominal_due_on,
            days: dates.days(),
            principal: zero,
            interest: zero,
            fees: zero,
            due: zero,
            balance: zero,
        };
        rows.push((row, dates));
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

/// Moves the interest of the first periods to the first row after them.
fn defer_interest(terms: &Terms, rows: &mut [ScheduledInstalment]) {
    let deferred = terms.grace().interest_payment as usize;
    // Always true: terms with a longer grace cannot be made.
    if let Some((row, before)) = rows.get_mut(..=deferred).and_then(<[ScheduledInstalment]>::split_last_mut) {
        let mut interest = row.interest.units();
        for early in before {
            interest += early.interest.units();
            early.interest = Money::zero(early.interest.currency());
        }
        row.interest = Money::computed(interest, row.interest.currency());
    }
}

/// Adds the fees and the totals.
fn total(amount: Money, instalment: Money, fees: &Fees, mut rows: Vec<ScheduledInstalment>) -> Schedule {
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
