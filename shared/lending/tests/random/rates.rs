//! Annual percentage rates of random flows and loans: that they solve the equation of value, to the
//! rounding, by an independent computation of present values in 300 binary places.

use jiff::civil::Date;
use jiff::{Span, ToSpan};
use lending::{
    Apr, AprMethod, Fee, FeePatch, FeeValue, FeeWhen, Flow, FlowAmount, Given, GracePatch, InterestMethod,
    InterestPeriod, Number, PeriodUnit, RepayUnit, TermsPatch, UnitPeriod, apr,
};
use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};
use proptest::prelude::*;
use proptest::sample::select;
use rust_decimal::Decimal;

use crate::loans::loans;

/// Binary places of [`Fixed`].
const PLACES: u32 = 300;

/// A number in units of 2^-300.
type Fixed = BigInt;

fn one() -> Fixed {
    BigInt::one() << PLACES
}

fn times(a: &Fixed, b: &Fixed) -> Fixed {
    (a * b) >> PLACES
}

fn fixed(value: &BigRational) -> Fixed {
    (value.numer() << PLACES).div_floor(value.denom())
}

/// e^x by its series, after halving x until it is small and before squaring as often.
fn exp(x: &Fixed) -> Fixed {
    let halvings = u32::try_from(x.bits()).unwrap().saturating_sub(PLACES) + 8;
    let small = x >> halvings;
    let (mut sum, mut term) = (one(), one());
    for n in 1..120 {
        term = times(&term, &small) / n;
        sum += &term;
    }
    (0..halvings).fold(sum, |value, _| times(&value, &value))
}

/// The logarithm, by Newton's method on the exponential.
fn ln(x: &Fixed) -> Fixed {
    let mut log = Fixed::zero();
    for _ in 0..400 {
        let power = exp(&log);
        let step = ((x - &power) << (PLACES + 1)) / (x + &power);
        log += &step;
        if step.abs() <= BigInt::from(1u32) << 20u32 {
            break;
        }
    }
    log
}

fn power(base: &Fixed, exponent: &BigRational) -> Fixed {
    let log = ln(base) * exponent.numer() / exponent.denom();
    exp(&log)
}

fn whole_power(base: &Fixed, times_: u32) -> Fixed {
    let (mut product, mut square, mut left) = (one(), base.clone(), times_);
    while left > 0 {
        if left % 2 == 1 {
            product = times(&product, &square);
        }
        square = times(&square, &square);
        left /= 2;
    }
    product
}

fn rational(numerator: i64, denominator: i64) -> BigRational {
    BigRational::new(numerator.into(), denominator.into())
}

fn days(from: Date, to: Date) -> i64 {
    i64::from(from.until(to).unwrap().get_days())
}

fn back(to: Date, span: Span) -> Date {
    to.checked_sub(span).unwrap()
}

/// Walks back from `to` by whole periods, each counted from `to` itself, while `from` is not passed.
fn walk(from: Date, to: Date, span: impl Fn(i64) -> Span) -> (i64, Date) {
    let mut count = 0;
    while back(to, span(count + 1)) >= from {
        count += 1;
    }
    (count, back(to, span(count)))
}

