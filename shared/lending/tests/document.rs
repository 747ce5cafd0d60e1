//! The examples of `docs/lending.md`: each request in it is computed, and the tables after it are
//! compared, or written where `UPDATE_DOCS` is set. A table that no request computes fails too.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::fmt::Display;
use std::sync::Arc;

use jiff::Timestamp;
use lending::{
    AprMethod, Calendar, Contract, Currency, Event, EventId, EventKind, Flow, Money, TermsPatch, UnitPeriod, WeekDay,
    apr, fold, parse_date, schedule,
};
use serde_json::Value;

const DOCUMENT: &str = include_str!("../../../docs/lending.md");
const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/lending.md");

fn line(cells: &[&dyn Display]) -> String {
    let cells: Vec<String> = cells.iter().map(ToString::to_string).collect();
    format!("| {} |", cells.join(" | "))
}

/// A header with the line under it.
fn header(names: &[&str]) -> [String; 2] {
    [format!("| {} |", names.join(" | ")), format!("|{}", " --- |".repeat(names.len()))]
}

fn text(rate: Option<lending::Apr>) -> String {
    rate.map_or("null".to_owned(), |rate| rate.to_string())
}

/// The days of the calendar that the terms name, which stand beside them.
fn calendar(request: &Value) -> Option<Arc<Calendar>> {
    let given = request.get("calendar")?;
    let words = |name: &str| given[name].as_array().unwrap().iter().map(|word| word.as_str().unwrap());
    let weekend = words("weekend").map(|day| WeekDay::from_name(day).unwrap());
    Some(Arc::new(Calendar::new(1, weekend, words("holidays").map(|on| parse_date(on).unwrap()))))
}

/// The answer to `POST /api/quotes`: its rows, and its totals.
fn quote(request: &Value) -> Vec<String> {
    let word = |name: &str| request[name].as_str().unwrap();
    let currency: Currency = word("currency").parse().unwrap();
    let terms: TermsPatch = serde_json::from_value(request["terms"].clone()).unwrap();
    let terms = terms.complete(currency).unwrap().with_calendar(calendar(request));
    let amount = Money::parse(word("amount"), currency).unwrap();
    let schedule = schedule(amount, parse_date(word("disbursed_on")).unwrap(), &terms).unwrap();
    let mut lines = Vec::from(header(&["n", "due_on", "days", "principal", "interest", "fees", "due", "balance"]));
    for row in &schedule.rows {
        lines.push(line(&[
            &row.n,
            &row.due_on,
            &row.days,
            &row.principal,
            &row.interest,
            &row.fees,
            &row.due,
            &row.balance,
        ]));
    }
    lines.push(String::new());
    let totals =
        ["instalment", "total_interest", "total_fees", "total_due", "paid_out", "apr.nominal", "apr.effective"];
    lines.extend(header(&totals));
    let rates = schedule.apr(&terms);
    lines.push(line(&[
        &schedule.instalment,
        &schedule.total_interest,
        &schedule.total_fees,
        &schedule.total_due,
        &schedule.paid_out,
        &text(rates.nominal),
        &text(rates.effective),
    ]));
    lines
}

/// A loan with its payments as of a day: its transactions but for the disbursement, and its rows.
fn loan(request: &Value) -> Vec<String> {
    let word = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
    let currency: Currency = word(request, "currency").parse().unwrap();
    let terms: TermsPatch = serde_json::from_value(request["terms"].clone()).unwrap();
    let amount = Money::parse(&word(request, "amount"), currency).unwrap();
    let contract = Contract { amount, terms: terms.complete(currency).unwrap() };
    let event = |id: usize, on: String, kind| {
        let recorded_at = Timestamp::from_second(i64::try_from(id).unwrap()).unwrap();
        Event { id: EventId(id as u128), on: parse_date(&on).unwrap(), recorded_at, kind }
    };
    let mut events =
        vec![event(0, word(request, "disbursed_on"), EventKind::Disbursement { first_due_on: None, calendar: None })];
    for (index, paid) in request["payments"].as_array().unwrap().iter().enumerate() {
        let amount = Money::parse(&word(paid, "amount"), currency).unwrap();
        events.push(event(index + 1, word(paid, "paid_on"), EventKind::Repayment { amount }));
    }
    let as_of = parse_date(&word(request, "as_of")).unwrap();
    let state = fold(&contract, &events, as_of, Timestamp::MAX).unwrap();

    let mut lines = Vec::from(header(&["paid_on", "amount", "penalty", "fee", "interest", "principal", "balance"]));
    for paid in &state.transactions {
        if let Some(shares) = paid.allocation {
            let cells: [&dyn Display; 7] = [
                &paid.on,
                &paid.amount,
                &shares.penalty,
                &shares.fee,
                &shares.interest,
                &shares.principal,
                &paid.balance,
            ];
            lines.push(line(&cells));
        }
    }
    lines.push(String::new());
    lines.extend(header(&["n", "due_on", "principal", "interest", "due", "paid", "outstanding", "balance"]));
    for row in &state.rows {
        let cells: [&dyn Display; 8] =
            [&row.n, &row.due_on, &row.principal, &row.interest, &row.due, &row.paid, &row.outstanding, &row.balance];
        lines.push(line(&cells));
    }
    lines
}

