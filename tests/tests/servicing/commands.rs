//! The effects of each command, and its refusals.

use backend::domain::servicing::MAX_TRANSACTIONS;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::World;

#[tokio::test]
async fn a_loan_is_paid_out_paid_back_reopened_and_written_off() {
    let world = World::new().await;
    let path = world.approved("1200", "EUR", json!({"interest_rate_apr": "0", "instalments": 6})).await;
    let disbursement = json!({"disbursed_on": "2024-01-15", "reference": "transfer 1"});
    let paid_out = world.send(&path, "disbursements", disbursement).expect(201).await;
    assert_eq!(paid_out.header("location"), format!("{path}/transactions/{}", paid_out.text_of("id")));
    assert_eq!(
        [&paid_out["kind"], &paid_out["amount"], &paid_out["paid_out"], &paid_out["balance"]],
        [&json!("disbursement"), &json!("1200.00"), &json!("1200.00"), &json!("1200.00")]
    );
    let loan = world.get(&path).await;
    assert_eq!([&loan["status"], &loan["outstanding"]], [&json!("disbursed"), &json!("1200.00")]);

    let payment = world.pay(&path, "200", "2024-02-15").await;
    let nothing = "0.00";
    assert_eq!(
        payment["allocation"],
        json!({"penalty": nothing, "fee": nothing, "interest": nothing, "principal": "200.00", "overpayment": nothing})
    );
    let last = world.pay(&path, "1010", "2024-02-16").await;
    assert_eq!(last["allocation"]["overpayment"], "10.00");
    assert_eq!(world.get(&path).await["status"], "repaid");
    world
        .send(&path, "refund", json!({"amount": "10.01", "paid_on": "2024-02-17"}))
        .breaks("/amount", "above_held")
        .await;
    let refund = world.send(&path, "refund", json!({"amount": "10", "paid_on": "2024-02-17"})).expect(201).await;
    // The refunded money came from that payment.
    let refused = world.reverse(&path, &last).refused(409, "later_event_depends_on_it").await;
    assert_eq!(refused["transaction_id"], refund["id"]);
    world.reverse(&path, &refund).expect(201).await;
    let reversal = world.reverse(&path, &last).expect(201).await;
    assert_eq!([&reversal["reverses"], &reversal["on"]], [&last["id"], &json!("2024-02-16")]);
    world.reverse(&path, &last).refused(409, "already_reversed").await;
    world.reverse(&path, &reversal).refused(409, "reversal_of_reversal").await;
    assert_eq!(world.get(&path).await["status"], "disbursed");
    world.reverse(&path, &paid_out).refused(409, "later_event_depends_on_it").await;

    let write_off = json!({"on": "2024-06-30", "reason": "cannot be found"});
    let given_up = world.send(&path, "write-off", write_off.clone()).expect(201).await;
    assert_eq!(given_up["amount"], "1000.00");
    assert_eq!(world.get(&path).await["status"], "defaulted");
    world.send(&path, "write-off", write_off).refused(409, "already_written_off").await;
    let recovery = world.pay(&path, "300", "2024-07-01").await;
    assert_eq!(recovery["kind"], "recovery");
    assert_eq!(world.get(&path).await["status"], "defaulted");
    world.reverse(&path, &recovery).expect(201).await;
    world.reverse(&path, &given_up).expect(201).await;
    world.reverse(&path, &payment).expect(201).await;
    world.reverse(&path, &paid_out).expect(201).await;
    let loan = world.get(&path).await;
    assert_eq!([&loan["status"], &loan["outstanding"]], [&json!("approved"), &json!("0.00")]);
    let balances = world.get("/api/ledger/trial-balance").await;
    assert!(balances.list().iter().all(|row| row["balance"] == "0.00"), "{balances}");
    let action = "SELECT count(DISTINCT action) FROM audit_log WHERE action IN
        ('loan.disburse', 'loan.repay', 'loan.refund', 'loan.reverse', 'loan.write_off')";
    assert_eq!(world.count(action).await, 5);
    crate::books::are_right(&world).await;
}

