//! Calendars: their versions, and loans whose due dates they move.

use serde_json::{Value, json};
use tests::{Call, Reply};

use crate::world::{World, path};

/// A calendar without a weekend, whose holidays are these.
fn given(holidays: &[&str]) -> Value {
    let holidays: Vec<Value> = holidays.iter().map(|on| json!({"on": on, "name": "A feast"})).collect();
    json!({"name": "Feasts", "weekend": [], "holidays": holidays})
}

fn put(world: &World, code: &str, body: Value) -> Call {
    world.admin.put(&format!("/api/calendars/{code}")).json(body)
}

/// A product in INR, one instalment a month, with that calendar.
async fn product(world: &World, code: &str, calendar: &str) {
    let calendar = json!({"code": calendar, "rule": "following"});
    let terms = json!({"interest_rate_apr": "36.5", "instalments": 2, "interest_period": "daily",
        "day_count": "actual/365", "calendar": calendar});
    world.product(code, json!({"terms": terms})).await;
}

async fn approved(world: &World, product: &str) -> String {
    let body = json!({"borrower_id": world.customer.id, "product": product, "amount": "1000", "currency": "INR"});
    let loan = path(&world.agent.post("/api/loans").json(body).expect(201).await);
    world.admin.post(&format!("{loan}/approve")).if_match(1).expect(200).await;
    loan
}

fn due_dates(reply: &Reply) -> Vec<&str> {
    reply["rows"].as_array().unwrap().iter().map(|row| row["due_on"].as_str().unwrap()).collect()
}

async fn schedule(world: &World, loan: &str) -> Reply {
    world.admin.get(&format!("{loan}/schedule")).expect(200).await
}

#[tokio::test]
async fn every_version_of_a_calendar_is_kept() {
    let world = World::new().await;
    let first = put(&world, "feasts", given(&["2026-05-01", "2024-12-25"])).expect(201).await;
    assert_eq!((first.header("location"), first.version()), ("/api/calendars/feasts", 1));
    assert_eq!(first["covers"], json!({"from": "2024-01-01", "to": "2026-12-31"}));
    // In the order of their dates, whatever the order of the request.
    assert_eq!(first["holidays"][0], json!({"on": "2024-12-25", "name": "A feast"}));

    put(&world, "fasts", given(&[])).if_match(1).expect(404).await;
    // Once it is there a change names the version that it is made on.
    put(&world, "feasts", given(&[])).refused(428, "if_match_required").await;
    put(&world, "feasts", given(&[])).if_match(2).refused(412, "stale_version").await;
    let same = put(&world, "feasts", given(&["2024-12-25", "2026-05-01"])).if_match(1).expect(200).await;
    assert_eq!(same.body, first.body);
    let mut body = given(&["2027-01-01"]);
    body["weekend"] = json!(["sun", "sat"]);
    let second = put(&world, "feasts", body).if_match(1).expect(200).await;
    assert_eq!((second.version(), &second["weekend"]), (2, &json!(["sat", "sun"])));
    assert_eq!(second["created_at"], first["created_at"]);

    let anyone = world.anyone();
    assert_eq!(anyone.get("/api/calendars/feasts").expect(200).await.body, second.body);
    assert_eq!(anyone.get("/api/calendars/feasts?version=1").expect(200).await.body, first.body);
    anyone.get("/api/calendars/feasts?version=3").expect(404).await;
    for unknown in ["/api/calendars/none", "/api/calendars/NONE"] {
        anyone.get(unknown).expect(404).await;
    }
    let codes: Vec<Value> = anyone.walk("/api/calendars?limit=2").await.iter().map(|it| it["code"].clone()).collect();
    assert_eq!(codes, ["feasts", "in", "ke", "ng", "ph", "vn"]);
}

