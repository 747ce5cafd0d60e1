//! Statistics: right after every step, exact, never across currencies; and the snapshot of the scheduled function.

use jiff::{Timestamp, ToSpan, civil::Date};
use serde_json::{Value, json};
use tests::{ApiOptions, Reply};

use crate::world::World;

async fn statistics(world: &World) -> Reply {
    let by_agent = world.agent.get("/api/stats").expect(200).await;
    let by_admin = world.admin.get("/api/stats").expect(200).await;
    assert_eq!(by_agent.body, by_admin.body);
    by_admin
}

fn figures(values: [&str; 6], loans: i64) -> Value {
    let [total_amount, avg_amount, disbursed, repaid, outstanding, past_due] = values;
    json!({"loans": loans, "total_amount": total_amount, "avg_amount": avg_amount, "disbursed": disbursed,
        "repaid": repaid, "outstanding": outstanding, "past_due": past_due})
}

fn today(world: &World) -> Date {
    world.app.date_of(Timestamp::now())
}

#[tokio::test]
async fn an_empty_book_has_all_seven_statuses_and_no_currency() {
    let world = World::new().await;
    let statistics = statistics(&world).await;
    assert_eq!((&statistics["total_loans"], &statistics["by_currency"]), (&json!(0), &json!({})));
    let none = json!({"pending": 0, "approved": 0, "rejected": 0, "withdrawn": 0, "disbursed": 0, "repaid": 0,
        "defaulted": 0});
    assert_eq!(statistics["by_status"], none);
    assert_eq!(statistics["as_of"], today(&world).to_string());
}

#[tokio::test]
async fn statistics_are_right_after_every_step() {
    let world = World::new().await;
    let by_status = async |expected: &[(&str, i64)]| {
        let statistics = statistics(&world).await;
        let mut total = 0;
        for (status, count) in statistics["by_status"].as_object().unwrap() {
            let expected = expected.iter().find(|(name, _)| name == status).map_or(0, |(_, count)| *count);
            assert_eq!(count.as_i64().unwrap(), expected, "{status}: {statistics}");
            total += expected;
        }
        assert_eq!(statistics["total_loans"], total);
        statistics["by_currency"]["INR"].clone()
    };
    let zero = "0.00";
    let step = |loan: &str, action: &str, version: i64| {
        let by = if action == "withdraw" { &world.agent } else { &world.admin };
        by.post(&format!("{loan}/{action}")).if_match(version).json(json!({"reason": "r"})).expect(200)
    };

    let first = world.applied("1000.01").await;
    let inr = by_status(&[("pending", 1)]).await;
    assert_eq!(inr, figures(["1000.01", "1000.01", zero, zero, zero, zero], 1));
    let second = world.applied("0.02").await;
    // The mean of 1000.01 and 0.02 is 500.015: half to even.
    assert_eq!(by_status(&[("pending", 2)]).await, figures(["1000.03", "500.02", zero, zero, zero, zero], 2));
    world.agent.patch(&second).if_match(1).json(json!({"amount": "0.04"})).expect(200).await;
    // 500.025.
    assert_eq!(by_status(&[("pending", 2)]).await, figures(["1000.05", "500.02", zero, zero, zero, zero], 2));
    step(&first, "approve", 1).await;
    step(&second, "reject", 2).await;
    let unchanged = figures(["1000.05", "500.02", zero, zero, zero, zero], 2);
    assert_eq!(by_status(&[("approved", 1), ("rejected", 1)]).await, unchanged);
    step(&first, "undo-approval", 2).await;
    assert_eq!(by_status(&[("pending", 1), ("rejected", 1)]).await, unchanged);
    step(&first, "withdraw", 3).await;
    assert_eq!(by_status(&[("withdrawn", 1), ("rejected", 1)]).await, unchanged);

    let third = world.applied("600").await;
    step(&third, "approve", 1).await;
    let today = today(&world).to_string();
    world.disburse(&third, &today).await;
    let rest = [("withdrawn", 1), ("rejected", 1)];
    let inr = by_status(&[rest[0], rest[1], ("disbursed", 1)]).await;
    assert_eq!(inr, figures(["1600.05", "533.35", "600.00", zero, "600.00", zero], 3));
    // 600 at 24 % for 6 months: the first instalment of 107.12 pays 12.00 of interest.
    let pay = |amount: &str| world.money(&third, "repayments", json!({"amount": amount, "paid_on": today})).expect(201);
    let first = pay("107.12").await;
    assert_eq!(first["allocation"]["principal"], "95.12");
    let inr = by_status(&[rest[0], rest[1], ("disbursed", 1)]).await;
    assert_eq!(inr, figures(["1600.05", "533.35", "600.00", "95.12", "504.88", zero], 3));
    // A written-off amount is neither outstanding nor repaid.
    let body = json!({"on": today, "reason": "gone"});
    let write_off = world.money(&third, "write-off", body).expect(201).await;
    let inr = by_status(&[rest[0], rest[1], ("defaulted", 1)]).await;
    assert_eq!(inr, figures(["1600.05", "533.35", "600.00", "95.12", zero, zero], 3));
    let reversal = format!("transactions/{}/reversal", write_off.text_of("id"));
    world.money(&third, &reversal, json!({"reason": "found"})).expect(201).await;
    let settlement = world.admin.get(&format!("{third}/settlement")).expect(200).await;
    pay(&settlement.text_of("total")).await;
    let inr = by_status(&[rest[0], rest[1], ("repaid", 1)]).await;
    assert_eq!(inr, figures(["1600.05", "533.35", "600.00", "600.00", zero, zero], 3));
}

