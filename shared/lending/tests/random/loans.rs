//! Random loans: every combination of terms, amounts of 1 to 10^15 smallest units, 0 to 1000 %, 1
//! to 600 instalments, dates anywhere.

use jiff::civil::{Date, date};
use lending::{
    Amortization, Currency, DayCount, FeePatch, FeeWhen, Given, GracePatch, InterestMethod, InterestPeriod, Money,
    MonthEnd, Number, Percent, RepayUnit, Rounding, Schedule, Terms, TermsPatch, schedule,
};
use proptest::prelude::*;
use proptest::sample::select;

/// A loan that nothing but its dates or its rate may refuse.
#[derive(Debug, Clone)]
pub(crate) struct Loan {
    pub(crate) amount: Money,
    pub(crate) disbursed_on: Date,
    pub(crate) terms: Terms,
}

impl Loan {
    /// The schedule, or the code of the refusal.
    pub(crate) fn schedule(&self) -> Result<Schedule, &'static str> {
        schedule(self.amount, self.disbursed_on, &self.terms).map_err(|refusal| refusal.code())
    }

    /// The same loan with some terms changed.
    pub(crate) fn with(&self, patch: &TermsPatch) -> Self {
        let terms = patch.over(&self.terms, self.amount.currency()).unwrap();
        Self { terms, ..self.clone() }
    }

    /// Every amount of a row is a multiple of this, in smallest units of the currency.
    pub(crate) fn smallest(&self) -> i128 {
        self.units(self.terms.smallest_amount()).unwrap_or(1)
    }

    /// An equal instalment is a multiple of this, in smallest units of the currency.
    pub(crate) fn multiple(&self) -> i128 {
        self.units(self.terms.instalment_multiple()).unwrap_or_else(|| self.smallest())
    }

    fn units(&self, number: Option<Number>) -> Option<i128> {
        let number = number?;
        Some(Money::from_decimal(number.get(), self.amount.currency()).unwrap().units())
    }
}

fn instalments() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 1u32..=13, 3 => 14u32..=60, 1 => 61u32..=600]
}

/// Smallest units: each number of digits as likely as any other.
fn units() -> impl Strategy<Value = i64> {
    prop_oneof![
        1 => 1i64..=20,
        8 => (0u32..15, 1.0f64..10.0).prop_map(|(digits, _)| 10i64.pow(digits))
            .prop_flat_map(|low| low..=low * 10),
        1 => Just(10i64.pow(15)),
    ]
}

fn rate() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => Just("0".to_owned()),
        4 => (0u32..=60).prop_map(|percent| percent.to_string()),
        3 => (0u32..=100_000_000u32).prop_map(millionths),
        2 => (0u32..=1_000_000_000u32).prop_map(millionths),
        1 => Just("1000".to_owned()),
    ]
}

fn millionths(millionths: u32) -> String {
    format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000)
}

pub(crate) fn dates() -> impl Strategy<Value = Date> {
    let month_ends = (1900i16..=2200, 1i8..=12).prop_map(|(year, month)| {
        let first = date(year, month, 1);
        first.last_of_month()
    });
    let any = (1900i16..=2200, 1i8..=12, 1i8..=28).prop_map(|(year, month, day)| date(year, month, day));
    let modern = (2015i16..=2035, 1i8..=12, 1i8..=28).prop_map(|(year, month, day)| date(year, month, day));
    prop_oneof![2 => month_ends, 1 => any, 4 => modern]
}

fn every() -> impl Strategy<Value = u32> {
    prop_oneof![6 => Just(1u32), 3 => 2u32..=6, 1 => 7u32..=400]
}

fn fees() -> impl Strategy<Value = Vec<(FeeWhen, Result<i64, u32>)>> {
    let value = prop_oneof![(0i64..1_000_000).prop_map(Ok), (0u32..10_000_000).prop_map(Err),];
    prop::collection::vec((select(&FeeWhen::ALL), value), 0..3)
}

