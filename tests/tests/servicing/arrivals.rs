//! Money that arrives is recorded once, and finds its loan by itself or waits in suspense.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::Way;

use crate::{
    till::{Till, callback, notice},
    world::World,
};

fn state(payment: &Value) -> [&str; 4] {
    ["state", "applied", "returned", "unapplied"].map(|field| payment[field].as_str().unwrap())
}

#[tokio::test]
async fn a_confirmation_pays_the_loan_that_its_reference_names() {
    let world = World::new().await;
    let (till, path) = (Till::of(&world, "paybill", "mpesa").await, world.plain().await);
    let digits = world.pay_ref(&path).await;
    till.confirm(&world, &notice("RKTQDM7W6S", "200.00", &format!(" #{}-{} ", &digits[..4], &digits[4..]))).await;
    let payment = world.payment("RKTQDM7W6S").await;
    assert_eq!(state(&payment), ["applied", "200.00", "0.00", "0.00"]);
    assert_eq!((&payment["matched_by"], &payment["paid_on"]), (&json!("pay_ref"), &json!("2024-02-15")));
    assert_eq!(payment["paid_at"], "2024-02-15T09:00:00.000000Z");
    assert_eq!(payment["payer"], json!({"name": "John Kamau", "phone": "2547*****149", "account": null}));

    let transactions = world.get(&format!("{path}/transactions")).await;
    let repayment = transactions.list().iter().find(|it| it["kind"] == "repayment").unwrap();
    assert_eq!(repayment["id"], payment["applications"][0]["transaction_id"]);
    assert_eq!(repayment["payment_id"], payment["id"]);
    let noted = ["amount", "on", "channel", "reference"].map(|field| repayment[field].as_str().unwrap());
    assert_eq!(noted, ["200.00", "2024-02-15", "paybill", "RKTQDM7W6S"]);
    let source = world.get("/api/payment-sources/paybill").await;
    assert_eq!(repayment["recorded_by"], source["recorder_id"]);

    // The cash is at the source, out of suspense; the loan's own entry takes it from there.
    assert_eq!(world.balance("cash.paybill", "").await, "200.00");
    assert_eq!(world.balance("unapplied_payments", "").await, "0.00");
    assert_eq!(world.balance("cash", "").await, "-1200.00");
    let ledger = world.get(&format!("{path}/ledger")).await;
    let lines = ledger.list()[0]["lines"].as_array().unwrap();
    assert!(lines.iter().any(|line| line["account"] == "unapplied_payments" && line["debit"] == "200.00"), "{lines:?}");
    world.is_consistent().await;
}

#[tokio::test]
async fn a_confirmation_of_a_repayment_is_two_round_trips() {
    let world = World::new().await;
    let (till, path) = (Till::of(&world, "paybill", "mpesa").await, world.plain().await);
    let digits = world.pay_ref(&path).await;
    let (client, wire) = world.by_wire().await;
    client.anyone().get("/health/ready").expect(200).await;
    let confirm = |receipt: &str| {
        client.anyone().post(&format!("{}/confirmation", till.hooks)).json(notice(receipt, "10", &digits))
    };
    let _ = wire.round_trips();
    confirm("AAA1111111").expect(200).await;
    assert_eq!(wire.round_trips(), 2);
    assert_eq!(world.payment("AAA1111111").await["state"], "applied");
}

#[tokio::test]
async fn notices_of_one_receipt_at_once_are_one_payment_and_one_repayment() {
    let world = World::new().await;
    let (till, path) = (Till::of(&world, "paybill", "mpesa").await, world.plain().await);
    let body = notice("RKTQDM7W6S", "200", &world.pay_ref(&path).await);
    let calls = (0..32).map(|number| {
        let call = if number % 4 == 3 {
            till.call(&world, "stk", &callback("RKTQDM7W6S", 200.0))
        } else {
            till.call(&world, "confirmation", &body)
        };
        call.expect(200)
    });
    join_all(calls).await;
    let payment = world.payment("RKTQDM7W6S").await;
    assert_eq!(state(&payment), ["applied", "200.00", "0.00", "0.00"]);
    assert_eq!(payment["conflicts"], json!([]));
    assert_eq!(payment["payer"]["phone"], "+254708374149", "whole in the one, masked in the other");
    let repayments = "SELECT count(*) FROM transactions WHERE kind = 'repayment'";
    assert_eq!((world.count("SELECT count(*) FROM payments").await, world.count(repayments).await), (1, 1));
    assert_eq!(world.count("SELECT count(*) FROM payment_notices").await, 2, "each notice once");
    world.is_consistent().await;
}

