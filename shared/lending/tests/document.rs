//! The examples of `docs/lending.md`: each request in it is computed, and the tables after it are
//! compared. A table that no request computes fails too.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::fmt::Display;

use lending::{AprMethod, Currency, Flow, Money, TermsPatch, UnitPeriod, apr, parse_date, schedule};
use serde_json::Value;

const DOCUMENT: &str = include_str!("../../../docs/lending.md");

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

/// The answer to `POST /api/quotes`: its rows, and its totals.
fn quote(request: &Value) -> Vec<String> {
    let word = |name: &str| request[name].as_str().unwrap();
    let currency: Currency = word("currency").parse().unwrap();
    let terms: TermsPatch = serde_json::from_value(request["terms"].clone()).unwrap();
    let terms = terms.complete(currency).unwrap();
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
fn recomputed(document: &str) -> (Vec<String>, usize, usize) {
    let (mut quotes, mut rates) = (0, 0);
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
        } else {
            quotes += 1;
            written.extend(quote(&request));
        }
        written.push(String::new());
    }
    (written, quotes, rates)
}

#[test]
fn every_table_is_what_its_request_gives() {
    let (wanted, quotes, rates) = recomputed(DOCUMENT);
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
    assert_eq!((quotes, rates), (15, 7));
}

/// Each kind of schedule has an example.
#[test]
fn the_examples_cover_each_kind() {
    for word in [
        "\"interest_method\": \"flat\"",
        "\"amortization\": \"equal_principal\"",
        "\"interest_period\": \"daily\"",
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
        "\"month_end\": \"roll\"",
        "\"method\": \"reg_z\"",
        "\"method\": \"eu\"",
        "\"method\": \"nominal\"",
    ] {
        assert!(DOCUMENT.contains(word), "{word}");
    }
}