/// The answer to `POST /api/quotes/apr`.
fn rate(request: &Value) -> Vec<String> {
    let method: AprMethod = serde_json::from_value(request["method"].clone()).unwrap();
    let unit_period: UnitPeriod = serde_json::from_value(request["unit_period"].clone()).unwrap();
    let flows = |name: &str| serde_json::from_value::<Vec<Flow>>(request[name].clone()).unwrap();
    let rate = apr(method, unit_period, &flows("advances"), &flows("payments"));
    let mut lines = Vec::from(header(&["apr"]));
    lines.push(line(&[&text(rate)]));
    lines
}

/// The document with every table computed again, and how many requests of each kind it has.
fn recomputed(document: &str) -> (Vec<String>, [usize; 3]) {
    let (mut quotes, mut rates, mut loans) = (0, 0, 0);
    let mut lines = document.lines().peekable();
    let mut written = Vec::new();
    while let Some(line) = lines.next() {
        assert!(!line.starts_with('|'), "a table without a request: {line}");
        written.push(line.to_owned());
        if line != "```json" {
            continue;
        }
        let mut request = String::new();
        for line in lines.by_ref() {
            written.push(line.to_owned());
            if line == "```" {
                break;
            }
            request.push_str(line);
        }
        while lines.next_if(|line| line.is_empty() || line.starts_with('|')).is_some() {}
        let request: Value = serde_json::from_str(&request).unwrap();
        written.push(String::new());
        if request["method"].is_string() {
            rates += 1;
            written.extend(rate(&request));
        } else if request["payments"].is_array() {
            loans += 1;
            written.extend(loan(&request));
        } else {
            quotes += 1;
            written.extend(quote(&request));
        }
        written.push(String::new());
    }
    (written, [quotes, rates, loans])
}

#[test]
fn every_table_is_what_its_request_gives() {
    let (wanted, counts) = recomputed(DOCUMENT);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PATH, wanted.join("\n") + "\n").unwrap();
        return;
    }
    let differences: Vec<String> = DOCUMENT
        .lines()
        .zip(&wanted)
        .enumerate()
        .filter(|(_, (line, wanted))| line != wanted)
        .map(|(index, (line, wanted))| format!("line {}: {line}\n  is computed as {wanted}", index + 1))
        .take(10)
        .collect();
    assert!(differences.is_empty(), "\n{}\n", differences.join("\n"));
    assert_eq!(DOCUMENT.lines().count(), wanted.len());
    assert_eq!(counts, [18, 7, 3]);
}

/// Each kind of schedule has an example.
#[test]
fn the_examples_cover_each_kind() {
    for word in [
        "\"interest_method\": \"flat\"",
        "\"amortization\": \"equal_principal\"",
        "\"interest_period\": \"daily\"",
        "\"interest_accrual\": \"daily\"",
        "\"grace\": {\"principal\"",
        "\"grace\": {\"interest_payment\"",
        "\"grace\": {\"interest_free\"",
        "\"when\": \"disbursement\"",
        "\"when\": \"instalment\"",
        "\"smallest_amount\"",
        "\"instalment_multiple\"",
        "\"repay_unit\": \"week\"",
        "\"repay_unit\": \"day\"",
        "\"first_due_on\"",
        "\"allocation\": [",
        "\"rule\": \"following\"",
        "\"rule\": \"modified_following\"",
        "\"rule\": \"extend\"",
        "\"month_end\": \"roll\"",
        "\"method\": \"reg_z\"",
        "\"method\": \"eu\"",
        "\"method\": \"nominal\"",
    ] {
        assert!(DOCUMENT.contains(word), "{word}");
    }
}
