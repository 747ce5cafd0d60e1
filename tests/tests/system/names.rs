//! Names of one's own: `external_id` and `metadata` of users, products and loans, which staff alone set and see.

use backend::domain::loan::LoanStatus;
use serde_json::{Value, json};

use crate::world::{World, path};

fn ids(list: &[Value], name: &str) -> Vec<String> {
    list.iter().map(|thing| thing[name].as_str().unwrap().to_owned()).collect()
}

fn names_of(thing: &Value) -> (&Value, &Value) {
    (&thing["external_id"], &thing["metadata"])
}

#[tokio::test]
async fn a_loan_is_renamed_in_every_status_without_a_version() {
    let world = World::new().await;
    for (n, status) in LoanStatus::ALL.into_iter().enumerate() {
        let path = world.loan(status).await;
        let before = world.read(&path).await;
        let id = format!("core-{n}");
        let body = json!({"external_id": id, "metadata": {"branch": "pune-2", "old": "x"}});
        let renamed = world.agent.patch(&path).json(body).expect(200).await;
        assert_eq!(names_of(&renamed.body), (&json!(id), &json!({"branch": "pune-2", "old": "x"})));
        let again = world.admin.patch(&path).json(json!({"metadata": {"old": null, "new": "y"}})).expect(200).await;
        assert_eq!(names_of(&again.body), (&json!(id), &json!({"branch": "pune-2", "new": "y"})));
        // Nothing else has changed: no version, no status, no agent, no time.
        let mut now = world.read(&path).await;
        assert_eq!(now.header("etag"), before.header("etag"));
        now.body["external_id"] = Value::Null;
        now.body["metadata"] = json!({});
        assert_eq!(now.body, before.body, "{status:?}");
        let entries = world.admin.get(&format!("{path}/history")).expect(200).await.list().len();
        assert_eq!(entries, usize::try_from(before.version()).unwrap());
        let found = world.agent.get(&format!("/api/loans?external_id={id}")).expect(200).await;
        assert_eq!(ids(found.list(), "id"), [before.text_of("id")]);
    }
    assert!(world.admin.get("/api/loans?external_id=core-99").expect(200).await.list().is_empty());
    let log = world.admin.get("/api/audit?action=loan.rename").expect(200).await;
    assert_eq!((log.list().len(), &log.list()[0]["detail"]), (14, &json!({"changed": ["metadata"]})));
}

#[tokio::test]
async fn an_admin_renames_a_loan_and_edits_none() {
    let world = World::new().await;
    let path = world.applied("1000").await;
    for body in [
        json!({"amount": "1200"}),
        json!({"external_id": "a", "amount": "1200"}),
        json!({"reason": "because"}),
        json!({}),
    ] {
        world.admin.patch(&path).if_match(1).json(body).refused(403, "forbidden").await;
    }
    world
        .admin
        .patch(&path)
        .json(json!({"external_id": "a", "amont": "1"}))
        .invalid(&[("/amont", "unknown_field")])
        .await;
    world.agent.patch(&path).if_match(7).json(json!({"external_id": "a"})).refused(412, "stale_version").await;
    world
        .agent
        .patch(&path)
        .json(json!({"amount": "1200", "external_id": "a"}))
        .refused(428, "if_match_required")
        .await;
    // With what is applied for, names change in the same step.
    let body = json!({"amount": "1200", "external_id": "a"});
    let edited = world.agent.patch(&path).if_match(1).json(body).expect(200).await;
    assert_eq!((edited.version(), &edited["external_id"], &edited["amount"]), (2, &json!("a"), &json!("1200.00")));
    // A rejected loan that is renamed is not submitted again; one that is edited is.
    world.admin.post(&format!("{path}/reject")).if_match(2).json(json!({"reason": "no"})).expect(200).await;
    let renamed = world.agent.patch(&path).json(json!({"external_id": null})).expect(200).await;
    assert_eq!((renamed.version(), &renamed["status"], &renamed["external_id"]), (3, &json!("rejected"), &Value::Null));
    let edited =
        world.agent.patch(&path).if_match(3).json(json!({"metadata": {"a": "b"}, "amount": "1200"})).expect(200);
    let edited = edited.await;
    assert_eq!((edited.version(), &edited["status"], &edited["metadata"]), (4, &json!("pending"), &json!({"a": "b"})));
}

