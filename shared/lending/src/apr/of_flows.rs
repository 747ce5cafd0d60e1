//! The annual percentage rate of any advances and payments, by the rules of the United States and of
//! the European Union.

use super::flow::Flow;
use super::interval::{Counting, MonthDays};
use super::method::{AprMethod, UnitPeriod};
use super::percentage::Apr;
use crate::calendar::days_between;
use crate::equation::{Equation, Unknown};

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
