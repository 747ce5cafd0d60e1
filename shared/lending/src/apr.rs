//! Annual percentage rates: of a schedule net of its fees, and of any advances and payments by the
//! rules of the United States and of the European Union.

mod interval;

use std::fmt;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::calendar::{JsonDate, YearFraction, days_between};
use crate::equation::{Equation, OddPart, Steps, Time, Unknown};
use crate::exact::gcd;
use crate::number::{NumberError, deserialize_text, parse_fixed, refused, whole_number, write_fixed};
use crate::object::objects_only;
use crate::terms::{RepayUnit, words};
use crate::{MoneyError, Schedule, Terms};
use interval::{Counting, MonthDays};

/// The most flows, advances and payments together, that a request has.
pub const MAX_FLOWS: usize = 1000;

/// An annual percentage rate: percent a year with four decimals, negative where less is paid than
/// was advanced. It stays within 10^24 percent; beyond 10^15 percent its last digits are not sure,
/// since rates are looked for with 28.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Apr {
    /// Of a percent.
    ten_thousandths: i128,
}

impl Apr {
    const DECIMALS: u32 = 4;

    /// The number of percent, with four decimals.
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        // Cannot fail: 10^28 is below 2^96.
        Decimal::from_i128_with_scale(self.ten_thousandths, Self::DECIMALS)
    }
}

/// Percent with exactly four decimals: `9.6900`.
impl fmt::Display for Apr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_fixed(f, self.ten_thousandths, Self::DECIMALS)
    }
}

/// A JSON string, as [`fmt::Display`] writes it.
impl Serialize for Apr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The annual percentage rates of a schedule, net of its fees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct QuotedApr {
    /// The rate of a repayment period times the periods in a year.
    pub nominal: Option<Apr>,
    /// What that rate grows to in a year: `(1 + i)^periods - 1`.
    pub effective: Option<Apr>,
}

impl Schedule {
    /// What the loan costs a year, fees included: the rate at which the rows' `due` are worth what
    /// is paid out. The rows fall due after 1, 2, 3... regular periods, whatever the calendar says;
    /// 12/every, 52/every or 365/every of them make a year. A first period made irregular by
    /// `first_due_on` counts as its days over a regular one's.
    ///
    /// `terms` are those the schedule was made with. There is no rate where nothing is paid out; one
    /// beyond 10^24 percent is not told.
    ///
    /// ```
    /// use lending::{Currency, Money, TermsPatch, parse_date, schedule};
    ///
    /// let rupee = Currency::from_code("INR")?;
    /// let terms: TermsPatch = serde_json::from_str(
    ///     r#"{"interest_rate_apr": "24", "instalments": 12,
    ///         "fees": [{"code": "processing", "when": "disbursement", "percent": "2"}]}"#,
    /// )?;
    /// let terms = terms.complete(rupee)?;
    /// let schedule = schedule(Money::parse("12000", rupee)?, parse_date("2025-01-31")?, &terms)?;
    ///
    /// let apr = schedule.apr(&terms);
    /// assert_eq!(apr.nominal.map(|it| it.to_string()).as_deref(), Some("27.9663"));
    /// assert_eq!(apr.effective.map(|it| it.to_string()).as_deref(), Some("31.8446"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn apr(&self, terms: &Terms) -> QuotedApr {
        let Some(first) = self.first_time(terms) else {
            return QuotedApr { nominal: None, effective: None };
        };
        let start = Time { whole: 0, odd: 0, of: 1 };
        let dues = self.rows.iter().map(|row| {
            let time = Time { whole: first.whole.saturating_add(row.n - 1), ..first };
            (time, -row.due.units())
        });
        // Where nothing or less is paid out, all money goes one way, and there is no rate.
        let flows = std::iter::once((start, self.paid_out.units())).chain(dues);
        let equation = Equation::new(flows, steps(terms), Unknown::Nominal, OddPart::OfStep);
        let (nominal, effective) = equation.nominal_and_effective();
        let rate = |ten_thousandths| Apr { ten_thousandths };
        QuotedApr { nominal: nominal.map(rate), effective: effective.map(rate) }
    }

    /// The first due date in regular periods.
    fn first_time(&self, terms: &Terms) -> Option<Time> {
        let regular = Time { whole: 1, odd: 0, of: 1 };
        let row = self.rows.first()?;
        let start = row.due_on.checked_sub(jiff::Span::new().try_days(row.days).ok()?).ok()?;
        if terms.is_regular_period(start, row.due_on) {
            return Some(regular);
        }
        let every = u64::from(terms.repay_every());
        let (numerator, denominator) = match terms.repay_unit() {
            RepayUnit::Month => {
                let fraction = YearFraction::by_days(terms.day_count(), start, row.due_on);
                (fraction.numerator * 12, fraction.denominator * every)
            }
            RepayUnit::Week => (u64::from(row.days), 7 * every),
            RepayUnit::Day => (u64::from(row.days), every),
        };
        let common = gcd(numerator, denominator);
        let (numerator, denominator) = (numerator / common, denominator / common);
        let whole = u32::try_from(numerator / denominator).ok()?;
        Some(Time { whole, odd: numerator % denominator, of: denominator })
    }
}