#[tokio::test]
async fn a_calendar_breaks_no_rule() {
    let world = World::new().await;
    let with = |name: &str, value: Value| {
        let mut body = given(&["2026-05-01", "2026-06-01"]);
        body[name] = value;
        put(&world, "feasts", body)
    };
    let week = json!(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);
    with("weekend", week).invalid(&[("/weekend", "too_many")]).await;
    with("weekend", json!(["Saturday"])).invalid(&[("/weekend/0", "unknown_value")]).await;
    let covers = json!({"from": "2026-05-02", "to": "2026-12-31"});
    with("covers", covers).invalid(&[("/holidays/0/on", "outside_covers")]).await;
    let covers = json!({"from": "2026-12-31", "to": "2026-05-02"});
    with("covers", covers).invalid(&[("/covers/from", "after_end")]).await;
    let twice = json!([{"on": "2026-05-01", "name": "One"}, {"on": "2026-05-01", "name": "Two"}]);
    with("holidays", twice).invalid(&[("/holidays/1/on", "repeated")]).await;
    let many: Vec<Value> = vec![json!({"on": "2026-05-01", "name": "One"}); 1001];
    with("holidays", json!(many)).invalid(&[("/holidays", "too_many")]).await;
    world.agent.put("/api/calendars/feasts").json(given(&[])).expect(403).await;
    let none = put(&world, "feasts", given(&[])).expect(201).await;
    assert_eq!(none["covers"], Value::Null);
}

#[tokio::test]
async fn a_quote_takes_the_newest_version() {
    let world = World::new().await;
    let quote = |terms: Value| {
        let mut body = json!({"amount": "1000", "currency": "INR", "disbursed_on": "2026-03-31", "terms": terms});
        body["terms"]["interest_rate_apr"] = json!("12");
        body["terms"]["instalments"] = json!(2);
        world.anyone().post("/api/quotes").json(body)
    };
    // 30 April is a Thursday, 31 May a Sunday, 1 June a holiday of Kenya's law.
    let kenya = json!({"calendar": {"code": "ke"}});
    assert_eq!(due_dates(&quote(kenya).expect(200).await), ["2026-04-30", "2026-06-02"]);
    let unknown = json!({"calendar": {"code": "atlantis"}});
    quote(unknown).invalid(&[("/terms/calendar/code", "calendar_not_found")]).await;
    let months = json!({"calendar": {"code": "ke", "rule": "extend"}});
    quote(months).invalid(&[("/terms/calendar/rule", "extend_needs_days_or_weeks")]).await;
    let saturdays = json!({"calendar": {"code": "ke", "rule": "extend"}, "repay_unit": "week",
        "first_due_on": "2026-04-04"});
    quote(saturdays).invalid(&[("/terms/calendar/rule", "never_a_working_day")]).await;

    // A product's calendar, and none in its place.
    put(&world, "feasts", given(&["2026-04-30"])).expect(201).await;
    product(&world, "with-feasts", "feasts").await;
    let body = json!({"amount": "1000", "currency": "INR", "disbursed_on": "2026-03-31", "product": "with-feasts"});
    let ask = |terms: Value| {
        let mut body = body.clone();
        body["terms"] = terms;
        world.anyone().post("/api/quotes").json(body)
    };
    assert_eq!(due_dates(&ask(json!({})).expect(200).await), ["2026-05-01", "2026-05-31"]);
    assert_eq!(due_dates(&ask(json!({"calendar": null})).expect(200).await), ["2026-04-30", "2026-05-31"]);
    put(&world, "feasts", given(&["2026-04-30", "2026-05-01"])).if_match(1).expect(200).await;
    assert_eq!(due_dates(&ask(json!({})).expect(200).await), ["2026-05-02", "2026-05-31"]);
}

#[tokio::test]
async fn a_product_names_a_calendar_that_there_is() {
    let world = World::new().await;
    let calendar = |code: &str| json!({"terms": {"calendar": {"code": code, "rule": "preceding"}}});
    let patch =
        |version: i64, body: Value| world.admin.patch("/api/products/microloan-kes").if_match(version).json(body);
    patch(1, calendar("atlantis")).invalid(&[("/terms/calendar/code", "calendar_not_found")]).await;
    let changed = patch(1, calendar("ke")).expect(200).await;
    assert_eq!(changed["terms"]["calendar"], json!({"code": "ke", "rule": "preceding"}));
    let unchanged = patch(2, calendar("ke")).expect(200).await;
    assert_eq!(unchanged.version(), 2);
    assert_eq!(patch(2, json!({"terms": {"calendar": null}})).expect(200).await["terms"]["calendar"], Value::Null);
}