#[tokio::test]
async fn a_notice_broken_off_at_any_statement_and_sent_again_is_one_payment() {
    let world = World::new().await;
    let (till, path) = (Till::of(&world, "paybill", "mpesa").await, world.plain().await);
    let digits = world.pay_ref(&path).await;
    let (client, wire) = world.by_wire().await;
    let mut receipts = 0;
    for way in [Way::Out, Way::Back] {
        for statements in 0.. {
            let receipt = format!("{way:?}{statements:04}").to_uppercase();
            let confirm =
                || client.anyone().post(&format!("{}/confirmation", till.hooks)).json(notice(&receipt, "1", &digits));
            client.anyone().get("/health/ready").expect(200).await;
            wire.cut_after(way, statements);
            let first = confirm().send().await;
            receipts += 1;
            if wire.mend() {
                assert_eq!(first.status, 200);
                break;
            }
            assert!(first.status == 200 || first.status == 503, "{first}");
            confirm().expect(200).await;
        }
    }
    assert_eq!(world.count("SELECT count(*) FROM payments WHERE state = 'applied'").await, receipts);
    assert_eq!(world.count("SELECT count(*) FROM transactions WHERE payment_id IS NOT NULL").await, receipts);
    world.is_consistent().await;
}

#[tokio::test]
async fn what_leads_to_no_open_loan_waits_in_suspense() {
    let world = World::new().await;
    let till = Till::of(&world, "paybill", "mpesa").await;
    let path = world.plain().await;
    let digits = world.pay_ref(&path).await;
    let closed = world.plain().await;
    world.pay(&closed, "1200", "2024-01-16").await;
    let pending = world.approved("1200", "EUR", json!({"interest_rate_apr": "0", "instalments": 6})).await;
    let wrong = format!("{}{}", &digits[..9], (digits.as_bytes()[9] - b'0' + 1) % 10);
    for (receipt, reference) in [
        ("AAA0000001", wrong),
        ("AAA0000002", world.pay_ref(&closed).await),
        ("AAA0000003", world.pay_ref(&pending).await),
        ("AAA0000004", "John".to_owned()),
        ("AAA0000005", String::new()),
    ] {
        till.confirm(&world, &notice(receipt, "10", &reference)).await;
        let payment = world.payment(receipt).await;
        assert_eq!(state(&payment), ["unapplied", "0.00", "0.00", "10.00"], "{reference}");
        assert_eq!(payment["matched_by"], Value::Null);
    }
    // Before the disbursement, too.
    let mut early = notice("AAA0000006", "10", &digits);
    early["TransTime"] = json!("20240114235959");
    till.confirm(&world, &early).await;
    assert_eq!(world.payment("AAA0000006").await["state"], "unapplied");
    assert_eq!(world.balance("unapplied_payments", "").await, "-60.00");
    assert_eq!(world.balance("unapplied_payments", "as_of=2024-02-14").await, "-10.00");
    let waiting = world.get("/api/payments?state=unapplied&source=paybill&from=2024-02-15&to=2024-02-15").await;
    assert_eq!(waiting.list().len(), 5);
    world.is_consistent().await;
}

#[tokio::test]
async fn a_telephone_number_a_username_or_an_external_id_leads_to_the_one_open_loan_of_its_customer() {
    let world = World::new().await;
    let till = Till::of(&world, "paybill", "mpesa").await;
    let path = world.plain().await;
    world
        .admin
        .patch(&format!("/api/users/{}", world.customer.id))
        .json(json!({"phone": "+254700000001", "external_id": "Branch 7/204"}))
        .expect(200)
        .await;
    for (receipt, reference, by) in [
        ("AAA0000001", "0700000001", "phone"),
        ("AAA0000002", "254 700 000 001", "phone"),
        ("AAA0000003", "+254700000001", "phone"),
        ("AAA0000004", " The.Customer ", "username"),
        ("AAA0000006", " Branch 7/204 ", "external_id"),
    ] {
        till.confirm(&world, &notice(receipt, "10", reference)).await;
        let payment = world.payment(receipt).await;
        assert_eq!((&payment["state"], &payment["matched_by"]), (&json!("applied"), &json!(by)), "{reference}");
    }
    // Two open loans: nobody guesses.
    world.plain().await;
    till.confirm(&world, &notice("AAA0000005", "10", "0700000001")).await;
    let payment = world.payment("AAA0000005").await;
    assert_eq!(payment["state"], "unapplied");
    let found = world.get(&format!("/api/payments/{}/suggestions", payment["id"].as_str().unwrap())).await;
    let ids: BTreeSet<String> = found["data"].as_array().unwrap().iter().map(|it| it["loan_id"].to_string()).collect();
    assert_eq!(ids.len(), 2);
    assert!(ids.contains(&world.get(&path).await["id"].to_string()));
    assert_eq!(found["data"][0]["reasons"], json!(["reference"]));
    world.is_consistent().await;
}

