//! Registration.

use backend::config::Limits;
use serde_json::{Value, json};

use tests::{Api, ApiOptions, PASSWORD};

use crate::support::{limit, limited};

fn registration(username: &str) -> Value {
    json!({"username": username, "password": PASSWORD, "email": format!("{username}@example.com"),
        "phone": "+919812345678", "role": "customer"})
}

fn with(field: &str, value: impl Into<Value>) -> Value {
    let mut body = registration("someone");
    body[field] = value.into();
    body
}

#[tokio::test]
async fn a_customer_is_active_at_once() {
    let api = Api::new().await;
    let mut body = registration("Usr_India_999");
    body["full_name"] = "Asha Patel".into();
    let reply = api.anyone().post("/api/auth/register").json(body).send().await;
    assert_eq!(reply.status, 201, "{}", reply.body);

    let user = &reply.body;
    let id = user["id"].as_str().unwrap();
    assert_eq!(reply.header("location"), format!("/api/customers/{id}"));
    assert_eq!(id.as_bytes()[14], b'7', "a UUIDv7: {id}");
    let at = user["created_at"].as_str().unwrap();
    assert!(at.len() == 27 && at.ends_with('Z'), "{at}");
    assert_eq!(
        user,
        &json!({"id": id, "username": "usr_india_999", "email": "Usr_India_999@example.com", "phone": "+919812345678",
            "full_name": "Asha Patel", "role": "customer", "status": "active", "agent_id": null,
        "kyc": {"status": "unverified", "by": null, "at": null, "reason": null, "expires_on": null},
            "external_id": null, "metadata": {}, "totp_since": null, "created_at": at, "updated_at": at}),
        "nothing more, nothing derived from the password"
    );

    let login = json!({"username": "usr_india_999", "password": PASSWORD});
    let session = api.anyone().post("/api/auth/login").json(login).expect(200).await;
    let token = session["access_token"].as_str().unwrap();
    assert_eq!(api.as_(token).get(reply.header("location")).expect(200).await.body, *user);
}

#[tokio::test]
async fn an_agent_is_pending() {
    let api = Api::new().await;
    let reply = api.anyone().post("/api/auth/register").json(with("role", "agent")).send().await;
    assert_eq!((reply.status, &reply.body["status"]), (201, &json!("pending")));
    assert_eq!(reply.body["full_name"], Value::Null);
    assert_eq!(reply.header("location"), format!("/api/agents/{}", reply.body["id"].as_str().unwrap()));
}

#[tokio::test]
async fn nobody_makes_themself_an_admin() {
    let api = Api::new().await;
    api.anyone().post("/api/auth/register").json(with("role", "admin")).invalid(&[("/role", "unknown_value")]).await;
}

#[tokio::test]
async fn username_and_email_are_unique_without_regard_to_case() {
    let api = Api::new().await;
    api.anyone().post("/api/auth/register").json(registration("asha")).expect(201).await;
    let register = |body| api.anyone().post("/api/auth/register").json(body);

    let mut same_name = registration("ASHA");
    same_name["email"] = "other@example.com".into();
    register(same_name).refused(409, "username_taken").await;
    register(with("email", "Asha@EXAMPLE.com")).refused(409, "email_taken").await;
    assert_eq!(api.count("SELECT count(*) FROM users").await, 1);
}

#[tokio::test]
async fn of_registrations_for_one_name_at_once_one_succeeds() {
    let api = Api::new().await;
    let register = |email: &str| {
        let mut body = registration("asha");
        body["email"] = email.into();
        api.anyone().post("/api/auth/register").json(body).send()
    };
    let (one, two, three) =
        tokio::join!(register("a@example.com"), register("b@example.com"), register("c@example.com"));
    let mut outcomes = [one, two, three].map(|reply| (reply.status, reply.code().to_owned()));
    outcomes.sort();
    let taken = (409, "username_taken".to_owned());
    assert_eq!(outcomes, [(201, String::new()), taken.clone(), taken]);
}

