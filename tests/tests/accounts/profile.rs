//! Profiles: one's own, and those an admin changes.

use serde_json::json;

use backend::models::users::Role;
use tests::{Api, Session};

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