#[tokio::test]
async fn a_customer_neither_sets_nor_sees_names() {
    let world = World::new().await;
    let body = |metadata: Value| -> Value {
        let external_id = "mine";
        json!({"amount": "1200", "currency": "INR", "instalments": 6, "external_id": external_id, "metadata": metadata})
    };
    let errors = [("/external_id", "not_allowed"), ("/metadata", "not_allowed")];
    world.customer.post("/api/loans").json(body(json!({"a": "b"}))).invalid(&errors).await;
    world
        .customer
        .patch("/api/auth/me")
        .json(json!({"external_id": "x"}))
        .invalid(&[("/external_id", "unknown_field")])
        .await;
    let registration = json!({"username": "new.one", "password": "correct horse battery", "email": "new@example.com",
        "phone": "+15550100009", "role": "customer", "metadata": {}});
    world.api.anyone().post("/api/auth/register").json(registration).invalid(&[("/metadata", "unknown_field")]).await;

    let mut loan = body(json!({"risk": "b"}));
    loan["borrower_id"] = json!(world.customer.username);
    let loan = world.agent.post("/api/loans").json(loan).expect(201).await;
    assert_eq!(names_of(&loan.body), (&json!("mine"), &json!({"risk": "b"})));
    let names = json!({"external_id": "crm-1", "metadata": {"segment": "gold"}});
    let user = world.admin.patch(&format!("/api/users/{}", world.customer.id)).json(names).expect(200).await;
    assert_eq!(names_of(&user.body), (&json!("crm-1"), &json!({"segment": "gold"})));

    let own = format!("/api/customers/{}", world.customer.id);
    for path in [path(&loan), own.clone()] {
        assert!(world.agent.get(&path).expect(200).await["external_id"].is_string(), "{path}");
    }
    for path in [&path(&loan), "/api/loans", &own, "/api/auth/me", &format!("{}/history", path(&loan))] {
        let shown = world.customer.get(path).expect(200).await.text;
        assert!(!shown.contains("mine") && !shown.contains("risk"), "{path}: {shown}");
        assert!(!shown.contains("crm-1") && !shown.contains("gold"), "{path}: {shown}");
    }
    let csv = world.customer.get("/api/loans").header("accept", "text/csv").expect(200).await.text;
    assert!(!csv.contains("mine") && !csv.contains("risk"), "{csv}");
    let refused = world.customer.get("/api/loans?external_id=mine");
    refused.invalid(&[("/external_id", "not_allowed")]).await;
}

#[tokio::test]
async fn anyone_sees_products_and_staff_their_names() {
    let world = World::new().await;
    let names = json!({"external_id": "core-7", "metadata": {"ledger": "4711"}, "is_default": false});
    world.product("named", names).await;
    let anyone = world.api.anyone();
    for session in [&anyone, &world.customer.session, &world.api.as_("no.token")] {
        let product = session.get("/api/products/named").expect(200).await;
        assert_eq!(names_of(&product.body), (&Value::Null, &json!({})));
        let list = session.get("/api/products?external_id=core-7");
        list.invalid(&[("/external_id", "not_allowed")]).await;
    }
    for staff in [&world.agent, &world.admin] {
        let product = staff.get("/api/products/named").expect(200).await;
        assert_eq!(names_of(&product.body), (&json!("core-7"), &json!({"ledger": "4711"})));
        let found = staff.get("/api/products?external_id=core-7").expect(200).await;
        assert_eq!(ids(found.list(), "code"), ["named"]);
    }
    let body = json!({"external_id": null, "metadata": {"ledger": null}});
    let product = world.admin.patch("/api/products/named").if_match(1).json(body).expect(200).await;
    assert_eq!((names_of(&product.body), product.version()), ((&Value::Null, &json!({})), 2));
    // A session that is over shows no more than none.
    world.agent.post("/api/auth/logout").expect(204).await;
    let product = world.agent.get("/api/products/named").expect(200).await;
    assert_eq!(names_of(&product.body), (&Value::Null, &json!({})));
    let list = world.agent.get("/api/products?external_id=core-7");
    list.invalid(&[("/external_id", "not_allowed")]).await;
}

