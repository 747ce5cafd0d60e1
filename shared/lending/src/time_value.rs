//! The time value of money: the payment that repays a loan, and the rate of return of payments.
//!
//! Rates are per period, and not in percent: 0.01 is one percent. Money that comes in and money
//! that goes out have opposite signs, as in numpy-financial and in spreadsheets. Results have 28
//! significant digits.

use rust_decimal::Decimal;

use crate::equation::{Equation, OddPart, StepsPerYear, Time, Unknown};
use crate::number::real::Real;

/// The most periods that [`rate`] takes: as many as 300 years have days, or nearly so.
pub const MAX_PERIODS: u32 = 109_500;

/// The payment at the end of each period that pays off `present_value`:
///
/// ```text
/// -present_value / (1/(1 + rate) + 1/(1 + rate)^2 + ... + 1/(1 + rate)^periods)
/// ```
///
/// `None` for no periods, for a rate of -1 and below, and where the payment has more than 28 digits
/// before its point.
///
/// ```
/// use lending::time_value::pmt;
/// use rust_decimal::Decimal;
///
/// let payment = pmt(Decimal::new(1, 2), 3, Decimal::from(10_000));
/// assert_eq!(payment.map(|it| it.round_dp(4).to_string()).as_deref(), Some("-3400.2211"));
/// assert_eq!(pmt(Decimal::ZERO, 60, Decimal::from(15_000)), Some(Decimal::from(-250)));
/// assert_eq!(pmt(Decimal::NEGATIVE_ONE, 60, Decimal::from(15_000)), None);
/// ```
#[must_use]
pub fn pmt(rate: Decimal, periods: u32, present_value: Decimal) -> Option<Decimal> {
    if periods == 0 {
        return None;
    }
    // 1 / (1 + mantissa / 10^scale)
    let one = 10u128.pow(rate.scale());
    let growth = rate.mantissa().checked_add_unsigned(one)?;
    let growth = u128::try_from(growth).ok().filter(|growth| *growth > 0)?;
    let size = Real::ratio(present_value.mantissa().unsigned_abs(), 10u128.pow(present_value.scale()));
    let payment = size.over(annuity(Real::ratio(one, growth), periods));
    to_decimal(payment, !present_value.is_sign_negative())
}

/// `discount + discount^2 + ... + discount^periods`, from sums of half as many: positive terms
/// alone, so that no digit is lost.
fn annuity(discount: Real, periods: u32) -> Real {
    let (mut sum, mut power) = (Real::ZERO, Real::ONE);
    for bit in (0..u32::BITS - periods.leading_zeros()).rev() {
        sum = sum.plus(power.times(sum));
        power = power.times(power);
        if (periods >> bit) % 2 == 1 {
            sum = discount.plus(discount.times(sum));
            power = power.times(discount);
        }
    }
    sum
}

/// The rate at which `present_value` now, `payment` at the end of each period and `future_value` at
/// the end of the last one are worth nothing together.
///
/// Of several rates, the lowest that is not negative, or else the highest negative one. `None`
/// where there is none above -1, for no periods or more than [`MAX_PERIODS`], and for amounts that
/// have more than 38 digits when written with the same number of decimals.
///
/// ```
/// use lending::time_value::rate;
/// use rust_decimal::Decimal;
///
/// // 100 a month for a year repay 1000.
/// let monthly = rate(12, Decimal::from(-100), Decimal::from(1000), Decimal::ZERO);
/// assert_eq!(monthly.map(|it| it.round_dp(8).to_string()).as_deref(), Some("0.02922854"));
/// ```
#[must_use]
pub fn rate(periods: u32, payment: Decimal, present_value: Decimal, future_value: Decimal) -> Option<Decimal> {
    if !(1..=MAX_PERIODS).contains(&periods) {
        return None;
    }
    let decimals = payment.scale().max(present_value.scale()).max(future_value.scale());
    let (payment, first) = (units(payment, decimals)?, units(present_value, decimals)?);
    let last = payment.checked_add(units(future_value, decimals)?)?;
    let payments = (1..periods).map(|period| (at(period), payment));
    let ends = [(at(0), first), (at(periods), last)];
    rate_of_return(payments.chain(ends))
}

/// The internal rate of return of amounts one period apart, the first of them now.
///
/// Several rates, or none: as in [`rate`].
///
/// ```
/// use lending::time_value::irr;
/// use rust_decimal::Decimal;
///
/// let flows = [-100, 39, 59, 55, 20].map(Decimal::from);
/// assert_eq!(irr(&flows).map(|it| it.round_dp(5).to_string()).as_deref(), Some("0.28095"));
/// assert_eq!(irr(&[]), None);
/// ```
#[must_use]
pub fn irr(flows: &[Decimal]) -> Option<Decimal> {
    let decimals = flows.iter().map(Decimal::scale).max()?;
    let periods = u32::try_from(flows.len()).ok()?;
    // All are checked before the first is used.
    flows.iter().try_for_each(|flow| units(*flow, decimals).map(drop))?;
    let amounts = flows.iter().map(|flow| units(*flow, decimals).unwrap_or(0));
    rate_of_return((0..periods).map(at).zip(amounts))
}

fn at(period: u32) -> Time {
    Time { whole: period, odd: 0, of: 1 }
}

/// The amount in units of 10^-`decimals`, of which it has no more.
fn units(amount: Decimal, decimals: u32) -> Option<i128> {
    amount.mantissa().checked_mul(10i128.pow(decimals - amount.scale()))
}

fn rate_of_return(flows: impl Iterator<Item = (Time, i128)>) -> Option<Decimal> {
    let each_period = StepsPerYear { numerator: 1, denominator: 1 };
    let equation = Equation::new(flows, each_period, Unknown::Nominal, OddPart::Nothing);
    let growth = equation.growth()?;
    to_decimal(growth.distance(Real::ONE), growth.is_below(Real::ONE))
}

/// As many decimals as 96 bits hold, 28 at most, and no zeros at the end.
fn to_decimal(size: Real, is_negative: bool) -> Option<Decimal> {
    (0..=Decimal::MAX_SCALE).rev().find_map(|scale| {
        let units = size.times(Real::whole(10u128.pow(scale))).to_whole();
        let units = if is_negative { -units } else { units };
        Decimal::try_from_i128_with_scale(units, scale).ok().map(|it| it.normalize())
    })
}