/// The worth at the start of one unit of money at a date. Dates are the 28th at most, so that no
/// month ends early.
fn discount(method: AprMethod, unit_period: UnitPeriod, rate: &BigRational, from: Date, to: Date) -> Fixed {
    let every = i64::from(unit_period.every());
    if method == AprMethod::Eu {
        let (years, start) = match unit_period.unit() {
            PeriodUnit::Month if every % 12 == 0 => {
                let (count, start) = walk(from, to, i64::years);
                (rational(count, 1), start)
            }
            PeriodUnit::Month | PeriodUnit::HalfMonth => {
                let (count, start) = walk(from, to, i64::months);
                (rational(count, 12), start)
            }
            PeriodUnit::Week => {
                let (count, start) = walk(from, to, i64::weeks);
                (rational(count, 52), start)
            }
            PeriodUnit::Day => (BigRational::zero(), to),
        };
        let year = days(back(start, 1.year()), start);
        let years = years + rational(days(from, start), year);
        return power(&fixed(&(BigRational::one() + rate)), &-years);
    }
    let periods = match unit_period.unit() {
        PeriodUnit::Month if every == 12 => {
            let (years, year_start) = walk(from, to, i64::years);
            let (months, start) = walk(from, to, i64::months);
            if start == from {
                rational(months, 12)
            } else {
                rational(years, 1) + rational(days(from, year_start), 365)
            }
        }
        PeriodUnit::Month | PeriodUnit::HalfMonth => {
            let (months, start) = walk(from, to, i64::months);
            let length = if unit_period.unit() == PeriodUnit::Month { 30 } else { 15 };
            rational(months * 30 + days(from, start), length * every)
        }
        PeriodUnit::Week => rational(days(from, to), 7 * every),
        PeriodUnit::Day => rational(days(from, to), every),
    };
    let a_year = match unit_period.unit() {
        PeriodUnit::Month => 12,
        PeriodUnit::HalfMonth => 24,
        PeriodUnit::Week => 52,
        PeriodUnit::Day => 365,
    };
    let i = rate * rational(every, a_year);
    let growth = fixed(&(BigRational::one() + &i));
    let whole = whole_power(&((one() << PLACES) / &growth), periods.floor().to_integer().to_u32().unwrap());
    let part = periods.fract();
    match method {
        AprMethod::RegZ => (whole << PLACES) / fixed(&(BigRational::one() + part * i)),
        _ => times(&whole, &power(&growth, &-part)),
    }
}

fn ten_thousandths(amount: Decimal) -> BigInt {
    let mut amount = amount;
    amount.rescale(4);
    BigInt::from(amount.mantissa())
}

/// A random set of flows.
#[derive(Debug, Clone)]
struct Deal {
    method: AprMethod,
    unit_period: UnitPeriod,
    advances: Vec<Flow>,
    payments: Vec<Flow>,
}

impl Deal {
    fn rate(&self) -> Option<Apr> {
        apr(self.method, self.unit_period, &self.advances, &self.payments)
    }

    fn start(&self) -> Date {
        self.advances.iter().map(|flow| flow.on).min().unwrap()
    }

    /// The worth of the advances less that of the payments, at a rate in half ten-thousandths of a
    /// percent; `None` at -100 % a period and below.
    fn worth(&self, halves: &BigInt) -> Option<BigInt> {
        let rate = BigRational::new(halves.clone(), 2_000_000.into());
        let a_period = match (self.method, self.unit_period.unit()) {
            (AprMethod::Eu, _) => BigRational::one(),
            (_, PeriodUnit::Month) => rational(self.unit_period.every().into(), 12),
            (_, PeriodUnit::HalfMonth) => rational(self.unit_period.every().into(), 24),
            (_, PeriodUnit::Week) => rational(self.unit_period.every().into(), 52),
            (_, PeriodUnit::Day) => rational(self.unit_period.every().into(), 365),
        };
        if !(BigRational::one() + &rate * a_period).is_positive() {
            return None;
        }
        let value = |flow: &Flow| {
            ten_thousandths(flow.amount.to_decimal())
                * discount(self.method, self.unit_period, &rate, self.start(), flow.on)
        };
        Some(self.advances.iter().map(value).sum::<BigInt>() - self.payments.iter().map(value).sum::<BigInt>())
    }
}

fn dates() -> impl Strategy<Value = Date> {
    let modern = (2015i16..=2030, 1i8..=12, 1i8..=28);
    let any = (1900i16..=2200, 1i8..=12, 1i8..=28);
    prop_oneof![9 => modern, 1 => any].prop_map(|(year, month, day)| jiff::civil::date(year, month, day))
}

fn amounts() -> impl Strategy<Value = FlowAmount> {
    prop_oneof![
        6 => (1_000_000u64..1_000_000_000).prop_map(|units| (units, 4)),
        2 => (1u64..100_000_000).prop_map(|units| (units, 4)),
        1 => (1u64..=1_000_000_000_000_000).prop_map(|units| (units, 0)),
    ]
    .prop_map(|(units, scale)| FlowAmount::parse(&Decimal::new(units.try_into().unwrap(), scale).to_string()).unwrap())
}

fn flows(most: usize) -> impl Strategy<Value = Vec<Flow>> {
    prop::collection::vec((dates(), amounts()).prop_map(|(on, amount)| Flow { on, amount }), 1..=most)
}

