//! Interest that follows the balance of each day, from the product to the statistics: what moves with the day is right
//! on every day, and nothing has to be recorded for it.

use jiff::ToSpan;
use serde_json::{Value, json};

use crate::world::World;

/// 1.00 a day on 1000.00, in three instalments of 353.53, 30 days apart.
fn terms() -> Value {
    json!({"interest_rate_apr": "36.5", "instalments": 3, "repay_every": 30, "repay_unit": "day",
        "interest_period": "daily", "day_count": "actual/365", "interest_accrual": "daily"})
}

async fn settlement(world: &World, path: &str, on: &str) -> String {
    world.get(&format!("{path}/settlement?on={on}")).await.text_of("total")
}

#[tokio::test]
async fn a_loan_from_its_product_to_its_last_payment() {
    let world = World::new().await;
    let path = world.disbursed("1000", terms(), "2024-01-01").await;
    let loan = world.get(&path).await;
    assert_eq!((&loan["terms"]["interest_accrual"], &loan["instalment"]), (&json!("daily"), &json!("353.53")));
    assert_eq!(settlement(&world, &path, "2024-01-16").await, "1015.00");
    // All three instalments are late, and nothing accrues any more: 90 days at 1.00.
    assert_eq!((&loan["total_interest"], &loan["total_due"]), (&json!("90.00"), &json!("1090.00")));
    world.is_consistent().await;

    // As of a day, what the rows ask for is known then.
    let then = world.get(&format!("{path}?as_of=2024-02-10")).await;
    assert_eq!((&then["total_interest"], &then["next_due_on"]), (&json!("63.92"), &json!("2024-03-01")));
    let schedule = world.get(&format!("{path}/schedule?as_of=2024-02-10")).await;
    assert_eq!(schedule["totals"]["interest"], then["total_interest"]);

    let paid = world.pay(&path, "353.53", "2024-01-21").await;
    let shares = &paid["allocation"];
    assert_eq!((&shares["interest"], &shares["principal"]), (&json!("20.00"), &json!("333.53")));
    world.is_consistent().await;
    world
        .send(
            &path,
            "waivers",
            json!({"component": "interest", "amount": "0.68", "on": "2024-01-22", "reason": "test"}),
        )
        .breaks("/amount", "above_unpaid")
        .await;
    world.reverse(&path, &paid).expect(201).await;
    assert_eq!(world.get(&path).await["total_interest"], "90.00");

    let total = settlement(&world, &path, "2024-02-10").await;
    assert_eq!(total, "1040.00");
    world.pay(&path, &total, "2024-02-10").await;
    let loan = world.get(&path).await;
    assert_eq!((&loan["status"], &loan["total_interest"]), (&json!("repaid"), &json!("40.00")));
    world.is_consistent().await;
}

/// A loan that is running today is late, and nothing is recorded of it: its figures in lists are those of its schedule.
#[tokio::test]
async fn a_running_loan_needs_no_job() {
    let world = World::new().await;
    let today = world.app.today();
    let started = today.checked_sub(40.days()).unwrap();
    let path = world.disbursed("1000", terms(), &started.to_string()).await;
    let loan = world.get(&path).await;
    // Forty days at 1.00, twenty to come on what is left if the first row is paid, and the last row's.
    assert_eq!(loan["total_interest"], "63.92");
    let schedule = world.get(&format!("{path}/schedule")).await;
    assert_eq!(
        (&loan["total_interest"], &loan["total_due"]),
        (&schedule["totals"]["interest"], &schedule["totals"]["due"])
    );
    let listed = world.get("/api/loans").await;
    assert_eq!(listed.list()[0]["total_due"], loan["total_due"]);
    let collected = world.get("/api/collections").await;
    assert_eq!(
        (&collected.list()[0]["overdue"], &collected.list()[0]["days_past_due"]),
        (&json!("353.53"), &json!(10))
    );
    let arrears = world.get("/api/portfolio/arrears?group_by=currency").await;
    assert_eq!(arrears.body[0]["par1"]["amount"], "1000.00");
    let figures = world.get("/api/stats").await["by_currency"]["EUR"].clone();
    assert_eq!((&figures["past_due"], &figures["outstanding"]), (&json!("353.53"), &json!("1000.00")));
    world.is_consistent().await;
}

#[tokio::test]
async fn terms_that_do_not_go_with_it_are_refused() {
    let world = World::new().await;
    for (field, value) in [
        ("interest_method", json!("flat")),
        ("amortization", json!("equal_principal")),
        ("interest_period", json!("repayment_period")),
        ("prepayment", json!("reduce_term")),
    ] {
        let mut terms = terms();
        terms[field] = value;
        let quote = json!({"amount": "1000", "currency": "EUR", "terms": terms});
        let pointer = format!("/terms/{field}");
        world.admin.post("/api/quotes").json(quote).invalid(&[(&pointer, "not_with_daily_interest")]).await;
    }
}