#[tokio::test]
async fn what_one_notice_lacked_the_next_one_adds_and_what_contradicts_is_listed() {
    let world = World::new().await;
    let (till, path) = (Till::of(&world, "paybill", "mpesa").await, world.plain().await);
    till.call(&world, "stk", &callback("NLJ7RT61SV", 200.0)).expect(200).await;
    let payment = world.payment("NLJ7RT61SV").await;
    assert_eq!((&payment["state"], &payment["reference"]), (&json!("unapplied"), &Value::Null));
    let mut late = notice("NLJ7RT61SV", "250", &world.pay_ref(&path).await);
    late["TransTime"] = json!("20240215120005");
    till.confirm(&world, &late).await;
    let payment = world.payment("NLJ7RT61SV").await;
    assert_eq!(state(&payment), ["applied", "200.00", "0.00", "0.00"]);
    assert_eq!(payment["payer"], json!({"name": "John Kamau", "phone": "+254708374149", "account": null}));
    let fields: Vec<&str> =
        payment["conflicts"].as_array().unwrap().iter().map(|it| it["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["amount", "paid_at"]);
    // Sent again, nothing changes; once something was applied, matching is by hand.
    till.confirm(&world, &late).await;
    let mut other = late.clone();
    other["BillRefNumber"] = json!("another");
    till.confirm(&world, &other).await;
    let payment = world.payment("NLJ7RT61SV").await;
    assert_eq!((payment["conflicts"].as_array().unwrap().len(), &payment["state"]), (3, &json!("applied")));
    world.is_consistent().await;
}

#[tokio::test]
async fn a_wrong_secret_finds_nothing_and_is_limited_and_a_right_one_never() {
    let world = World::new().await;
    let till = Till::of(&world, "paybill", "mpesa").await;
    let signed = Till::with(&world, "partner", "json", json!({})).await;
    assert!(till.hooks.rsplit('/').next().unwrap().len() == 64);
    let body = notice("AAA0000001", "10", "x");
    for path in [
        format!("/api/hooks/paybill/{}", "0".repeat(64)),
        format!("/api/hooks/other/{}", till.hooks.rsplit('/').next().unwrap()),
        // One of another provider.
        signed.hooks.clone(),
    ] {
        for hook in ["confirmation", "stk", "validation"] {
            world.anyone().post(&format!("{path}/{hook}")).json(body.clone()).refused(404, "not_found").await;
        }
    }
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 0);
    // Neither secret stands in the database.
    let secret = till.hooks.rsplit('/').next().unwrap();
    let dump = "SELECT count(*) FROM payment_source_secrets s WHERE s::text LIKE '%' || $1 || '%'";
    let found: i64 = world.owner.query_one(dump, &[&secret]).await.unwrap().get(0);
    assert_eq!(found, 0);
    till.confirm(&world, &body).await;
}

#[tokio::test]
async fn a_rotated_secret_is_good_for_the_overlap_alone() {
    let world = World::new().await;
    let till = Till::of(&world, "paybill", "mpesa").await;
    let rotate =
        |hours: u32| world.admin.post("/api/payment-sources/paybill/rotate").json(json!({"overlap_hours": hours}));
    let second = Till::shown(&rotate(24).expect(200).await);
    till.confirm(&world, &notice("AAA0000001", "10", "x")).await;
    second.confirm(&world, &notice("AAA0000002", "10", "x")).await;
    let third = Till::shown(&rotate(0).expect(200).await);
    for ended in [&till, &second] {
        ended.call(&world, "confirmation", &notice("AAA0000003", "10", "x")).refused(404, "not_found").await;
    }
    third.confirm(&world, &notice("AAA0000003", "10", "x")).await;
}

#[tokio::test]
async fn hooks_are_called_from_the_networks_of_their_source() {
    let world = World::new().await;
    let till = Till::with(&world, "paybill", "mpesa", json!({"addresses": ["196.201.214.0/24"]})).await;
    let call = || till.call(&world, "confirmation", &notice("AAA0000001", "10", "x"));
    call().from_address("196.201.213.114").refused(403, "address_refused").await;
    call().from_address("196.201.214.206").expect(200).await;
}

#[tokio::test]
async fn a_strict_source_wants_what_leads_to_an_open_loan() {
    let world = World::new().await;
    let till = Till::with(&world, "paybill", "mpesa", json!({"validation": "strict"})).await;
    let digits = world.pay_ref(&world.plain().await).await;
    let ask = async |reference: &str| {
        let answer = till.call(&world, "validation", &notice("AAA0000001", "10", reference)).expect(200).await;
        (answer.text_of("ResultCode"), answer.text_of("ResultDesc"))
    };
    assert_eq!(ask(&digits).await, ("0".into(), "Accepted".into()));
    assert_eq!(ask("nothing").await, ("C2B00012".into(), "Rejected".into()));
    let edit = |body: Value| world.admin.patch("/api/payment-sources/paybill").json(body).expect(200);
    edit(json!({"validation": "open"})).await;
    assert_eq!(ask("nothing").await.0, "0");
    edit(json!({"active": false})).await;
    assert_eq!(ask(&digits).await.0, "C2B00012");
    // Money that comes all the same is taken, and matched with nothing.
    till.confirm(&world, &notice("AAA0000002", "10", &digits)).await;
    assert_eq!(world.payment("AAA0000002").await["state"], "unapplied");
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 1, "a validation stores nothing");
}