fn deals() -> impl Strategy<Value = Deal> {
    let every = prop_oneof![4 => Just(1), 2 => 2u32..=13, 1 => 14..=UnitPeriod::MAX_EVERY];
    let unit_period = (every, select(&PeriodUnit::ALL)).prop_map(|(every, unit)| UnitPeriod::new(every, unit).unwrap());
    (select(&AprMethod::ALL), unit_period, flows(3), flows(8)).prop_map(|(method, unit_period, advances, payments)| {
        // A payment before the first advance is moved to its date.
        let start = advances.iter().map(|flow| flow.on).min().unwrap();
        let payments = payments.into_iter().map(|flow| Flow { on: flow.on.max(start), ..flow }).collect();
        Deal { method, unit_period, advances, payments }
    })
}

/// A fee as a request would have it.
fn again(fee: &Fee) -> FeePatch {
    let (amount, percent) = match fee.value {
        FeeValue::Amount(amount) => (Some(amount), None),
        FeeValue::Percent(percent) => (None, Some(percent)),
    };
    FeePatch { code: fee.code.clone(), when: fee.when, amount, percent }
}

/// Beyond 10^15 percent the last digits of a rate are not sure.
fn sure() -> BigInt {
    BigInt::from(2) * BigInt::from(10).pow(19)
}