/// Repayment periods a year.
fn steps(terms: &Terms) -> Steps {
    let numerator = match terms.repay_unit() {
        RepayUnit::Month => 12,
        RepayUnit::Week => 52,
        RepayUnit::Day => 365,
    };
    Steps { numerator, denominator: u64::from(terms.repay_every()) }
}

words! {
    /// How an annual percentage rate is computed from dated flows.
    AprMethod {
        /// 12 CFR 1026 (Regulation Z), Appendix J: the actuarial method. The rate of a unit period
        /// times the unit periods in a year; simple interest for a part of one.
        RegZ = "reg_z",
        /// Directive 2008/48/EC, Annex I: the growth of a year, with compound interest for any part
        /// of one.
        Eu = "eu",
        /// The rate of a unit period times the unit periods in a year, with compound interest for a
        /// part of one.
        Nominal = "nominal",
    }
}

words! {
    /// What a unit period is counted in.
    PeriodUnit {
        /// Calendar months.
        Month = "month",
        /// Fifteen days, 24 of them a year.
        HalfMonth = "half_month",
        /// Seven days.
        Week = "week",
        /// Calendar days.
        Day = "day",
    }
}

/// The period that a rate is for: so many months, half months, weeks or days.
///
/// ```
/// use lending::{PeriodUnit, UnitPeriod};
///
/// let quarter: UnitPeriod = serde_json::from_str(r#"{"every": 3, "unit": "month"}"#)?;
/// assert_eq!((quarter.every(), quarter.unit()), (3, PeriodUnit::Month));
/// assert_eq!(UnitPeriod::new(0, PeriodUnit::Day).unwrap_err().code(), "out_of_range");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct UnitPeriod {
    #[serde(deserialize_with = "every")]
    every: u32,
    unit: PeriodUnit,
}

/// A unit period of no units, or of too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be from 1 to {}", UnitPeriod::MAX_EVERY)]
pub struct UnitPeriodError;

impl UnitPeriodError {
    /// The stable code of this refusal.
    #[must_use]
    pub const fn code(self) -> &'static str {
        "out_of_range"
    }
}

impl UnitPeriod {
    /// The most units a period may have: as many as a year has days.
    pub const MAX_EVERY: u32 = 366;

    /// So many units.
    ///
    /// # Errors
    /// [`UnitPeriodError`] unless `every` is from 1 to [`Self::MAX_EVERY`].
    pub const fn new(every: u32, unit: PeriodUnit) -> Result<Self, UnitPeriodError> {
        match every {
            1..=Self::MAX_EVERY => Ok(Self { every, unit }),
            _ => Err(UnitPeriodError),
        }
    }

    /// How many units it has.
    #[must_use]
    pub const fn every(self) -> u32 {
        self.every
    }

    /// What they are.
    #[must_use]
    pub const fn unit(self) -> PeriodUnit {
        self.unit
    }
}

fn every<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    whole_number(deserializer, 1..=UnitPeriod::MAX_EVERY)
}

impl Serialize for UnitPeriod {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The derived function, which `remote = "Self"` puts beside the trait's.
        Self::serialize(self, serializer)
    }
}

/// An amount of a flow, in whatever currency: not negative, at most four decimals, at most 10^15.
///
/// ```
/// use lending::FlowAmount;
///
/// assert_eq!(FlowAmount::parse("969.73")?.to_string(), "969.73");
/// assert_eq!(FlowAmount::parse("0.00001").unwrap_err().code(), "too_many_decimals");
/// # Ok::<(), lending::MoneyError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowAmount {
    ten_thousandths: i128,
}

impl FlowAmount {
    /// As many as the currency with the most has.
    const DECIMALS: u32 = 4;
    const MAX: i128 = 10i128.pow(15 + Self::DECIMALS);

    /// Reads `[0-9]+(\.[0-9]+)?`, at most four decimals, at most 10^15.
    ///
    /// # Errors
    /// A [`MoneyError`] that says which of these does not hold.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        Ok(Self::read(text)?)
    }

    fn read(text: &str) -> Result<Self, NumberError> {
        parse_fixed(text, Self::DECIMALS, Self::MAX).map(|ten_thousandths| Self { ten_thousandths })
    }

    /// The number, without zeros at its end.
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        Decimal::from_i128_with_scale(self.ten_thousandths, Self::DECIMALS).normalize()
    }
}

