//! Annual percentage rates: every published example, and the rules by examples small enough to
//! check with a pencil.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use jiff::ToSpan;
use jiff::civil::Date;
use lending::{
    AprMethod, Currency, Flow, FlowAmount, Money, PeriodUnit, TermsPatch, UnitPeriod, apr, parse_date, schedule,
};
use serde_json::{Value, json};

const APR: &str = include_str!("vectors/apr.json");
const REG_Z: &str = include_str!("vectors/reg-z.json");

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn flow(on: &str, amount: &str) -> Flow {
    Flow { on: parse_date(on).unwrap(), amount: FlowAmount::parse(amount).unwrap() }
}

fn period(every: u32, unit: PeriodUnit) -> UnitPeriod {
    UnitPeriod::new(every, unit).unwrap()
}

/// The rate as text, or `none`.
fn rate(method: AprMethod, unit_period: UnitPeriod, advances: &[Flow], payments: &[Flow]) -> String {
    apr(method, unit_period, advances, payments).map_or("none".to_owned(), |rate| rate.to_string())
}

/// Whether the rate is the published one when it is rounded to as many decimals.
fn agrees(rate: &str, published: &str) -> bool {
    let decimals = published.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let rate: rust_decimal::Decimal = rate.parse().unwrap();
    rate.round_dp(u32::try_from(decimals).unwrap()) == published.parse().unwrap()
}

/// The dates of a group of payments in an example: `count` of them, one unit period apart.
fn dates(first: Date, count: i64, unit_period: UnitPeriod) -> Vec<Date> {
    let every = i64::from(unit_period.every());
    (0..count)
        .map(|k| match unit_period.unit() {
            PeriodUnit::Month => first.checked_add((k * every).months()).unwrap(),
            // The 1st and the 16th, or whatever two days of the month the first one gives.
            PeriodUnit::HalfMonth => first.checked_add((k / 2).months().days(k % 2 * 15)).unwrap(),
            PeriodUnit::Week => first.checked_add((k * every).weeks()).unwrap(),
            PeriodUnit::Day => first.checked_add((k * every).days()).unwrap(),
        })
        .collect()
}

fn unit_period(written: &Value) -> UnitPeriod {
    match written {
        Value::String(text) if text == "1 month(s)" => period(1, PeriodUnit::Month),
        Value::String(text) if text.starts_with("half month") => period(1, PeriodUnit::HalfMonth),
        object => serde_json::from_value(object.clone()).unwrap(),
    }
}

#[test]
fn every_published_regulation_z_example() {
    let mut failures = Vec::new();
    let mut seen = 0;
    let examples: Vec<Value> =
        [APR, REG_Z].iter().flat_map(|it| serde_json::from_str::<Vec<Value>>(it).unwrap()).collect();
    for example in examples.iter().filter(|it| text(&it["id"]).starts_with("REGZ")) {
        seen += 1;
        let inputs = &example["inputs"];
        let unit_period = unit_period(&inputs["unit_period"]);
        let advances = [flow(text(&inputs["advance_date"]), text(&inputs["amount_advanced"]))];
        let mut payments = Vec::new();
        for group in inputs["payments"].as_array().unwrap() {
            let first = parse_date(text(&group["first_date"])).unwrap();
            let amount = FlowAmount::parse(text(&group["amount"])).unwrap();
            let dates = dates(first, group["count"].as_i64().unwrap(), unit_period);
            payments.extend(dates.into_iter().map(|on| Flow { on, amount }));
        }
        let got = rate(AprMethod::RegZ, unit_period, &advances, &payments);
        let wanted = text(&example["expected"]["apr_percent"]);
        if !agrees(&got, wanted) {
            failures.push(format!("{}: expected {wanted}, got {got}", example["id"]));
        }
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
    assert_eq!(seen, 12);
}

fn example(id: &str) -> Value {
    let examples: Vec<Value> = serde_json::from_str(APR).unwrap();
    examples.into_iter().find(|it| it["id"] == id).unwrap()
}

/// 400 of 20,000 are kept back. The published 17.07 is computed with the instalment before it is
/// rounded to 970.
#[test]
fn the_reserve_bank_of_indias_factsheet() {
    let example = example("RBI-KFS-apr");
    let inputs = &example["inputs"];
    let advances = [flow("2024-01-05", text(&inputs["net_disbursed"]))];
    let month = period(1, PeriodUnit::Month);
    let with_instalment = |amount: &str| {
        let dates = dates("2024-02-05".parse().unwrap(), inputs["number_of_repayments"].as_i64().unwrap(), month);
        let payments: Vec<Flow> = dates.iter().map(|on| flow(&on.to_string(), amount)).collect();
        rate(AprMethod::Nominal, month, &advances, &payments)
    };
    let unrounded = with_instalment(text(&inputs["epi_unrounded"]));
    assert!(agrees(&unrounded, text(&example["expected"]["apr_percent"])), "{unrounded}");
    assert_eq!(unrounded, "17.0702");
    assert_eq!(with_instalment(text(&inputs["epi"])), "17.0989");
}

#[test]
fn the_european_example_of_1998_by_days_and_by_months() {
    let example = example("EU-98-7-example-1");
    let inputs = &example["inputs"];
    let advances = [flow(text(&inputs["date"]), text(&inputs["loan"]))];
    let repayments = inputs["repayments"].as_array().unwrap();
    let payments: Vec<Flow> = repayments.iter().map(|it| flow(text(&it[0]), text(&it[1]))).collect();
    let by_days = rate(AprMethod::Eu, period(1, PeriodUnit::Day), &advances, &payments);
    for decimals in ["apr_percent_1dp", "apr_percent_2dp"] {
        assert!(agrees(&by_days, text(&example["expected"][decimals])), "{by_days}");
    }
    // 2008/48/EC has months of equal length: 1.2^(12/18) - 1.
    let by_months = rate(AprMethod::Eu, period(1, PeriodUnit::Month), &advances, &payments);
    assert_eq!(by_months, "12.9243");
}
