//! The annual percentage rates of a schedule, net of its fees.

use serde::Serialize;

use super::percentage::Apr;
#[cfg(feature = "openapi")]
use crate::AnnualRate;
use crate::calendar::{RepayUnit, YearFraction, days_between};
use crate::equation::{Equation, OddPart, StepsPerYear, Time, Unknown};
use crate::number::rounding::gcd;
use crate::{Schedule, ScheduledInstalment, Terms};

/// The annual percentage rates of a schedule, net of its fees, with four decimals; null where no rate discounts the
/// rows to the amount paid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({"nominal": "31.5204", "effective": "36.4929"})))]
pub struct QuotedApr {
    /// The rate of a repayment period times the periods in a year.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<AnnualRate>))]
    pub nominal: Option<Apr>,
    /// That rate compounded over a year: `(1 + i)^periods - 1`.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<AnnualRate>))]
    pub effective: Option<Apr>,
}

impl Schedule {
    /// The yearly cost of the loan, fees included: the rate at which the rows' `due` are worth the
    /// amount paid out. The rows fall due after 1, 2, 3... regular periods, whatever the calendar says;
    /// 12/every, 52/every or 365/every of them make a year. A first period made irregular by
    /// `first_due_on` counts as its days over a regular one's.
    ///
    /// `terms` are those the schedule was made with. There is no rate where nothing is paid out, and none
    /// beyond 10^24 percent.
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
        let Some(times) = self.times(terms) else {
            return QuotedApr { nominal: None, effective: None };
        };
        let start = Time { whole: 0, odd: 0, of: 1 };
        let dues = times.into_iter().zip(&self.rows).map(|(time, row)| (time, -row.due.units()));
        // Where nothing or less is paid out, all money goes one way, and there is no rate.
        let flows = std::iter::once((start, self.paid_out.units())).chain(dues);
        let equation = Equation::new(flows, steps(terms), Unknown::Nominal, OddPart::OfStep);
        let (nominal, effective) = equation.nominal_and_effective();
        let rate = |ten_thousandths| Apr { ten_thousandths };
        QuotedApr { nominal: nominal.map(rate), effective: effective.map(rate) }
    }

    /// The due dates in regular periods after the start, by the rhythm of the terms. Weeks and days are counted: where
    /// a calendar skips dates, more than one period lies between two rows.
    fn times(&self, terms: &Terms) -> Option<Vec<Time>> {
        let first = self.rows.first()?;
        let start = first.due_on.checked_sub(jiff::Span::new().try_days(first.days).ok()?).ok()?;
        let every = u64::from(terms.repay_every());
        let unit_days = match terms.repay_unit() {
            RepayUnit::Month => {
                let first = if terms.frequency().after(start, 1) == Some(first.nominal_due_on) {
                    Time { whole: 1, odd: 0, of: 1 }
                } else {
                    let fraction = YearFraction::by_days(terms.day_count(), start, first.nominal_due_on);
                    divided(fraction.numerator * 12, fraction.denominator * every)?
                };
                let time = |row: &ScheduledInstalment| Time { whole: first.whole.saturating_add(row.n - 1), ..first };
                return Some(self.rows.iter().map(time).collect());
            }
            RepayUnit::Week => 7,
            RepayUnit::Day => 1,
        };
        let days = |row: &ScheduledInstalment| u64::from(days_between(start, row.nominal_due_on).unsigned_abs());
        self.rows.iter().map(|row| divided(days(row), unit_days * every)).collect()
    }
}

/// The quotient as a number of periods.
fn divided(numerator: u64, denominator: u64) -> Option<Time> {
    let common = gcd(numerator, denominator);
    let (numerator, denominator) = (numerator / common, denominator / common);
    let whole = u32::try_from(numerator / denominator).ok()?;
    Some(Time { whole, odd: numerator % denominator, of: denominator })
}

/// Repayment periods a year.
fn steps(terms: &Terms) -> StepsPerYear {
    let numerator = match terms.repay_unit() {
        RepayUnit::Month => 12,
        RepayUnit::Week => 52,
        RepayUnit::Day => 365,
    };
    StepsPerYear { numerator, denominator: u64::from(terms.repay_every()) }
}
