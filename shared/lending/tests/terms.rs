//! The JSON form of terms: what is taken, what is refused, what is stored.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use lending::{Currency, Grace, InterestAccrual, Terms, TermsPatch};
use serde_json::{Value, json};

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

/// As the contract prints it, in EUR.
fn every_field() -> Value {
    json!({
        "interest_rate_apr": "24.5", "instalments": 6, "repay_every": 2, "repay_unit": "week",
        "first_due_on": "2025-02-01", "interest_method": "flat", "amortization": "equal_principal",
        "interest_period": "daily", "interest_accrual": "scheduled", "day_count": "actual/364", "rounding": "half_up",
        "smallest_amount": "0.05", "instalment_multiple": "0.5", "month_end": "roll",
        "grace": {"principal": 1, "interest_payment": 2, "interest_free": 3},
        "fees": [{"code": "processing", "when": "disbursement", "amount": "400"},
                 {"code": "visit", "when": "instalment", "percent": "2"}],
        "allocation": "overdue_interest_first",
        "late_fee": {"grace_days": 5, "kind": "percent_of_overdue", "value": "1.5", "max_times": 3},
        "calendar": {"code": "ke", "rule": "following"}, "prepayment": "reduce_term"
    })
}

fn complete(terms: &Value) -> Terms {
    serde_json::from_value::<TermsPatch>(terms.clone()).unwrap().complete(currency("EUR")).unwrap()
}

/// `terms` with one more field, or another value for it.
fn with(mut terms: Value, field: &str, value: Value) -> Value {
    terms[field] = value;
    terms
}

/// An allocation with a group for each bucket, in which the penalty comes last.
fn list(buckets: &[&str]) -> Value {
    let group = |bucket: &&str| json!({"buckets": [bucket], "components": ["principal", "interest", "fee", "penalty"]});
    buckets.iter().map(group).collect()
}

fn least() -> Value {
    json!({"interest_rate_apr": "24", "instalments": 6})
}

#[test]
fn what_is_left_out_has_the_first_value_named() {
    assert_eq!(
        serde_json::to_value(complete(&least())).unwrap(),
        json!({
            "interest_rate_apr": "24.00", "instalments": 6, "repay_every": 1,
            "repay_unit": "month", "first_due_on": null, "interest_method": "declining_balance",
            "amortization": "equal_instalments", "interest_period": "repayment_period",
            "interest_accrual": "scheduled", "day_count": "30/360", "rounding": "half_even", "smallest_amount": null,
            "instalment_multiple": null, "month_end": "clamp",
            "grace": {"principal": 0, "interest_payment": 0, "interest_free": 0},
            "fees": [], "allocation": "penalty_fee_interest_principal", "late_fee": null,
            "calendar": null, "prepayment": "next_instalments"
        })
    );
}

#[test]
fn the_stored_form_is_complete_and_comes_back_the_same() {
    let terms = complete(&every_field());
    let stored = serde_json::to_value(&terms).unwrap();
    let mut expected = every_field();
    // Amounts with the currency's decimals, rates with two or more.
    expected["interest_rate_apr"] = json!("24.50");
    expected["instalment_multiple"] = json!("0.50");
    expected["fees"][0]["amount"] = json!("400.00");
    expected["fees"][1]["percent"] = json!("2.00");
    expected["late_fee"]["value"] = json!("1.50");
    assert_eq!(stored, expected);
    // From text, and from a value that has been parsed before.
    assert_eq!(serde_json::from_str::<Terms>(&stored.to_string()).unwrap(), terms);
    assert_eq!(serde_json::from_value::<Terms>(stored).unwrap(), terms);
}