#[tokio::test]
async fn sums_never_mix_currencies_and_keep_their_decimals() {
    let world = World::new().await;
    let mut kwd = json!({"currency": "KWD", "min_amount": "0.001", "max_amount": "9000000", "is_default": true});
    world.product("dinar", kwd.clone()).await;
    kwd["currency"] = json!("JPY");
    kwd["min_amount"] = json!("1");
    world.product("yen", kwd).await;
    for (currency, amounts) in [
        ("KWD", &["1.001", "2.002", "8999999.999"][..]),
        ("JPY", &["1", "2"]),
        ("VND", &["50000", "1"]),
        ("INR", &["0.01"]),
    ] {
        for amount in amounts {
            let body = json!({"amount": amount, "currency": currency});
            world.customer.post("/api/loans").json(body).expect(201).await;
        }
    }
    let statistics = statistics(&world).await;
    let currencies = statistics["by_currency"].as_object().unwrap();
    assert_eq!(currencies.keys().collect::<Vec<_>>(), ["INR", "JPY", "KWD", "VND"]);
    let of = |currency: &str, zero: &str, total: &str, mean: &str, loans: i64| {
        assert_eq!(currencies[currency], figures([total, mean, zero, zero, zero, zero], loans), "{currency}");
    };
    of("KWD", "0.000", "9000003.002", "3000001.001", 3);
    of("JPY", "0", "3", "2", 2);
    of("VND", "0", "50001", "25000", 2);
    of("INR", "0.00", "0.01", "0.01", 1);
    assert_eq!(statistics["total_loans"], 8);
}

#[tokio::test]
async fn past_due_is_what_fell_due_before_today_and_is_not_paid() {
    let world = World::new().await;
    let today = today(&world);
    // Without interest, 1200 in 6 instalments: 200 each, due on the months of the disbursement.
    let body = json!({"borrower_id": world.customer.username, "amount": "1200", "currency": "INR", "term_months": 6,
        "interest_rate_apr": "0"});
    let loan = crate::world::path(&world.agent.post("/api/loans").json(body).expect(201).await);
    world.admin.post(&format!("{loan}/approve")).if_match(1).expect(200).await;
    let past_due = async || statistics(&world).await["by_currency"]["INR"]["past_due"].clone();
    let take_back = async |transaction: &Reply| {
        let reversal = format!("transactions/{}/reversal", transaction.text_of("id"));
        world.money(&loan, &reversal, json!({"reason": "as the test wants"})).expect(201).await;
    };
    // Three and a half months ago: three have fallen due.
    let on = today - 3.months() - 15.days();
    let disbursement = world.disburse(&loan, &on.to_string()).await;
    assert_eq!(past_due().await, "600.00");
    let body = json!({"amount": "450", "paid_on": today.to_string()});
    let payment = world.money(&loan, "repayments", body).expect(201).await;
    assert_eq!(past_due().await, "150.00");
    // A fee that has fallen due counts, a penalty does not.
    let due_on = (today - 1.day()).to_string();
    for kind in ["fee", "penalty"] {
        let body = json!({"code": "c", "kind": kind, "amount": "7", "due_on": due_on});
        let charge = world.money(&loan, "charges", body).expect(201).await;
        assert_eq!(past_due().await, if kind == "fee" { "157.00" } else { "150.00" });
        take_back(&charge).await;
    }
    take_back(&payment).await;
    assert_eq!(past_due().await, "600.00");
    take_back(&disbursement).await;
    assert_eq!(past_due().await, "0.00");
    // An amount due today is not late yet, one due yesterday is.
    for (on, late) in [(today - 1.month(), "0.00"), (today - 1.month() - 1.day(), "200.00")] {
        let disbursement = world.disburse(&loan, &on.to_string()).await;
        let first_due = on + 1.month();
        assert_eq!(past_due().await, if first_due < today { late } else { "0.00" });
        take_back(&disbursement).await;
    }
}

