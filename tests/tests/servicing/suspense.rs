//! Decisions on money in suspense: it is applied, goes back, was our own, or is put right; never more than arrived.

use std::ops::Index;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    till::{Till, notice},
    world::World,
};

fn state(payment: &impl Index<&'static str, Output = Value>) -> [&str; 4] {
    ["state", "applied", "returned", "unapplied"].map(|field| payment[field].as_str().unwrap())
}

/// A payment in suspense, entered by hand.
async fn waiting(world: &World, receipt: &str, amount: &str) -> Value {
    let body = json!({"source": "till", "external_id": receipt, "amount": amount, "currency": "EUR",
        "paid_at": "2024-02-15", "reference": "nothing", "payer": {"name": "John"}});
    world.admin.post("/api/payments").json(body).expect(201).await;
    world.payment(receipt).await
}

async fn again(world: &World, payment: &Value) -> Value {
    world.payment(payment["external_id"].as_str().unwrap()).await
}

#[tokio::test]
async fn a_payment_entered_by_hand_finds_its_loan_as_one_that_arrives() {
    let world = World::new().await;
    Till::of(&world, "till", "manual").await;
    let path = world.plain().await;
    let body = json!({"source": "till", "external_id": "slip 1", "amount": "200", "currency": "EUR",
        "paid_at": "2024-02-15", "reference": world.pay_ref(&path).await});
    let made = world.admin.post("/api/payments").json(body.clone()).expect(201).await;
    assert_eq!((&made["state"], &made["paid_at"]), (&json!("applied"), &Value::Null));
    assert_eq!(made.header("location"), format!("/api/payments/{}", made.text_of("id")));
    world.admin.post("/api/payments").json(body).expect(201).await;
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 1);
    Till::with(&world, "paybill", "mpesa", json!({})).await;
    let other = json!({"source": "paybill", "external_id": "slip 2", "amount": "200", "currency": "EUR",
        "paid_at": "2024-02-15"});
    world.admin.post("/api/payments").json(other).invalid(&[("/source", "unknown_source")]).await;
    world.is_consistent().await;
}

#[tokio::test]
async fn a_payment_is_applied_in_parts_and_a_reversal_puts_it_into_suspense_again() {
    let world = World::new().await;
    Till::of(&world, "till", "manual").await;
    let (one, other) = (world.plain().await, world.plain().await);
    let id = async |path: &str| world.get(path).await.text_of("id");
    let payment = waiting(&world, "slip", "300").await;
    let first = world.decide(&payment, "apply", json!({"loan_id": id(&one).await, "amount": "100"})).expect(201).await;
    assert_eq!((&first["on"], &first["payment_id"]), (&json!("2024-02-15"), &payment["id"]));
    assert_eq!(state(&again(&world, &payment).await), ["partly_applied", "100.00", "0.00", "200.00"]);
    let body = json!({"loan_id": id(&other).await, "on": "2024-03-01"});
    world.decide(&payment, "apply", body.clone()).expect(201).await;
    assert_eq!(state(&again(&world, &payment).await), ["applied", "300.00", "0.00", "0.00"]);
    world.decide(&payment, "apply", body).refused(422, "above_unapplied").await;

    world.reverse(&one, &first).expect(201).await;
    let payment = again(&world, &payment).await;
    assert_eq!(state(&payment), ["partly_applied", "200.00", "0.00", "100.00"]);
    assert!(payment["applications"][0]["reversed_by"].is_string());
    // In suspense from the payment on; what was applied in March was there until then.
    assert_eq!(world.balance("unapplied_payments", "as_of=2024-02-29").await, "-300.00");
    assert_eq!(world.balance("unapplied_payments", "").await, "-100.00");
    world.is_consistent().await;
}

#[tokio::test]
async fn money_goes_back_or_was_our_own() {
    let world = World::new().await;
    Till::of(&world, "till", "manual").await;
    Till::with(&world, "bank", "manual", json!({"account": "DE02"})).await;
    let payment = waiting(&world, "slip", "300").await;
    let body = json!({"amount": "100", "paid_on": "2024-02-20", "reference": "back 1", "reason": "paid by mistake"});
    let after = world.decide(&payment, "return", body).expect(201).await;
    assert_eq!(state(&after), ["partly_applied", "0.00", "100.00", "200.00"]);
    assert_eq!(after["movements"][0]["reference"], "back 1");
    let early = json!({"paid_on": "2024-02-14", "reason": "r"});
    world.decide(&payment, "return", early).invalid(&[("/paid_on", "before_payment")]).await;
    let more = json!({"amount": "200.01", "paid_on": "2024-02-20", "reason": "r"});
    world.decide(&payment, "return", more).refused(422, "above_unapplied").await;
    let itself = json!({"from": "till", "reason": "r"});
    world.decide(&payment, "transfer", itself).invalid(&[("/from", "unknown_source")]).await;
    let after = world.decide(&payment, "transfer", json!({"from": "bank", "reason": "sweep"})).expect(201).await;
    assert_eq!(state(&after), ["returned", "0.00", "300.00", "0.00"]);
    assert_eq!(world.balance("cash.till", "").await, "200.00");
    assert_eq!(world.balance("cash.bank", "").await, "-200.00");
    assert_eq!(world.balance("unapplied_payments", "").await, "0.00");
    world.is_consistent().await;
}