#[tokio::test]
async fn charges_waivers_and_reschedules() {
    let world = World::new().await;
    let path = world.plain().await;
    let charge = |kind: &str, due_on: &str| json!({"code": "c", "kind": kind, "amount": "30", "due_on": due_on});
    let fee = world.send(&path, "charges", charge("fee", "2024-03-01")).expect(201).await;
    assert_eq!([&fee["kind"], &fee["on"], &fee["amount"]], [&json!("charge"), &json!("2024-03-01"), &json!("30.00")]);
    // In the future too: it is recorded today.
    let later = world.send(&path, "charges", charge("penalty", "2100-01-01")).expect(201).await;
    assert_eq!(later["on"], world.app.date_of(jiff::Timestamp::now()).to_string());
    world.send(&path, "charges", charge("fee", "2024-01-14")).breaks("/due_on", "before_disbursement").await;
    let waiver = |amount: &str| json!({"component": "fee", "amount": amount, "on": "2024-03-02", "reason": "r"});
    world.send(&path, "waivers", waiver("30.01")).breaks("/amount", "above_unpaid").await;
    let granted = world.send(&path, "waivers", waiver("20")).expect(201).await;
    assert_eq!(granted["allocation"]["fee"], "20.00");
    world.reverse(&path, &fee).refused(409, "later_event_depends_on_it").await;

    let reschedule = |body: Value| world.send(&path, "reschedule", body);
    let body = json!({"from": "2024-04-15", "instalments": 10, "interest_rate_apr": "12", "reason": "a bad harvest"});
    let new = reschedule(body.clone()).expect(201).await;
    assert_eq!(
        [&new["kind"], &new["amount"], &new["on"]],
        [&json!("reschedule"), &json!("800.00"), &json!("2024-04-15")]
    );
    let rows = world.get(&format!("{path}/schedule")).await["rows"].as_array().unwrap().clone();
    assert_eq!(rows.len(), 12);
    let before = world.get(&format!("{path}/schedule?as_of=2024-04-14")).await["rows"].as_array().unwrap().clone();
    assert_eq!(before.len(), 6);
    let loan = world.get(&path).await;
    assert_ne!(loan["total_interest"], "0.00");
    reschedule(json!({"from": "2024-04-16", "reason": "r"})).breaks("/from", "not_a_due_date").await;
    reschedule(json!({"from": "2024-04-15", "instalments": 601, "reason": "r"}))
        .invalid(&[("/instalments", "out_of_range")])
        .await;
    let body = json!({"from": "2024-05-15", "first_due_on": "2024-04-15", "reason": "r"});
    reschedule(body).breaks("/first_due_on", "not_after_due_date_before").await;
    world.reverse(&path, &new).expect(201).await;
    assert_eq!(world.get(&path).await["total_interest"], "0.00");
    crate::books::are_right(&world).await;
}

