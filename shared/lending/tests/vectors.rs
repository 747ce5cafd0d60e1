//! Every published example, cell by cell. All that fail are listed, with the row and the cell.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use lending::{
    Amortization, Currency, DayCount, InterestMethod, InterestPeriod, Money, MonthEnd, Schedule, TermsPatch,
    parse_date, schedule,
};
use serde_json::Value;

const SCHEDULES: &str = include_str!("vectors/schedules.json");
const DATES: &str = include_str!("vectors/dates.json");

fn examples(json: &str) -> Vec<Value> {
    serde_json::from_str(json).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn terms_of(example: &Value) -> TermsPatch {
    serde_json::from_value(example["request"]["terms"].clone()).unwrap()
}

fn compute(example: &Value) -> Schedule {
    let request = &example["request"];
    let currency: Currency = text(&request["currency"]).parse().unwrap();
    let amount = Money::parse(text(&request["amount"]), currency).unwrap();
    let terms = terms_of(example).complete(currency).unwrap();
    schedule(amount, parse_date(text(&request["disbursed_on"])).unwrap(), &terms).unwrap()
}

/// Every difference between the example and what is computed, as `row, cell: expected, got`. Some
/// examples write no amount as `0`: amounts are compared as money.
fn differences(example: &Value, schedule: &Schedule) -> Vec<String> {
    let currency = schedule.total_due.currency();
    let money = |value: &Value| Money::parse(text(value), currency).unwrap();
    let mut found = Vec::new();
    let mut compare = |place: String, expected: String, got: String| {
        if expected != got {
            found.push(format!("{place}: expected {expected}, got {got}"));
        }
    };

    let expected = &example["expected"];
    let rows = expected["rows"].as_array().unwrap();
    compare("rows".into(), rows.len().to_string(), schedule.rows.len().to_string());
    for (wanted, row) in rows.iter().zip(&schedule.rows) {
        let n = &wanted["n"];
        compare(format!("row {n}, n"), n.to_string(), row.n.to_string());
        let due_on = text(&wanted["due_on"]).to_owned();
        compare(format!("row {n}, due_on"), due_on, row.due_on.to_string());
        for (cell, got) in
            [("principal", row.principal), ("interest", row.interest), ("due", row.due), ("balance", row.balance)]
        {
            let wanted = money(&wanted[cell]).to_string();
            compare(format!("row {n}, {cell}"), wanted, got.to_string());
        }
    }
    let total = money(&expected["total_interest"]).to_string();
    compare("total_interest".into(), total, schedule.total_interest.to_string());
    found
}

#[test]
fn every_published_schedule_row_by_row() {
    let examples = examples(SCHEDULES);
    let failures: Vec<String> = examples
        .iter()
        .flat_map(|example| {
            let id = text(&example["id"]);
            differences(example, &compute(example)).into_iter().map(move |difference| format!("{id}: {difference}"))
        })
        .collect();
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
    assert_eq!(examples.len(), 36);
}

/// The examples are worth what they cover: this says so, and fails if the file loses a kind.
#[test]
fn the_examples_cover_each_kind() {
    let euro = Currency::from_code("EUR").unwrap();
    let terms: Vec<_> = examples(SCHEDULES).iter().map(|it| terms_of(it).complete(euro).unwrap()).collect();
    let any = |wanted: &dyn Fn(&lending::Terms) -> bool| terms.iter().any(wanted);
    assert!(any(&|it| it.interest_method() == InterestMethod::Flat));
    assert!(any(&|it| it.amortization() == Amortization::EqualPrincipal));
    assert!(any(&|it| it.interest_period() == InterestPeriod::RepaymentPeriod));
    assert!(any(&|it| it.month_end() == MonthEnd::Roll));
    assert!(any(&|it| it.grace().principal > 0 && it.grace().interest_payment > 0));
    for day_count in [DayCount::Thirty360, DayCount::Actual360, DayCount::Actual365, DayCount::ActualActual] {
        assert!(any(&|it| it.interest_period() == InterestPeriod::Daily && it.day_count() == day_count));
    }
}

/// The examples give the first due date; the disbursement is a day before.
#[test]
fn every_published_list_of_due_dates() {
    let euro = Currency::from_code("EUR").unwrap();
    let mut failures = Vec::new();
    let examples = examples(DATES);
    for example in &examples {
        let inputs = &example["inputs"];
        assert_eq!(inputs["repay_unit"], "MONTHS");
        let first = text(&inputs["first_due_date"]);
        let terms = format!(
            r#"{{"interest_rate_apr": "0", "instalments": {}, "repay_every": {},
                "first_due_on": "{first}"}}"#,
            inputs["number_of_repayments"], inputs["repay_every"],
        );
        let terms: TermsPatch = serde_json::from_str(&terms).unwrap();
        let terms = terms.complete(euro).unwrap();
        let disbursed_on = parse_date(first).unwrap().yesterday().unwrap();
        let schedule = schedule(Money::from_units(140_000, euro), disbursed_on, &terms).unwrap();
        let got: Vec<String> = schedule.rows.iter().map(|row| row.due_on.to_string()).collect();
        let wanted: Vec<String> =
            example["expected"]["due_dates"].as_array().unwrap().iter().map(|date| text(date).to_owned()).collect();
        if got != wanted {
            failures.push(format!("{}: expected {wanted:?}, got {got:?}", example["id"]));
        }
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
    assert_eq!(examples.len(), 3);
}
