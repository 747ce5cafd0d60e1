//! The annual percentage rates of a schedule, net of its fees.

use serde::Serialize;

use super::percentage::Apr;
use crate::calendar::{RepayUnit, YearFraction};
use crate::equation::{Equation, OddPart, StepsPerYear, Time, Unknown};
use crate::number::rounding::gcd;
use crate::{Schedule, Terms};

/// The annual percentage rates of a schedule, net of its fees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct QuotedApr {
    /// The rate of a repayment period times the periods in a year.
    pub nominal: Option<Apr>,
    /// That rate compounded over a year: `(1 + i)^periods - 1`.
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
fn steps(terms: &Terms) -> StepsPerYear {
    let numerator = match terms.repay_unit() {
        RepayUnit::Month => 12,
        RepayUnit::Week => 52,
        RepayUnit::Day => 365,
    };
    StepsPerYear { numerator, denominator: u64::from(terms.repay_every()) }
}