#[tokio::test]
async fn a_correction_puts_an_amount_right_down_to_what_was_decided() {
    let world = World::new().await;
    Till::of(&world, "till", "manual").await;
    let payment = waiting(&world, "slip", "100").await;
    let correct =
        |amount: &str| world.decide(&payment, "correction", json!({"amount": amount, "reason": "typed wrong"}));
    let after = correct("1000").expect(201).await;
    assert_eq!((&after["amount"], &after["unapplied"]), (&json!("1000.00"), &json!("1000.00")));
    correct("1000").invalid(&[("/amount", "unchanged")]).await;
    let loan = world.get(&world.plain().await).await.text_of("id");
    world.decide(&payment, "apply", json!({"loan_id": loan, "amount": "200"})).expect(201).await;
    correct("199.99").refused(409, "below_decided").await;
    let after = correct("200").expect(201).await;
    assert_eq!(state(&after), ["applied", "200.00", "0.00", "0.00"]);
    assert_eq!(world.balance("cash.till", "").await, "200.00");
    world.is_consistent().await;
}

#[tokio::test]
async fn two_at_once_never_pay_out_more_than_there_is() {
    let world = World::new().await;
    Till::of(&world, "till", "manual").await;
    let payment = waiting(&world, "slip", "300").await;
    let mut loans = Vec::new();
    for _ in 0..4 {
        loans.push(world.get(&world.plain().await).await.text_of("id"));
    }
    let apply =
        loans.iter().map(|loan| world.decide(&payment, "apply", json!({"loan_id": loan, "amount": "100"})).send());
    let back = (0..4).map(|_| {
        world.decide(&payment, "return", json!({"amount": "100", "paid_on": "2024-02-20", "reason": "r"})).send()
    });
    let (applied, returned) = tokio::join!(join_all(apply), join_all(back));
    let done = applied.iter().chain(&returned).filter(|reply| reply.status == 201).count();
    assert_eq!(done, 3);
    assert_eq!(again(&world, &payment).await["unapplied"], "0.00");
    // What the code lets through, the database does not.
    let application = world.application().await;
    let more = format!(
        "INSERT INTO transactions (id, loan_id, kind, value_date, recorded_at, recorded_by, currency, amount,
            payment_id)
         VALUES (gen_random_uuid(), '{}', 'repayment', '2024-03-01', clock_timestamp(), '{}', 'EUR', 1, '{}')",
        loans[0],
        world.admin.id,
        payment["id"].as_str().unwrap()
    );
    let error = application.batch_execute(&more).await.unwrap_err();
    assert_eq!(error.as_db_error().unwrap().constraint(), Some("payments_not_above"));
    for sql in ["UPDATE payments SET applied = 0", "DELETE FROM payments", "UPDATE payment_movements SET amount = 1"] {
        assert_eq!(application.batch_execute(sql).await.unwrap_err().code().unwrap().code(), "42501", "{sql}");
    }
    world.is_consistent().await;
}

#[tokio::test]
async fn a_receipt_is_recorded_by_hand_or_as_a_payment_not_as_both() {
    let world = World::new().await;
    let till = Till::of(&world, "paybill", "mpesa").await;
    let path = world.plain().await;
    till.confirm(&world, &notice("RKTQDM7W6S", "200", "nothing")).await;
    let by_hand = |receipt: &str| {
        world.send(&path, "repayments", json!({"amount": "200", "paid_on": "2024-02-15", "reference": receipt}))
    };
    let refused = by_hand("RKTQDM7W6S").refused(409, "payment_exists").await;
    assert_eq!(refused["payment_id"], world.payment("RKTQDM7W6S").await["id"]);
    by_hand("PHBGTH675A").expect(201).await;
    till.confirm(&world, &notice("PHBGTH675A", "200", &world.pay_ref(&path).await)).await;
    let payment = world.payment("PHBGTH675A").await;
    assert_eq!(payment["state"], "unapplied");
    let found = world.get(&format!("/api/payments/{}/suggestions", payment["id"].as_str().unwrap())).await;
    let first = &found["data"][0];
    assert_eq!((&first["loan_id"], &first["reasons"][0]), (&world.get(&path).await["id"], &json!("pay_ref")));
    assert!(first["reasons"].as_array().unwrap().contains(&json!("recorded_by_hand")));
    world.is_consistent().await;
}

