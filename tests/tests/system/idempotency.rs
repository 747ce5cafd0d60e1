//! Idempotency-Key: a command that is sent twice takes effect once.

use std::time::Duration;

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
    // What the migrate function gives the login is 5 s; a role of the test's own may set itself less.
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
