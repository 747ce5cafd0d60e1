//! Which refusal wins where several are due: 404 route, 405, 413, 401, 403 role, 404 thing, 415 and 400 body, 428, 422
//! shape, 412, 409 state, 422 rules of the product.

use axum::http::Method;
use backend::domain::loan::LoanStatus;
use serde_json::{Value, json};
use tests::{Call, Session};
use uuid::Uuid;

use crate::world::World;

const TOO_LARGE: usize = 64 * 1024 + 1;

#[tokio::test]
async fn what_does_not_depend_on_the_caller_is_told_first() {
    let world = World::new().await;
    let anyone = world.anyone();
    let large = "x".repeat(TOO_LARGE);
    anyone.call(Method::POST, "/api/nothing").body("text/plain", &large).refused(404, "not_found").await;
    anyone.call(Method::DELETE, "/api/loans").body("text/plain", &large).refused(405, "method_not_allowed").await;
    anyone.post("/api/loans").body("text/plain", &large).refused(413, "body_too_large").await;
    world.admin.post("/api/loans").body("text/plain", &large).refused(413, "body_too_large").await;
    let largest = format!(r#"{{"amount": "{}"}}"#, "1".repeat(TOO_LARGE - 15));
    assert_eq!(largest.len(), TOO_LARGE - 1);
    anyone.post("/api/loans").raw_json(&largest).refused(401, "unauthenticated").await;
}

#[tokio::test]
async fn a_caller_who_may_never_do_it_learns_nothing_more() {
    let world = World::new().await;
    let (customer, agent, admin) = (&world.customer, &world.agent, &world.admin);
    let bad =
        |session: &Session, method: &Method, path: &str| session.call(method.clone(), path).body("text/plain", "{");
    let nobody = Uuid::now_v7();
    for (method, path, others) in [
        (Method::POST, "/api/loans".to_owned(), vec![admin]),
        (Method::PATCH, format!("/api/loans/{nobody}"), vec![customer, admin]),
        (Method::PATCH, "/api/loans/no-id".to_owned(), vec![customer, admin]),
        (Method::POST, format!("/api/loans/{nobody}/approve"), vec![customer, agent]),
        (Method::POST, format!("/api/loans/{nobody}/reject"), vec![customer, agent]),
        (Method::POST, format!("/api/loans/{nobody}/undo-approval"), vec![customer, agent]),
        (Method::POST, format!("/api/loans/{nobody}/forward"), vec![customer, admin]),
        (Method::POST, format!("/api/loans/{nobody}/revert"), vec![customer, admin]),
        (Method::POST, format!("/api/loans/{nobody}/withdraw"), vec![admin]),
        (Method::POST, "/api/products".to_owned(), vec![customer, agent]),
        (Method::PATCH, "/api/products/none".to_owned(), vec![customer, agent]),
        (Method::GET, "/api/stats?x=1".to_owned(), vec![customer]),
    ] {
        bad(&world.anyone(), &method, &path).refused(401, "unauthenticated").await;
        for other in others {
            bad(other, &method, &path).refused(403, "forbidden").await;
        }
    }
    world.owner.execute("DELETE FROM sessions", &[]).await.unwrap();
    for caller in [customer, agent, admin] {
        for (method, path) in [
            (Method::GET, "/api/loans?limit=0"),
            (Method::GET, "/api/loans/no-id"),
            (Method::POST, "/api/loans"),
            (Method::POST, "/api/products"),
            (Method::PATCH, "/api/products/none"),
            (Method::GET, "/api/stats?x=1"),
        ] {
            bad(caller, &method, path).refused(401, "unauthenticated").await;
        }
    }
}

#[tokio::test]
async fn a_thing_that_is_not_there_comes_before_the_body() {
    let world = World::new().await;
    let other = world.api.customer("another").await;
    let loan = world.loan(LoanStatus::Pending).await;
    let nobody = format!("/api/loans/{}", Uuid::now_v7());
    let step = |session: &Session, method: Method, path: &str| session.call(method, path).body("text/plain", "{");
    for (caller, method, action) in [
        (&world.agent, Method::PATCH, ""),
        (&world.agent, Method::POST, "/forward"),
        (&world.agent, Method::POST, "/revert"),
        (&world.agent, Method::POST, "/withdraw"),
        (&world.admin, Method::POST, "/approve"),
        (&world.admin, Method::POST, "/reject"),
        (&world.admin, Method::POST, "/undo-approval"),
        (&world.customer, Method::POST, "/withdraw"),
    ] {
        step(caller, method.clone(), &format!("{nobody}{action}")).refused(404, "not_found").await;
        step(caller, method.clone(), &format!("/api/loans/no-id{action}")).refused(400, "bad_id").await;
        step(caller, method, &format!("{loan}{action}")).refused(415, "unsupported_media_type").await;
    }
    step(&other, Method::POST, &format!("{loan}/withdraw")).refused(404, "not_found").await;
    for part in ["", "/schedule", "/history?limit=0"] {
        other.get(&format!("{loan}{part}")).refused(404, "not_found").await;
        world.agent.get(&format!("{nobody}{part}")).refused(404, "not_found").await;
    }
    world.agent.get(&format!("{loan}/history?limit=0")).invalid(&[("/limit", "out_of_range")]).await;
    world.agent.get("/api/loans/%FF").refused(400, "bad_id").await;
    world.admin.patch("/api/products/none").body("text/plain", "{").refused(404, "not_found").await;
}

/// From an unreadable body to the product's rules, for a call that asks for a version. `call` makes it again each time;
/// `good` is a body whose shape is right.
async fn body_then_version_then_state(call: impl Fn() -> Call, good: Value) {
    let mut misspelt = good;
    misspelt["colour"] = json!("red");
    call().body("text/plain", "{").refused(415, "unsupported_media_type").await;
    call().raw_json("{").refused(400, "not_json").await;
    call().raw_json(&misspelt.to_string()).refused(428, "if_match_required").await;
    call().if_match(77).json(misspelt).invalid(&[("/colour", "unknown_field")]).await;
}

#[tokio::test]
async fn then_the_body_the_version_the_state_the_rules_of_the_product() {
    let world = World::new().await;
    let loan = world.loan(LoanStatus::Approved).await;
    let at = |action: &str| format!("{loan}{action}");
    let calls = [
        (&world.agent, Method::PATCH, json!({}), ""),
        (&world.agent, Method::POST, json!({"version": 1, "reason": "r"}), "/revert"),
        (&world.admin, Method::POST, json!({}), "/approve"),
        (&world.admin, Method::POST, json!({"reason": "r"}), "/reject"),
    ];
    for (caller, method, good, action) in calls {
        let call = || caller.call(method.clone(), &at(action));
        body_then_version_then_state(call, good.clone()).await;
        // Approved is the wrong state for each of them.
        call().json(good.clone()).refused(428, "if_match_required").await;
        for stale in ["\"1\"", "\"3\"", "W/\"2\"", "\"1\", \"3\"", "\"\""] {
            call().header("if-match", stale).json(good.clone()).refused(412, "stale_version").await;
        }
        // Told with the body, before what is wrong with its fields.
        for none in ["2", "", "\"2", "\"2\" \"1\"", "\"2\", 1", "*, \"2\""] {
            let reply =
                call().header("if-match", none).json(json!({"colour": "red"})).refused(400, "bad_if_match").await;
            assert!(reply.text_of("detail").contains("double quotes"), "{reply}");
            call().header("if-match", none).raw_json("{").refused(400, "not_json").await;
        }
        let wrong_state = if caller.id == world.agent.id { "not_editable" } else { "not_pending" };
        for present in ["\"2\"", "*", "\"1\", \"2\""] {
            call().header("if-match", present).json(good.clone()).refused(409, wrong_state).await;
        }
        // Several headers are one list.
        let several = call().header("if-match", "\"1\"").also_header("if-match", "\"2\"");
        several.json(good.clone()).refused(409, wrong_state).await;
        let several = call().header("if-match", "\"1\"").also_header("if-match", "\"3\"");
        several.json(good.clone()).refused(412, "stale_version").await;
        let several = call().header("if-match", "\"2\"").also_header("if-match", "2");
        several.json(good.clone()).refused(400, "bad_if_match").await;
    }

    let edit = |version: i64, body: Value| world.agent.patch(&loan).if_match(version).json(body);
    let beyond = json!({"amount": "50000.01"});
    edit(1, json!({"amount": "1.234"})).invalid(&[("/amount", "too_many_decimals")]).await;
    edit(1, beyond.clone()).refused(412, "stale_version").await;
    edit(2, beyond.clone()).refused(409, "not_editable").await;
    edit(2, json!({"product": "none"})).refused(409, "not_editable").await;
    world.admin.post(&at("/undo-approval")).json(json!({"reason": "r"})).expect(200).await;
    edit(3, beyond).invalid(&[("/amount", "amount_out_of_range")]).await;
    edit(3, json!({"product": "none"})).invalid(&[("/product", "product_not_found")]).await;
    edit(3, json!({"product": "microloan-kes"})).invalid(&[("/product", "currency_mismatch")]).await;
    let revert = json!({"version": 9, "reason": "r"});
    world.agent.post(&at("/revert")).if_match(3).json(revert).invalid(&[("/version", "version_not_found")]).await;

    // Without a version: the body, then the state.
    for (caller, action, body, code) in [
        (&world.admin, "/undo-approval", json!({"reason": "r"}), "not_approved"),
        (&world.agent, "/forward", json!({}), ""),
    ] {
        let call = || caller.post(&at(action));
        call().raw_json("{").refused(400, "not_json").await;
        call().json(json!({"colour": 1})).refused(422, "validation_failed").await;
        if !code.is_empty() {
            call().json(body).refused(409, code).await;
        }
    }
}

/// A number that no term can be is a matter of shape, told before the version and the state.
#[tokio::test]
async fn an_impossible_term_is_told_whatever_became_of_the_loan() {
    let world = World::new().await;
    let loan = world.loan(LoanStatus::Approved).await;
    for (name, count) in [("instalments", 0), ("instalments", 601), ("term_months", 0), ("term_months", 100_000)] {
        let edit = world.agent.patch(&loan).if_match(1).json(json!({name: count}));
        edit.invalid(&[(&format!("/{name}"), "out_of_range")]).await;
    }
    world.agent.patch(&loan).if_match(1).json(json!({"instalments": 600})).refused(412, "stale_version").await;
    world.agent.patch(&loan).if_match(2).json(json!({"instalments": 600})).refused(409, "not_editable").await;
}

#[tokio::test]
async fn a_product_is_changed_in_the_same_order() {
    let world = World::new().await;
    let path = "/api/products/microloan-inr";
    body_then_version_then_state(|| world.admin.patch(path), json!({})).await;
    let edit = |version: i64, body: Value| world.admin.patch(path).if_match(version).json(body);
    let rule = json!({"max_amount": "0.001"});
    edit(2, rule).invalid(&[("/max_amount", "too_many_decimals")]).await;
    edit(2, json!({"max_amount": "0.00"})).refused(412, "stale_version").await;
    edit(1, json!({"max_amount": "0.00"})).invalid(&[("/max_amount", "below_minimum")]).await;
}

#[tokio::test]
async fn an_application_is_read_before_it_is_judged() {
    let world = World::new().await;
    let agent = |body: Value| world.agent.post("/api/loans").json(body);
    let customer = |body: Value| world.customer.post("/api/loans").json(body);
    world.customer.post("/api/loans").raw_json("[]").refused(422, "validation_failed").await;
    customer(json!({})).invalid(&[("/amount", "required"), ("/currency", "required")]).await;
    customer(json!({"amount": "1"})).invalid(&[("/currency", "required")]).await;
    // Whoever else is named, whether or not they exist, and whatever else is wrong.
    for other in ["nobody.at.all", "the.agent", &Uuid::now_v7().to_string(), &world.agent.id.to_string()] {
        let body = json!({"borrower_id": other, "amount": "1.234", "currency": "INR", "interest_rate_apr": "1"});
        customer(body).refused(403, "not_yourself").await;
        customer(json!({"borrower_id": other, "colour": "red"})).refused(403, "not_yourself").await;
    }
    // The key is looked at before the body.
    let long_key = "k".repeat(256);
    customer(json!({"colour": "red"})).key(&long_key).refused(400, "bad_idempotency_key").await;
    let product = world.admin.post("/api/products").json(json!({"colour": "red"})).key(&long_key);
    product.refused(400, "bad_idempotency_key").await;
    for itself in [world.customer.id.to_string(), "the.customer".into(), "THE.Customer".into()] {
        customer(json!({"borrower_id": itself, "amount": "10", "currency": "INR"})).expect(201).await;
    }
    let applied = json!({"amount": "10", "currency": "INR", "interest_rate_apr": "24.00"});
    customer(applied.clone()).invalid(&[("/interest_rate_apr", "not_allowed")]).await;
    agent(applied).invalid(&[("/borrower_id", "required")]).await;
    let suspended = world.api.user("suspended", backend::domain::users::Role::Customer, "suspended").await;
    for nobody in ["nobody.at.all", "the.agent", "the.admin", &suspended.id.to_string(), &Uuid::now_v7().to_string()] {
        let body = json!({"borrower_id": nobody, "amount": "10", "currency": "INR"});
        agent(body).breaks("/borrower_id", "borrower_not_found").await;
    }
}

#[tokio::test]
async fn a_query_is_told_apart_parameter_by_parameter() {
    let world = World::new().await;
    for (query, pointer, code) in [
        ("limit=0", "/limit", "out_of_range"),
        ("limit=201", "/limit", "out_of_range"),
        ("limit=1&limit=2", "/limit", "repeated"),
        ("limit=-1", "/limit", "out_of_range"),
        ("limit=", "/limit", "out_of_range"),
        ("Limit=1", "/Limit", "unknown_field"),
        ("status=pending,none", "/status", "unknown_value"),
        ("sort=name", "/sort", "unknown_value"),
        ("sort=amount", "/sort", "currency_required"),
        ("sort=-amount", "/sort", "currency_required"),
        ("min_amount=1", "/min_amount", "currency_required"),
        ("max_amount=1", "/max_amount", "currency_required"),
        ("currency=INR&min_amount=2&max_amount=1", "/min_amount", "above_maximum"),
        ("currency=INR&min_amount=1.234", "/min_amount", "too_many_decimals"),
        ("created_from=2026-02-30", "/created_from", "not_a_date"),
        ("created_from=1899-12-31", "/created_from", "not_a_date"),
        ("updated_to=2201-01-01", "/updated_to", "not_a_date"),
        ("created_from=2026-03-02&created_to=2026-03-01", "/created_from", "after_end"),
        ("updated_from=2026-03-02&updated_to=2026-03-01", "/updated_from", "after_end"),
        ("colour=red", "/colour", "unknown_field"),
    ] {
        world.admin.get(&format!("/api/loans?{query}")).invalid(&[(pointer, code)]).await;
    }
    for cursor in ["x", "AAAA", "%FF"] {
        world.admin.get(&format!("/api/loans?cursor={cursor}")).refused(400, "bad_cursor").await;
    }
    for fine in [
        "limit=200",
        "limit=1",
        "status=",
        "status=PENDING,new,Repaid,",
        "created_from=1900-01-01&created_to=2200-12-31",
    ] {
        world.admin.get(&format!("/api/loans?{fine}")).expect(200).await;
    }
    world.admin.get("/api/stats?colour=red").invalid(&[("/colour", "unknown_field")]).await;
    world.anyone().get("/api/products?colour=red").invalid(&[("/colour", "unknown_field")]).await;
    world.anyone().get("/api/products?cursor=x").refused(400, "bad_cursor").await;
}
