//! A system behind a network that knows a secret: nothing is answered without it, and addresses are those that the
//! network tells.

use backend::config::{Limit, Limits};
use local::operations::OPERATIONS;
use serde_json::json;
use std::{num::NonZeroU32, time::Duration};
use tests::{Api, ApiOptions, Call, PASSWORD};

/// During a rotation: both are good.
const OLD: &str = "an-old-secret-of-32-characters-00";
const NEW: &str = "a-new-secret-of-32-characters-001";
const BOTH: &str = "an-old-secret-of-32-characters-00,a-new-secret-of-32-characters-001";

/// Where the network says that a request comes from.
const VIEWER: &str = "198.51.100.10:46532";

async fn behind(secret: &'static str) -> Api {
    let once = Limit { burst: NonZeroU32::new(3).unwrap(), interval: Duration::from_mins(10) };
    let limits = Limits { login_user: once, login_address: once, ..ApiOptions::default().limits };
    Api::with(ApiOptions { limits, origin: Some(secret), ..ApiOptions::default() }).await
}

/// A call as the network makes it.
fn through(call: Call, secret: &str, viewer: &str) -> Call {
    call.header("x-origin-secret", secret).header("cloudfront-viewer-address", viewer)
}

#[tokio::test]
async fn without_the_secret_nothing_is_answered() {
    let api = behind(OLD).await;
    let admin = api.admin("the.admin").await;
    let refused = async |call: Call| {
        let reply = call.header("cloudfront-viewer-address", VIEWER).refused(403, "origin_refused").await;
        assert!(!reply.text.contains(OLD) && !reply.headers.values().any(|value| value == OLD), "{reply}");
    };
    for row in OPERATIONS {
        let path = row.path.replace("{code}", "any").replace("{id}", "any").replace("{tid}", "any");
        refused(admin.call(row.method.clone(), &path)).await;
    }
    // Neither whether there is such a path, nor which methods it takes, nor whether there is such a user.
    refused(admin.get("/api/nothing")).await;
    refused(admin.get("/nothing")).await;
    refused(admin.call(axum::http::Method::DELETE, "/health")).await;
    refused(api.anyone().post("/api/auth/login").json(json!({"username": "the.admin", "password": PASSWORD}))).await;
    for path in ["/health", "/health/ready", "/openapi.json", "/docs", "/api/auth/me"] {
        through(admin.get(path), OLD, VIEWER).expect(200).await;
    }
    through(admin.get("/api/nothing"), OLD, VIEWER).refused(404, "not_found").await;
}

#[tokio::test]
async fn only_the_secret_itself_is_the_secret() {
    let api = behind(OLD).await;
    let (longer, upper) = (format!("{OLD}0"), OLD.to_uppercase());
    for wrong in ["", " ", &OLD[1..], &OLD[..OLD.len() - 1], &longer, &upper, NEW, BOTH] {
        through(api.anyone().get("/health"), wrong, VIEWER).refused(403, "origin_refused").await;
    }
    // A gateway joins headers that are there twice.
    let joined = format!("{OLD},{OLD}");
    through(api.anyone().get("/health"), &joined, VIEWER).refused(403, "origin_refused").await;
    let twice = through(api.anyone().get("/health"), OLD, VIEWER).also_header("x-origin-secret", OLD);
    twice.refused(403, "origin_refused").await;
    through(api.anyone().get("/health"), OLD, VIEWER).expect(200).await;
}

#[tokio::test]
async fn both_secrets_are_good_during_a_rotation() {
    let api = behind(BOTH).await;
    for secret in [OLD, NEW] {
        through(api.anyone().get("/health"), secret, VIEWER).expect(200).await;
    }
    through(api.anyone().get("/health"), BOTH, VIEWER).refused(403, "origin_refused").await;
}

#[tokio::test]
async fn limits_count_by_the_address_that_the_network_tells() {
    let api = behind(OLD).await;
    api.customer("the.customer").await;
    // They all come from one address of the network.
    let login = |viewer: &str, password: &str| {
        let call = api.anyone().post("/api/auth/login").from_address("203.0.113.200");
        through(call.json(json!({"username": "the.customer", "password": password})), OLD, viewer)
    };
    for port in 1..=3 {
        login(&format!("198.51.100.10:{port}"), "a wrong password").refused(401, "invalid_credentials").await;
    }
    for same in ["198.51.100.10:4", "::ffff:198.51.100.10:5"] {
        login(same, PASSWORD).refused(429, "too_many_attempts").await;
    }
    for other in ["198.51.100.11:1", "2001:db8::1:46532"] {
        login(other, PASSWORD).expect(200).await;
    }
    // And what is recorded is the viewer's.
    let admin = api.admin("the.admin").await;
    let audit = through(admin.get("/api/audit?action=auth.login"), OLD, VIEWER).expect(200).await;
    let mut addresses: Vec<_> = audit.list().iter().filter_map(|entry| entry["address"].as_str()).collect();
    addresses.sort_unstable();
    assert_eq!(addresses, ["198.51.100.11", "2001:db8::1"]);
}

#[tokio::test]
async fn a_request_whose_viewer_is_not_told_is_refused() {
    let api = behind(OLD).await;
    let untold = || api.anyone().get("/health").header("x-origin-secret", OLD);
    untold().refused(403, "viewer_unknown").await;
    for unreadable in ["", "unknown", "198.51.100.10", "198.51.100.10:1, 198.51.100.11:1", "[2001:db8::1]:1", "a:1"] {
        through(api.anyone().get("/health"), OLD, unreadable).refused(403, "viewer_unknown").await;
    }
    let twice = through(api.anyone().get("/health"), OLD, VIEWER).also_header("cloudfront-viewer-address", VIEWER);
    twice.refused(403, "viewer_unknown").await;
}

#[tokio::test]
async fn where_no_secret_is_set_no_header_tells_an_address() {
    let once = Limit { burst: NonZeroU32::new(3).unwrap(), interval: Duration::from_mins(10) };
    let limits = Limits { login_user: once, login_address: once, ..ApiOptions::default().limits };
    let api = Api::with(ApiOptions { limits, ..ApiOptions::default() }).await;
    api.customer("the.customer").await;
    for n in 0..4 {
        let body = json!({"username": "the.customer", "password": "a wrong password"});
        let call = through(api.anyone().post("/api/auth/login").json(body), OLD, &format!("198.51.100.{n}:1"));
        call.expect(if n < 3 { 401 } else { 429 }).await;
    }
}
