//! Idempotency-Key: a command that is sent twice takes effect once.

use std::time::Duration;

use backend::domain::loan::LoanStatus;
use serde_json::{Value, json};
use tests::{Call, Reply, User};

use crate::world::{World, path};

fn apply(world: &World, by: &User, key: &str, amount: &str) -> Call {
    let body = json!({"borrower_id": world.customer.username, "amount": amount, "currency": "INR", "term_months": 6});
    by.post("/api/loans").key(key).json(body)
}

fn is_replayed(reply: &Reply) -> bool {
    reply.optional_header("idempotency-replayed").is_some_and(|value| value == "true")
}

async fn loans(world: &World) -> i64 {
    world.count("SELECT count(*) FROM loans").await
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer() {
    let world = World::new().await;
    let first = apply(&world, &world.agent, "k", "1000").expect(201).await;
    assert!(!is_replayed(&first));
    // Whatever has become of the loan and its product since.
    world.admin.post(&format!("{}/approve", path(&first))).if_match(1).expect(200).await;
    world.admin.patch("/api/products/microloan-inr").if_match(1).json(json!({"active": false})).expect(200).await;
    // The fields in another order, with blanks between them.
    let body = r#" { "term_months" : 6, "currency": "INR",  "amount": "1000", "borrower_id": "the.customer" } "#;
    let second = world.agent.post("/api/loans").key("k").raw_json(body).expect(201).await;
    assert!(is_replayed(&second));
    assert_eq!(second.text, first.text);
    for name in ["etag", "location", "content-type"] {
        assert_eq!(second.header(name), first.header(name));
    }
    assert_eq!(loans(&world).await, 1);
    apply(&world, &world.agent, "k", "1001").refused(422, "idempotency_key_reused").await;
}

#[tokio::test]
async fn a_key_belongs_to_its_caller_and_operation() {
    let world = World::new().await;
    let other = world.api.agent("other.agent").await;
    apply(&world, &world.agent, "k", "1000").expect(201).await;
    for by in [&other, &world.customer] {
        assert!(!is_replayed(&apply(&world, by, "k", "2000").expect(201).await));
    }
    assert_eq!(loans(&world).await, 3);
    // Ignored elsewhere.
    let loan = path(&apply(&world, &world.agent, "other", "1000").expect(201).await);
    for (version, amount) in [(1, "1001"), (2, "1002")] {
        let edit = world.agent.patch(&loan).if_match(version).key("k").json(json!({"amount": amount}));
        assert_eq!(edit.expect(200).await.version(), version + 1);
    }
    let product = json!({"code": "k", "name": "K", "currency": "INR", "min_amount": "1", "max_amount": "2",
        "min_instalments": 1, "max_instalments": 2, "min_rate_apr": "0", "max_rate_apr": "9",
        "terms": {"interest_rate_apr": "9", "instalments": 1}});
    let make = |body: &Value| world.admin.post("/api/products").key("k").json(body.clone());
    let first = make(&product).expect(201).await;
    let second = make(&product).expect(201).await;
    assert!(is_replayed(&second) && !is_replayed(&first));
    assert_eq!((&first.text, second.version()), (&second.text, 1));
    let mut changed = product.clone();
    changed["name"] = json!("L");
    make(&changed).refused(422, "idempotency_key_reused").await;
    changed["code"] = json!("l");
    world.admin.post("/api/products").json(changed).expect(201).await;
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    let world = World::new().await;
    apply(&world, &world.agent, "k", "50000.01").invalid(&[("/amount", "amount_out_of_range")]).await;
    apply(&world, &world.agent, "k", "1.234").invalid(&[("/amount", "too_many_decimals")]).await;
    assert_eq!(world.count("SELECT count(*) FROM idempotency_keys").await, 0);
    assert!(!is_replayed(&apply(&world, &world.agent, "k", "1000").expect(201).await));
    // A replay is for callers who pass today's checks.
    let end = world.admin.post(&format!("/api/users/{}/suspend", world.agent.id));
    end.expect(200).await;
    apply(&world, &world.agent, "k", "1000").refused(401, "unauthenticated").await;
}

#[tokio::test]
async fn a_key_has_1_to_255_characters_and_lasts_7_days() {
    let world = World::new().await;
    for bad in ["", &"k".repeat(256)] {
        apply(&world, &world.agent, bad, "1000").refused(400, "bad_idempotency_key").await;
    }
    let key = "k".repeat(255);
    let first = apply(&world, &world.agent, &key, "1000").expect(201).await;
    let age = async |interval: &str| {
        let sql = format!("UPDATE idempotency_keys SET created_at = now() - interval '{interval}'");
        world.owner.execute(&sql, &[]).await.unwrap();
    };
    age("6 days 23 hours").await;
    assert!(is_replayed(&apply(&world, &world.agent, &key, "1000").expect(201).await));
    age("7 days 1 hour").await;
    let second = apply(&world, &world.agent, &key, "1500").expect(201).await;
    assert!(!is_replayed(&second));
    assert_ne!(first["id"], second["id"]);
    assert!(is_replayed(&apply(&world, &world.agent, &key, "1500").expect(201).await));
}

#[tokio::test]
async fn a_key_that_is_sent_twice_or_joined_by_a_gateway_is_refused() {
    let world = World::new().await;
    for joined in ["a,b", "a, b", "a,", ",", "k,k"] {
        apply(&world, &world.agent, joined, "1000").refused(400, "bad_idempotency_key").await;
    }
    for second in ["k", "l"] {
        let twice = apply(&world, &world.agent, "k", "1000").also_header("idempotency-key", second);
        let reply = twice.refused(400, "bad_idempotency_key").await;
        assert!(reply.text_of("detail").contains("more than once"), "{reply}");
    }
    let product = world.admin.post("/api/products").key("a,b").json(json!({}));
    product.refused(400, "bad_idempotency_key").await;
    let loan = world.loan(LoanStatus::Disbursed).await;
    let pay = |key: &str| {
        let body = json!({"amount": "1", "paid_on": "2024-02-15"});
        world.agent.post(&format!("{loan}/repayments")).key(key).json(body)
    };
    pay("a,b").refused(400, "bad_idempotency_key").await;
    pay("k").also_header("idempotency-key", "k").refused(400, "bad_idempotency_key").await;
    assert_eq!(loans(&world).await, 1);
}

#[tokio::test]
async fn the_outer_blanks_of_a_key_do_not_count_in_a_header_and_in_a_batch() {
    let world = World::new().await;
    let first = apply(&world, &world.agent, "two words", "1000").expect(201).await;
    for same in [" two words", "two words  ", "  two words "] {
        assert_eq!(apply(&world, &world.agent, same, "1000").expect(201).await.text, first.text);
    }
    assert!(!is_replayed(&apply(&world, &world.agent, "two  words", "1000").expect(201).await));
    apply(&world, &world.agent, "   ", "1000").refused(400, "bad_idempotency_key").await;

    let loan = world.loan(LoanStatus::Disbursed).await;
    let id = loan.rsplit('/').next().unwrap();
    let today = "2024-02-15";
    let item =
        |key: &str, amount: &str| json!({"loan_id": id, "amount": amount, "paid_on": today, "idempotency_key": key});
    let items = ["k", "k ", "  k", "k,", " ", "\u{e9}"].map(|key| item(key, "1"));
    let batch = world.agent.post("/api/repayments/batch").json(json!({"items": items})).expect(200).await;
    let statuses: Vec<_> = batch["data"].as_array().unwrap().iter().map(|item| item["status"].clone()).collect();
    assert_eq!(statuses, [201, 201, 201, 422, 422, 422]);
    let same = &batch["data"][0]["transaction"]["id"];
    assert_eq!((&batch["data"][1]["transaction"]["id"], &batch["data"][2]["transaction"]["id"]), (same, same));
    assert_eq!(batch["data"][3]["problem"]["errors"][0]["pointer"], "/idempotency_key");
    // And one key with the header.
    let alone =
        world.agent.post(&format!("{loan}/repayments")).key(" k").json(json!({"amount": "1", "paid_on": today}));
    assert_eq!(&alone.expect(201).await["id"], same);
    assert_eq!(world.count("SELECT count(*) FROM transactions WHERE kind = 'repayment'").await, 1);
}

#[tokio::test]
async fn one_amount_written_in_two_ways_is_one_body() {
    let world = World::new().await;
    let first = apply(&world, &world.agent, "k", "1000").expect(201).await;
    for same in ["1000.0", "1000.00", "01000"] {
        assert_eq!(apply(&world, &world.agent, "k", same).expect(201).await.text, first.text, "{same}");
    }
    let number = r#"{"borrower_id": "THE.customer", "amount": 1000.00, "currency": "INR", "term_months": 6.0}"#;
    assert_eq!(world.agent.post("/api/loans").key("k").raw_json(number).expect(201).await.text, first.text);
    for other in ["100", "1000.01", "10000"] {
        apply(&world, &world.agent, "k", other).refused(422, "idempotency_key_reused").await;
    }
    // More decimals than the currency has are no amount, whatever the key.
    apply(&world, &world.agent, "l", "1000.000").invalid(&[("/amount", "too_many_decimals")]).await;
    let loan = world.loan(LoanStatus::Disbursed).await;
    let today = "2024-02-15";
    let pay = |amount: Value| {
        world.agent.post(&format!("{loan}/repayments")).key("k").json(json!({"amount": amount, "paid_on": today}))
    };
    let first = pay(json!("10")).expect(201).await;
    for same in [json!("10.00"), json!(10), json!("10.0")] {
        let again = pay(same).expect(201).await;
        assert!(is_replayed(&again) && again.text == first.text, "{again}");
    }
    pay(json!("1")).refused(422, "idempotency_key_reused").await;
}

#[tokio::test]
async fn a_key_of_an_earlier_release_is_compared_its_way() {
    let world = World::new().await;
    let first = apply(&world, &world.agent, "k", "1000.0").expect(201).await;
    // As the release before kept it: the amount as it was written, and a null for each field that was left out.
    let kept = concat!(
        r#"{"borrower_id":"the.customer","product":null,"amount":"1000.0","currency":"INR","term_months":6,"#,
        r#""instalments":null,"interest_rate_apr":null}"#
    );
    let sql = "UPDATE idempotency_keys SET format = 1, fingerprint = sha256(convert_to($1, 'UTF8'))";
    world.owner.execute(sql, &[&kept]).await.unwrap();
    let again = apply(&world, &world.agent, "k", "1000.0").expect(201).await;
    assert!(is_replayed(&again) && again.text == first.text, "{again}");
    apply(&world, &world.agent, "k", "1000").refused(422, "idempotency_key_reused").await;
    apply(&world, &world.agent, "k", "1001").refused(422, "idempotency_key_reused").await;
    // Once it is forgotten, the key is taken in today's way.
    world.owner.execute("UPDATE idempotency_keys SET created_at = now() - interval '8 days'", &[]).await.unwrap();
    assert!(!is_replayed(&apply(&world, &world.agent, "k", "1000").expect(201).await));
    assert!(is_replayed(&apply(&world, &world.agent, "k", "1000.00").expect(201).await));
}

/// Batches of the release before stored their keys with outer blanks: the migration takes them off, where that leaves
/// no doubt which key is meant.
#[tokio::test]
async fn a_key_that_was_stored_with_outer_blanks_finds_its_answer() {
    let world = World::new().await;
    let store = "INSERT INTO idempotency_keys (caller_id, operation, key, fingerprint, status, body)
        SELECT $1, 'POST /api/loans/1/repayments', key, decode(repeat('00', 32), 'hex'), 201, '{}'
        FROM unnest(ARRAY['k ', ' two words ', 'plain', '  ', 'twice', 'twice ']) AS key";
    world.owner.execute(store, &[&world.agent.id]).await.unwrap();
    let migration = include_str!("../../../migrations/V11__fingerprints.sql");
    let (_, update) = migration.split_once("CHECK (format IN (1, 2));").unwrap();
    world.owner.batch_execute(update).await.unwrap();
    let keys = "SELECT key FROM idempotency_keys ORDER BY key COLLATE \"C\"";
    let keys: Vec<String> = world.owner.query(keys, &[]).await.unwrap().iter().map(|row| row.get("key")).collect();
    assert_eq!(keys, ["  ", "k", "plain", "twice", "twice ", "two words"]);
}

#[tokio::test]
async fn requests_at_once_make_one_loan() {
    let world = World::new().await;
    for round in 0..15 {
        let key = format!("round {round}");
        let send = || apply(&world, &world.agent, &key, "1000").expect(201);
        let (a, b, c, d) = tokio::join!(send(), send(), send(), send());
        let answers = [a, b, c, d];
        assert_eq!(answers.iter().filter(|answer| !is_replayed(answer)).count(), 1);
        assert!(answers.iter().all(|answer| answer.text == answers[0].text));
        assert_eq!(loans(&world).await, round + 1);
    }
}

#[tokio::test]
async fn the_second_waits_for_the_first_and_gives_up_at_the_lock_timeout() {
    let world = World::new().await;
    let mut holder = world.application().await;
    // A first request that has taken the key and is not done: all that others see of it is its row.
    let taken = holder.transaction().await.unwrap();
    let sql = "INSERT INTO idempotency_keys (caller_id, operation, key, fingerprint)
        VALUES ($1, 'POST /api/loans', 'k', decode(repeat('00', 32), 'hex'))";
    taken.execute(sql, &[&world.agent.id]).await.unwrap();
    let waiting = tokio::spawn(apply(&world, &world.agent, "k", "1000").send());
    world.someone_waits().await;
    taken.rollback().await.unwrap();
    assert_eq!(waiting.await.unwrap().status, 201);

    let short = "ALTER ROLE CURRENT_USER SET lock_timeout = '200ms'";
    // The migrate function gives the login 5 s; a role of the test's own may set itself less.
    let database = world.database.name().to_owned();
    holder.batch_execute(&short.replace("SET", &format!("IN DATABASE {database} SET"))).await.unwrap();
    world.database.break_connections().await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut holder = world.application().await;
    let taken = holder.transaction().await.unwrap();
    taken.execute(&sql.replace("'k'", "'l'"), &[&world.agent.id]).await.unwrap();
    let refused = apply(&world, &world.agent, "l", "1000").refused(409, "busy").await;
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    taken.rollback().await.unwrap();
    apply(&world, &world.agent, "l", "1000").expect(201).await;
}
