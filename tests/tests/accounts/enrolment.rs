//! Customers whom staff enrol, and the codes that let people set a password.

use std::{num::NonZero, time::Duration};

use backend::{config::Limit, domain::users::Role};
use serde_json::{Value, json};
use tests::{Api, PASSWORD, Reply, Session, User};

async fn code(by: &User, user: &str) -> String {
    let reply = by.post(&format!("/api/users/{user}/activation")).expect(201).await;
    let code = reply.text_of("code");
    assert!(code.len() == 10 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
    code
}

fn activation(username: &str, code: &str, password: &str) -> Value {
    json!({"username": username, "code": code, "new_password": password})
}

async fn activate(api: &Api, username: &str, code: &str) -> Reply {
    api.anyone().post("/api/auth/activate").json(activation(username, code, "staple of the battery")).send().await
}

async fn log_in(api: &Api, username: &str, password: &str) -> Reply {
    api.anyone().post("/api/auth/login").json(json!({"username": username, "password": password})).send().await
}

#[tokio::test]
async fn an_agent_enrols_a_customer_on_a_doorstep_who_then_sets_a_password() {
    let api = Api::new().await;
    let (agent, other) = (api.agent("agent").await, api.agent("other").await);
    let body = json!({"full_name": "Asha Patel", "phone": "+919812345678"});
    let customer = agent.post("/api/customers").json(body).expect(201).await;
    let (id, username) = (customer.text_of("id"), customer.text_of("username"));
    assert_eq!(customer.header("location"), format!("/api/customers/{id}"));
    assert_eq!((&customer["agent_id"], &customer["email"]), (&json!(agent.id), &Value::Null));
    assert_eq!((&customer["role"], &customer["status"]), (&json!("customer"), &json!("active")));
    assert!(username.len() == 10 && username.starts_with('c') && username[1..].bytes().all(|it| it.is_ascii_digit()));
    // There is no password yet, whatever is tried, and the agent applies for the customer all the same.
    for password in ["", "null", PASSWORD] {
        assert_eq!(log_in(&api, &username, password).await.code(), "invalid_credentials");
    }
    let loan = json!({"borrower_id": username, "amount": "1000", "currency": "INR"});
    agent.post("/api/loans").json(loan).expect(201).await;

    let path = format!("/api/users/{id}/activation");
    other.post(&path).refused(403, "not_the_customers_agent").await;
    let first = code(&agent, &id).await;
    let second = code(&agent, &id).await;
    assert_ne!(first, second);
    assert_eq!(activate(&api, &username, &first).await.code(), "invalid_code");
    let bad = api.anyone().post("/api/auth/activate").json(activation(&username, &second, "too short"));
    bad.invalid(&[("/new_password", "too_short")]).await;
    assert_eq!(activate(&api, &username.to_uppercase(), &second).await.status, 204);
    assert_eq!(log_in(&api, &username, "staple of the battery").await.status, 200);
    // Good once.
    assert_eq!(activate(&api, &username, &second).await.code(), "invalid_code");
    let log = api.admin("admin").await.get("/api/audit?limit=200").expect(200).await;
    for action in ["customer.enrol", "user.activation", "auth.activate", "auth.activation_failed"] {
        assert!(log.list().iter().any(|entry| entry["action"] == action), "{action}");
    }
    assert!(!log.text.contains(&first) && !log.text.contains(&second), "a code is in the log");
}

#[tokio::test]
async fn a_customer_is_enrolled_with_one_way_to_be_reached_or_a_name_elsewhere() {
    let api = Api::new().await;
    let (admin, agent, other) = (api.admin("admin").await, api.agent("agent").await, api.agent("other").await);
    let enrol = |by: &User, body: Value| by.post("/api/customers").json(body);
    enrol(&agent, json!({"full_name": "Asha"})).invalid(&[("/email", "contact_required")]).await;
    enrol(&agent, json!({"email": "a@example.com", "username": "asha"})).expect(201).await;
    enrol(&agent, json!({"email": "A@example.com"})).refused(409, "email_taken").await;
    enrol(&agent, json!({"phone": "+12", "username": "asha"})).refused(409, "username_taken").await;
    enrol(&agent, json!({"external_id": "crm-1", "metadata": {"a": "b"}})).expect(201).await;
    enrol(&admin, json!({"external_id": "crm-1"})).refused(409, "external_id_taken").await;
    enrol(&agent, json!({"phone": "+12", "agent_id": other.id})).invalid(&[("/agent_id", "not_allowed")]).await;
    enrol(&agent, json!({"phone": "+12", "agent_id": agent.id})).expect(201).await;
    enrol(&admin, json!({"phone": "+12", "agent_id": admin.id})).invalid(&[("/agent_id", "agent_not_found")]).await;
    let given = enrol(&admin, json!({"phone": "+12", "agent_id": other.id})).expect(201).await;
    assert_eq!(given["agent_id"], json!(other.id));
    let free = enrol(&admin, json!({"phone": "+13"})).expect(201).await;
    assert_eq!(free["agent_id"], Value::Null);
    enrol(&agent, json!({"email": "x", "phone": "y", "metadata": {"": ""}}))
        .invalid(&[("/email", "not_an_email_address"), ("/metadata", "bad_key"), ("/phone", "not_a_phone_number")])
        .await;

    let mine = agent.get("/api/customers?agent_id=me").expect(200).await;
    assert_eq!(mine.list().len(), 3, "{mine}");
    assert_eq!(admin.get("/api/customers?agent_id=other").expect(200).await.list().len(), 1);
    assert_eq!(admin.get(&format!("/api/customers?agent_id={}&q=asha", agent.id)).expect(200).await.list().len(), 1);
    // An address goes, as long as one is left; who works here keeps both.
    let user = |id: &str| format!("/api/users/{id}");
    let path = user(&given.text_of("id"));
    admin.patch(&path).json(json!({"phone": null})).invalid(&[("/email", "contact_required")]).await;
    admin.patch(&path).json(json!({"phone": null, "email": "b@example.com"})).expect(200).await;
    admin
        .patch(&user(&agent.id.to_string()))
        .json(json!({"email": null}))
        .invalid(&[("/email", "contact_required")])
        .await;
    let not_a_customer = admin.patch(&user(&agent.id.to_string())).json(json!({"agent_id": other.id}));
    not_a_customer.invalid(&[("/agent_id", "not_a_customer")]).await;
}

#[tokio::test]
async fn a_code_is_good_for_five_tries_and_a_bad_password_is_none() {
    let api = Api::new().await;
    let (admin, user) = (api.admin("admin").await, api.customer("asha").await);
    let right = code(&admin, &user.id.to_string()).await;
    let wrong = if right == "0000000000" { "0000000001" } else { "0000000000" };
    let try_with = |code: &str, password: &str| {
        api.anyone().post("/api/auth/activate").json(activation("asha", code, password)).send()
    };
    for _ in 0..4 {
        assert_eq!(try_with(wrong, "staple of the battery").await.code(), "invalid_code");
    }
    // Only who has the code learns that a password is the e-mail address. It is the fifth try, and the last.
    assert_eq!(try_with(wrong, "asha@example.com").await.status, 401);
    assert_eq!(try_with(&right, "staple of the battery").await.code(), "invalid_code");

    let right = code(&admin, &user.id.to_string()).await;
    for _ in 0..6 {
        let reply = try_with(&right, "asha@example.com").await;
        assert_eq!(reply.errors(), [("/new_password", "password_is_email")], "{reply}");
    }
    assert_eq!(try_with(&right, "asha").await.status, 422);
    assert_eq!(try_with(&right, "staple of the battery").await.status, 204);
    // Every session has ended, and the old password is gone.
    user.get("/api/auth/me").refused(401, "unauthenticated").await;
    assert_eq!(log_in(&api, "asha", PASSWORD).await.status, 401);
    // Nobody, no code: the same answer.
    for (username, code) in [("nobody.here", "0123456789"), ("asha", "0123456789"), ("asha", ""), ("", "x")] {
        let reply = api.anyone().post("/api/auth/activate").json(activation(username, code, "staple of the battery"));
        let reply = reply.refused(401, "invalid_code").await;
        assert_eq!(reply["detail"], "There is no such code for this user, or not any more.");
    }
}

#[tokio::test]
async fn a_code_ends_with_what_it_was_handed_out_for() {
    let api = Api::new().await;
    let admin = api.admin("admin").await;
    let (agent, other, user) = (api.agent("agent").await, api.agent("other").await, api.customer("asha").await);
    let id = user.id.to_string();
    let path = format!("/api/users/{id}");
    admin.patch(&path).json(json!({"agent_id": agent.id})).expect(200).await;
    let refused = async |code: &str| assert_eq!(activate(&api, "asha", code).await.code(), "invalid_code");

    let given = code(&agent, &id).await;
    admin.patch(&path).json(json!({"agent_id": other.id})).expect(200).await;
    refused(&given).await;
    let given = code(&other, &id).await;
    let body = json!({"to": agent.id});
    admin.post(&format!("/api/agents/{}/reassign", other.id)).json(body).expect(200).await;
    refused(&given).await;
    let given = code(&agent, &id).await;
    admin.put(&format!("{path}/password")).json(json!({"new_password": "correct horse battery"})).expect(204).await;
    refused(&given).await;
    let given = code(&agent, &id).await;
    admin.post(&format!("{path}/suspend")).expect(200).await;
    refused(&given).await;
    agent.post(&format!("{path}/activation")).refused(409, "user_not_active").await;
    admin.post(&format!("{path}/reactivate")).expect(200).await;
    refused(&given).await;
    let given = code(&agent, &id).await;
    let over = "UPDATE activations SET expires_at = now() - interval '1 second'";
    api.owner.batch_execute(over).await.unwrap();
    refused(&given).await;
    let status = admin.get(&path).expect(200).await;
    assert_eq!(status["status"], "active");
}

#[tokio::test]
async fn who_gets_no_code_and_from_whom() {
    let api = Api::new().await;
    let (admin, agent) = (api.admin("admin").await, api.agent("agent").await);
    let path = |user: &User| format!("/api/users/{}/activation", user.id);
    for status in ["pending", "rejected", "suspended"] {
        let user = api.user(&format!("the.{status}"), Role::Agent, status).await;
        admin.post(&path(&user)).refused(409, "user_not_active").await;
    }
    let gone = api.customer("gone").await;
    let erasure = json!({"reason": "asked for it"});
    admin.post(&format!("/api/users/{}/erase", gone.id)).json(erasure).expect(200).await;
    admin.post(&path(&gone)).refused(409, "user_not_active").await;
    admin.post(&path(&admin)).refused(403, "own_account").await;
    // Agents know of customers alone; an admin replaces the forgotten password of anybody else.
    agent.post(&path(&admin)).refused(404, "not_found").await;
    let given = code(&admin, &agent.id.to_string()).await;
    assert_eq!(activate(&api, "agent", &given).await.status, 204);
    assert_eq!(log_in(&api, "agent", "staple of the battery").await.status, 200);
}

#[tokio::test]
async fn wrong_codes_count_as_failed_logins_do() {
    let options = tests::ApiOptions::default();
    let mut limits = options.limits;
    limits.login_user = Limit { burst: NonZero::new(3).unwrap(), interval: Duration::from_hours(1) };
    let api = Api::with(tests::ApiOptions { limits, ..options }).await;
    let (admin, user) = (api.admin("admin").await, api.customer("asha").await);
    let right = code(&admin, &user.id.to_string()).await;
    for _ in 0..3 {
        assert_eq!(activate(&api, "asha", "0").await.status, 401);
    }
    let anyone: Session = api.anyone();
    let body = activation("asha", &right, "staple of the battery");
    anyone.post("/api/auth/activate").json(body).refused(429, "too_many_attempts").await;
    assert_eq!(log_in(&api, "asha", PASSWORD).await.status, 429);
}