#[tokio::test]
async fn an_external_id_is_unique_for_its_kind_of_thing() {
    let world = World::new().await;
    let other = world.api.customer("another").await;
    let named = json!({"external_id": "n-1"});
    let user = |id: &dyn std::fmt::Display| world.admin.patch(&format!("/api/users/{id}")).json(named.clone());
    user(&world.customer.id).expect(200).await;
    user(&other.id).refused(409, "external_id_taken").await;
    user(&world.agent.id).refused(409, "external_id_taken").await;
    for list in ["/api/users", "/api/customers"] {
        let found = world.admin.get(&format!("{list}?external_id=n-1")).expect(200).await;
        assert_eq!(ids(found.list(), "id"), [world.customer.id.to_string()]);
        let found = world.admin.get(&format!("{list}?external_id=n-1&q=another")).expect(200).await;
        assert!(found.list().is_empty(), "{found}");
        let found = world.admin.get(&format!("{list}?external_id=n-1&q=the.customer")).expect(200).await;
        assert_eq!(found.list().len(), 1, "{found}");
    }
    assert!(world.admin.get("/api/agents?external_id=n-1").expect(200).await.list().is_empty());

    let (first, second) = (world.applied("1000").await, world.applied("1000").await);
    world.agent.patch(&first).json(named.clone()).expect(200).await;
    world.agent.patch(&second).json(named.clone()).refused(409, "external_id_taken").await;
    world.agent.patch(&first).json(json!({"external_id": null})).expect(200).await;
    world.agent.patch(&second).json(named.clone()).expect(200).await;
    let application =
        json!({"borrower_id": world.customer.username, "amount": "10", "currency": "INR", "external_id": "n-1"});
    world.agent.post("/api/loans").json(application).refused(409, "external_id_taken").await;

    world.product("first", json!({"external_id": "n-1"})).await;
    let body = json!({"external_id": "n-1"});
    world.admin.patch("/api/products/microloan-kes").if_match(1).json(body).refused(409, "external_id_taken").await;
}

#[tokio::test]
async fn names_have_a_form() {
    let world = World::new().await;
    let user = format!("/api/users/{}", world.customer.id);
    let pairs = |count: usize| (0..count).map(|n| (format!("k{n}"), json!("v"))).collect::<serde_json::Map<_, _>>();
    for (body, pointer, code) in [
        (json!({"external_id": ""}), "/external_id", "blank"),
        (json!({"external_id": "x".repeat(101)}), "/external_id", "too_long"),
        (json!({"metadata": {"a b": "c"}}), "/metadata", "bad_key"),
        (json!({"metadata": {"a": "x".repeat(501)}}), "/metadata/a", "too_long"),
        (json!({"metadata": {"a": 1}}), "/metadata/a", "wrong_type"),
        (json!({"metadata": null}), "/metadata", "wrong_type"),
        (json!({"metadata": pairs(21)}), "/metadata", "too_many_pairs"),
    ] {
        world.admin.patch(&user).json(body).invalid(&[(pointer, code)]).await;
    }
    world.admin.patch(&user).json(json!({"metadata": pairs(20)})).expect(200).await;
    world
        .admin
        .patch(&user)
        .json(json!({"metadata": {"one.more": "v"}}))
        .invalid(&[("/metadata", "too_many_pairs")])
        .await;
    let body = json!({"metadata": {"one.more": "v", "k0": null}, "external_id": "x".repeat(100)});
    world.admin.patch(&user).json(body).expect(200).await;
}
