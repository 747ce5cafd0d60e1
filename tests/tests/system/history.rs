//! Every version of a loan: what changed, who did it, why, and going back.

use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn every_version_names_what_changed() {
    let world = World::new().await;
    let loan = world.applied("1000").await;
    let edit = async |version: i64, body: Value| {
        world.agent.patch(&loan).if_match(version).json(body).expect(200).await;
        let history = world.customer.get(&format!("{loan}/history")).expect(200).await;
        history.list()[0]["changed"].clone()
    };
    assert_eq!(edit(1, json!({"amount": "1000.50"})).await, json!(["amount"]));
    assert_eq!(edit(2, json!({"term_months": 12})).await, json!(["term_months"]));
    assert_eq!(edit(3, json!({"interest_rate_apr": "20"})).await, json!(["interest_rate_apr"]));
    assert_eq!(edit(4, json!({"product": "home"})).await, json!(["product", "interest_rate_apr"]));
    let all = json!({"product": "microloan-inr", "amount": "900", "instalments": 3, "interest_rate_apr": "30"});
    assert_eq!(edit(5, all).await, json!(["amount", "product", "term_months", "interest_rate_apr"]));

    world.admin.post(&format!("{loan}/reject")).if_match(6).json(json!({"reason": "too much"})).expect(200).await;
    assert_eq!(edit(7, json!({"reason": "asked again"})).await, json!(["status"]));

    let history = world.customer.walk(&format!("{loan}/history?limit=3")).await;
    let versions: Vec<_> = history.iter().map(|entry| entry["version"].as_i64().unwrap()).collect();
    assert_eq!(versions, [8, 7, 6, 5, 4, 3, 2, 1]);
    let first = &history[7];
    let fields = json!(["amount", "product", "term_months", "interest_rate_apr", "agent_id", "status"]);
    assert_eq!((&first["changed"], &first["action"]), (&fields, &json!("create")));
    assert_eq!((&first["by"], &first["reason"]), (&json!(world.agent.id), &Value::Null));
    let rejection = &history[1];
    assert_eq!((&rejection["action"], &rejection["changed"]), (&json!("reject"), &json!(["status"])));
    assert_eq!((&rejection["by"], &rejection["reason"]), (&json!(world.admin.id), &json!("too much")));
    assert_eq!((&history[0]["reason"], &history[0]["state"]["status"]), (&json!("asked again"), &json!("pending")));
    let now = world.read(&loan).await;
    for field in [
        "status",
        "agent_id",
        "product",
        "amount",
        "currency",
        "term_months",
        "interest_rate_apr",
        "terms",
        "instalment",
        "total_interest",
        "total_due",
    ] {
        assert_eq!(history[0]["state"][field], now[field], "{field}");
    }
    assert_eq!(history[0]["at"], now["updated_at"]);
    assert!(history.windows(2).all(|pair| pair[0]["at"].as_str() > pair[1]["at"].as_str()));
}

#[tokio::test]
async fn an_edit_that_changes_nothing_makes_no_version() {
    let world = World::new().await;
    let loan = world.applied("1000").await;
    let before = world.read(&loan).await;
    for nothing in [
        json!({}),
        json!({"reason": "nothing at all"}),
        json!({"amount": "1000.00", "term_months": 6, "interest_rate_apr": 24, "product": "microloan-inr"}),
    ] {
        let after = world.agent.patch(&loan).if_match(1).json(nothing).expect(200).await;
        assert_eq!((after.version(), &after.body), (1, &before.body));
    }
    // No body at all is `{}`.
    world.agent.patch(&loan).if_match(1).expect(200).await;
    assert_eq!(world.admin.walk(&format!("{loan}/history")).await.len(), 1);
}

#[tokio::test]
async fn the_figures_follow_every_edit() {
    let world = World::new().await;
    let loan = world.applied("12000.50").await;
    let figures = async |version: i64, body: Value| {
        let loan = world.agent.patch(&loan).if_match(version).json(body).expect(200).await;
        ["instalment", "total_interest", "total_due"].map(|name| loan.text_of(name))
    };
    // Without interest, six equal parts of 12,000.50: five of 2,000.08 and one of 2,000.10.
    let free = figures(1, json!({"interest_rate_apr": "0"})).await;
    assert_eq!(free, ["2000.08", "0.00", "12000.50"]);
    // One instalment: a month's interest of 2 %.
    assert_eq!(
        figures(2, json!({"interest_rate_apr": "24", "term_months": 1})).await,
        ["12240.51", "240.01", "12240.51"]
    );
    let one = json!({"amount": "100", "term_months": 2});
    // 100 at 2 % in 2 instalments: 100 x 0.02 / (1 - 1.02^-2) = 51.50; interest 2.00 + (50.50 x 0.02 = 1.01).
    assert_eq!(figures(3, one).await, ["51.50", "3.01", "103.01"]);
}

#[tokio::test]
async fn a_loan_goes_back_to_what_an_earlier_version_asked_for() {
    let world = World::new().await;
    let loan = world.applied("1000").await;
    let first = world.read(&loan).await;
    let edit = json!({"amount": "2000", "product": "home", "term_months": 24});
    world.agent.patch(&loan).if_match(1).json(edit).expect(200).await;
    let revert = |version: i64, to: i64| {
        let body = json!({"version": to, "reason": "a mistake"});
        world.agent.post(&format!("{loan}/revert")).if_match(version).json(body)
    };
    for nowhere in [3, i64::from(i32::MAX)] {
        revert(2, nowhere).invalid(&[("/version", "version_not_found")]).await;
    }
    for none in [0, -1, i64::from(i32::MAX) + 1] {
        let refused = revert(2, none).refused(422, "validation_failed").await;
        assert_eq!(refused.errors()[0].0, "/version", "{refused}");
    }
    let reverted = revert(2, 1).expect(200).await;
    assert_eq!(reverted.version(), 3);
    for field in ["amount", "product", "term_months", "interest_rate_apr", "terms", "instalment", "total_due", "status"]
    {
        assert_eq!(reverted[field], first[field], "{field}");
    }
    let history = world.admin.get(&format!("{loan}/history")).expect(200).await;
    let entry = &history.list()[0];
    assert_eq!((&entry["action"], &entry["reason"]), (&json!("revert"), &json!("a mistake")));
    assert_eq!(entry["changed"], json!(["amount", "product", "term_months", "interest_rate_apr"]));

    // A rejected one is submitted again; the version it goes back to may be its own.
    world.admin.post(&format!("{loan}/reject")).if_match(3).json(json!({"reason": "r"})).expect(200).await;
    let again = revert(4, 4).expect(200).await;
    assert_eq!((again.version(), &again["status"], &again["decided_by"]), (5, &json!("pending"), &Value::Null));

    // Within the limits that the product has now.
    let limit = json!({"max_amount": "1500"});
    world.admin.patch("/api/products/microloan-inr").if_match(1).json(limit).expect(200).await;
    revert(5, 1).expect(200).await;
    let limit = json!({"max_amount": "999.99"});
    world.admin.patch("/api/products/microloan-inr").if_match(2).json(limit).expect(200).await;
    revert(6, 1).invalid(&[("/amount", "amount_out_of_range")]).await;
}
