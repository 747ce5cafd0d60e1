//! Products: who may be lent how much, for how long, at which rate; and loans that keep the terms they were made with.

use serde_json::{Value, json};
use tests::Call;

use crate::world::{World, path};

/// An application by the agent, for its customer.
fn apply(world: &World, body: Value) -> Call {
    let mut body = body;
    body["borrower_id"] = json!(world.customer.username);
    world.agent.post("/api/loans").json(body)
}

#[tokio::test]
async fn the_seed_catalogue_is_the_published_one() {
    let world = World::new().await;
    let products = world.anyone().walk("/api/products?limit=2").await;
    let mut seen: Vec<_> = products
        .iter()
        .map(|product| {
            assert_eq!((&product["version"], &product["active"]), (&json!(1), &json!(true)));
            assert_eq!((&product["min_instalments"], &product["terms"]["instalments"]), (&json!(1), &json!(12)));
            assert_eq!(
                (&product["terms"]["repay_every"], &product["terms"]["repay_unit"]),
                (&json!(1), &json!("month"))
            );
            let text = |name: &str| product[name].as_str().unwrap().to_owned();
            let rates = [text("min_rate_apr"), text("max_rate_apr")].join("-");
            let amounts = [text("min_amount"), text("max_amount")].join("-");
            let rate = product["terms"]["interest_rate_apr"].as_str().unwrap();
            let (most, default) = (&product["max_instalments"], &product["is_default"]);
            format!("{} {} {amounts} {most} {rates} {rate} {default}", text("code"), text("currency"))
        })
        .collect();
    seen.sort();
    let expected = [
        "car INR 1.00-10000000.00 360 7.25-7.25 7.25 false",
        "education INR 1.00-10000000.00 360 14.70-14.70 14.70 false",
        "home INR 1.00-10000000.00 360 6.90-6.90 6.90 false",
        "microloan-inr INR 0.01-50000.00 60 0.00-100.00 24.00 true",
        "microloan-kes KES 0.01-50000.00 60 0.00-100.00 24.00 true",
        "microloan-ngn NGN 0.01-50000.00 60 0.00-100.00 24.00 true",
        "microloan-php PHP 0.01-50000.00 60 0.00-100.00 24.00 true",
        "microloan-vnd VND 1-50000 60 0.00-100.00 24.00 true",
        "personal INR 1.00-10000000.00 360 10.75-10.75 10.75 false",
    ];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_loan_is_within_the_limits_of_its_product() {
    let world = World::new().await;
    let inr = |name: &str, value: Value| {
        let mut body = json!({"amount": "1000", "currency": "INR"});
        body[name] = value;
        body
    };
    for body in [
        inr("amount", json!("0.01")),
        inr("amount", json!("50000.00")),
        inr("amount", json!(50000)),
        inr("instalments", json!(1)),
        inr("instalments", json!(60)),
        inr("term_months", json!(60)),
        inr("interest_rate_apr", json!("0")),
        inr("interest_rate_apr", json!(100)),
        inr("interest_rate_apr", json!("12.345678")),
        json!({"amount": "10000000", "currency": "INR", "product": "home", "term_months": 360}),
        json!({"amount": "1", "currency": "VND"}),
    ] {
        apply(&world, body).expect(201).await;
    }
    for (body, pointer, code) in [
        (inr("amount", json!("0")), "/amount", "amount_out_of_range"),
        (inr("amount", json!("50000.01")), "/amount", "amount_out_of_range"),
        (inr("amount", json!("12000.505")), "/amount", "too_many_decimals"),
        (inr("amount", json!("10000000000000.01")), "/amount", "too_large"),
        (inr("amount", json!("-5")), "/amount", "not_a_number"),
        (inr("amount", json!(-5)), "/amount", "not_a_number"),
        (inr("amount", json!("1e3")), "/amount", "not_a_number"),
        (inr("amount", json!(" 5")), "/amount", "not_a_number"),
        (inr("amount", json!("")), "/amount", "not_a_number"),
        (inr("amount", json!(true)), "/amount", "wrong_type"),
        (inr("amount", json!(null)), "/amount", "wrong_type"),
        (inr("currency", json!("XXX")), "/currency", "unknown_currency"),
        (inr("currency", json!("inr")), "/currency", "unknown_currency"),
        (inr("currency", json!("USD")), "/product", "no_default_product"),
        (inr("instalments", json!(0)), "/instalments", "out_of_range"),
        (inr("instalments", json!(61)), "/instalments", "instalments_out_of_range"),
        (inr("term_months", json!(61)), "/term_months", "instalments_out_of_range"),
        (inr("interest_rate_apr", json!("100.000001")), "/interest_rate_apr", "rate_out_of_range"),
        (inr("interest_rate_apr", json!("1.0000001")), "/interest_rate_apr", "too_many_decimals"),
        (inr("product", json!("none")), "/product", "product_not_found"),
        (inr("product", json!("microloan-kes")), "/currency", "currency_mismatch"),
        (json!({"amount": "1000", "currency": "INR", "instalments": 6, "term_months": 6}), "/term_months", "either_or"),
        (
            json!({"amount": "1000", "currency": "INR", "product": "home", "interest_rate_apr": "6.91"}),
            "/interest_rate_apr",
            "rate_out_of_range",
        ),
        (json!({"amount": "1.5", "currency": "VND"}), "/amount", "too_many_decimals"),
    ] {
        apply(&world, body).invalid(&[(pointer, code)]).await;
    }
    let all_at_once = json!({"amount": "60000", "currency": "INR", "instalments": 61, "interest_rate_apr": "101"});
    let errors = [
        ("/amount", "amount_out_of_range"),
        ("/instalments", "instalments_out_of_range"),
        ("/interest_rate_apr", "rate_out_of_range"),
    ];
    apply(&world, all_at_once).invalid(&errors).await;
    assert_eq!(world.count("SELECT count(*) FROM loans").await, 11);
}

#[tokio::test]
async fn months_are_asked_for_where_instalments_are_monthly() {
    let world = World::new().await;
    let terms = |every: u32, unit: &str| {
        let terms = json!({"interest_rate_apr": "24", "instalments": 4, "repay_every": every, "repay_unit": unit});
        json!({"terms": terms})
    };
    world.product("quarterly", terms(3, "month")).await;
    world.product("weekly", terms(1, "week")).await;
    let ask = |product: &str, name: &str, count: u32| {
        let mut body = json!({"amount": "1000", "currency": "INR", "product": product});
        body[name] = json!(count);
        apply(&world, body)
    };
    let yearly = ask("quarterly", "term_months", 12).expect(201).await;
    assert_eq!((&yearly["term_months"], &yearly["terms"]["instalments"]), (&json!(12), &json!(4)));
    assert_eq!(ask("quarterly", "instalments", 2).expect(201).await["term_months"], 6);
    ask("quarterly", "term_months", 7).invalid(&[("/term_months", "not_divisible")]).await;
    ask("weekly", "term_months", 1).invalid(&[("/term_months", "not_monthly")]).await;
    let weekly = ask("weekly", "instalments", 26).expect(201).await;
    assert_eq!((&weekly["term_months"], &weekly["terms"]["instalments"]), (&Value::Null, &json!(26)));
    // For a loan that has instalments already, the change appears under the name it has there.
    let edit = json!({"instalments": 13});
    world.agent.patch(&path(&weekly)).if_match(1).json(edit).expect(200).await;
    let history = world.agent.get(&format!("{}/history", path(&weekly))).expect(200).await;
    assert_eq!(history.list()[0]["changed"], json!(["instalments"]));
}

#[tokio::test]
async fn a_loan_keeps_the_terms_it_was_made_with() {
    let world = World::new().await;
    world
        .product("fair", json!({"max_amount": "20000", "terms": {"interest_rate_apr": "24", "instalments": 12}}))
        .await;
    let body = json!({"amount": "12000", "currency": "INR", "product": "fair"});
    let loan = apply(&world, body.clone()).expect(201).await;
    let change = json!({"max_amount": "15000", "terms": {"interest_rate_apr": "18", "day_count": "actual/365"}});
    world.admin.patch("/api/products/fair").if_match(1).json(change).expect(200).await;

    let edit = |version: i64, body: Value| world.agent.patch(&path(&loan)).if_match(version).json(body);
    let edited = edit(1, json!({"amount": "13000"})).expect(200).await;
    assert_eq!((&edited["interest_rate_apr"], &edited["terms"]["day_count"]), (&json!("24.00"), &json!("30/360")));
    let newer = apply(&world, body).expect(201).await;
    assert_eq!((&newer["interest_rate_apr"], &newer["terms"]["day_count"]), (&json!("18.00"), &json!("actual/365")));
    // Changes from now on are within the product's present limits.
    edit(2, json!({"amount": "15000.01"})).invalid(&[("/amount", "amount_out_of_range")]).await;
    // To take another product is to take its terms.
    let other = edit(2, json!({"product": "personal"})).expect(200).await;
    assert_eq!((&other["interest_rate_apr"], &other["terms"]["instalments"]), (&json!("10.75"), &json!(12)));
    let back = edit(3, json!({"product": "fair", "instalments": 6})).expect(200).await;
    assert_eq!((&back["interest_rate_apr"], &back["terms"]["instalments"]), (&json!("18.00"), &json!(6)));
    let versions =
        "SELECT array_agg(product_code || product_version ORDER BY version) FROM loan_versions WHERE loan_id = $1";
    let id: uuid::Uuid = loan.text_of("id").parse().unwrap();
    let versions: Vec<String> = world.owner.query_one(versions, &[&id]).await.unwrap().get(0);
    assert_eq!(versions, ["fair1", "fair1", "personal1", "fair2"]);
}

#[tokio::test]
async fn a_closed_product_is_not_lent_any_more() {
    let world = World::new().await;
    let loan = world.applied("1000").await;
    let default = "/api/products/microloan-inr";
    world.admin.patch(default).if_match(1).json(json!({"active": false})).expect(200).await;
    let body = json!({"amount": "1000", "currency": "INR"});
    apply(&world, body.clone()).invalid(&[("/product", "no_default_product")]).await;
    let mut named = body.clone();
    named["product"] = json!("microloan-inr");
    apply(&world, named).invalid(&[("/product", "product_not_active")]).await;
    world
        .agent
        .patch(&loan)
        .if_match(1)
        .json(json!({"amount": "2"}))
        .invalid(&[("/product", "product_not_active")])
        .await;
    // A decision needs no product.
    world.admin.post(&format!("{loan}/approve")).if_match(1).expect(200).await;
    world.product("new-default", json!({"is_default": true})).await;
    assert_eq!(apply(&world, body).expect(201).await["product"], "new-default");
    world.admin.patch(default).if_match(2).json(json!({"active": true})).refused(409, "default_product_exists").await;
}

#[tokio::test]
async fn a_product_is_made_and_changed_within_its_own_rules() {
    let world = World::new().await;
    let good = json!({"code": "usd-loan", "name": "USD", "currency": "USD", "min_amount": "10.00", "max_amount": 5000,
        "min_instalments": 1, "max_instalments": 24, "min_rate_apr": "10", "max_rate_apr": "36", "is_default": true,
        "terms": {"interest_rate_apr": "24", "instalments": 12}});
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        world.admin.post("/api/products").json(body)
    };
    for (name, value, pointer, code) in [
        ("code", json!("Not a code"), "/code", "not_a_product_code"),
        ("code", json!("x".repeat(65)), "/code", "not_a_product_code"),
        ("name", json!(" "), "/name", "blank"),
        ("currency", json!("XYZ"), "/currency", "unknown_currency"),
        ("min_amount", json!("0.00"), "/min_amount", "not_positive"),
        ("min_amount", json!("0.001"), "/min_amount", "too_many_decimals"),
        ("max_amount", json!("9.99"), "/max_amount", "below_minimum"),
        ("min_instalments", json!(0), "/min_instalments", "out_of_range"),
        ("max_instalments", json!(601), "/max_instalments", "out_of_range"),
        ("max_rate_apr", json!("9"), "/max_rate_apr", "below_minimum"),
        ("max_rate_apr", json!("1000.1"), "/max_rate_apr", "too_large"),
        (
            "terms",
            json!({"interest_rate_apr": "9", "instalments": 12}),
            "/terms/interest_rate_apr",
            "rate_out_of_range",
        ),
        (
            "terms",
            json!({"interest_rate_apr": "24", "instalments": 25}),
            "/terms/instalments",
            "instalments_out_of_range",
        ),
        ("terms", json!({"interest_rate_apr": "24"}), "/terms/instalments", "required"),
        ("colour", json!(1), "/colour", "unknown_field"),
    ] {
        with(name, value).invalid(&[(pointer, code)]).await;
    }
    let made = with("name", json!("Dollar loan")).expect(201).await;
    assert_eq!((&made["min_amount"], &made["max_amount"]), (&json!("10.00"), &json!("5000.00")));
    with("name", json!("Again")).refused(409, "product_code_taken").await;
    with("code", json!("usd-loan-2")).refused(409, "default_product_exists").await;

    let patch = |version: i64, body: Value| world.admin.patch("/api/products/usd-loan").if_match(version).json(body);
    for (body, pointer) in [(json!({"code": "x"}), "/code"), (json!({"currency": "INR"}), "/currency")] {
        patch(1, body).invalid(&[(pointer, "unknown_field")]).await;
    }
    let unchanged = patch(1, json!({"name": "Dollar loan", "max_rate_apr": "36.00"})).expect(200).await;
    assert_eq!((unchanged.version(), &unchanged.body), (1, &made.body));
    let changed = patch(1, json!({"max_rate_apr": "40.5", "terms": {"rounding": "up"}})).expect(200).await;
    assert_eq!((changed.version(), &changed["max_rate_apr"]), (2, &json!("40.50")));
    assert_eq!((&changed["terms"]["rounding"], &changed["terms"]["instalments"]), (&json!("up"), &json!(12)));
    assert_eq!(world.anyone().get("/api/products/usd-loan").expect(200).await.body, changed.body);
    assert_eq!(world.count("SELECT count(*) FROM product_versions WHERE code = 'usd-loan'").await, 2);
}

