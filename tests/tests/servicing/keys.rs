//! One payment is one payment: the same key at once, other loans, connections that die at any statement.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tests::{Call, Way};

use crate::world::World;

fn pay(world: &World, path: &str, key: &str, amount: &str) -> Call {
    world.agent.post(&format!("{path}/repayments")).key(key).json(json!({"amount": amount, "paid_on": "2024-02-15"}))
}

async fn payments(world: &World) -> i64 {
    world.count("SELECT count(*) FROM transactions WHERE kind = 'repayment'").await
}

#[tokio::test]
async fn a_key_sent_32_times_at_once_is_one_payment_and_on_another_loan_another() {
    let world = World::new().await;
    let (path, other) = (world.plain().await, world.plain().await);
    let answers = join_all((0..32).map(|_| pay(&world, &path, "k", "10").expect(201))).await;
    assert!(answers.iter().all(|answer| answer.text == answers[0].text));
    let replayed = answers.iter().filter(|answer| answer.optional_header("idempotency-replayed").is_some()).count();
    assert_eq!((payments(&world).await, replayed), (1, 31));
    pay(&world, &other, "k", "10").expect(201).await;
    assert_eq!(payments(&world).await, 2);
    pay(&world, &path, "k", "11").refused(422, "idempotency_key_reused").await;
    crate::books::are_right(&world).await;
}

#[tokio::test]
async fn payments_of_one_loan_at_once_all_count_one_after_the_other() {
    let world = World::new().await;
    let path = world.plain().await;
    let keys: Vec<String> = (0..32).map(|n| n.to_string()).collect();
    let answers = join_all(keys.iter().map(|key| pay(&world, &path, key, "10").expect(201))).await;
    let mut balances: Vec<String> = answers.iter().map(|answer| answer.text_of("balance")).collect();
    balances.sort();
    balances.dedup();
    assert_eq!(balances.len(), 32);
    assert_eq!(world.get(&path).await["outstanding"], "880.00");
    assert_eq!(world.count("SELECT count(DISTINCT recorded_at) FROM transactions").await, 33);
    crate::books::are_right(&world).await;
}

#[tokio::test]
async fn loans_do_not_wait_for_each_other() {
    let world = World::new().await;
    let (path, other) = (world.plain().await, world.plain().await);
    let id = path.strip_prefix("/api/loans/").unwrap();
    let holder = world.application().await;
    holder.batch_execute(&format!("BEGIN; SELECT FROM loans WHERE id = '{id}' FOR UPDATE")).await.unwrap();
    let waiting = tokio::spawn(pay(&world, &path, "k", "10").send());
    world.someone_waits().await;
    tokio::time::timeout(Duration::from_secs(3), pay(&world, &other, "k", "10").expect(201)).await.unwrap();
    holder.batch_execute("COMMIT").await.unwrap();
    assert_eq!(waiting.await.unwrap().status, 201);
}

/// A connection is killed as soon as it has written a row of each table in turn; the payment is sent again with its
/// key.
#[tokio::test]
async fn a_connection_that_dies_at_any_statement_leaves_one_payment_after_the_next_try() {
    let world = World::new().await;
    let path = world.plain().await;
    let body = "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
        $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$";
    world.owner.batch_execute(body).await.unwrap();
    let deaths = [
        ("idempotency_keys", "AFTER INSERT"),
        ("transactions", "AFTER INSERT"),
        ("journal_entries", "AFTER INSERT"),
        ("journal_lines", "AFTER INSERT"),
        ("loans", "AFTER UPDATE"),
        ("audit_log", "AFTER INSERT"),
        ("idempotency_keys", "AFTER UPDATE"),
    ];
    for (n, (table, when)) in (1..).zip(deaths) {
        let key = n.to_string();
        let trigger = format!("CREATE TRIGGER die {when} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION die()");
        world.owner.batch_execute(&trigger).await.unwrap();
        pay(&world, &path, &key, "10").refused(503, "unavailable").await;
        world.owner.batch_execute(&format!("DROP TRIGGER die ON {table}")).await.unwrap();
        assert_eq!(payments(&world).await, n - 1, "{table} {when}");
        pay(&world, &path, &key, "10").expect(201).await;
        pay(&world, &path, &key, "10").expect(201).await;
        assert_eq!(payments(&world).await, n, "{table} {when}");
    }
    // And where it dies at the commit.
    let at_commit = "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON transactions DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION die()";
    world.owner.batch_execute(at_commit).await.unwrap();
    pay(&world, &path, "commit", "10").refused(503, "unavailable").await;
    world.owner.batch_execute("DROP TRIGGER die ON transactions").await.unwrap();
    pay(&world, &path, "commit", "10").expect(201).await;
    assert_eq!(payments(&world).await, 8);
    crate::books::are_right(&world).await;
}

/// The wire is cut before every statement of a payment in turn, and before every answer: the last one comes after the
/// commit. The payment is sent again with its key.
#[tokio::test]
async fn a_wire_that_is_cut_at_any_statement_leaves_one_payment_after_the_next_try() {
    let world = World::new().await;
    let path = world.plain().await;
    let (client, wire) = world.by_wire().await;
    let agent = client.as_(world.agent.token());
    let pay = |key: &str| {
        let body = json!({"amount": "1", "paid_on": "2024-02-15"});
        agent.post(&format!("{path}/repayments")).key(key).json(body)
    };
    let (mut made, mut lost_before, mut lost_after) = (0, 0, 0);
    for way in [Way::Out, Way::Back] {
        for statements in 0.. {
            let key = format!("{way:?}-{statements}");
            // A connection that is ready, so that the cut falls into the payment.
            agent.get(&path).expect(200).await;
            wire.cut_after(way, statements);
            let first = pay(&key).send().await;
            if wire.mend() {
                assert_eq!(first.status, 201);
                made += 1;
                break;
            }
            if first.status != 201 {
                assert_eq!((first.status, first.code()), (503, "unavailable"), "{key}");
                if payments(&world).await > made { lost_after += 1 } else { lost_before += 1 }
            }
            pay(&key).expect(201).await;
            pay(&key).expect(201).await;
            made += 1;
            assert_eq!(payments(&world).await, made, "{key}");
        }
    }
    assert!(lost_before > 0 && lost_after > 0, "cut before the commit {lost_before} times, after it {lost_after}");
    crate::books::are_right(&world).await;
}

#[tokio::test]
async fn a_payment_is_two_round_trips_and_a_reading_one() {
    let world = World::new().await;
    let path = world.plain().await;
    let (client, wire) = world.by_wire().await;
    let agent = client.as_(world.agent.token());
    agent.get(&path).expect(200).await;
    let _ = wire.round_trips();
    let reads = ["", "?as_of=2024-02-15", "/schedule", "/transactions", "/ledger", "/statement", "/settlement"];
    for part in reads {
        agent.get(&format!("{path}{part}")).expect(200).await;
        assert_eq!(wire.round_trips(), 1, "{part}");
    }
    let body = json!({"amount": "10", "paid_on": "2024-02-15"});
    for _ in 0..2 {
        agent.post(&format!("{path}/repayments")).key("k").json(body.clone()).expect(201).await;
        assert_eq!(wire.round_trips(), 2);
    }
}
