//! Quotes: what a loan would cost, asked by anyone, and annual percentage rates of any flows. The arithmetic itself is
//! tested where it is, in `lending`; this is about what reaches it and what comes back.

use serde_json::{Value, json};
use tests::Call;

use crate::world::World;

fn quote(world: &World, body: Value) -> Call {
    world.anyone().post("/api/quotes").json(body)
}

fn rate(world: &World, body: Value) -> Call {
    world.anyone().post("/api/quotes/apr").json(body)
}

#[tokio::test]
async fn a_quote_is_what_the_loan_will_then_be() {
    let world = World::new().await;
    let terms = json!({"interest_rate_apr": "24", "instalments": 6});
    let body = json!({"amount": 12000.50, "currency": "INR", "disbursed_on": "2026-01-31", "terms": terms});
    let quoted = quote(&world, body).expect(200).await;
    let text = |name: &str| quoted.text_of(name);
    assert_eq!(
        (text("amount"), text("currency"), text("disbursed_on")),
        ("12000.50".into(), "INR".into(), "2026-01-31".into())
    );
    assert_eq!((text("instalment"), text("total_interest")), ("2142.40".into(), "853.89".into()));
    assert_eq!(
        (text("total_fees"), text("total_due"), text("paid_out")),
        ("0.00".into(), "12854.39".into(), "12000.50".into())
    );
    // A fee-free loan costs its rate; rounding the instalments takes the ten-thousandth of a percent.
    assert_eq!(quoted["apr"], json!({"nominal": "23.9999", "effective": "26.8241"}));
    let rows = quoted["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 6);
    let first = json!({"n": 1, "due_on": "2026-02-28", "days": 28, "principal": "1902.39", "interest": "240.01",
        "fees": "0.00", "due": "2142.40", "balance": "10098.11"});
    assert_eq!(rows[0], first);
    let last = json!({"n": 6, "due_on": "2026-07-31", "days": 31, "principal": "2100.38", "interest": "42.01",
        "fees": "0.00", "due": "2142.39", "balance": "0.00"});
    assert_eq!(rows[5], last);

    // The loan that is applied for today has the figures of today's quote, and the same rows.
    let loan = world.applied("12000.50").await;
    let shown = world.agent.get(&loan).expect(200).await;
    let terms = shown["terms"].clone();
    let quoted = quote(&world, json!({"amount": "12000.50", "currency": "INR", "terms": terms})).expect(200).await;
    for figure in ["instalment", "total_interest", "total_due", "amount", "currency"] {
        assert_eq!(shown[figure], quoted[figure], "{figure}");
    }
    let schedule = world.agent.get(&format!("{loan}/schedule")).expect(200).await;
    for (shown, quoted) in schedule["rows"].as_array().unwrap().iter().zip(quoted["rows"].as_array().unwrap()) {
        for (cell, value) in quoted.as_object().unwrap() {
            assert_eq!(&shown[cell], value, "{cell}");
        }
    }
    assert_eq!(schedule["rows"].as_array().unwrap().len(), rows.len());
}

#[tokio::test]
async fn what_a_quote_leaves_out_comes_from_the_product() {
    let world = World::new().await;
    let fees = json!([
        {"code": "processing", "when": "disbursement", "percent": "2"},
        {"code": "insurance", "when": "instalment", "amount": "10"}]);
    let terms = json!({"interest_rate_apr": "24", "instalments": 6, "fees": fees});
    world.product("with-fees", json!({"terms": terms})).await;
    let ask = |terms: Value| json!({"amount": "12000.50", "currency": "INR", "product": "with-fees", "terms": terms});

    let quoted = quote(&world, ask(json!({}))).expect(200).await;
    assert_eq!((&quoted["total_fees"], &quoted["paid_out"]), (&json!("300.01"), &json!("11760.49")));
    assert_eq!((&quoted["instalment"], &quoted["rows"][0]["due"]), (&json!("2142.40"), &json!("2152.40")));
    assert_eq!(quoted["total_due"], "12914.39");

    // A list replaces the product's; everything else stays.
    let processing = json!({"fees": [{"code": "processing", "when": "disbursement", "percent": "2"}]});
    let quoted = quote(&world, ask(processing)).expect(200).await;
    assert_eq!((&quoted["total_fees"], &quoted["total_due"]), (&json!("240.01"), &json!("12854.39")));
    assert_eq!(quoted["apr"], json!({"nominal": "31.2228", "effective": "36.1021"}));

    // Beyond the product's limits too: a quote asks what it would cost, not whether one may have it.
    let longer = json!({"instalments": 600, "interest_rate_apr": "1000", "repay_unit": "week", "fees": []});
    let quoted = quote(&world, ask(longer)).expect(200).await;
    assert_eq!(quoted["rows"].as_array().unwrap().len(), 600);
    let without_terms = json!({"amount": "1", "currency": "VND", "product": "microloan-vnd"});
    assert_eq!(quote(&world, without_terms).expect(200).await["rows"].as_array().unwrap().len(), 12);
    // A fee that takes everything leaves nothing that a rate could be of.
    let takes_all = json!({"fees": [{"code": "all", "when": "disbursement", "percent": "100"}]});
    let quoted = quote(&world, ask(takes_all)).expect(200).await;
    assert_eq!((&quoted["paid_out"], &quoted["apr"]), (&json!("0.00"), &json!({"nominal": null, "effective": null})));
}

#[tokio::test]
async fn a_quote_that_cannot_be_names_the_field() {
    let world = World::new().await;
    let ask = |pointer: &str, value: Value| {
        let mut body = json!({"amount": "1000", "currency": "INR", "disbursed_on": "2026-01-31",
            "terms": {"interest_rate_apr": "24", "instalments": 6}});
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value;
        body
    };
    for (pointer, value, code) in [
        ("/amount", json!("0"), "not_positive"),
        ("/amount", json!("1.005"), "too_many_decimals"),
        ("/amount", json!("10000000000000.01"), "too_large"),
        ("/amount", json!("-1"), "not_a_number"),
        ("/currency", json!("XXX"), "unknown_currency"),
        ("/disbursed_on", json!("2026-02-30"), "not_a_date"),
        ("/disbursed_on", json!("2200-12-31"), "date_out_of_range"),
        ("/product", json!("none"), "product_not_found"),
        ("/product", json!("No such"), "not_a_product_code"),
        ("/terms/interest_rate_apr", json!("1000.01"), "too_large"),
        ("/terms/instalments", json!(0), "out_of_range"),
        ("/terms/instalments", json!(601), "out_of_range"),
        ("/terms/first_due_on", json!("2026-01-31"), "not_after_disbursement"),
        ("/terms/smallest_amount", json!("0.015"), "too_many_decimals"),
        ("/terms/instalment_multiple", json!("0.001"), "too_many_decimals"),
        ("/terms/grace", json!({"principal": 6}), "not_below_instalments"),
        ("/terms/day_count", json!("30E/360"), "unknown_value"),
        ("/terms/colour", json!("red"), "unknown_field"),
        ("/colour", json!("red"), "unknown_field"),
    ] {
        let reply = quote(&world, ask(pointer, value.clone())).refused(422, "validation_failed").await;
        let errors = reply.errors();
        let [(at, found)] = errors[..] else { panic!("{pointer} {value}: {errors:?}") };
        let below = at == pointer
            || at.starts_with(&format!("{pointer}/"))
            || (pointer == "/disbursed_on" && code == "date_out_of_range");
        assert!(below && found == code, "{pointer} {value}: {errors:?}");
    }
    let mismatch = json!({"amount": "1", "currency": "INR", "product": "microloan-kes"});
    quote(&world, mismatch).invalid(&[("/currency", "currency_mismatch")]).await;
    let no_rate = json!({"amount": "1", "currency": "INR", "terms": {"instalments": 6}});
    quote(&world, no_rate).invalid(&[("/terms/interest_rate_apr", "required")]).await;
    let no_term = json!({"amount": "1", "currency": "INR", "terms": {"interest_rate_apr": "24"}});
    quote(&world, no_term).invalid(&[("/terms/instalments", "required")]).await;
    quote(&world, json!({"amount": "1", "currency": "INR"})).invalid(&[("/terms/interest_rate_apr", "required")]).await;
    let both = [("/amount", "required"), ("/currency", "required")];
    world.anyone().post("/api/quotes").invalid(&both).await;
    let never_repaid = json!({"amount": "1000", "currency": "INR",
        "terms": {"interest_rate_apr": "24", "instalments": 6, "instalment_multiple": "1000"}});
    quote(&world, never_repaid).breaks("/terms/interest_rate_apr", "does_not_amortise").await;
    assert_eq!(world.count("SELECT count(*) FROM loans").await, 0);
}

#[tokio::test]
async fn rates_of_published_flows() {
    let world = World::new().await;
    // Regulation Z, Appendix J, (c)(1)(i) and (ii).
    let monthly = |method: &str, advance: (&str, Value), payments: Vec<Value>| {
        json!({"method": method, "unit_period": {"every": 1, "unit": "month"},
            "advances": [{"on": advance.0, "amount": advance.1}], "payments": payments})
    };
    let months = |from: (i16, i8, i8), count: usize, amount: Value| {
        let first = jiff::civil::date(from.0, from.1, from.2);
        let on = |k: usize| first + jiff::Span::new().months(i64::try_from(k).unwrap());
        (0..count).map(|k| json!({"on": on(k).to_string(), "amount": amount})).collect::<Vec<_>>()
    };
    let regular = monthly("reg_z", ("1978-01-10", json!("5000.00")), months((1978, 2, 10), 24, json!("230.00")));
    let long_first = monthly("reg_z", ("1978-02-10", json!(6000)), months((1978, 4, 1), 36, json!(200.00)));
    // Published as 9.69 and 11.82.
    assert_eq!(rate(&world, regular).expect(200).await["apr"], "9.6857");
    assert_eq!(rate(&world, long_first).expect(200).await["apr"], "11.8165");
    // The Reserve Bank of India's factsheet: the monthly rate of return on what is paid out, times twelve.
    let factsheet = monthly("nominal", ("2022-04-01", json!("19600")), months((2022, 5, 1), 24, json!("969.73")));
    assert_eq!(rate(&world, factsheet).expect(200).await["apr"], "17.0702");
    let eu = json!({"method": "eu", "unit_period": {"every": 12, "unit": "month"},
        "advances": [{"on": "2020-01-01", "amount": "1000"}], "payments": [{"on": "2021-01-01", "amount": "1200"}]});
    assert_eq!(rate(&world, eu).expect(200).await["apr"], "20.0000");
}

#[tokio::test]
async fn flows_without_a_rate_have_none_and_bad_flows_are_named() {
    let world = World::new().await;
    let month = json!({"every": 1, "unit": "month"});
    let ask = |advances: Value, payments: Value| -> Value {
        json!({"method": "nominal", "unit_period": month, "advances": advances, "payments": payments})
    };
    let flow = |on: &str, amount: Value| json!({"on": on, "amount": amount});
    let (advance, payment) = (flow("2026-01-01", json!("100")), flow("2026-02-01", json!("110")));
    assert_eq!(rate(&world, ask(json!([advance]), json!([payment]))).expect(200).await["apr"], "120.0000");
    for (advances, payments) in [
        (json!([]), json!([])),
        (json!([advance]), json!([])),
        (json!([]), json!([payment])),
        (json!([flow("2026-01-01", json!(0))]), json!([flow("2026-02-01", json!(0))])),
    ] {
        assert_eq!(rate(&world, ask(advances, payments)).expect(200).await["apr"], Value::Null);
    }
    let many = |count: usize| Value::from(vec![payment.clone(); count]);
    rate(&world, ask(json!([advance]), many(999))).expect(200).await;
    rate(&world, ask(json!([advance]), many(1000))).invalid(&[("/payments", "too_many_flows")]).await;
    rate(&world, ask(many(1001), json!([]))).invalid(&[("/advances", "too_many_flows")]).await;
    for (name, value, pointer, code) in [
        ("method", json!("irr"), "/method", "unknown_value"),
        ("unit_period", json!({"every": 0, "unit": "month"}), "/unit_period/every", "out_of_range"),
        ("unit_period", json!({"every": 1, "unit": "year"}), "/unit_period/unit", "unknown_value"),
        ("unit_period", json!({"unit": "month"}), "/unit_period/every", "required"),
        ("advances", json!([flow("2026-02-30", json!(1))]), "/advances/0/on", "not_a_date"),
        ("advances", json!([advance, flow("2026-02-03", json!(-1))]), "/advances/1/amount", "not_a_number"),
        ("payments", json!([flow("2026-02-03", json!("0.00001"))]), "/payments/0/amount", "too_many_decimals"),
        (
            "payments",
            json!([{"on": "2026-02-03", "amount": 1, "colour": "red"}]),
            "/payments/0/colour",
            "unknown_field",
        ),
        ("payments", json!({}), "/payments", "wrong_type"),
    ] {
        let mut body = ask(json!([advance]), json!([payment]));
        body[name] = value;
        rate(&world, body).invalid(&[(pointer, code)]).await;
    }
}
