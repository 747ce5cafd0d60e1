//! The audit log: every act leaves its entry, no entry holds a secret, and admins find it again.

use backend::domain::users::Role;
use serde_json::{Value, json};
use tests::{ADDRESS, Api, ApiOptions, PASSWORD, Reply};
use uuid::Uuid;

const NEW: &str = "staple of the battery";

async fn entries(api: &Api, query: &str) -> Vec<Value> {
    let username = format!("auditor.{}", Uuid::now_v7().simple());
    let auditor = api.user(&username, Role::Admin, "active").await;
    let page = auditor.get(&format!("/api/audit{query}")).expect(200).await;
    page.list().to_vec()
}

#[tokio::test]
async fn every_act_leaves_an_entry_without_secrets() {
    let api = Api::new().await;
    let admin = api.admin("the.admin").await;
    let register = |name: &str, role: &str| {
        let body = json!({"username": name, "password": PASSWORD, "email": format!("{name}.secret@example.com"),
            "phone": "+919812345678", "role": role, "full_name": "Asha Patel"});
        api.anyone().post("/api/auth/register").json(body).expect(201)
    };
    let id = |user: &Reply| Uuid::try_parse(user["id"].as_str().unwrap()).unwrap();
    let agent = id(&register("new.agent", "agent").await);
    let customer = id(&register("new.customer", "customer").await);
    let login = |name: &str, password: &str| {
        api.anyone().post("/api/auth/login").json(json!({"username": name, "password": password})).send()
    };
    login("new.agent", PASSWORD).await;
    login("new.customer", "the wrong password").await;
    login("my password by mistake", PASSWORD).await;
    let session = api.as_(&login("new.customer", PASSWORD).await.text_of("access_token"));
    let body = json!({"phone": "+12", "email": "moved.secret@example.com"});
    session.patch("/api/auth/me").json(body).expect(200).await;
    let wrong = json!({"current_password": "the wrong password", "new_password": NEW});
    session.put("/api/auth/password").json(wrong).invalid(&[("/current_password", "wrong_password")]).await;
    let right = json!({"current_password": PASSWORD, "new_password": NEW});
    session.put("/api/auth/password").json(right).expect(204).await;
    session.post("/api/auth/logout?all=true").expect(204).await;

    let body = json!({"username": "made.by.admin", "password": PASSWORD, "email": "made.secret@example.com",
        "phone": "+12", "role": "agent"});
    let made = id(&admin.post("/api/users").json(body).expect(201).await);
    let act = |path: String, reason: &str| admin.post(&path).json(json!({"reason": reason})).expect(200);
    admin.patch(&format!("/api/users/{made}")).json(json!({"full_name": "Ravi"})).expect(200).await;
    let reset = admin.put(&format!("/api/users/{made}/password"));
    reset.json(json!({"new_password": NEW})).expect(204).await;
    act(format!("/api/agents/{agent}/reject"), "no papers").await;
    act(format!("/api/agents/{agent}/approve"), "papers came").await;
    act(format!("/api/users/{agent}/suspend"), "left").await;
    act(format!("/api/users/{agent}/reactivate"), "came back").await;

    let subject = |id: Uuid| format!("user:{id}");
    let nobody = "nobody".to_owned();
    let mut found = entries(&api, "").await;
    found.reverse();
    let found: Vec<_> = found
        .iter()
        .map(|entry| {
            assert_eq!(entry["address"], ADDRESS.to_string());
            assert_eq!(entry.as_object().unwrap().len(), 7, "{entry}");
            let text = |name: &str| entry[name].as_str().map(str::to_owned);
            let actor = text("actor_id").map(|id| Uuid::try_parse(&id).unwrap());
            (actor, text("action").unwrap(), text("subject").unwrap(), entry["detail"].clone())
        })
        .collect();
    let expected = [
        (None, "auth.register", subject(agent), json!({"role": "agent"})),
        (None, "auth.register", subject(customer), json!({"role": "customer"})),
        (None, "auth.login_failed", subject(agent), json!({"reason": "agent_not_approved"})),
        (None, "auth.login_failed", subject(customer), json!({"reason": "wrong_password"})),
        (None, "auth.login_failed", nobody, json!({"reason": "unknown_username"})),
        (Some(customer), "auth.login", subject(customer), json!({})),
        (Some(customer), "user.update", subject(customer), json!({"changed": ["email", "phone"]})),
        (Some(customer), "auth.password_failed", subject(customer), json!({})),
        (Some(customer), "auth.password", subject(customer), json!({})),
        (Some(customer), "auth.logout", subject(customer), json!({"all": true})),
        (Some(admin.id), "user.create", subject(made), json!({"role": "agent"})),
        (Some(admin.id), "user.update", subject(made), json!({"changed": ["full_name"]})),
        (Some(admin.id), "user.password", subject(made), json!({})),
        (Some(admin.id), "agent.reject", subject(agent), json!({"from": "pending", "reason": "no papers"})),
        (Some(admin.id), "agent.approve", subject(agent), json!({"from": "rejected", "reason": "papers came"})),
        (Some(admin.id), "user.suspend", subject(agent), json!({"from": "active", "reason": "left"})),
        (Some(admin.id), "user.reactivate", subject(agent), json!({"from": "suspended", "reason": "came back"})),
    ];
    assert_eq!(found, expected.map(|(actor, action, subject, detail)| (actor, action.to_owned(), subject, detail)));

    let log: String = api.owner.query_one("SELECT string_agg(a::text, '') FROM audit_log a", &[]).await.unwrap().get(0);
    for secret in
        [PASSWORD, NEW, "the wrong password", "my password by mistake", "secret@example.com", "+12", "919812345678"]
    {
        assert!(!log.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_refused_act_leaves_no_entry() {
    let api = Api::new().await;
    let (admin, customer) = (api.admin("the.admin").await, api.customer("the.customer").await);
    admin.post(&format!("/api/users/{}/reactivate", customer.id)).refused(409, "user_not_suspended").await;
    customer.patch("/api/auth/me").json(json!({"email": "THE.ADMIN@example.com"})).refused(409, "email_taken").await;
    assert_eq!(api.count("SELECT count(*) FROM audit_log").await, 0);
}

/// Four entries around a day's end in Kolkata, the lender's zone: 18:30 UTC.
async fn four_entries(api: &Api) -> (Uuid, Uuid) {
    let (one, other) = (api.admin("the.admin").await.id, api.agent("the.agent").await.id);
    for (at, actor, action, subject) in [
        ("2026-03-01T18:29:59.999999Z", Some(one), "user.suspend", format!("user:{other}")),
        ("2026-03-01T18:30:00Z", Some(one), "user.reactivate", format!("user:{other}")),
        ("2026-03-02T18:29:59.999999Z", Some(other), "auth.login", format!("user:{other}")),
        ("2026-03-02T18:30:00Z", None, "auth.login_failed", "nobody".to_owned()),
    ] {
        let sql = "INSERT INTO audit_log (id, at, actor_id, action, subject, address)
            VALUES (gen_random_uuid(), $1::text::timestamptz, $2, $3, $4, '')";
        api.owner.execute(sql, &[&at, &actor, &action, &subject]).await.unwrap();
    }
    (one, other)
}

#[tokio::test]
async fn the_log_is_narrowed_by_every_filter_newest_first() {
    let api = Api::with(ApiOptions { zone: "Asia/Kolkata", ..ApiOptions::default() }).await;
    let (one, other) = four_entries(&api).await;
    let (suspend, reactivate, login, failed) = ("user.suspend", "user.reactivate", "auth.login", "auth.login_failed");
    for (query, expected) in [
        (String::new(), &[failed, login, reactivate, suspend][..]),
        ("?actor=&action=&subject=&from=&to=".to_owned(), &[failed, login, reactivate, suspend]),
        (format!("?actor={one}"), &[reactivate, suspend]),
        ("?actor=The.Admin".to_owned(), &[reactivate, suspend]),
        ("?actor=nobody".to_owned(), &[]),
        (format!("?actor={other}&action=auth.login"), &[login]),
        ("?action=user.suspend".to_owned(), &[suspend]),
        ("?action=user".to_owned(), &[]),
        (format!("?subject=user:{other}"), &[login, reactivate, suspend]),
        ("?subject=nobody".to_owned(), &[failed]),
        ("?from=2026-03-02&to=2026-03-02".to_owned(), &[login, reactivate]),
        ("?from=2026-03-03".to_owned(), &[failed]),
        ("?to=2026-03-01".to_owned(), &[suspend]),
        (format!("?actor={one}&subject=user:{other}&from=2026-03-02"), &[reactivate]),
    ] {
        let found = entries(&api, &query).await;
        let found: Vec<_> = found.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
        assert_eq!(found, expected, "{query}");
    }
}

#[tokio::test]
async fn the_log_is_read_page_by_page() {
    let api = Api::new().await;
    let (one, _) = four_entries(&api).await;
    let admin = api.session(one, Role::Admin).await;
    let first = admin.get("/api/audit?limit=3").expect(200).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = admin.get(&format!("/api/audit?limit=3&cursor={cursor}")).expect(200).await;
    assert_eq!(first.list().len(), 3);
    assert_eq!(second["data"][0]["action"], "user.suspend");
    assert_eq!((second.list().len(), &second["next_cursor"]), (1, &Value::Null));
    admin.get(&format!("/api/audit?action=x&cursor={cursor}")).refused(400, "bad_cursor").await;
}

#[tokio::test]
async fn queries_that_are_not_understood_are_refused() {
    let api = Api::new().await;
    let admin = api.admin("the.admin").await;
    for (query, pointer, code) in [
        ("from=2026-03-02&to=2026-03-01", "/from", "after_end"),
        ("from=2026-02-30", "/from", "not_a_date"),
        ("to=1899-12-31", "/to", "not_a_date"),
        ("actor=%00", "/actor", "not_a_user"),
        ("action=%00", "/action", "control_character"),
        ("who=me", "/who", "unknown_field"),
        ("from=2026-03-01&from=2026-03-01", "/from", "repeated"),
    ] {
        admin.get(&format!("/api/audit?{query}")).invalid(&[(pointer, code)]).await;
    }
}