#[tokio::test]
async fn a_loan_is_pinned_to_the_version_of_its_disbursement() {
    let world = World::new().await;
    put(&world, "feasts", given(&["2024-02-15"])).expect(201).await;
    product(&world, "with-feasts", "feasts").await;
    let (early, late) = (approved(&world, "with-feasts").await, approved(&world, "with-feasts").await);
    let body = json!({"disbursed_on": "2024-01-15"});
    let paid_out = world.money(&early, "disbursements", body.clone()).expect(201).await;
    assert_eq!(paid_out["calendar_version"], 1);
    let before = schedule(&world, &early).await;
    assert_eq!(due_dates(&before), ["2024-02-16", "2024-03-15"]);

    put(&world, "feasts", given(&["2024-02-15", "2024-02-16", "2024-03-15"])).if_match(1).expect(200).await;
    assert_eq!(schedule(&world, &early).await.body["rows"], before["rows"]);
    assert_eq!(world.disburse(&late, "2024-01-15").await["calendar_version"], 2);
    assert_eq!(due_dates(&schedule(&world, &late).await), ["2024-02-17", "2024-03-16"]);

    // Interest is that of the days between the dates: 0.1 % a day.
    let interest = |reply: &Reply| reply["rows"][0]["interest"].clone();
    assert_eq!((interest(&before), interest(&schedule(&world, &late).await)), (json!("32.00"), json!("33.00")));

    // Entered again, and rescheduled, it takes the newest version.
    let reason = json!({"reason": "wrong day"});
    let undo = format!("transactions/{}/reversal", paid_out.text_of("id"));
    world.money(&early, &undo, reason).expect(201).await;
    assert_eq!(world.disburse(&early, "2024-01-15").await["calendar_version"], 2);
    put(&world, "feasts", given(&["2024-03-16"])).if_match(2).expect(200).await;
    let reschedule = json!({"from": "2024-03-16", "instalments": 2, "reason": "harvest"});
    let moved = world.money(&late, "reschedule", reschedule).expect(201).await;
    assert_eq!(moved["calendar_version"], 3);
    // The rhythm goes on from the nominal date, 15 March, which is a working day now.
    assert_eq!(due_dates(&schedule(&world, &late).await), ["2024-02-17", "2024-03-15", "2024-04-15"]);
}

#[tokio::test]
async fn until_it_is_paid_out_a_loan_follows_the_newest_version() {
    let world = World::new().await;
    put(&world, "feasts", given(&[])).expect(201).await;
    product(&world, "with-feasts", "feasts").await;
    let loan = approved(&world, "with-feasts").await;
    let first = due_dates(&schedule(&world, &loan).await)[0].to_owned();
    let shown = world.read(&loan).await;
    put(&world, "feasts", given(&[&first])).if_match(1).expect(200).await;
    let moved = schedule(&world, &loan).await;
    assert_ne!(due_dates(&moved)[0], first);
    // The figures are those of the schedule that is shown.
    let now = world.read(&loan).await;
    assert_eq!(now["total_interest"], moved["totals"]["interest"]);
    assert_ne!(now["total_interest"], shown["total_interest"]);
    assert_eq!(world.admin.get("/api/loans").expect(200).await.list()[0]["total_due"], moved["totals"]["due"]);
    // A step takes it as it is.
    let undone = world.admin.post(&format!("{loan}/undo-approval")).json(json!({"reason": "again"})).expect(200).await;
    assert_eq!(undone["total_interest"], now["total_interest"]);
}

/// Terms that were stored before calendars have no such field: they are taken on as they are.
#[tokio::test]
async fn a_loan_of_before_calendars_goes_on() {
    let world = World::new().await;
    let loan = world.applied("1200").await;
    let triggers = |what: &str| format!("ALTER TABLE loans {what} TRIGGER loans_check_change");
    world.owner.batch_execute(&triggers("DISABLE")).await.unwrap();
    world.owner.batch_execute("UPDATE loans SET terms = terms - 'calendar'").await.unwrap();
    world.owner.batch_execute(&triggers("ENABLE")).await.unwrap();
    world.admin.post(&format!("{loan}/approve")).if_match(1).expect(200).await;
    world.disburse(&loan, "2024-01-15").await;
    assert_eq!(world.read(&loan).await["terms"]["calendar"], Value::Null);
}
