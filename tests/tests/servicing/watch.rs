//! What the scheduled function sees of the money that arrives: what waits too long, and who is silent.

use serde_json::json;
use stats::arrivals::Arrivals;

use crate::{
    till::{Till, notice},
    world::World,
};

/// A payment that arrived so many hours ago, as the owner alone may write it.
async fn arrived(world: &World, receipt: &str, hours: i32) {
    let insert = "WITH arrived AS (
            INSERT INTO payments (id, source, external_id, currency, amount, paid_on, received_at, recorded_by)
            SELECT gen_random_uuid(), code, $1, currency, 10, (now() - $2 * interval '1 hour')::date,
                now() - $2 * interval '1 hour', id
            FROM payment_sources WHERE code = 'paybill' RETURNING id)
        INSERT INTO payment_details (payment_id) SELECT id FROM arrived";
    world.owner.execute(insert, &[&receipt, &f64::from(hours)]).await.unwrap();
}

async fn seen(world: &World, hours: u16) -> (u64, Vec<String>) {
    let Arrivals { waiting, silent } = stats::arrivals(&world.app.db, hours).await.unwrap();
    (waiting, silent)
}

#[tokio::test]
async fn a_payment_waits_too_long_once_its_hours_have_passed() {
    let world = World::new().await;
    let till = Till::of(&world, "paybill", "mpesa").await;
    assert_eq!(seen(&world, 24).await.0, 0);
    till.confirm(&world, &notice("AAA0000001", "10", "nothing")).await;
    arrived(&world, "AAA0000002", 25).await;
    assert_eq!((seen(&world, 24).await.0, seen(&world, 26).await.0), (1, 0));
    let waiting = world.payment("AAA0000002").await;
    let back = json!({"amount": "4", "paid_on": waiting["paid_on"], "reason": "too much"});
    world.decide(&waiting, "return", back).expect(201).await;
    assert_eq!(seen(&world, 24).await.0, 1, "a part of it still waits");
    world.decide(&waiting, "return", json!({"paid_on": waiting["paid_on"], "reason": "all"})).expect(201).await;
    assert_eq!(seen(&world, 24).await.0, 0);
}

#[tokio::test]
async fn a_source_is_silent_on_a_day_on_which_it_usually_is_not() {
    const DAY: i32 = 24;
    let world = World::new().await;
    let till = Till::of(&world, "paybill", "mpesa").await;
    for week in [1, 2] {
        arrived(&world, &format!("WEEK{week}"), week * 7 * DAY + 5).await;
    }
    // Yesterday is not today, and the day before last week's is another day of the week.
    arrived(&world, "YESTERDAY", DAY + 5).await;
    arrived(&world, "OTHERDAY", 8 * DAY + 5).await;
    assert_eq!(seen(&world, 720).await.1, [""; 0], "two weeks are no habit");
    arrived(&world, "WEEK4", 4 * 7 * DAY + 5).await;
    assert_eq!(seen(&world, 720).await.1, ["paybill"]);
    world.admin.patch("/api/payment-sources/paybill").json(json!({"active": false})).expect(200).await;
    assert_eq!(seen(&world, 720).await.1, [""; 0], "it was switched off");
    world.admin.patch("/api/payment-sources/paybill").json(json!({"active": true})).expect(200).await;
    till.confirm(&world, &notice("AAA0000001", "10", "nothing")).await;
    assert_eq!(seen(&world, 720).await.1, [""; 0]);
}
