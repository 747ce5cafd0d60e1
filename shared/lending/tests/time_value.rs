//! The time value functions: every published example. What the engine does not need, interest and
//! principal of one payment and the payment factor, is computed from its functions here.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use lending::time_value::{MAX_PERIODS, irr, pmt, rate};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value;

const EXAMPLES: &str = include_str!("vectors/time-value.json");

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// A number, or a quotient such as `0.08/12`.
fn number(value: &Value) -> Decimal {
    let text = value.as_str().unwrap();
    match text.split_once('/') {
        Some((numerator, denominator)) => decimal(numerator) / decimal(denominator),
        None => decimal(text),
    }
}

/// As many digits from the first that is not zero, rounded.
fn significant(number: Decimal, digits: u32) -> Decimal {
    number.round_sf_with_strategy(digits, RoundingStrategy::MidpointNearestEven).unwrap().normalize()
}

fn agree(got: Decimal, published: Decimal, digits: u32) -> bool {
    significant(got, digits) == significant(published, digits)
}

/// Interest of payment number `period`, from the balance before it.
fn ipmt(interest_rate: Decimal, period: u64, periods: u32, present_value: Decimal) -> Decimal {
    let payment = pmt(interest_rate, periods, present_value).unwrap();
    let mut balance = present_value;
    for _ in 1..period {
        balance += balance * interest_rate + payment;
    }
    -balance * interest_rate
}

fn ppmt(interest_rate: Decimal, period: u64, periods: u32, present_value: Decimal) -> Decimal {
    pmt(interest_rate, periods, present_value).unwrap() - ipmt(interest_rate, period, periods, present_value)
}

/// The answers of an example, computed, with the digits in which they must agree.
fn compute(function: &str, inputs: &Value) -> Vec<(Decimal, u32)> {
    let argument = |name: &str| number(&inputs[name]);
    let periods = || u32::try_from(inputs["nper"].as_u64().unwrap()).unwrap();
    let each = |of: fn(Decimal, u64, u32, Decimal) -> Decimal| {
        let rows = inputs["per"].as_array().unwrap();
        rows.iter().map(|per| (of(argument("rate"), per.as_u64().unwrap(), periods(), argument("pv")), 10)).collect()
    };
    match function {
        // The published number is right to 24 digits: with a rate of 1/150 exactly it is
        // 304.14591432620523703387016204...
        "pmt" if inputs["rate"] == "0.08/12" => {
            vec![(pmt(argument("rate"), periods(), argument("pv")).unwrap(), 24)]
        }
        "pmt" => vec![(pmt(argument("rate"), periods(), argument("pv")).unwrap(), 28)],
        // The published number stops an iteration short: (10000/3500)^(1/10) - 1 is
        // 0.1106908537107528062538259006...
        "rate" => vec![(rate(periods(), argument("pmt"), argument("pv"), argument("fv")).unwrap(), 10)],
        "irr" => {
            let flows: Vec<Decimal> =
                inputs["cashflows"].as_array().unwrap().iter().map(|it| it.as_i64().unwrap().into()).collect();
            vec![(irr(&flows).unwrap(), 5)]
        }
        "ipmt" => each(ipmt),
        "ppmt" => each(ppmt),
        "payment factor = r(1+r)^n/((1+r)^n-1)" => {
            vec![(-pmt(argument("rate"), periods(), Decimal::ONE).unwrap(), 19)]
        }
        other => panic!("no such function: {other}"),
    }
}