#[tokio::test]
async fn what_cannot_become_a_payment_is_kept_as_refused() {
    let world = World::new().await;
    let till = Till::of(&world, "paybill", "mpesa").await;
    let with = |field: &str, value: Value| {
        let mut body = notice("AAA0000001", "10", "x");
        body[field] = value;
        body
    };
    let cases = [
        ("another_account", with("BusinessShortCode", json!("600639"))),
        ("required", with("TransAmount", json!(""))),
        ("not_positive", with("TransAmount", json!("0.00"))),
        ("too_many_decimals", with("TransAmount", json!("10.005"))),
        ("not_an_instant", with("TransTime", json!("2024"))),
    ];
    for (code, body) in &cases {
        let refused = till.call(&world, "confirmation", body).expect(422).await;
        assert_eq!(refused.errors()[0].1, *code);
    }
    // Zeros beyond the currency's decimals say nothing.
    till.confirm(&world, &with("TransAmount", json!("10.5000"))).await;
    assert_eq!(world.payment("AAA0000001").await["amount"], "10.50");
    let kept = world.get("/api/payment-sources/paybill/refused").await;
    let codes: Vec<&str> = kept.list().iter().rev().map(|it| it["code"].as_str().unwrap()).collect();
    assert_eq!(codes, cases.iter().map(|(code, _)| *code).collect::<Vec<_>>());
    assert!(kept.list()[0]["raw"].as_str().unwrap().contains("\"2024\""));
    // An STK push that brought nothing leaves nothing.
    let cancelled = json!({"Body": {"stkCallback": {"ResultCode": 1032, "ResultDesc": "Request cancelled by user"}}});
    till.call(&world, "stk", &cancelled).expect(200).await;
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 1);
    let logged = "SELECT count(*) FROM audit_log WHERE action = 'payment.refuse' AND actor_id IS NULL";
    assert_eq!(world.count(logged).await, 5);
}

#[tokio::test]
async fn another_system_signs_what_it_tells() {
    let world = World::new().await;
    let till = Till::of(&world, "partner", "json").await;
    let path = world.plain().await;
    let body = json!({"external_id": "TX 1", "amount": "200", "currency": "EUR", "paid_at": "2024-02-15T12:00:00Z",
        "reference": world.pay_ref(&path).await, "payer": {"name": "John", "iban": "unknown fields are kept"}});
    let send = |secret: Option<&str>, body: &Value| {
        let call = till.call(&world, "payment", body);
        match secret {
            None => call,
            Some(secret) => tests::signed(call, secret, "msg_1", &body.to_string()),
        }
    };
    let secret = till.signing.as_deref().unwrap();
    send(None, &body).refused(401, "bad_signature").await;
    send(Some("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), &body).refused(401, "bad_signature").await;
    let id = send(Some(secret), &body).expect(200).await.text_of("id");
    assert_eq!(send(Some(secret), &body).expect(200).await.text_of("id"), id, "the same receipt");
    let payment = world.get(&format!("/api/payments/{id}")).await;
    assert_eq!((&payment["state"], &payment["external_id"]), (&json!("applied"), &json!("TX 1")));
    assert!(payment["raw"][0]["body"].as_str().unwrap().contains("unknown fields are kept"));
    let agents = world.agent.get(&format!("/api/payments/{id}")).expect(200).await;
    assert_eq!(agents["raw"], Value::Null, "for admins alone");
    let mut wrong = body.clone();
    wrong["currency"] = json!("KES");
    send(Some(secret), &wrong).invalid(&[("/currency", "currency_mismatch")]).await;
    world.is_consistent().await;
}