#[tokio::test]
async fn the_demo_data_are_one_loan_in_each_of_five_states() {
    let world = World::with(ApiOptions { demo: true, ..ApiOptions::default() }).await;
    let statistics = statistics(&world).await;
    for (status, count) in statistics["by_status"].as_object().unwrap() {
        assert_eq!(count, &json!(i64::from(status != "withdrawn" && status != "defaulted")), "{status}");
    }
    for (currency, total, disbursed, repaid, outstanding) in [
        ("KES", "12500.00", "0.00", "0.00", "0.00"),
        ("INR", "50000.00", "0.00", "0.00", "0.00"),
        ("NGN", "32000.00", "0.00", "0.00", "0.00"),
        ("VND", "8400", "8400", "0", "8400"),
        ("PHP", "21000.00", "21000.00", "21000.00", "0.00"),
    ] {
        let figures = &statistics["by_currency"][currency];
        let of = |name: &str| figures[name].as_str().unwrap().to_owned();
        assert_eq!([of("total_amount"), of("avg_amount")], [total, total], "{currency}");
        assert_eq!([of("disbursed"), of("repaid"), of("outstanding")], [disbursed, repaid, outstanding], "{currency}");
    }
    let payments = world.admin.walk("/api/payments").await;
    let count = |state: &str| payments.iter().filter(|it| it["state"] == state).count();
    assert_eq!(["applied", "partly_applied", "unapplied", "returned"].map(count), [5, 1, 1, 1]);
    let waiting = payments.iter().find(|it| it["state"] == "unapplied").unwrap()["id"].as_str().unwrap();
    let suggested = world.admin.get(&format!("/api/payments/{waiting}/suggestions")).expect(200).await;
    assert_eq!(suggested["data"][0]["borrower_username"], "usr_philippines_005");
    assert_eq!(stats::check(&world.app.db, &world.app.zone).await.unwrap(), []);
}

#[tokio::test]
async fn the_scheduled_function_keeps_a_snapshot_a_day_and_clears_what_has_expired() {
    let world = World::with(ApiOptions { zone: "Pacific/Kiritimati", ..ApiOptions::default() }).await;
    let session = world.api.session(world.customer.id, world.customer.role).await;
    let clear = "UPDATE sessions SET expires_at = now() - interval '1 second' WHERE user_id = $1";
    world.owner.execute(clear, &[&world.customer.id]).await.unwrap();
    for key in ["old", "young"] {
        let body = json!({"borrower_id": world.customer.id, "amount": "10", "currency": "INR"});
        world.agent.post("/api/loans").key(key).json(body).expect(201).await;
    }
    let age = "UPDATE idempotency_keys SET created_at = now() - interval '8 days' WHERE key = 'old'";
    world.owner.execute(age, &[]).await.unwrap();
    let buckets = "INSERT INTO rate_limits (key, full_at) VALUES
        (decode(repeat('01', 32), 'hex'), now() + interval '1 hour')";
    world.owner.execute(buckets, &[]).await.unwrap();
    // More than one batch of them.
    let buckets = "INSERT INTO rate_limits (key, full_at)
        SELECT sha256(n::text::bytea), now() - interval '1 second' FROM generate_series(1, 25000) AS n";
    world.owner.execute(buckets, &[]).await.unwrap();

    let report = stats::run(&world.app.db, &world.app.zone).await.unwrap();
    let kept = async || {
        let sql = "SELECT business_date::text, figures, taken_at::text FROM statistics_snapshots";
        let row = world.owner.query_one(sql, &[]).await.unwrap();
        (row.get::<_, String>(0), row.get::<_, Value>(1), row.get::<_, String>(2))
    };
    let (date, first, first_taken) = kept().await;
    assert_eq!(date, today(&world).to_string());
    assert_eq!(first, statistics(&world).await.body);
    assert_eq!(first, serde_json::to_value(&report.statistics).unwrap());
    assert_eq!(world.count("SELECT count(*) FROM sessions").await, 2);
    assert_eq!(world.count("SELECT count(*) FROM idempotency_keys WHERE key = 'young'").await, 1);
    assert_eq!(world.count("SELECT count(*) FROM idempotency_keys").await, 1);
    assert_eq!(world.count("SELECT count(*) FROM rate_limits").await, 1);
    session.get("/api/auth/me").refused(401, "unauthenticated").await;

    // Delivered again, it moves the day's snapshot forward.
    let body = json!({"borrower_id": world.customer.id, "amount": "10", "currency": "INR"});
    world.agent.post("/api/loans").json(body).expect(201).await;
    let (a, b) = tokio::join!(stats::run(&world.app.db, &world.app.zone), stats::run(&world.app.db, &world.app.zone));
    a.and(b).unwrap();
    let (_, second, second_taken) = kept().await;
    assert_eq!((&first["total_loans"], &second["total_loans"]), (&json!(2), &json!(3)));
    assert!(second_taken > first_taken);
    // A delivery that is late changes nothing.
    let late = "UPDATE statistics_snapshots SET taken_at = now() + interval '1 hour', figures = '{}'";
    world.owner.execute(late, &[]).await.unwrap();
    stats::run(&world.app.db, &world.app.zone).await.unwrap();
    assert_eq!(kept().await.1, json!({}));
}