/// A proposal may stay unchanged whatever the product has become; only a change is checked against it.
#[tokio::test]
async fn a_patch_that_changes_nothing_asks_nothing_of_the_product() {
    let world = World::new().await;
    world.product("short-lived", json!({})).await;
    let body = json!({"amount": "1000", "currency": "INR", "product": "short-lived", "instalments": 6});
    let loan = path(&apply(&world, body).expect(201).await);
    let product = world.admin.patch("/api/products/short-lived").if_match(1);
    product.json(json!({"active": false, "max_instalments": 12, "min_amount": "2000"})).expect(200).await;
    for nothing in [json!({}), json!({"amount": "1000.00", "instalments": 6}), json!({"product": "short-lived"})] {
        assert_eq!(world.agent.patch(&loan).if_match(1).json(nothing).expect(200).await.version(), 1);
    }
    let edit = world.agent.patch(&loan).if_match(1).json(json!({"amount": "2500"}));
    edit.invalid(&[("/product", "product_not_active")]).await;
}

/// A first due date that has passed is left out before the disbursement: it stops no application and no decision. The
/// disbursement has to give one.
#[tokio::test]
async fn steps_do_not_depend_on_a_first_due_date_that_has_passed() {
    let world = World::new().await;
    let today = world.app.date_of(jiff::Timestamp::now());
    let terms = |first: jiff::civil::Date| -> Value {
        json!({"terms": {"interest_rate_apr": "24", "instalments": 6, "first_due_on": first.to_string()}})
    };
    world.product("seasonal", terms(today.tomorrow().unwrap())).await;
    let body = json!({"amount": "1000", "currency": "INR", "product": "seasonal"});
    let loans = [
        path(&apply(&world, body.clone()).expect(201).await),
        path(&apply(&world, body.clone()).expect(201).await),
        path(&apply(&world, body.clone()).expect(201).await),
    ];
    // The date passes; the database is made to believe it by disabling its trigger.
    world.owner.batch_execute("ALTER TABLE loans DISABLE TRIGGER loans_check_change").await.unwrap();
    for loan in &loans {
        let id = loan.strip_prefix("/api/loans/").unwrap();
        let terms = format!("jsonb_set(terms, '{{first_due_on}}', to_jsonb('{}'::text))", today.yesterday().unwrap());
        let day = today.checked_sub(jiff::Span::new().days(9)).unwrap();
        let sql = format!("UPDATE loans SET terms = {terms}, version_on = '{day}' WHERE id = '{id}'");
        assert_eq!(world.owner.execute(&sql, &[]).await.unwrap(), 1);
    }
    world.owner.batch_execute("ALTER TABLE loans ENABLE TRIGGER loans_check_change").await.unwrap();
    let [rejected, withdrawn, undone] = &loans;
    let reason = || json!({"reason": "as agreed"});
    world.admin.post(&format!("{rejected}/reject")).if_match(1).json(reason()).expect(200).await;
    let schedule = world.admin.get(&format!("{rejected}/schedule")).expect(200).await;
    let month_on = |date: jiff::civil::Date| date.checked_add(jiff::Span::new().months(1)).unwrap().to_string();
    assert_eq!(schedule["rows"][0]["due_on"], month_on(today));
    world.admin.post(&format!("{withdrawn}/approve")).if_match(1).expect(200).await;
    world.agent.post(&format!("{withdrawn}/withdraw")).expect(200).await;
    world.admin.post(&format!("{undone}/approve")).if_match(1).expect(200).await;
    world.admin.post(&format!("{undone}/undo-approval")).json(reason()).expect(200).await;
    let edit = world.agent.patch(undone).if_match(3).json(json!({"amount": "1200"}));
    edit.expect(200).await;

    world.admin.post(&format!("{undone}/approve")).if_match(4).expect(200).await;
    let pay_out = |first: Option<jiff::civil::Date>| {
        let body = match first {
            None => json!({"disbursed_on": today.to_string()}),
            Some(first) => json!({"disbursed_on": today.to_string(), "first_due_on": first.to_string()}),
        };
        world.money(undone, "disbursements", body)
    };
    pay_out(None).refused(422, "required").await;
    pay_out(Some(today)).invalid(&[("/first_due_on", "not_after_disbursement")]).await;
    let first = today.checked_add(jiff::Span::new().days(40)).unwrap();
    pay_out(Some(first)).expect(201).await;
    let schedule = world.admin.get(&format!("{undone}/schedule")).expect(200).await;
    assert_eq!(schedule["rows"][0]["due_on"], first.to_string());
    assert_eq!(schedule["rows"][1]["due_on"], month_on(first));
}

/// Another version of the product may charge or count otherwise; the history says so.
#[tokio::test]
async fn terms_that_change_with_the_product_are_in_the_history() {
    let world = World::new().await;
    let terms = json!({"interest_rate_apr": "24", "instalments": 6, "grace": {"principal": 2}});
    world.product("first", json!({"terms": terms.clone()})).await;
    world.product("second", json!({"terms": terms})).await;
    let body = json!({"amount": "1000", "currency": "INR", "product": "first"});
    let loan = path(&apply(&world, body).expect(201).await);
    let edit = async |version: i64, body: Value| {
        world.agent.patch(&loan).if_match(version).json(body).expect(200).await;
        let history = world.agent.get(&format!("{loan}/history")).expect(200).await;
        history.list()[0]["changed"].clone()
    };
    assert_eq!(edit(1, json!({"product": "second"})).await, json!(["product"]));
    let flat = json!({"terms": {"interest_method": "flat"}});
    world.admin.patch("/api/products/first").if_match(1).json(flat).expect(200).await;
    assert_eq!(edit(2, json!({"product": "first"})).await, json!(["product", "terms"]));
    assert_eq!(edit(3, json!({"instalments": 7})).await, json!(["term_months"]));
}
