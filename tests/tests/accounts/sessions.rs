//! Logout and new passwords: which sessions end, and which stay.

use backend::config::Limits;
use serde_json::json;

use backend::domain::users::Role;
use tests::{Api, PASSWORD};

use crate::support::{is_open, limit, limited};

const NEW: &str = "staple of the battery";

#[tokio::test]
async fn logout_ends_this_session_alone() {
    let api = Api::new().await;
    let customer = api.customer("the.customer").await;
    let other = api.session(customer.id, Role::Customer).await;
    let reply = customer.post("/api/auth/logout").send().await;
    assert_eq!(reply.status, 204);
    assert!(reply.body.is_null() && !reply.headers.contains_key("content-type"));
    assert!(!is_open(&customer).await);
    assert!(is_open(&other).await);
    customer.post("/api/auth/logout").refused(401, "unauthenticated").await;
}

#[tokio::test]
async fn logout_of_all_ends_every_session_of_the_user() {
    let api = Api::new().await;
    let (customer, agent) = (api.customer("the.customer").await, api.agent("the.agent").await);
    let other = api.session(customer.id, Role::Customer).await;
    customer.post("/api/auth/logout?all=true").expect(204).await;
    assert!(!is_open(&customer).await);
    assert!(!is_open(&other).await);
    assert!(is_open(&agent).await);
}

#[tokio::test]
async fn a_logout_that_is_not_understood_ends_nothing() {
    let api = Api::new().await;
    let customer = api.customer("the.customer").await;
    customer.post("/api/auth/logout?all=maybe").invalid(&[("/all", "invalid_value")]).await;
    customer.post("/api/auth/logout?al=true").invalid(&[("/al", "unknown_field")]).await;
    assert!(is_open(&customer).await);
    customer.post("/api/auth/logout?all=false").expect(204).await;
}

#[tokio::test]
async fn a_new_password_ends_every_other_session() {
    let api = Api::new().await;
    let customer = api.customer("the.customer").await;
    let other = api.session(customer.id, Role::Customer).await;
    let change = json!({"current_password": PASSWORD, "new_password": NEW});
    customer.put("/api/auth/password").json(change).expect(204).await;
    assert!(is_open(&customer).await);
    assert!(!is_open(&other).await);

    let login =
        |password| api.anyone().post("/api/auth/login").json(json!({"username": "the.customer", "password": password}));
    login(PASSWORD).refused(401, "invalid_credentials").await;
    login(NEW).expect(200).await;
}

#[tokio::test]
async fn a_new_password_needs_the_current_one_and_obeys_the_rules() {
    let api = Api::new().await;
    let customer = api.user("a.long.username", Role::Customer, "active").await;
    let change = |current: &str, new: &str| {
        let body = json!({"current_password": current, "new_password": new});
        customer.put("/api/auth/password").json(body)
    };
    change(NEW, NEW).invalid(&[("/current_password", "wrong_password")]).await;
    change(PASSWORD, "elevenchars").invalid(&[("/new_password", "too_short")]).await;
    change(PASSWORD, "A.Long.Username").invalid(&[("/new_password", "password_is_username")]).await;
    change(PASSWORD, "a.long.username@EXAMPLE.com").invalid(&[("/new_password", "password_is_email")]).await;
    api.anyone().put("/api/auth/password").json(json!({})).refused(401, "unauthenticated").await;
    change(PASSWORD, NEW).expect(204).await;
}

#[tokio::test]
async fn guesses_at_the_current_password_count_as_failed_logins() {
    let limits = Limits {
        login_user: limit(2, 60),
        login_address: limit(9, 1),
        register_address: limit(9, 1),
        ..tests::ApiOptions::default().limits
    };
    let api = limited(limits).await;
    let customer = api.customer("the.customer").await;
    let change = |current: &str| {
        let body = json!({"current_password": current, "new_password": NEW});
        customer.put("/api/auth/password").json(body)
    };
    change(NEW).invalid(&[("/current_password", "wrong_password")]).await;
    let login = json!({"username": "the.customer", "password": NEW});
    api.anyone().post("/api/auth/login").json(login).refused(401, "invalid_credentials").await;
    let refused = change(PASSWORD).refused(429, "too_many_attempts").await;
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
    assert!(is_open(&customer).await);
}

#[tokio::test]
async fn of_two_new_passwords_at_once_the_second_needs_the_first() {
    let api = Api::new().await;
    let customer = api.customer("the.customer").await;
    let change = |new: &str| {
        let body = json!({"current_password": PASSWORD, "new_password": new});
        customer.put("/api/auth/password").json(body).send()
    };
    let (one, other) = tokio::join!(change("the first of two"), change("the second of two"));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 422], "{} {}", one.body, other.body);
}

#[tokio::test]
async fn an_admin_sets_anothers_password_and_all_its_sessions_end() {
    let api = Api::new().await;
    let (admin, customer) = (api.admin("the.admin").await, api.customer("the.customer").await);
    let set = |id, new: &str| admin.put(&format!("/api/users/{id}/password")).json(json!({"new_password": new}));
    set(customer.id, NEW).expect(204).await;
    assert!(!is_open(&customer).await);
    api.anyone().post("/api/auth/login").json(json!({"username": "the.customer", "password": NEW})).expect(200).await;

    set(customer.id, "THE.CUSTOMER").invalid(&[("/new_password", "password_is_username")]).await;
    set(customer.id, "short").invalid(&[("/new_password", "too_short")]).await;
    set(uuid::Uuid::now_v7(), "short").refused(404, "not_found").await;
    set(admin.id, NEW).refused(403, "own_account").await;
    assert!(is_open(&admin).await);
}