#[tokio::test]
async fn what_is_refused_is_refused_in_order() {
    let world = World::new().await;
    let path = world.plain().await;
    let approved = world.approved("100", "EUR", json!({"interest_rate_apr": "0", "instalments": 1})).await;
    let nobody = format!("/api/loans/{}", uuid::Uuid::now_v7());
    let tomorrow = (world.app.date_of(jiff::Timestamp::now()).tomorrow().unwrap()).to_string();
    for (part, body, date) in [
        ("disbursements", json!({"disbursed_on": "2024-01-15"}), "disbursed_on"),
        ("repayments", json!({"amount": "1", "paid_on": "2024-01-15"}), "paid_on"),
        ("waivers", json!({"component": "fee", "amount": "1", "on": "2024-01-15", "reason": "r"}), "on"),
        ("refund", json!({"amount": "1", "paid_on": "2024-01-15"}), "paid_on"),
        ("write-off", json!({"on": "2024-01-15", "reason": "r"}), "on"),
        ("charges", json!({"code": "c", "kind": "fee", "amount": "1", "due_on": "2024-01-15"}), ""),
        ("reschedule", json!({"from": "2024-04-15", "reason": "r"}), ""),
    ] {
        let without_key = |path: &str| world.admin.post(&format!("{path}/{part}"));
        without_key(&nobody).body("text/plain", "{").refused(404, "not_found").await;
        without_key("/api/loans/no-id").body("text/plain", "{").refused(400, "bad_id").await;
        without_key(&path).body("text/plain", "{").refused(400, "idempotency_key_required").await;
        without_key(&path).key("").json(body.clone()).refused(400, "bad_idempotency_key").await;
        without_key(&path).key("k").body("text/plain", "{").refused(415, "unsupported_media_type").await;
        without_key(&path).key("k").raw_json("{").refused(400, "not_json").await;
        let mut misspelt = body.clone();
        misspelt["colour"] = json!("red");
        world.send(&path, part, misspelt).invalid(&[("/colour", "unknown_field")]).await;
        if part == "disbursements" {
            world.send(&path, part, body.clone()).refused(409, "already_disbursed").await;
        } else {
            world.send(&approved, part, body.clone()).refused(409, "not_disbursed").await;
        }
        if !date.is_empty() {
            let mut future = body.clone();
            future[date] = json!(tomorrow);
            world.send(&path, part, future).invalid(&[(&format!("/{date}"), "in_the_future")]).await;
        }
        if !date.is_empty() && part != "disbursements" {
            let mut early = body.clone();
            early[date] = json!("2024-01-14");
            world.send(&path, part, early).breaks(&format!("/{date}"), "before_disbursement").await;
        }
        if body.get("amount").is_some() {
            for (amount, code) in [("0", "not_positive"), ("0.001", "too_many_decimals")] {
                let mut bad = body.clone();
                bad["amount"] = json!(amount);
                world.send(&path, part, bad).invalid(&[("/amount", code)]).await;
            }
        }
    }
    let unknown = format!("transactions/{}/reversal", uuid::Uuid::now_v7());
    world.admin.post(&format!("{path}/{unknown}")).body("text/plain", "{").refused(404, "not_found").await;
    world.admin.post(&format!("{path}/transactions/none/reversal")).refused(400, "bad_id").await;
    assert_eq!(world.count("SELECT count(*) FROM transactions").await, 1);
    assert_eq!(world.count("SELECT count(*) FROM idempotency_keys WHERE operation LIKE '%/write-off'").await, 0);
}

#[tokio::test]
async fn each_payment_of_a_batch_counts_by_itself() {
    let world = World::new().await;
    let (first, second) = (world.plain().await, world.plain().await);
    let id = |path: &str| path.strip_prefix("/api/loans/").unwrap().to_owned();
    let item = |path: &str, amount: &str, key: &str| -> Value {
        json!({"loan_id": id(path), "amount": amount, "paid_on": "2024-02-15", "idempotency_key": key})
    };
    let alone = world.agent.post(&format!("{first}/repayments")).key("a");
    let alone = alone.json(json!({"amount": "5", "paid_on": "2024-02-15"})).expect(201).await;
    let items = json!([item(&first, "5", "a"), item(&first, "0", "b"), item(&second, "7", "a"), {"loan_id": 1},
        item(&first, "6", "a"), item(&first, "8", "c"),
            item(&format!("/api/loans/{}", uuid::Uuid::now_v7()), "1", "d")]);
    let send = || world.agent.post("/api/repayments/batch").json(json!({"items": items})).expect(200);
    let answer = send().await;
    let statuses: Vec<i64> = answer.list().iter().map(|item| item["status"].as_i64().unwrap()).collect();
    assert_eq!(statuses, [201, 422, 201, 422, 422, 201, 404]);
    assert_eq!(answer.list()[0]["transaction"], alone.body);
    assert_eq!(answer.list()[1]["problem"]["errors"][0]["pointer"], "/amount");
    assert_eq!(answer.list()[4]["problem"]["code"], "idempotency_key_reused");
    assert_eq!(send().await["data"][5]["transaction"], answer["data"][5]["transaction"]);
    assert_eq!(world.count("SELECT count(*) FROM transactions WHERE kind = 'repayment'").await, 3);
    let many = vec![item(&first, "1", "e"); 501];
    world.agent.post("/api/repayments/batch").json(json!({"items": many})).invalid(&[("/items", "too_many")]).await;
    crate::books::are_right(&world).await;
}

