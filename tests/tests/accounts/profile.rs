//! Profiles: one's own, and those an admin changes.

use futures_util::future::join_all;
use serde_json::json;

use backend::{config::Limits, domain::users::Role};
use tests::{Api, ApiOptions, Session, User};

use crate::support::{limit, limited};

#[tokio::test]
async fn a_patch_changes_what_it_names_and_nothing_else() {
    let api = Api::new().await;
    let (admin, customer) = (api.admin("the.admin").await, api.customer("the.customer").await);
    let path = format!("/api/users/{}", customer.id);
    for (who, path) in [(&customer, "/api/auth/me"), (&admin, path.as_str())] {
        let before = who.get(path).expect(200).await;
        let named = who.patch(path).json(json!({"full_name": " Asha Patel "})).expect(200).await;
        assert_eq!(named["full_name"], "Asha Patel");
        assert!(named["updated_at"].as_str() > before["updated_at"].as_str());
        for field in ["id", "username", "email", "phone", "role", "status", "created_at"] {
            assert_eq!(named[field], before[field], "{field}");
        }
        let body = json!({"email": "New@Example.com", "phone": "+12"});
        let moved = who.patch(path).json(body).expect(200).await;
        assert_eq!((&moved["email"], &moved["phone"]), (&json!("New@Example.com"), &json!("+12")));
        assert_eq!(moved["full_name"], "Asha Patel");
        let unnamed = who.patch(path).json(json!({"full_name": null})).expect(200).await;
        assert_eq!(unnamed["full_name"], json!(null));
        assert_eq!(who.get(path).expect(200).await.body, unnamed.body, "what is answered is what is stored");
        let body = json!({"email": before["email"], "phone": before["phone"]});
        who.patch(path).json(body).expect(200).await;
    }
}

#[tokio::test]
async fn a_patch_that_changes_nothing_leaves_no_trace() {
    let api = Api::new().await;
    let customer = api.customer("the.customer").await;
    let before = customer.get("/api/auth/me").expect(200).await;
    let same = json!({"email": before["email"], "phone": before["phone"], "full_name": null});
    assert_eq!(customer.patch("/api/auth/me").json(same).expect(200).await.body, before.body);
    assert_eq!(customer.patch("/api/auth/me").expect(200).await.body, before.body, "no body equals {{}}");
    assert_eq!(api.count("SELECT count(*) FROM audit_log").await, 0);
}

#[tokio::test]
async fn fields_that_are_fixed_or_break_a_rule_are_refused() {
    let api = Api::new().await;
    let customer = api.customer("the.customer").await;
    api.user("other", Role::Customer, "active").await;
    let patch = |body| customer.patch("/api/auth/me").json(body);
    for field in ["username", "role", "status", "password", "id"] {
        patch(json!({field: "customer"})).invalid(&[(&format!("/{field}"), "unknown_field")]).await;
    }
    patch(json!({"email": null})).invalid(&[("/email", "wrong_type")]).await;
    patch(json!({"phone": null})).invalid(&[("/phone", "wrong_type")]).await;
    patch(json!({"full_name": ""})).invalid(&[("/full_name", "blank")]).await;
    patch(json!({"email": "nothing"})).invalid(&[("/email", "not_an_email_address")]).await;
    patch(json!({"email": "OTHER@example.com"})).refused(409, "email_taken").await;
    patch(json!({"email": "THE.CUSTOMER@example.com"})).expect(200).await;
}

#[tokio::test]
async fn who_asks_is_settled_before_what_is_asked() {
    let api = Api::new().await;
    let (admin, customer) = (api.admin("the.admin").await, api.customer("the.customer").await);
    let nobody = format!("/api/users/{}", uuid::Uuid::now_v7());
    let bad = |who: &Session, path: &str| who.patch(path).body("text/plain", "{");
    bad(&api.anyone(), &nobody).refused(401, "unauthenticated").await;
    bad(&customer, &nobody).refused(403, "forbidden").await;
    bad(&admin, "/api/users/7").refused(400, "bad_id").await;
    bad(&admin, &nobody).refused(404, "not_found").await;
    bad(&admin, &format!("/api/users/{}", customer.id)).refused(415, "unsupported_media_type").await;

    admin.post("/api/auth/logout").expect(204).await;
    for path in ["/api/users/7", nobody.as_str(), "/api/auth/me"] {
        bad(&admin, path).refused(401, "unauthenticated").await;
    }
    customer.post("/api/auth/logout").expect(204).await;
    bad(&customer, &nobody).refused(401, "unauthenticated").await;
}

