//! Approval, rejection, suspension, reactivation.

use serde_json::json;
use uuid::Uuid;

use backend::domain::users::Role;
use tests::{Api, PASSWORD, Session};

use crate::support::{Meanwhile, is_open};

#[tokio::test]
async fn an_agent_works_from_its_approval_to_its_suspension() {
    let api = Api::new().await;
    let admin = api.admin("the.admin").await;
    let body = json!({"username": "new.agent", "password": PASSWORD, "email": "new@example.com",
        "phone": "+919812345678", "role": "agent"});
    let agent = api.anyone().post("/api/auth/register").json(body).expect(201).await;
    let id = agent["id"].as_str().unwrap();
    let login = || api.anyone().post("/api/auth/login").json(json!({"username": "new.agent", "password": PASSWORD}));
    let act = |path: &str| admin.post(&format!("/api/{path}"));

    login().refused(403, "agent_not_approved").await;
    let approved = act(&format!("agents/{id}/approve")).json(json!({"reason": "identity confirmed"})).expect(200).await;
    assert_eq!(approved["status"], "active");
    assert!(approved["updated_at"].as_str() > agent["updated_at"].as_str());
    let session = api.as_(&login().expect(200).await.text_of("access_token"));
    session.get("/api/customers").expect(200).await;

    let suspended = act(&format!("users/{id}/suspend")).expect(200).await;
    assert_eq!(suspended["status"], "suspended");
    session.get("/api/customers").refused(401, "unauthenticated").await;
    login().refused(403, "account_suspended").await;

    assert_eq!(act(&format!("users/{id}/reactivate")).expect(200).await["status"], "active");
    assert!(!is_open(&session).await, "the old session stays ended");
    login().expect(200).await;
}

#[tokio::test]
async fn every_step_has_its_states() {
    let api = Api::new().await;
    let admin = api.admin("the.admin").await;
    let steps = ["agents/{id}/approve", "agents/{id}/reject", "users/{id}/suspend", "users/{id}/reactivate"];
    let (pending, reject, active, asleep) =
        ((409, "agent_not_pending"), (200, "rejected"), (200, "active"), (200, "suspended"));
    let (not_active, not_suspended, no_agent) =
        ((409, "user_not_active"), (409, "user_not_suspended"), (404, "not_found"));
    for (role, status, outcomes) in [
        (Role::Agent, "pending", [active, reject, not_active, not_suspended]),
        (Role::Agent, "rejected", [active, pending, not_active, not_suspended]),
        (Role::Agent, "active", [pending, pending, asleep, not_suspended]),
        (Role::Agent, "suspended", [pending, pending, not_active, active]),
        (Role::Customer, "active", [no_agent, no_agent, asleep, not_suspended]),
        (Role::Customer, "suspended", [no_agent, no_agent, not_active, active]),
        (Role::Admin, "active", [no_agent, no_agent, asleep, not_suspended]),
        (Role::Admin, "suspended", [no_agent, no_agent, not_active, active]),
    ] {
        for (at, (step, expected)) in steps.iter().zip(outcomes).enumerate() {
            let user = api.user(&format!("{}.{status}.{at}", role.as_str()), role, status).await;
            let path = format!("/api/{}", step.replace("{id}", &user.id.to_string()));
            let reply = admin.post(&path).send().await;
            let told = if reply.status == 200 { reply.body["status"].as_str().unwrap() } else { reply.code() };
            assert_eq!((reply.status, told), expected, "{role:?} {status} {step}");
        }
    }
}

#[tokio::test]
async fn the_body_is_a_reason_or_nothing() {
    let api = Api::new().await;
    let (admin, customer) = (api.admin("the.admin").await, api.customer("the.customer").await);
    let suspend = |id: Uuid| admin.post(&format!("/api/users/{id}/suspend"));
    suspend(customer.id).json(json!({"reason": " "})).invalid(&[("/reason", "blank")]).await;
    suspend(customer.id).json(json!({"because": "no"})).invalid(&[("/because", "unknown_field")]).await;
    suspend(Uuid::now_v7()).json(json!({"because": "no"})).refused(404, "not_found").await;
    suspend(customer.id).json(json!({"reason": null})).expect(200).await;
}

#[tokio::test]
async fn nobody_suspends_themself() {
    let api = Api::new().await;
    let admin = api.admin("the.admin").await;
    admin.post(&format!("/api/users/{}/suspend", admin.id)).refused(403, "own_account").await;
    assert!(is_open(&admin).await);
}

/// Each round is a race: the user who gets the locks first stays, and the other one is no longer an admin.
#[tokio::test]
async fn of_two_admins_who_suspend_each_other_at_once_one_stays() {
    let api = Api::new().await;
    let (one, other) = (api.admin("the.admin").await, api.user("other.admin", Role::Admin, "active").await);
    for _ in 0..8 {
        let (first, second) = (api.session(one.id, Role::Admin).await, api.session(other.id, Role::Admin).await);
        let suspend = |who: &Session, id: Uuid| who.post(&format!("/api/users/{id}/suspend")).send();
        let (a, b) = tokio::join!(suspend(&first, other.id), suspend(&second, one.id));
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401], "{} {}", a.body, b.body);
        assert_eq!(api.count("SELECT count(*) FROM users WHERE role = 'admin' AND status = 'active'").await, 1);
        api.owner.execute("UPDATE users SET status = 'active' WHERE status <> 'active'", &[]).await.unwrap();
    }
}

/// The session was still there when the request began; the lock shows what has become of it.
#[tokio::test]
async fn an_admin_who_is_suspended_while_waiting_suspends_nobody() {
    let api = Api::new().await;
    let (one, other) = (api.admin("the.admin").await, api.user("other.admin", Role::Admin, "active").await);
    let suspended = format!("UPDATE users SET status = 'suspended' WHERE id = '{}'", one.id);
    let meanwhile = Meanwhile::begin(&api, &suspended).await;
    let suspend = one.post(&format!("/api/users/{}/suspend", other.id)).refused(401, "unauthenticated");
    tokio::join!(suspend, meanwhile.commit(&api));
    assert!(is_open(&other).await);
}