/// The rate in half ten-thousandths of a percent.
fn halves(rate: Apr) -> BigInt {
    BigInt::from(rate.to_decimal().mantissa()) * 2
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Between half a ten-thousandth below and half of one above, the flows change from being
    /// worth more to being worth less, or the other way round.
    #[test]
    fn a_rate_solves_its_equation_to_the_rounding(deal in deals()) {
        if let Some(rate) = deal.rate().filter(|rate| halves(*rate) < sure()) {
            let middle = halves(rate);
            let above = deal.worth(&(&middle + 1));
            prop_assert!(above.is_some(), "{}", rate);
            // Just above -100 % the last of the flows is worth more than all others.
            let below = deal.worth(&(&middle - 1));
            if let (Some(below), Some(above)) = (below, above) {
                let is_between = below.is_zero() || above.is_zero() || below.is_negative() != above.is_negative();
                prop_assert!(is_between, "{}", rate);
            }
        }
    }

    /// Money that goes out first and comes back later has a rate.
    #[test]
    fn a_loan_has_one_rate(deal in deals(), advance in amounts()) {
        let start = deal.start().checked_sub(1.day()).unwrap();
        prop_assume!(start.year() >= 1900);
        let loan = Deal { advances: vec![Flow { on: start, amount: advance }], ..deal };
        let rate = loan.rate();
        // Beyond 10^24 percent it is not told.
        let highest = BigInt::from(2) * BigInt::from(10).pow(28);
        prop_assert!(rate.is_some() || loan.worth(&highest).is_some_and(|worth| worth.is_negative()));
        if let Some(rate) = rate {
            // Less is paid than was advanced, or more.
            let gain = loan.worth(&BigInt::zero()).unwrap();
            prop_assert!(!halves(rate).is_positive() || gain.is_negative());
            prop_assert!(!halves(rate).is_negative() || gain.is_positive());
        }
    }

    /// No lower rate that is not negative solves it too: at a thousand of them in between, the
    /// flows are worth more, or less, all the time.
    #[test]
    fn no_solution_lies_between_zero_and_the_rate(deal in deals()) {
        let Some(rate) = deal.rate() else { return Ok(()) };
        let top: BigInt = halves(rate) - 1;
        if !top.is_positive() || top > BigInt::from(10).pow(12) {
            return Ok(());
        }
        let signs: Vec<bool> =
            (0..=12).map(|k| deal.worth(&(&top * k / 12)).unwrap().is_negative()).collect();
        prop_assert!(signs.iter().all(|sign| *sign == signs[0]), "{} {:?}", rate, signs);
    }

    #[test]
    fn the_scale_and_the_order_of_flows_do_not_matter(deal in deals(), factor in 2u32..=10) {
        let scaled = |flows: &[Flow]| -> Option<Vec<Flow>> {
            flows
                .iter()
                .rev()
                .map(|flow| {
                    let amount = flow.amount.to_decimal() * Decimal::from(factor);
                    Some(Flow { amount: FlowAmount::parse(&amount.normalize().to_string()).ok()?, ..*flow })
                })
                .collect()
        };
        if let (Some(advances), Some(payments)) = (scaled(&deal.advances), scaled(&deal.payments)) {
            let larger = Deal { advances, payments, ..deal.clone() };
            let (rate, of_larger) = (deal.rate(), larger.rate());
            if rate.is_none_or(|rate| halves(rate) < sure()) {
                prop_assert_eq!(of_larger, rate);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Interest by the repayment period and no fees: every row's interest is that of the rate, up to
    /// half a unit (a whole one, rounded up or down). What n rows are off by together moves the rate
    /// of a period by at most n (1 + i) / P, since all of the principal is out for one period.
    #[test]
    fn without_fees_the_nominal_rate_is_the_loans(loan in loans()) {
        let unit = loan.terms.repay_unit();
        let plain = TermsPatch {
            interest_method: Some(InterestMethod::DecliningBalance),
            interest_period: Some(InterestPeriod::RepaymentPeriod),
            repay_unit: Some(if unit == RepayUnit::Day { RepayUnit::Week } else { unit }),
            first_due_on: Given::Null,
            fees: Some(Vec::new()),
            grace: Some(GracePatch { interest_payment: Some(0), interest_free: Some(0), ..GracePatch::default() }),
            ..TermsPatch::default()
        };
        let loan = loan.with(&plain);
        let Ok(schedule) = loan.schedule() else { return Ok(()) };
        let apr = schedule.apr(&loan.terms);
        let nominal = apr.nominal.unwrap().to_decimal().to_string().parse::<Decimal>().unwrap();
        let gap = (nominal - loan.terms.interest_rate_apr().to_decimal()).abs();
        let units = if loan.terms.repay_unit() == RepayUnit::Week { 52 } else { 12 };
        let a_year = rational(units, loan.terms.repay_every().into());
        let exact = |number: Decimal| {
            BigRational::new(number.mantissa().into(), BigInt::from(10).pow(number.scale()))
        };
        let i = exact(loan.terms.interest_rate_apr().to_decimal()) / rational(100, 1) / &a_year;
        let off = BigRational::new(
            BigInt::from(loan.smallest()) * BigInt::from(schedule.rows.len()),
            loan.amount.units().into(),
        );
        // A loan of few units may be off by any amount.
        if off < rational(1, 100) {
            let bound = off * rational(200, 1) * (BigRational::one() + i) * a_year + rational(1, 10_000);
            prop_assert!(exact(gap) <= bound, "{} for {}", nominal, loan.terms.interest_rate_apr());
        }
    }

    /// A fee more raises both rates, whenever it is paid.
    #[test]
    fn a_fee_raises_the_rates(loan in loans(), when in select(&FeeWhen::ALL)) {
        let smallest = loan.smallest().try_into().unwrap();
        let amount = Number::from(lending::Money::from_units(smallest, loan.amount.currency()));
        let fee = FeePatch { code: "more".to_owned(), when, amount: Some(amount), percent: None };
        let mut fees: Vec<FeePatch> = loan.terms.fees().iter().map(again).collect();
        fees.push(fee);
        let dearer = loan.with(&TermsPatch { fees: Some(fees), ..TermsPatch::default() });
        let (Ok(schedule), Ok(dearer_schedule)) = (loan.schedule(), dearer.schedule()) else { return Ok(()) };
        let (apr, more) = (schedule.apr(&loan.terms), dearer_schedule.apr(&dearer.terms));
        prop_assert!(more.nominal.is_none() || more.nominal >= apr.nominal);
        prop_assert!(more.effective.is_none() || more.effective >= apr.effective);
        // There is a rate wherever something is paid out; but a short first period, with much due,
        // may make more than 10^24 % of it. An effective one is never below the nominal where a
        // year has a period or more.
        prop_assert!(apr.nominal.is_none() || schedule.paid_out.units() > 0);
        let is_told = schedule.paid_out.units() > 0 && loan.terms.first_due_on().is_none();
        prop_assert!(apr.nominal.is_some() || !is_told);
        let periods_a_year = match loan.terms.repay_unit() {
            RepayUnit::Month => 12,
            RepayUnit::Week => 52,
            RepayUnit::Day => 365,
        };
        if loan.terms.repay_every() <= periods_a_year {
            prop_assert!(apr.effective.is_none() || apr.effective >= apr.nominal);
        } else {
            prop_assert!(apr.nominal.is_none() || apr.effective <= apr.nominal);
        }
    }
}