#[test]
fn every_word_of_the_contract_is_taken() {
    for (field, words) in [
        ("repay_unit", &["month", "week", "day"][..]),
        ("interest_method", &["declining_balance", "flat"]),
        ("amortization", &["equal_instalments", "equal_principal"]),
        ("interest_period", &["repayment_period", "daily"]),
        ("day_count", &["30/360", "actual/360", "actual/364", "actual/365", "actual/actual"]),
        ("rounding", &["half_even", "half_up", "up", "down"]),
        ("month_end", &["clamp", "roll"]),
        (
            "allocation",
            &[
                "penalty_fee_interest_principal",
                "due_penalty_fee_interest_principal_in_advance_principal_penalty_fee_interest",
                "due_penalty_interest_principal_fee_in_advance_penalty_interest_principal_fee",
                "overdue_interest_first",
            ],
        ),
        ("prepayment", &["next_instalments", "last_instalments", "reduce_instalment", "reduce_term"]),
    ] {
        for word in words {
            let terms = complete(&with(least(), field, json!(word)));
            assert_eq!(serde_json::to_value(terms).unwrap()[field], json!(word));
        }
        for wrong in [json!("Month"), json!(""), json!(null), json!(0), json!({words[0]: null})] {
            let terms = with(least(), field, wrong.clone());
            assert!(serde_json::from_value::<TermsPatch>(terms).is_err(), "{field}: {wrong}");
        }
    }
}

#[test]
fn an_allocation_is_a_name_or_a_list() {
    let own = list(&["in_advance", "due", "past_due"]);
    let mixed = json!([
        {"buckets": ["due", "past_due"], "components": ["interest"]},
        {"buckets": ["past_due", "due", "in_advance"], "components": ["principal", "fee", "penalty"]},
        {"buckets": ["in_advance"], "components": ["interest"]}]);
    for allocation in [own.clone(), mixed] {
        let terms = complete(&with(least(), "allocation", allocation.clone()));
        let stored = serde_json::to_value(&terms).unwrap();
        assert_eq!(stored["allocation"], allocation);
        assert_eq!(serde_json::from_value::<Terms>(stored).unwrap(), terms);
    }
    // The whole list comes from the base, or none of it.
    let base = complete(&with(least(), "allocation", own));
    let over =
        |patch: Value| serde_json::from_value::<TermsPatch>(patch).unwrap().over(&base, currency("EUR")).unwrap();
    assert_eq!(over(json!({})).allocation(), base.allocation());
    let preset = over(json!({"allocation": "overdue_interest_first"}));
    assert_eq!(preset.allocation(), &lending::AllocationPreset::OverdueInterestFirst.into());
}

#[test]
fn numbers_are_read_digit_by_digit() {
    let patch: TermsPatch = serde_json::from_str(
        r#"{"interest_rate_apr": 24.000001, "instalments": 6, "smallest_amount": 0.1,
            "fees": [{"code": "a", "amount": 999999999999999.99}, {"code": "b", "percent": 0.3}]}"#,
    )
    .unwrap();
    let stored = serde_json::to_value(patch.complete(currency("EUR")).unwrap_err().pointer());
    // 999999999999999.99 EUR are more than 10^15 cents.
    assert_eq!(stored.unwrap(), json!("/fees/0/amount"));
    let patch: TermsPatch = serde_json::from_str(
        r#"{"interest_rate_apr": 24.000001, "instalments": 6, "smallest_amount": 0.1,
            "fees": [{"code": "a", "amount": 9999999999999.9}, {"code": "b", "percent": 0.3}]}"#,
    )
    .unwrap();
    let stored = serde_json::to_value(patch.complete(currency("EUR")).unwrap()).unwrap();
    assert_eq!(stored["interest_rate_apr"], json!("24.000001"));
    assert_eq!(stored["smallest_amount"], json!("0.10"));
    assert_eq!(stored["fees"][0]["amount"], json!("9999999999999.90"));
    assert_eq!(stored["fees"][1]["percent"], json!("0.30"));
}