#[test]
fn every_published_time_value() {
    let mut failures = Vec::new();
    let mut seen = 0;
    for example in serde_json::from_str::<Vec<Value>>(EXAMPLES).unwrap() {
        let inputs = &example["inputs"];
        let Some(function) = inputs["function"].as_str() else { continue };
        seen += 1;
        let (_, expected) = example["expected"].as_object().unwrap().iter().next().unwrap();
        let expected: Vec<Decimal> = match expected {
            Value::Array(rows) => rows.iter().map(number).collect(),
            one => vec![number(one)],
        };
        let got = compute(function, inputs);
        assert_eq!(got.len(), expected.len(), "{}", example["id"]);
        for (row, ((got, digits), expected)) in got.into_iter().zip(expected).enumerate() {
            if !agree(got, expected, digits) {
                failures.push(format!("{}, number {}: expected {expected}, got {got}", example["id"], row + 1));
            }
        }
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
    assert_eq!(seen, 10);
}

#[test]
fn results_have_28_digits() {
    // Computed apart, with 50 digits.
    assert_eq!(
        rate(10, Decimal::ZERO, decimal("-3500"), decimal("10000")),
        Some(decimal("0.1106908537107528062538259006"))
    );
    assert_eq!(
        pmt(decimal("0.0066666666666666666666666667"), 60, decimal("15000")),
        Some(decimal("-304.14591432620523703387016233"))
    );
    // The roots of 7, 1/7 and 1/5: two above the rate that is rounded to a ten-thousandth of a percent,
    // and one below.
    let root = |first: &str, last: &str| significant(irr(&[first, "0", last].map(decimal)).unwrap(), 27);
    assert_eq!(root("-1", "7"), decimal("1.64575131106459059050161575"));
    assert_eq!(root("-7", "1"), decimal("-0.622035526990772772785483464"));
    assert_eq!(root("-5", "1"), decimal("-0.552786404500042060718165266"));
    // Halfway between two such rates.
    assert_eq!(irr(&["-2000000", "2000001"].map(decimal)), Some(decimal("0.0000005")));
    assert_eq!(irr(&["-2000000", "2000005"].map(decimal)), Some(decimal("0.0000025")));
}

/// Tables that others show rounded, from numbers that are not: opening balance, interest,
/// principal and what is left, each rounded for itself.
#[test]
fn every_published_unrounded_schedule_row_by_row() {
    let mut failures = Vec::new();
    let mut seen = 0;
    for example in serde_json::from_str::<Vec<Value>>(EXAMPLES).unwrap() {
        let inputs = &example["inputs"];
        if inputs["function"].is_string() {
            continue;
        }
        seen += 1;
        let expected = &example["expected"];
        let (rows, decimals) = match &expected["rows"] {
            Value::Array(rows) => (rows, 2),
            _ => (expected["rows_rounded_0"].as_array().unwrap(), 0),
        };
        assert_eq!(inputs["repay_unit"], "MONTHS");
        let monthly = number(&inputs["annual_rate_percent"]) / Decimal::from(1200);
        let periods = u32::try_from(inputs["number_of_repayments"].as_u64().unwrap()).unwrap();
        let mut balance = number(&inputs["principal"]);
        let payment = -pmt(monthly, periods, balance).unwrap();
        let mut total = Decimal::ZERO;
        assert_eq!(rows.len(), periods as usize);
        for row in rows {
            let interest = balance * monthly;
            let cells = [
                ("opening_balance", balance),
                ("interest", interest),
                ("principal", payment - interest),
                ("instalment", payment),
                ("balance_after", balance + interest - payment),
            ];
            for (cell, got) in cells {
                let shown = got.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
                if row[cell].is_string() && number(&row[cell]) != shown {
                    failures.push(format!(
                        "{}, row {}, {cell}: expected {}, got {got}",
                        example["id"], row["n"], row[cell]
                    ));
                }
            }
            balance += interest - payment;
            total += interest;
        }
        if expected["total_interest"].is_string() && number(&expected["total_interest"]) != total.round_dp(2) {
            failures.push(format!("{}: total interest {total}", example["id"]));
        }
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
    assert_eq!(seen, 2);
}

#[test]
fn there_is_not_always_an_answer() {
    let (one, zero) = (Decimal::ONE, Decimal::ZERO);
    assert_eq!(pmt(one, 0, one), None);
    assert_eq!(pmt(-one, 1, one), None);
    assert_eq!(pmt(decimal("-2"), 1, one), None);
    assert_eq!(pmt(Decimal::MIN, 1, one), None);
    assert_eq!(pmt(Decimal::MAX, 1, Decimal::MAX), None);
    // Just above -1 and far above: still exact.
    assert_eq!(pmt(decimal("-0.9"), 1, one), Some(decimal("-0.1")));
    assert_eq!(pmt(decimal("1000"), u32::MAX, one), Some(decimal("-1000")));
    assert_eq!(pmt(zero, u32::MAX, Decimal::from(u32::MAX)), Some(-one));
    assert_eq!(pmt(one, 5, zero), Some(zero));

    assert_eq!(rate(0, one, one, one), None);
    assert_eq!(rate(MAX_PERIODS + 1, -one, one, one), None);
    assert_eq!(rate(12, one, one, one), None);
    assert_eq!(rate(12, zero, zero, zero), None);
    assert_eq!(rate(12, zero, one, zero), None);
    // Amounts too far apart for one scale.
    assert_eq!(rate(1, Decimal::MAX, decimal("-0.0000000000000000000000000001"), zero), None);
    assert_eq!(rate(1, Decimal::MAX, zero, Decimal::MAX), None);
    // The same amount back is a rate of 0 %; half of it, -50 %; a tenth, -90 %.
    assert_eq!(rate(10, decimal("-100"), decimal("1000"), zero), Some(zero));
    assert_eq!(rate(1, zero, decimal("1000"), decimal("-500")), Some(decimal("-0.5")));
    assert_eq!(rate(1, decimal("-100"), decimal("1000"), zero), Some(decimal("-0.9")));

    assert_eq!(irr(&[]), None);
    assert_eq!(irr(&[one]), None);
    assert_eq!(irr(&[one, one]), None);
    assert_eq!(irr(&[zero, zero, zero]), None);
    assert_eq!(irr(&[Decimal::MAX, decimal("-0.0000000000000000000000000001")]), None);
    // Above -1 by less than 28 digits can say.
    assert_eq!(irr(&[Decimal::MAX, decimal("-0.5")]), Some(-one));
    // 100 at first and 100 in the end against 100 in between: no rate above -1.
    assert_eq!(irr(&[100, -100, 100].map(Decimal::from)), None);
}

#[test]
fn of_several_rates_the_lowest_that_is_not_negative() {
    // (1 + i) is 1.1 or 1.2: 1.32, less 2.3, plus 1.
    assert_eq!(irr(&["-1", "2.3", "-1.32"].map(decimal)), Some(decimal("0.1")));
    // 0.9 or 1.2; 0.8 or 0.9.
    assert_eq!(irr(&["-1", "2.1", "-1.08"].map(decimal)), Some(decimal("0.2")));
    assert_eq!(irr(&["-1", "1.7", "-0.72"].map(decimal)), Some(decimal("-0.1")));
    // 1, 1.1 and 1.2.
    assert_eq!(irr(&["-1", "3.3", "-3.62", "1.32"].map(decimal)), Some(Decimal::ZERO));
}