/// A loan on any terms at all.
pub(crate) fn loans() -> impl Strategy<Value = Loan> {
    let kinds = (
        select(&InterestMethod::ALL),
        select(&Amortization::ALL),
        select(&InterestPeriod::ALL),
        select(&DayCount::ALL),
        select(&Rounding::ALL),
        select(&MonthEnd::ALL),
        select(&RepayUnit::ALL),
    );
    let sizes = (
        units(),
        rate(),
        instalments(),
        every(),
        dates(),
        prop::option::weighted(0.3, 1i64..200),
        select(vec!["VND", "INR", "BHD", "CLF"]),
    );
    let units = (
        prop::option::weighted(0.3, select(vec![1i64, 5, 10, 25, 100, 1000])),
        prop::option::weighted(0.3, select(vec![1i64, 2, 3, 10, 50, 100, 10_000])),
    );
    let grace = prop::option::weighted(0.4, (0.0f64..1.0, 0.0f64..1.0, 0.0f64..1.0));
    (kinds, sizes, units, grace, fees())
        .prop_map(|(kinds, sizes, units, grace, fees)| make(kinds, sizes, units, grace, fees))
}

type Kinds = (InterestMethod, Amortization, InterestPeriod, DayCount, Rounding, MonthEnd, RepayUnit);
type Sizes = (i64, String, u32, u32, Date, Option<i64>, &'static str);

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_arithmetic,
    reason = "a random share of the rows, exactness does not matter"
)]
fn share(of: u32, share: f64) -> u32 {
    // Small graces are the likely ones, the longest is possible.
    ((f64::from(of) + 0.999) * share * share) as u32
}

fn make(
    kinds: Kinds,
    sizes: Sizes,
    (smallest, multiple): (Option<i64>, Option<i64>),
    grace: Option<(f64, f64, f64)>,
    fees: Vec<(FeeWhen, Result<i64, u32>)>,
) -> Loan {
    let (method, amortization, period, day_count, rounding, month_end, unit) = kinds;
    let (units, rate, instalments, every, disbursed_on, first_after, code) = sizes;
    let currency: Currency = code.parse().unwrap();
    let smallest_units = smallest.unwrap_or(1);
    // The amount is a multiple of the smallest amount, and not zero.
    let units = (units / smallest_units).max(1) * smallest_units;
    let money = |units: i64| Number::from(Money::from_units(units, currency));
    let given = |units: Option<i64>| units.map_or(Given::Absent, |units| Given::Value(money(units)));
    let first_due_on = first_after
        .and_then(|days| disbursed_on.checked_add(jiff::Span::new().days(days)).ok())
        .filter(|first| first.year() <= 2200);
    let (principal, interest_payment, interest_free) = grace.unwrap_or_default();
    let patch = TermsPatch {
        interest_rate_apr: Some(lending::AnnualRate::parse(&rate).unwrap()),
        instalments: Some(instalments),
        repay_every: Some(every),
        repay_unit: Some(unit),
        first_due_on: first_due_on.map_or(Given::Null, Given::Value),
        interest_method: Some(method),
        amortization: Some(amortization),
        interest_period: Some(period),
        day_count: Some(day_count),
        rounding: Some(rounding),
        smallest_amount: given(smallest),
        instalment_multiple: given(multiple.map(|times| times * smallest_units)),
        month_end: Some(month_end),
        grace: Some(GracePatch {
            principal: Some(share(instalments - 1, principal)),
            interest_payment: Some(share(instalments - 1, interest_payment)),
            interest_free: Some(share(instalments, interest_free)),
        }),
        fees: Some(
            fees.into_iter()
                .map(|(when, value)| FeePatch {
                    code: "fee".to_owned(),
                    when,
                    amount: value.ok().map(|units| money(units * smallest_units)),
                    percent: value.err().map(|it| Percent::parse(&millionths(it)).unwrap()),
                })
                .collect(),
        ),
        ..TermsPatch::default()
    };
    let terms = patch.complete(currency).unwrap();
    Loan { amount: Money::from_units(units, currency), disbursed_on, terms }
}
