//! How long an annual percentage rate takes: `cargo bench -p lending --bench apr`.

use divan::Bencher;
use jiff::ToSpan;
use jiff::civil::date;
use lending::{
    AprMethod, Currency, Flow, FlowAmount, Money, PeriodUnit, Schedule, Terms, TermsPatch, UnitPeriod, apr, parse_date,
    schedule,
};

/// The usual loan, and the one whose times are longest.
const KINDS: &[&str] = &[
    r#""interest_rate_apr": "24""#,
    r#""interest_rate_apr": "7.987653", "interest_period": "daily", "day_count": "actual/actual",
       "first_due_on": "2025-02-17""#,
];

fn loan(kind: usize, instalments: u32) -> Option<(Schedule, Terms)> {
    let euro = Currency::from_code("EUR").ok()?;
    let fee = r#"[{"code": "processing", "when": "disbursement", "percent": "2"}]"#;
    let json = format!(r#"{{"instalments": {instalments}, "fees": {fee}, {}}}"#, KINDS[kind]);
    let terms = serde_json::from_str::<TermsPatch>(&json).ok()?.complete(euro).ok()?;
    let schedule = schedule(Money::parse("1234567.89", euro).ok()?, parse_date("2025-01-31").ok()?, &terms).ok()?;
    Some((schedule, terms))
}

/// Both rates of a schedule.
#[divan::bench(args = [12, 60, 360, 600], consts = [0, 1])]
fn of_a_schedule<const KIND: usize>(bencher: Bencher<'_, '_>, instalments: u32) {
    if let Some((schedule, terms)) = loan(KIND, instalments) {
        bencher.bench(|| divan::black_box(&schedule).apr(&terms));
    }
}

/// Monthly payments after an odd first period.
#[divan::bench(args = [12, 60, 360, 999], consts = [0, 1, 2])]
fn of_dated_flows<const METHOD: usize>(bencher: Bencher<'_, '_>, payments: i64) {
    let (Ok(amount), Ok(payment), Ok(month)) =
        (FlowAmount::parse("10000"), FlowAmount::parse("950"), UnitPeriod::new(1, PeriodUnit::Month))
    else {
        return;
    };
    let first = date(2024, 2, 15);
    let advances = [Flow { on: date(2024, 1, 3), amount }];
    let payments: Vec<Flow> =
        (0..payments).map(|k| Flow { on: first.saturating_add(k.months()), amount: payment }).collect();
    bencher.bench(|| apr(AprMethod::ALL[METHOD], month, divan::black_box(&advances), &payments));
}

/// Flows that change their direction each time, with no solution: the longest search.
#[divan::bench(args = [12, 999])]
fn of_alternating_flows(bencher: Bencher<'_, '_>, flows: i64) {
    let (Ok(large), Ok(small), Ok(month)) =
        (FlowAmount::parse("10000"), FlowAmount::parse("9990"), UnitPeriod::new(1, PeriodUnit::Month))
    else {
        return;
    };
    let on = |k: i64| date(2024, 1, 3).saturating_add((7 * k).days());
    let advances: Vec<Flow> = (0..flows).step_by(2).map(|k| Flow { on: on(k), amount: large }).collect();
    let payments: Vec<Flow> = (1..flows).step_by(2).map(|k| Flow { on: on(k), amount: small }).collect();
    bencher.bench(|| apr(AprMethod::Eu, month, divan::black_box(&advances), &payments));
}

fn main() {
    divan::main();
}
