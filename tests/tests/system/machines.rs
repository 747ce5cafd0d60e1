//! Keys with which machines call: how they are made, what is kept of them, and when they are over.

use backend::domain::loan::LoanStatus;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tests::{Reply, Session, User};
use uuid::Uuid;

use crate::world::{World, path};

async fn made(admin: &User, role: &str, scopes: &[&str]) -> Reply {
    let body = json!({"name": "Accounting package", "role": role, "scopes": scopes});
    admin.post("/api/keys").json(body).expect(201).await
}

/// A key with these scopes, and its id.
async fn key(world: &World, role: &str, scopes: &[&str]) -> (Session, Uuid) {
    let made = made(&world.admin, role, scopes).await;
    (world.as_(&made.text_of("key")), made.text_of("id").parse().unwrap())
}

fn ids(list: &[Value]) -> Vec<&str> {
    list.iter().map(|thing| thing["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_key_is_shown_once_and_kept_as_a_hash() {
    let world = World::new().await;
    let made = made(&world.admin, "agent", &["servicing:write", "loans:read", "loans:read"]).await;
    let (key, id) = (made.text_of("key"), made.text_of("id"));
    assert!(key.starts_with("mlk_"), "{made}");
    assert_eq!(made["scopes"], json!(["loans:read", "servicing:write"]));
    assert_eq!((&made["role"], &made["created_by"]), (&json!("agent"), &json!(world.admin.id)));
    assert_eq!((&made["last_used_at"], &made["expires_on"]), (&Value::Null, &Value::Null));
    for path in ["/api/keys", &format!("/api/keys/{id}")] {
        let shown = world.admin.get(path).expect(200).await;
        assert!(shown.text.contains(&id) && !shown.text.contains("mlk_"), "{shown}");
    }
    assert!(!world.admin.get("/api/audit").expect(200).await.text.contains("mlk_"));
    let sql = "SELECT digest FROM api_keys";
    let digest: Vec<u8> = world.owner.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(digest, Sha256::digest(key.as_bytes()).to_vec());
}

#[tokio::test]
async fn a_key_is_refused_from_the_moment_that_it_is_revoked() {
    let world = World::new().await;
    let (machine, id) = key(&world, "admin", &["loans:read"]).await;
    machine.get("/api/loans").expect(200).await;
    world.admin.call(axum::http::Method::DELETE, &format!("/api/keys/{id}")).expect(204).await;
    machine.get("/api/loans").refused(401, "unauthenticated").await;
    assert_eq!(world.admin.get("/api/keys").expect(200).await.list().len(), 0);
    for method in [axum::http::Method::GET, axum::http::Method::DELETE] {
        world.admin.call(method, &format!("/api/keys/{id}")).refused(404, "not_found").await;
    }
    let actions: Vec<String> = world
        .admin
        .get(&format!("/api/audit?subject=user:{id}"))
        .expect(200)
        .await
        .list()
        .iter()
        .map(|entry| entry["action"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(actions, ["key.revoke", "key.create"]);
}

#[tokio::test]
async fn a_command_that_waits_while_its_key_is_revoked_is_refused() {
    let world = World::new().await;
    let loan = world.loan(LoanStatus::Disbursed).await;
    let (machine, id) = key(&world, "agent", &["servicing:write"]).await;
    let body = json!({"amount": "10", "paid_on": "2024-02-01"});
    machine.post(&format!("{loan}/repayments")).key("first").json(body.clone()).expect(201).await;
    let holder = world.connect_as_owner().await;
    holder.batch_execute("BEGIN; SELECT FROM loans FOR UPDATE").await.unwrap();
    let call = machine.post(&format!("{loan}/repayments")).key("second").json(body);
    let waiting = tokio::spawn(call.send());
    world.someone_waits().await;
    world.admin.call(axum::http::Method::DELETE, &format!("/api/keys/{id}")).expect(204).await;
    holder.batch_execute("COMMIT").await.unwrap();
    let reply = waiting.await.unwrap();
    assert_eq!((reply.status, reply.code()), (401, "unauthenticated"), "{reply}");
    assert_eq!(world.count("SELECT count(*) FROM transactions WHERE kind = 'repayment'").await, 1);
}

#[tokio::test]
async fn a_key_is_good_to_the_end_of_its_last_day() {
    let world = World::new().await;
    let create = |last: &str| {
        let body = json!({"name": "n", "role": "agent", "scopes": ["loans:read"], "expires_on": last});
        world.admin.post("/api/keys").json(body)
    };
    create("2024-01-01").invalid(&[("/expires_on", "in_the_past")]).await;
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    let made = create(&today).expect(201).await;
    assert_eq!(made["expires_on"], json!(today));
    let machine = world.as_(&made.text_of("key"));
    machine.get("/api/loans").expect(200).await;
    let sql = "SELECT count(*) FROM api_keys WHERE expires_at = (expires_on + 1)::timestamp AT TIME ZONE 'UTC'";
    assert_eq!(world.count(sql).await, 1);
    let sql = "ALTER TABLE api_keys DISABLE TRIGGER ALL; UPDATE api_keys SET expires_at = now()";
    world.owner.batch_execute(sql).await.unwrap();
    machine.get("/api/loans").refused(401, "unauthenticated").await;
}

#[tokio::test]
async fn what_is_no_key_is_told_as_such() {
    let world = World::new().await;
    let create = |body: Value| world.admin.post("/api/keys").json(body);
    let body = |scopes: Value| json!({"name": "n", "role": "admin", "scopes": scopes});
    create(body(json!([]))).invalid(&[("/scopes", "required")]).await;
    for scope in ["loans", "loans:", "loans:delete", "nothing:read", "Loans:read", "loans:read "] {
        create(body(json!([scope]))).invalid(&[("/scopes/0", "not_a_scope")]).await;
    }
    create(json!({"name": "n", "role": "customer", "scopes": ["loans:read"]})).expect(422).await;
    let good = made(&world.admin, "admin", &["loans:read"]).await.text_of("key");
    let last = if good.ends_with('A') { "E" } else { "A" };
    let changed = format!("{}{last}", &good[..good.len() - 1]);
    let longer = format!("{good}AAAA");
    for text in [&good[..good.len() - 4], &changed, &longer, "mlk_", "mlk_!", &good.replace("mlk_", "mlk-")] {
        world.as_(text).get("/api/loans").refused(401, "unauthenticated").await;
        world.as_(text).get("/api/products").expect(200).await;
    }
}

/// Nobody reads or locks anything with a key that is not good, whosever id it names.
#[tokio::test]
async fn a_key_that_is_not_good_waits_for_no_lock() {
    let world = World::new().await;
    let loan = world.loan(LoanStatus::Disbursed).await;
    let (_, id) = key(&world, "agent", &["servicing:write"]).await;
    let other = made(&world.admin, "agent", &["servicing:write"]).await.text_of("key");
    // The first characters are the id.
    let own = backend::auth::api_keys::NewKey::random(id, backend::domain::keys::KeyRole::Agent).unwrap();
    let holder = world.connect_as_owner().await;
    holder.batch_execute("BEGIN; SELECT FROM loans FOR UPDATE").await.unwrap();
    let forged = secrecy::ExposeSecret::expose_secret(&own.text).to_owned();
    for text in [forged, format!("{}{}", &other[..30], "A".repeat(other.len() - 30))] {
        let body = json!({"amount": "10", "paid_on": "2024-02-01"});
        let call = world.as_(&text).post(&format!("{loan}/repayments")).key("k").json(body);
        call.refused(401, "unauthenticated").await;
    }
    holder.batch_execute("ROLLBACK").await.unwrap();
    let sql = "SELECT count(*) FROM api_keys WHERE last_used_at IS NOT NULL";
    assert_eq!(world.count(sql).await, 0);
}

#[tokio::test]
async fn the_last_use_is_noted_to_the_minute_and_waits_for_nobody() {
    let world = World::new().await;
    let (machine, id) = key(&world, "admin", &["loans:read"]).await;
    let last_used = async || world.admin.get(&format!("/api/keys/{id}")).expect(200).await["last_used_at"].clone();
    machine.get("/api/loans").expect(200).await;
    let first = last_used().await;
    assert!(first.is_string());
    machine.get("/api/loans").expect(200).await;
    assert_eq!(last_used().await, first);
    world.owner.batch_execute("UPDATE api_keys SET last_used_at = now() - interval '61 seconds'").await.unwrap();
    // Another request is just noting it.
    let holder = world.connect_as_owner().await;
    holder.batch_execute("BEGIN; SELECT FROM api_keys FOR UPDATE").await.unwrap();
    let before = last_used().await;
    machine.get("/api/loans").expect(200).await;
    assert_eq!(last_used().await, before);
    holder.batch_execute("ROLLBACK").await.unwrap();
    machine.get("/api/loans").expect(200).await;
    assert_ne!(last_used().await, before);
}

#[tokio::test]
async fn a_keys_command_is_two_round_trips_and_its_read_one() {
    let world = World::new().await;
    let loan = world.loan(LoanStatus::Disbursed).await;
    let made = made(&world.admin, "agent", &["loans:read", "servicing:write", "products:read"]).await;
    let (client, wire) = world.by_wire().await;
    let machine = client.as_(&made.text_of("key"));
    machine.get(&loan).expect(200).await;
    let _ = wire.round_trips();
    for path in [&loan, "/api/loans", "/api/products"] {
        machine.get(path).expect(200).await;
        assert_eq!(wire.round_trips(), 1, "{path}");
    }
    let body = json!({"amount": "10", "paid_on": "2024-02-15"});
    for _ in 0..2 {
        machine.post(&format!("{loan}/repayments")).key("k").json(body.clone()).expect(201).await;
        assert_eq!(wire.round_trips(), 2);
    }
}

#[tokio::test]
async fn a_key_stands_in_no_list_gets_nothing_assigned_and_is_nobody_to_change() {
    let world = World::new().await;
    let (machine, id) = key(&world, "agent", &["loans:write", "customers:write", "loans:read"]).await;
    key(&world, "admin", &["loans:write"]).await;
    for path in ["/api/users", "/api/agents", "/api/users?q=key", "/api/users?q=accounting", "/api/users?role=admin"] {
        let found = world.admin.walk(path).await;
        assert!(!ids(&found).contains(&id.to_string().as_str()), "{path}");
        assert!(found.iter().all(|user| user["full_name"] != "Accounting package"), "{path}");
    }
    let (user, agent) = (format!("/api/users/{id}"), format!("/api/agents/{id}"));
    for path in [&user, &agent, &format!("{agent}/requests"), &format!("{agent}/performance")] {
        world.admin.get(path).refused(404, "not_found").await;
    }
    for (step, body) in [("suspend", json!({})), ("erase", json!({"reason": "r"})), ("activation", json!({}))] {
        world.admin.post(&format!("{user}/{step}")).json(body).refused(404, "not_found").await;
    }
    let password = json!({"new_password": "staple of the battery"});
    world.admin.put(&format!("{user}/password")).json(password).refused(404, "not_found").await;

    // By nobody else. What it applies for itself is its own, and can be given to a person.
    let body = json!({"borrower_id": world.customer.username, "amount": "1200", "currency": "INR", "instalments": 6});
    let loan = path(&machine.post("/api/loans").json(body).expect(201).await);
    let assign = |to: Uuid| world.admin.post(&format!("{loan}/assign")).json(json!({"agent_id": to}));
    assign(id).invalid(&[("/agent_id", "agent_not_found")]).await;
    let reassign =
        |from: Uuid, to: Uuid| world.admin.post(&format!("/api/agents/{from}/reassign")).json(json!({"to": to}));
    reassign(world.agent.id, id).invalid(&[("/to", "agent_not_found")]).await;
    reassign(id, world.agent.id).expect(200).await;
    assert_eq!(world.admin.get(&loan).expect(200).await["agent_id"], json!(world.agent.id));
    let body = json!({"phone": "+15550100002"});
    let enrolled = machine.post("/api/customers").json(body).expect(201).await;
    assert_eq!(enrolled["agent_id"], Value::Null);
    let customer = format!("/api/users/{}", world.customer.id);
    world.admin.patch(&customer).json(json!({"agent_id": id})).invalid(&[("/agent_id", "agent_not_found")]).await;
}

#[tokio::test]
async fn an_admins_keys_are_no_admins_who_stay() {
    let world = World::new().await;
    let other = world.admin("other.admin").await;
    made(&other, "admin", &["users:write"]).await;
    let erase = |by: &User, whom: &User| by.post(&format!("/api/users/{}/erase", whom.id)).json(json!({"reason": "r"}));
    erase(&other, &world.admin).expect(200).await;
    let sql = format!("SELECT erase_person('{}')", other.id);
    let error = world.owner.batch_execute(&sql).await.unwrap_err();
    assert_eq!(error.as_db_error().unwrap().constraint(), Some("erase_last_admin"));
}

/// A key and who made it are one hand: neither decides on what the other did.
#[tokio::test]
async fn a_key_and_its_maker_are_one_where_duties_are_kept_apart() {
    let world = World::new().await;
    let other = world.admin("other.admin").await;
    let scopes = ["loans:write", "servicing:write", "loans:read"];
    let (agent_key, _) = key(&world, "agent", &scopes).await;
    let (admin_key, _) = key(&world, "admin", &scopes).await;
    let others_key = world.as_(&made(&other, "admin", &scopes).await.text_of("key"));
    let body = json!({"borrower_id": world.customer.username, "amount": "1200", "currency": "INR", "instalments": 6});
    let loan = path(&agent_key.post("/api/loans").json(body).expect(201).await);
    let approve = |by: &Session| by.post(&format!("{loan}/approve")).if_match(1);
    for one in [&*world.admin, &admin_key] {
        approve(one).refused(403, "own_application").await;
    }
    approve(&others_key).expect(200).await;
    let money = |by: &Session, part: &str, body: Value| {
        by.post(&format!("{loan}/{part}")).key(&Uuid::now_v7().to_string()).json(body)
    };
    let paid_out = json!({"disbursed_on": "2024-01-15"});
    money(&admin_key, "disbursements", paid_out.clone()).refused(403, "own_application").await;
    money(&other, "disbursements", paid_out).expect(201).await;
    let paid = json!({"amount": "10", "paid_on": "2024-01-20"});
    let by_maker = money(&world.admin, "repayments", paid.clone()).expect(201).await.text_of("id");
    let by_key = money(&agent_key, "repayments", paid).expect(201).await.text_of("id");
    let reverse = |by: &Session, id: &str| money(by, &format!("transactions/{id}/reversal"), json!({"reason": "r"}));
    reverse(&admin_key, &by_maker).refused(403, "own_application").await;
    reverse(&world.admin, &by_key).refused(403, "own_application").await;
    reverse(&others_key, &by_key).expect(201).await;
    // One's own is one's own.
    reverse(&world.admin, &by_maker).expect(201).await;
    let history = world.admin.get(&format!("{loan}/history")).expect(200).await;
    assert_ne!(history.list()[0]["by"], json!(other.id), "{history}");
}

/// What the code forbids, the database forbids too.
#[tokio::test]
async fn the_database_keeps_keys_as_they_are() {
    let world = World::new().await;
    let (_, id) = key(&world, "agent", &["loans:read"]).await;
    let login = world.application().await;
    let refused = async |sql: String| {
        let error = login.batch_execute(&sql).await.unwrap_err();
        let error = error.as_db_error().unwrap();
        error.constraint().unwrap_or(error.code().code()).to_owned()
    };
    for (sql, by) in [
        (format!("UPDATE api_keys SET digest = digest WHERE id = '{id}'"), "42501"),
        (format!("DELETE FROM api_keys WHERE id = '{id}'"), "42501"),
        (format!("UPDATE users SET is_key = false WHERE id = '{id}'"), "42501"),
        (format!("UPDATE users SET password_hash = '$pbkdf2-sha256$' WHERE id = '{id}'"), "users_erased"),
        (format!("UPDATE users SET status = 'suspended' WHERE id = '{id}'"), "users_erased"),
        (format!("UPDATE users SET agent_id = '{id}' WHERE id = '{}'", world.customer.id), "users_agent_no_key"),
    ] {
        assert_eq!(refused(sql.clone()).await, by, "{sql}");
    }
    let insert = |of: Uuid, by: Uuid| {
        format!(
            "INSERT INTO api_keys (id, digest, name, scopes, made_by, created_at)
            VALUES ('{of}', sha256('x'), 'n', '{{loans:read}}', '{by}', now())"
        )
    };
    assert_eq!(refused(insert(world.agent.id, world.admin.id)).await, "api_keys_made_by");
    world.admin.call(axum::http::Method::DELETE, &format!("/api/keys/{id}")).expect(204).await;
    assert_eq!(refused(format!("UPDATE api_keys SET revoked_at = NULL WHERE id = '{id}'")).await, "api_keys_fixed");
}