#[tokio::test]
async fn loans_are_paid_out_from_a_source_and_refunds_too() {
    let world = World::new().await;
    Till::of(&world, "till", "manual").await;
    let path = world.approved("1200", "EUR", json!({"interest_rate_apr": "0", "instalments": 6})).await;
    let unknown = json!({"disbursed_on": "2024-01-15", "source": "nothing"});
    world.send(&path, "disbursements", unknown).invalid(&[("/source", "unknown_source")]).await;
    let paid =
        world.send(&path, "disbursements", json!({"disbursed_on": "2024-01-15", "source": "till"})).expect(201).await;
    assert_eq!(paid["source"], "till");
    world.pay(&path, "1300", "2024-01-16").await;
    world.send(&path, "refund", json!({"amount": "100", "paid_on": "2024-01-17", "source": "till"})).expect(201).await;
    assert_eq!(world.balance("cash.till", "").await, "-1300.00");
    assert_eq!(world.balance("cash", "").await, "1300.00");
    world.is_consistent().await;
}

#[tokio::test]
async fn the_list_of_payments_is_there_as_csv() {
    let world = World::new().await;
    Till::of(&world, "till", "manual").await;
    for number in 0..3 {
        waiting(&world, &format!("slip-{number}"), "10").await;
    }
    let call = world.admin.get("/api/payments?state=unapplied&limit=2").header("accept", "text/csv");
    let page = call.expect(200).await;
    assert!(page.header("content-type").starts_with("text/csv"));
    assert!(page.header("link").contains("cursor="));
    let walked = world.admin.walk("/api/payments?limit=1").await;
    assert_eq!(
        walked.iter().map(|it| it["external_id"].as_str().unwrap()).collect::<Vec<_>>(),
        ["slip-2", "slip-1", "slip-0"]
    );
    let by_payer = world.get("/api/payments?payer=john").await;
    assert_eq!(by_payer.list().len(), 3);
    world.admin.get("/api/payments?from=2024-02-16&to=2024-02-15").invalid(&[("/from", "after_end")]).await;
}

#[tokio::test]
async fn a_source_has_one_code_and_one_account_and_no_word_that_is_never_called() {
    let world = World::new().await;
    Till::of(&world, "paybill", "mpesa").await;
    let make = |code: &str, account: &str| {
        let body = json!({"code": code, "name": "n", "provider": "mpesa", "account": account, "currency": "KES"});
        world.admin.post("/api/payment-sources").json(body)
    };
    for word in ["mpesa", "m-pesa", "safaricom", "exe", "cmd", "sql", "query"] {
        make(&format!("a-{word}-b"), "1").invalid(&[("/code", "never_called")]).await;
    }
    make("Paybill", "1").invalid(&[("/code", "not_a_source_code")]).await;
    make("paybill", "1").refused(409, "source_code_taken").await;
    make("other", "600638").refused(409, "source_exists").await;
    let other = make("other", "1").expect(201).await;
    assert_eq!((&other["country"], &other["time_zone"]), (&json!("KE"), &json!("Africa/Nairobi")));
    let read = world.get("/api/payment-sources/other").await;
    assert_eq!((&read["hook_url"], &read["signing_secret"]), (&Value::Null, &Value::Null), "shown once");
    let accounts = world.get("/api/ledger/accounts").await;
    assert!(accounts["data"].as_array().unwrap().iter().any(|it| it["account"] == "cash.other"));
    assert_eq!(world.get("/api/payment-sources").await.list().len(), 2);
    world.admin.get("/api/payment-sources/nothing").refused(404, "not_found").await;
}

#[tokio::test]
async fn nobody_is_erased_while_money_of_theirs_is_in_suspense_and_who_paid_goes_with_them() {
    let world = World::new().await;
    let till = Till::of(&world, "paybill", "mpesa").await;
    let path = world.plain().await;
    world.pay(&path, "1000", "2024-01-20").await;
    till.confirm(&world, &notice("AAA0000001", "200", &world.pay_ref(&path).await)).await;
    assert_eq!(world.get(&path).await["status"], "repaid");
    till.confirm(&world, &notice("AAA0000002", "5", &world.pay_ref(&path).await)).await;
    let erase =
        || world.admin.post(&format!("/api/users/{}/erase", world.customer.id)).json(json!({"reason": "asked"}));
    erase().refused(409, "loans_open").await;
    let waiting = world.payment("AAA0000002").await;
    world.decide(&waiting, "return", json!({"paid_on": "2024-02-16", "reason": "too much"})).expect(201).await;
    erase().expect(200).await;
    for receipt in ["AAA0000001", "AAA0000002"] {
        let payment = world.payment(receipt).await;
        assert_eq!(payment["payer"], json!({"name": null, "phone": null, "account": null}));
    }
    assert_eq!(world.count("SELECT count(*) FROM payment_notices WHERE raw IS NOT NULL").await, 0);
    world.is_consistent().await;
}