#[tokio::test]
async fn every_field_is_held_to_its_rule() {
    let api = Api::new().await;
    let long = |length: usize| "x".repeat(length);
    for (field, value, code) in [
        ("username", json!("ab"), "not_a_username"),
        ("username", json!("01957d3a-7c4e-7a10-9d2b-6f1f4f0c2a11"), "not_a_username"),
        ("username", json!("with space"), "not_a_username"),
        ("username", json!(7), "wrong_type"),
        ("password", json!("elevenchars"), "too_short"),
        ("password", json!(long(129)), "too_long"),
        ("password", json!(123_456_789_012_u64), "wrong_type"),
        ("email", json!("not an address"), "not_an_email_address"),
        ("email", json!(format!("{}@example.com", long(243))), "not_an_email_address"),
        ("phone", json!("0981234567"), "not_a_phone_number"),
        ("phone", json!(919_812_345_678_u64), "wrong_type"),
        ("full_name", json!(long(201)), "too_long"),
        ("full_name", json!("   "), "blank"),
        ("full_name", json!("a\u{0}b"), "control_character"),
        ("full_name", json!("\u{200b}\u{3164} \u{2800}"), "blank"),
        ("full_name", json!("Asha\u{202e}letaP"), "control_character"),
        ("full_name", json!("Asha\u{2028}Patel"), "control_character"),
        ("status", json!("active"), "unknown_field"),
    ] {
        api.anyone().post("/api/auth/register").json(with(field, value)).invalid(&[(&format!("/{field}"), code)]).await;
    }
    for field in ["username", "password", "email", "phone", "role"] {
        let mut body = registration("someone");
        body.as_object_mut().unwrap().remove(field);
        api.anyone().post("/api/auth/register").json(body).invalid(&[(&format!("/{field}"), "required")]).await;
    }
    assert_eq!(api.count("SELECT count(*) FROM users").await, 0);
}

#[tokio::test]
async fn the_password_is_neither_the_username_nor_the_email_address() {
    let api = Api::new().await;
    let mut body = registration("a.long.username");
    body["password"] = "A.Long.Username".into();
    api.anyone().post("/api/auth/register").json(body.clone()).invalid(&[("/password", "password_is_username")]).await;
    body["password"] = "A.Long.Username@example.com".into();
    api.anyone().post("/api/auth/register").json(body).invalid(&[("/password", "password_is_email")]).await;
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_told_from_one_that_breaks_a_rule() {
    let api = Api::new().await;
    let register = || api.anyone().post("/api/auth/register");
    register().body("application/json", "{").refused(400, "not_json").await;
    register().body("text/plain", &registration("someone").to_string()).refused(415, "unsupported_media_type").await;
    let all = ["/username", "/password", "/email", "/phone", "/role"].map(|pointer| (pointer, "required"));
    register().invalid(&all).await;
}

#[tokio::test]
async fn registrations_from_one_address_are_limited() {
    let wide = limit(100, 1);
    let limits = Limits {
        login_user: wide,
        login_address: wide,
        register_address: limit(3, 60),
        ..ApiOptions::default().limits
    };
    let api = limited(limits).await;
    let register = |body| api.anyone().post("/api/auth/register").json(body);

    for _ in 0..5 {
        register(with("phone", "none")).invalid(&[("/phone", "not_a_phone_number")]).await;
    }
    register(registration("one")).expect(201).await;
    register(registration("one")).refused(409, "username_taken").await;
    register(registration("two")).expect(201).await;
    let refused = register(registration("three")).refused(429, "too_many_attempts").await;
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    register(registration("three")).from_address("203.0.113.2").expect(201).await;
    // A minute later, one more.
    api.owner.execute("UPDATE rate_limits SET full_at = full_at - interval '60 seconds'", &[]).await.unwrap();
    register(registration("four")).expect(201).await;
    register(registration("five")).refused(429, "too_many_attempts").await;
}