/// A write-off keeps its amounts; a closed loan is not spread again.
#[tokio::test]
async fn a_closed_loan_is_neither_charged_nor_rescheduled() {
    let world = World::new().await;
    let charge = || json!({"code": "legal", "kind": "fee", "amount": "250", "due_on": "2024-06-02"});
    let reschedule = || json!({"from": "2024-03-15", "instalments": 12, "reason": "x"});
    let defaulted = world.plain().await;
    let write_off =
        world.send(&defaulted, "write-off", json!({"on": "2024-06-01", "reason": "gone"})).expect(201).await;
    world.send(&defaulted, "charges", charge()).refused(409, "already_written_off").await;
    // One that fell due before is entered late, as a payment of a day before would be.
    let late = json!({"code": "legal", "kind": "fee", "amount": "5", "due_on": "2024-05-20"});
    world.send(&defaulted, "charges", late).expect(201).await;
    world.send(&defaulted, "reschedule", reschedule()).refused(409, "already_written_off").await;
    // Taken back, it still shows what it was about.
    let reversal = world.reverse(&defaulted, &write_off).expect(201).await;
    assert_eq!(reversal["amount"], "1200.00");
    let path = format!("{defaulted}/transactions/{}", write_off.text_of("id"));
    assert_eq!(world.get(&path).await["amount"], "1200.00");
    world.send(&defaulted, "charges", charge()).expect(201).await;
    let repaid = world.plain().await;
    world.pay(&repaid, "1200", "2024-05-01").await;
    world.send(&repaid, "reschedule", reschedule()).refused(409, "nothing_to_reschedule").await;
    crate::books::are_right(&world).await;
}

/// A charge of a period after a payment leaves it as it was, whichever of them was recorded first.
#[tokio::test]
async fn a_payment_closes_the_loan_whether_a_later_charge_was_recorded_before_or_after_it() {
    let world = World::new().await;
    let terms = || json!({"interest_rate_apr": "12", "instalments": 6});
    let charge = || json!({"code": "visit", "kind": "penalty", "amount": "30.00", "due_on": "2024-11-22"});
    let (before, after) =
        (world.disbursed("6000", terms(), "2024-01-10").await, world.disbursed("6000", terms(), "2024-01-10").await);
    world.send(&before, "charges", charge()).expect(201).await;
    for path in [&before, &after] {
        world.pay(path, "6123.28", "2024-03-20").await;
    }
    world.send(&after, "charges", charge()).expect(201).await;
    for path in [&before, &after] {
        let loan = world.get(path).await;
        assert_eq!([&loan["outstanding"], &loan["status"]], [&json!("0.00"), &json!("disbursed")]);
        assert_eq!(world.get(&format!("{path}?as_of=2024-05-01")).await["status"], "repaid");
        let schedule = world.get(&format!("{path}/schedule")).await;
        assert_eq!(
            [&schedule["totals"]["interest"], &schedule["totals"]["outstanding"]],
            [&json!("123.28"), &json!("30.00")]
        );
    }
    crate::books::are_right(&world).await;
}

#[tokio::test]
async fn a_loan_takes_so_many_transactions_and_then_reversals_alone() {
    let world = World::new().await;
    let path = world.plain().await;
    let payment = world.pay(&path, "0.01", "2024-02-15").await;
    let id: Uuid = path.strip_prefix("/api/loans/").unwrap().parse().unwrap();
    // As many small payments as it may have.
    let sql = "INSERT INTO transactions (id, loan_id, kind, value_date, recorded_at, recorded_by, currency, amount)
        SELECT gen_random_uuid(), t.loan_id, t.kind, t.value_date, t.recorded_at + n * interval '1 microsecond',
            t.recorded_by,
            t.currency, t.amount
        FROM transactions t, generate_series(1, $2) n WHERE t.loan_id = $1 AND t.kind = 'repayment'";
    let many = i32::try_from(MAX_TRANSACTIONS).unwrap() - 2;
    world.owner.execute(sql, &[&id, &many]).await.unwrap();
    let more = json!({"amount": "1", "paid_on": "2024-02-15"});
    world.send(&path, "repayments", more).refused(409, "too_many_transactions").await;
    world.reverse(&path, &payment).expect(201).await;
    assert_eq!(world.get(&path).await["outstanding"], "1100.02");
}