impl fmt::Display for FlowAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_decimal().fmt(f)
    }
}

/// From a JSON string or number, digit by digit.
impl<'de> Deserialize<'de> for FlowAmount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserialize_text(deserializer)?;
        Self::read(&text).map_err(|error| refused(MoneyError::from(error).code(), error))
    }
}

/// A JSON string, as [`fmt::Display`] writes it.
impl Serialize for FlowAmount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Money that changes hands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Flow {
    /// The day.
    #[serde(deserialize_with = "date")]
    pub on: Date,
    /// How much.
    pub amount: FlowAmount,
}

fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    JsonDate::deserialize(deserializer).map(|JsonDate(date)| date)
}

objects_only! {
    UnitPeriod, "an object with a unit period";
    Flow, "an object with a flow of money";
}

/// The annual percentage rate of money advanced and paid on given days, in any order.
///
/// Time begins with the first advance; what is paid on the same day reduces it. The rate is rounded
/// to four decimals of a percent, halfway to the even one.
///
/// - [`AprMethod::RegZ`]: 12 CFR 1026, Appendix J (b)(3) to (b)(8). Whole unit periods are counted
///   back from each flow to the start; a remaining part `f` of one bears simple interest, `1 + f i`.
///   A month has 30 days, a half month 15; weeks and days are the calendar's; a unit period of 12
///   months counts years, and what remains in months of a year or else in days of 365. A unit period
///   of several half months, which the rule does not know, is counted like several months. For one
///   advance and one payment within a year, (b)(5)(vi) and (vii), the unit period is the whole term:
///   its months, or its days.
/// - [`AprMethod::Eu`]: Directive 2008/48/EC, Annex I, with the Commission's guidelines SWD(2012) 128,
///   4.1.1. Intervals are whole years (a unit period of 12 months or a multiple), months or weeks,
///   counted back, and days over 365 or 366; half months are counted in months and days.
/// - [`AprMethod::Nominal`]: time as in Regulation Z, with compound interest for a part of a unit
///   period too.
///
/// With money going out first and coming back later there is exactly one rate above -100 % a
/// period. Where the direction changes more than once there may be none or several: the answer is
/// the lowest that is not negative, or else the highest negative one (two closer than 0.0001 % are
/// not seen). `None` for no flows, for nothing but advances or payments, for a payment before the
/// first advance, where no rate is the answer or every one, beyond 10^24 percent, and where a search
/// of bounded length finds none.
///
/// ```
/// use lending::{AprMethod, Flow, PeriodUnit, UnitPeriod, apr};
///
/// let advances: Vec<Flow> = serde_json::from_str(r#"[{"on": "1978-01-03", "amount": "1000"}]"#)?;
/// let payments: Vec<Flow> = serde_json::from_str(r#"[{"on": "1978-09-15", "amount": "1080"}]"#)?;
/// // Appendix J, example (c)(5)(i): a single payment after 255 days.
/// let term = UnitPeriod::new(255, PeriodUnit::Day)?;
/// let rate = apr(AprMethod::RegZ, term, &advances, &payments);
/// assert_eq!(rate.map(|it| it.to_string()).as_deref(), Some("11.4510"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn apr(method: AprMethod, unit_period: UnitPeriod, advances: &[Flow], payments: &[Flow]) -> Option<Apr> {
    let is_something = |flow: &&Flow| flow.amount.ten_thousandths > 0;
    let start = advances.iter().filter(is_something).map(|flow| flow.on).min()?;
    if payments.iter().filter(is_something).any(|flow| days_between(start, flow.on) < 0) {
        return None;
    }
    let counting = Counting::new(method, unit_period);
    let flows = |flows: &'_ [Flow], sign: i128| {
        let dates = flows.iter().filter(is_something).map(|flow| flow.on);
        let month_days = MonthDays::of(dates.chain(std::iter::once(start)));
        move |flow: &Flow| (counting.between(start, flow.on, month_days), sign * flow.amount.ten_thousandths)
    };
    let outgoing = advances.iter().filter(is_something).map(flows(advances, 1));
    let incoming = payments.iter().filter(is_something).map(flows(payments, -1));
    let unknown = match method {
        AprMethod::RegZ | AprMethod::Nominal => Unknown::Nominal,
        AprMethod::Eu => Unknown::Effective,
    };
    let equation = Equation::new(outgoing.chain(incoming), counting.steps(), unknown, counting.odd_part());
    equation.rate().map(|ten_thousandths| Apr { ten_thousandths })
}