#[tokio::test]
async fn changes_and_refusals_of_an_email_address_are_limited() {
    let limits = ApiOptions::default().limits;
    let api = limited(Limits { email_user: limit(3, 60), email_address: limit(5, 60), ..limits }).await;
    let (one, other) = (api.customer("one").await, api.customer("other").await);
    let change = |user: &User, email: &str| user.patch("/api/auth/me").json(json!({"email": email}));
    change(&one, "first@example.com").expect(200).await;
    change(&one, "other@example.com").refused(409, "email_taken").await;
    // A change that leaves the address does not count.
    for name in ["A", "B", "C", "D"] {
        one.patch("/api/auth/me").json(json!({"full_name": name})).expect(200).await;
        let body = json!({"email": "first@example.com", "full_name": format!("{name}.")});
        one.patch("/api/auth/me").json(body).expect(200).await;
    }
    change(&one, "third@example.com").expect(200).await;
    let refused = change(&one, "fourth@example.com").refused(429, "too_many_attempts").await;
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    one.patch("/api/auth/me").json(json!({"full_name": "E"})).expect(200).await;
    // Refused attempts do not count for the address that both come from.
    change(&other, "fifth@example.com").expect(200).await;
    change(&other, "first.of.other@example.com").expect(200).await;
    change(&other, "sixth@example.com").refused(429, "too_many_attempts").await;
}

#[tokio::test]
async fn commands_of_a_customer_are_limited_and_those_of_staff_are_not() {
    let limits = ApiOptions::default().limits;
    let api = limited(Limits { customer_writes: limit(3, 60), ..limits }).await;
    let (customer, agent) = (api.customer("the.customer").await, api.agent("the.agent").await);
    let rename = |user: &User, name: &str| user.patch("/api/auth/me").json(json!({"full_name": name}));
    let apply = json!({"amount": "100", "currency": "INR", "instalments": 3});
    customer.post("/api/loans").json(apply.clone()).expect(201).await;
    for name in ["A", "B"] {
        rename(&customer, name).expect(200).await;
    }
    rename(&customer, "C").refused(429, "too_many_attempts").await;
    customer.post("/api/loans").json(apply).refused(429, "too_many_attempts").await;
    customer.get("/api/auth/me").expect(200).await;
    for name in ["A", "B", "C", "D", "E"] {
        rename(&agent, name).expect(200).await;
    }
}

#[tokio::test]
async fn a_borrower_has_so_many_pending_applications_however_many_are_made_at_once() {
    let limits = ApiOptions::default().limits;
    let api = limited(Limits { max_pending: 3, ..limits }).await;
    let (customer, agent) = (api.customer("the.customer").await, api.agent("the.agent").await);
    let body = json!({"borrower_id": "the.customer", "amount": "100", "currency": "INR", "instalments": 3});
    let by = |n: usize| if n.is_multiple_of(2) { &customer } else { &agent };
    let replies = join_all((0..8).map(|n| by(n).post("/api/loans").json(body.clone()).send())).await;
    let made = replies.iter().filter(|reply| reply.status == 201).count();
    let refused = replies.iter().filter(|reply| reply.status == 409 && reply.code() == "too_many_pending").count();
    assert_eq!((made, refused), (3, 5));
    let loan = replies.iter().find(|reply| reply.status == 201).unwrap().text_of("id");
    customer.post(&format!("/api/loans/{loan}/withdraw")).expect(200).await;
    let other = json!({"borrower_id": customer.id, "amount": "100", "currency": "INR", "instalments": 3});
    agent.post("/api/loans").json(other).expect(201).await;
    customer.post("/api/loans").json(body).refused(409, "too_many_pending").await;
}