#[test]
fn unreadable_terms_are_refused() {
    for (field, value) in [
        ("interest_rate_apr", json!(null)),
        ("interest_rate_apr", json!("-1")),
        ("interest_rate_apr", json!("1000.000001")),
        ("interest_rate_apr", json!("1e1")),
        ("interest_rate_apr", json!(true)),
        ("instalments", json!("6")),
        ("instalments", json!(6.5)),
        ("instalments", json!(-6)),
        ("instalments", json!(null)),
        ("repay_every", json!(null)),
        ("first_due_on", json!("2025-02-30")),
        ("first_due_on", json!("2025-2-3")),
        ("first_due_on", json!("2201-01-01")),
        ("first_due_on", json!(20_250_203)),
        ("smallest_amount", json!("-0.05")),
        ("instalment_multiple", json!([])),
        ("grace", json!(null)),
        ("grace", json!([])),
        ("grace", json!([1, 0, 0])),
        ("grace", json!({"principle": 1})),
        ("grace", json!({"principal": null})),
        ("fees", json!(null)),
        ("fees", json!([["a", "disbursement", "1"]])),
        ("fees", json!([{"code": "a", "when": "later", "amount": 1}])),
        ("fees", json!([{"code": "a", "amount": 1, "currency": "EUR"}])),
        ("fees", json!([{"code": "a", "amount": null, "percent": 1}])),
        ("fees", json!([{"code": "a", "percent": 1001}])),
        ("late_fee", json!([0, "flat", "1"])),
        ("late_fee", json!({"value": "1", "kind": "weekly"})),
        ("late_fee", json!({"value": "1", "days": 3})),
        ("allocation", json!({})),
        ("allocation", json!(["penalty_fee_interest_principal"])),
        ("allocation", json!([[["due"], ["fee"]]])),
        ("allocation", json!([{"buckets": "due", "components": ["fee"]}])),
        ("allocation", json!([{"buckets": ["later"], "components": ["fee"]}])),
        ("allocation", json!([{"buckets": ["due"], "components": ["tax"]}])),
        ("allocation", json!([{"buckets": ["due"]}])),
        ("allocation", json!([{"buckets": ["due"], "components": ["fee"], "order": 1}])),
        ("interest_rate", json!("24")),
        ("currency", json!("EUR")),
    ] {
        let terms = with(least(), field, value.clone());
        assert!(serde_json::from_value::<TermsPatch>(terms).is_err(), "{field}: {value}");
    }
    assert!(serde_json::from_str::<TermsPatch>("[]").is_err());
    assert!(serde_json::from_str::<TermsPatch>(r#"{"instalments": 6, "instalments": 7}"#).is_err());
}

/// The service names the field of a refusal by the path that serde followed.
#[test]
fn unreadable_fields_are_named_through_serde() {
    for (terms, path) in [
        (r#"{"interest_rate_apr": "x"}"#, "interest_rate_apr"),
        (r#"{"fees": [{"code": "a", "amount": 1}, {"code": "b", "amount": "1e3"}]}"#, "fees[1].amount"),
        (r#"{"late_fee": {"value": -1}}"#, "late_fee.value"),
        (r#"{"grace": {"principal": "1"}}"#, "grace.principal"),
        (r#"{"rate": 1}"#, "rate"),
    ] {
        let mut json = serde_json::Deserializer::from_str(terms);
        let error = serde_path_to_error::deserialize::<_, TermsPatch>(&mut json).unwrap_err();
        assert_eq!(error.path().to_string(), path);
    }
}

/// The pointer and the code of what is refused, where the field is read or where the terms are completed.
fn refused(terms: &Value) -> (String, String) {
    let text = terms.to_string();
    match serde_path_to_error::deserialize::<_, TermsPatch>(&mut serde_json::Deserializer::from_str(&text)) {
        Ok(patch) => {
            let refusal = patch.complete(currency("EUR")).unwrap_err();
            assert!(!refusal.to_string().is_empty());
            (refusal.pointer().to_owned(), refusal.code().to_owned())
        }
        Err(error) => {
            let path = error.path().to_string().replace(['.', '['], "/").replace(']', "");
            let message = error.inner().to_string();
            let (code, rule) = message.strip_prefix('[').and_then(|rest| rest.split_once("] ")).unwrap();
            assert!(!rule.is_empty());
            (format!("/{path}"), code.to_owned())
        }
    }
}

/// Terms that an earlier release accepted stay readable.
#[test]
fn a_stored_fee_whose_code_shows_nothing_is_read() {
    let stored = with(least(), "fees", json!([{"code": "\u{3164}\u{202e}", "amount": "1.00"}]));
    let terms: Terms = serde_json::from_value(stored).unwrap();
    assert_eq!(terms.fees().len(), 1);
    TermsPatch::default().over(&terms, currency("EUR")).unwrap();
}

/// A field's own rule refuses it where the field is read: all errors can be collected then.
#[test]
fn a_fields_own_rule_is_told_where_it_is_read() {
    for (field, value) in [
        ("instalments", json!(601)),
        ("repay_every", json!(0)),
        ("smallest_amount", json!("0.00")),
        ("grace", json!({"principal": 0.5})),
        ("fees", json!([{"code": " ", "amount": 1}])),
        ("late_fee", json!({"value": 1, "max_times": 601})),
        ("late_fee", json!({"value": 1, "grace_days": 3651})),
    ] {
        let terms = with(least(), field, value);
        assert!(serde_json::from_value::<TermsPatch>(terms.clone()).is_err(), "{terms}");
    }
}

#[test]
fn a_whole_number_may_have_a_point_and_zeros() {
    let whole = r#"{"interest_rate_apr": 24, "instalments": 6.0, "repay_every": 2.00, "grace": {"principal": 1.0},
        "late_fee": {"value": 1, "grace_days": 5.0, "max_times": 3.000}}"#;
    let plain = whole.replace(".000", "").replace(".00", "").replace(".0", "");
    let read = |text: &str| serde_json::from_str::<TermsPatch>(text);
    assert_eq!(read(whole).unwrap(), read(&plain).unwrap());
    for number in ["6.5", "6.01", "6e0", "-6.0", "0.0", "\"6\"", "600.00000000000000000001", "4294967302.0"] {
        assert!(read(&whole.replace("6.0", number)).is_err(), "{number}");
    }
}

#[test]
fn impossible_terms_are_refused_by_name() {
    let cases = [
        (json!({"instalments": 6}), "/interest_rate_apr", "required"),
        (json!({"interest_rate_apr": 24}), "/instalments", "required"),
        (with(least(), "instalments", json!(0)), "/instalments", "out_of_range"),
        (with(least(), "instalments", json!(601)), "/instalments", "out_of_range"),
        (with(least(), "repay_every", json!(0)), "/repay_every", "not_positive"),
        (with(least(), "grace", json!({"principal": 6})), "/grace/principal", "not_below_instalments"),
        (with(least(), "grace", json!({"interest_payment": 6})), "/grace/interest_payment", "not_below_instalments"),
        (with(least(), "grace", json!({"interest_free": 7})), "/grace/interest_free", "above_instalments"),
        (with(least(), "smallest_amount", json!(0)), "/smallest_amount", "not_positive"),
        (with(least(), "smallest_amount", json!("0.005")), "/smallest_amount", "too_many_decimals"),
        (with(least(), "smallest_amount", json!("0.050")), "/smallest_amount", "too_many_decimals"),
        (with(least(), "instalment_multiple", json!("0.00")), "/instalment_multiple", "not_positive"),
        (
            with(with(least(), "smallest_amount", json!("0.05")), "instalment_multiple", json!("0.12")),
            "/instalment_multiple",
            "not_a_multiple",
        ),
        (
            with(least(), "fees", json!([{"code": "a", "amount": 1}, {"code": "b", "amount": "1.001"}])),
            "/fees/1/amount",
            "too_many_decimals",
        ),
        (
            with(with(least(), "smallest_amount", json!("1")), "fees", json!([{"code": "a", "amount": "1.50"}])),
            "/fees/0/amount",
            "not_a_multiple",
        ),
        (with(least(), "fees", json!([{"code": "a"}])), "/fees/0", "amount_or_percent"),
        (with(least(), "fees", json!([{"code": "a", "amount": 1, "percent": 1}])), "/fees/0", "amount_or_percent"),
        (with(least(), "fees", json!([{"amount": 1}])), "/fees/0/code", "not_a_name"),
        (with(least(), "fees", json!([{"code": " ", "amount": 1}])), "/fees/0/code", "not_a_name"),
        (with(least(), "fees", json!([{"code": "x".repeat(65), "amount": 1}])), "/fees/0/code", "not_a_name"),
        (with(least(), "fees", json!([{"code": "a\n", "amount": 1}])), "/fees/0/code", "not_a_name"),
        (with(least(), "fees", json!([{"code": "\u{3164}", "amount": 1}])), "/fees/0/code", "not_a_name"),
        (with(least(), "fees", json!([{"code": "a\u{202e}b", "amount": 1}])), "/fees/0/code", "not_a_name"),
        (with(least(), "fees", json!([{"code": "a\u{2028}b", "amount": 1}])), "/fees/0/code", "not_a_name"),
        (with(least(), "late_fee", json!({})), "/late_fee/value", "required"),
        (with(least(), "late_fee", json!({"value": "1.001"})), "/late_fee/value", "too_many_decimals"),
        (
            with(least(), "late_fee", json!({"kind": "percent_of_overdue", "value": 1001})),
            "/late_fee/value",
            "too_large",
        ),
        (with(least(), "late_fee", json!({"value": 1, "max_times": 0})), "/late_fee/max_times", "not_positive"),
        (with(least(), "late_fee", json!({"value": 1, "max_times": 601})), "/late_fee/max_times", "out_of_range"),
        (with(least(), "late_fee", json!({"value": 1, "grace_days": 3651})), "/late_fee/grace_days", "out_of_range"),
        (with(least(), "fees", json!(vec![json!({"code": "a", "amount": 1}); 51])), "/fees", "too_many"),
        (with(least(), "allocation", json!([])), "/allocation", "allocation_incomplete"),
        (with(least(), "allocation", list(&["past_due", "due"])), "/allocation", "allocation_incomplete"),
        (
            with(least(), "allocation", list(&["past_due", "in_advance", "due", "due"])),
            "/allocation",
            "allocation_repeats",
        ),
    ];
    for (terms, pointer, code) in cases {
        assert_eq!(refused(&terms), (pointer.to_owned(), code.to_owned()), "{terms}");
    }
}

#[test]
fn the_edges_of_what_is_possible_are_taken() {
    for terms in [
        with(least(), "instalments", json!(1)),
        with(least(), "instalments", json!(600)),
        with(least(), "interest_rate_apr", json!(0)),
        with(least(), "interest_rate_apr", json!(1000)),
        with(least(), "grace", json!({"principal": 5, "interest_payment": 5, "interest_free": 6})),
        with(least(), "repay_every", json!(u32::MAX)),
        with(least(), "smallest_amount", json!("10000000000000")),
        with(least(), "first_due_on", json!("2200-12-31")),
        with(least(), "fees", json!([{"code": "é".repeat(64), "amount": 0}])),
        with(least(), "fees", json!(vec![json!({"code": "a", "amount": 1}); 50])),
        with(least(), "late_fee", json!({"value": 1, "grace_days": 3650, "max_times": 600})),
    ] {
        complete(&terms);
    }
}

#[test]
fn impossible_stored_terms_are_not_read_back() {
    let stored = serde_json::to_value(complete(&every_field())).unwrap();
    let wrong = with(stored, "grace", json!({"principal": 6}));
    let error = serde_json::from_value::<Terms>(wrong).unwrap_err();
    assert_eq!(error.to_string(), "/grace/principal must be below the number of instalments");
}

#[test]
fn what_a_patch_leaves_out_comes_from_its_base() {
    let base = complete(&every_field());
    let over =
        |patch: Value| serde_json::from_value::<TermsPatch>(patch).unwrap().over(&base, currency("EUR")).unwrap();
    assert_eq!(over(json!({})), base);
    // Each field by itself takes the place of the base's, and of nothing else.
    let other = complete(&least());
    let (base_json, other_json) = (serde_json::to_value(&base).unwrap(), serde_json::to_value(&other).unwrap());
    for (field, value) in other_json.as_object().unwrap() {
        let merged = serde_json::to_value(over(json!({field: value}))).unwrap();
        assert_eq!(merged, with(base_json.clone(), field, value.clone()), "{field}");
    }
}

#[test]
fn null_takes_away_and_a_grace_is_merged() {
    let base = complete(&every_field());
    let patch: TermsPatch = serde_json::from_value(json!({
        "first_due_on": null, "smallest_amount": null, "instalment_multiple": null,
        "late_fee": null, "calendar": null, "grace": {"interest_free": 0}
    }))
    .unwrap();
    let merged = patch.over(&base, currency("EUR")).unwrap();
    assert_eq!(merged.first_due_on(), None);
    assert_eq!(merged.smallest_amount(), None);
    assert_eq!(merged.instalment_multiple(), None);
    assert_eq!(merged.late_fee(), None);
    assert_eq!(merged.calendar(), None);
    let grace = Grace { principal: 1, interest_payment: 2, interest_free: 0 };
    assert_eq!(merged.grace(), grace);
    assert_eq!(merged.fees(), base.fees());
}

#[test]
fn a_base_and_a_patch_are_checked_together() {
    let base = complete(&every_field());
    let patch = TermsPatch { instalments: Some(2), ..TermsPatch::default() };
    let refusal = patch.over(&base, currency("EUR")).unwrap_err();
    assert_eq!((refusal.pointer(), refusal.code()), ("/grace/interest_payment", "not_below_instalments"));
    let refusal = TermsPatch::default().over(&base, currency("VND")).unwrap_err();
    assert_eq!((refusal.pointer(), refusal.code()), ("/smallest_amount", "too_many_decimals"));
}

#[test]
fn late_fees_have_their_defaults() {
    let terms = complete(&with(least(), "late_fee", json!({"value": 50})));
    assert_eq!(
        serde_json::to_value(terms).unwrap()["late_fee"],
        json!({"grace_days": 0, "kind": "flat", "value": "50.00", "max_times": 1})
    );
}

#[test]
fn months_of_a_term() {
    let monthly = complete(&with(least(), "repay_every", json!(3)));
    assert_eq!(monthly.term_months(), Some(18));
    assert_eq!(complete(&every_field()).term_months(), None);
}

#[test]
fn interest_by_the_balance_of_each_day_does_not_go_with_everything() {
    let daily = with(with(least(), "interest_accrual", json!("daily")), "interest_period", json!("daily"));
    assert_eq!(complete(&daily).interest_accrual(), InterestAccrual::Daily);
    for prepayment in ["next_instalments", "last_instalments"] {
        complete(&with(daily.clone(), "prepayment", json!(prepayment)));
    }
    complete(&with(daily.clone(), "grace", json!({"principal": 5})));
    for (field, value, pointer) in [
        ("interest_method", json!("flat"), "/interest_method"),
        ("amortization", json!("equal_principal"), "/amortization"),
        ("interest_period", json!("repayment_period"), "/interest_period"),
        ("grace", json!({"interest_payment": 1}), "/grace/interest_payment"),
        ("grace", json!({"interest_free": 1}), "/grace/interest_free"),
        ("prepayment", json!("reduce_instalment"), "/prepayment"),
        ("prepayment", json!("reduce_term"), "/prepayment"),
    ] {
        let patch: TermsPatch = serde_json::from_value(with(daily.clone(), field, value)).unwrap();
        let refusal = patch.complete(currency("EUR")).unwrap_err();
        assert_eq!((refusal.pointer(), refusal.code()), (pointer, "not_with_daily_interest"));
    }
}
