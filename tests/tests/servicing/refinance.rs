//! Refinancing: a disbursement settles other loans of its borrower, whole or not at all.

use serde_json::{Value, json};
use tests::Reply;
use uuid::Uuid;

use crate::{till::Till, world::World};

const ID: &str = "/api/loans/";

/// A disbursement that settles the loans at these paths.
fn settling(on: &str, paths: &[&str]) -> Value {
    let loans: Vec<&str> = paths.iter().map(|path| path.strip_prefix(ID).unwrap()).collect();
    json!({"disbursed_on": on, "settles": loans})
}

/// An approved loan of 2000 EUR, with a fee of 50 at the disbursement.
async fn larger(world: &World) -> String {
    let fee = json!([{"code": "processing", "when": "disbursement", "amount": "50"}]);
    let terms = json!({"interest_rate_apr": "0", "instalments": 10, "fees": fee});
    world.approved("2000", "EUR", terms).await
}

/// The settlement of a loan that is repaid by one.
async fn settlement(world: &World, path: &str) -> Reply {
    let loan = world.get(path).await;
    assert_eq!(loan["status"], "repaid");
    let transactions = world.get(&format!("{path}/transactions")).await;
    let id = transactions.list()[0]["id"].as_str().unwrap().to_owned();
    world.get(&format!("{path}/transactions/{id}")).await
}

#[tokio::test]
async fn a_disbursement_settles_loans_and_pays_out_the_rest() {
    let world = World::new().await;
    Till::of(&world, "till", "manual").await;
    let (first, second) = (world.plain().await, world.plain().await);
    world.pay(&first, "200", "2024-02-15").await;
    let path = larger(&world).await;
    let quoted = world.get(&path).await["apr"].clone();
    let owed = world.get(&format!("{second}/settlement?on=2024-03-01")).await["total"].clone();
    assert_eq!(owed, "1200.00");
    let mut body = settling("2024-03-01", &[&first]);
    body["source"] = json!("till");
    let paid = world.send(&path, "disbursements", body).expect(201).await;
    let amounts = ["amount", "settled", "paid_out"].map(|name| paid[name].as_str().unwrap());
    assert_eq!(amounts, ["2000.00", "1000.00", "950.00"]);
    assert_eq!(world.get(&path).await["apr"], quoted, "settlements are no cost");
    let settled = settlement(&world, &first).await;
    assert_eq!(
        (&settled["kind"], &settled["amount"], &settled["on"]),
        (&json!("repayment"), &json!("1000.00"), &json!("2024-03-01"))
    );
    assert_eq!((&settled["settled_by"], &settled["source"]), (&paid["id"], &json!("till")));
    assert_eq!(world.get(&second).await["status"], "disbursed", "another loan is not touched");
    assert_eq!(world.balance("cash.till", "").await, "-950.00");
    // The journal has the whole: what left and what came back.
    let entry = &world.get(&format!("{path}/ledger")).await.list()[0].clone();
    let cash = entry["lines"].as_array().unwrap().iter().find(|line| line["account"] == "cash.till").unwrap();
    assert_eq!(cash["credit"], "1950.00");
    world.is_consistent().await;
}

#[tokio::test]
async fn several_loans_are_settled_at_once_and_a_repeated_request_changes_nothing() {
    let world = World::new().await;
    let (first, second) = (world.plain().await, world.plain().await);
    world.pay(&first, "700", "2024-02-15").await;
    let path = larger(&world).await;
    let key = Uuid::now_v7().to_string();
    world.pay(&second, "500", "2024-02-20").await;
    let body = settling("2024-03-01", &[&second, &first]);
    let send = || world.admin.post(&format!("{path}/disbursements")).key(&key).json(body.clone());
    let paid = send().expect(201).await;
    assert_eq!((&paid["settled"], &paid["paid_out"]), (&json!("1200.00"), &json!("750.00")));
    let again = send().expect(201).await;
    assert_eq!((again.header("idempotency-replayed"), &again.body), ("true", &paid.body));
    for loan in [&first, &second] {
        settlement(&world, loan).await;
    }
    assert_eq!(world.count("SELECT count(*) FROM transactions WHERE settled_by IS NOT NULL").await, 2);
    world.is_consistent().await;
}

#[tokio::test]
async fn a_loan_that_cannot_be_settled_stops_the_disbursement() {
    let world = World::new().await;
    let path = larger(&world).await;
    let refused =
        |body: Value, status: u16, code: &'static str| world.send(&path, "disbursements", body).refused(status, code);
    // Not disbursed: it itself, and another one.
    refused(settling("2024-03-01", &[&path]), 409, "not_settleable").await;
    let pending = world.approved("100", "EUR", json!({"interest_rate_apr": "0", "instalments": 1})).await;
    refused(settling("2024-03-01", &[&pending]), 409, "not_settleable").await;
    // In another currency.
    let dollars = world.approved("100", "USD", json!({"interest_rate_apr": "0", "instalments": 1})).await;
    world.send(&dollars, "disbursements", json!({"disbursed_on": "2024-01-15"})).expect(201).await;
    refused(settling("2024-03-01", &[&dollars]), 409, "not_settleable").await;
    // Of another borrower.
    let other = world.customer("another.customer").await;
    let theirs = world.approved_for(&other, "100", "EUR", json!({"interest_rate_apr": "0", "instalments": 1})).await;
    world.send(&theirs, "disbursements", json!({"disbursed_on": "2024-01-15"})).expect(201).await;
    refused(settling("2024-03-01", &[&theirs]), 409, "not_settleable").await;
    // With money after the day.
    let later = world.plain().await;
    let paid = world.pay(&later, "200", "2024-03-02").await;
    refused(settling("2024-03-01", &[&later]), 409, "not_settleable").await;
    world.reverse(&later, &paid).expect(201).await;
    // More than is paid out.
    let large = world.plain().await;
    refused(settling("2024-03-01", &[&later, &large]), 422, "above_paid_out").await;
    // No loan, one twice, too many.
    let nobody = format!("{ID}{}", Uuid::now_v7());
    let missing = world.send(&path, "disbursements", settling("2024-03-01", &[&later, &nobody]));
    missing.breaks("/settles/1", "loan_not_found").await;
    let twice = world.send(&path, "disbursements", settling("2024-03-01", &[&later, &later]));
    twice.invalid(&[("/settles", "repeated")]).await;
    let many: Vec<String> = (0..6).map(|_| format!("{ID}{}", Uuid::now_v7())).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let six = world.send(&path, "disbursements", settling("2024-03-01", &many));
    six.invalid(&[("/settles", "too_many")]).await;
    assert_eq!(world.get(&path).await["status"], "approved");
    assert_eq!(world.get(&later).await["status"], "disbursed");
    // What was reversed does not count.
    world.send(&path, "disbursements", settling("2024-03-01", &[&later])).expect(201).await;
    world.is_consistent().await;
}

#[tokio::test]
async fn a_disbursement_is_reversed_with_its_settlements_and_they_only_with_it() {
    let world = World::new().await;
    let (first, second) = (world.plain().await, world.plain().await);
    world.pay(&first, "600", "2024-02-15").await;
    world.pay(&second, "600", "2024-02-15").await;
    let path = larger(&world).await;
    let paid = world.send(&path, "disbursements", settling("2024-03-01", &[&first, &second])).expect(201).await;
    let settled = settlement(&world, &first).await;
    let alone = world.reverse(&first, &settled).refused(409, "settled_by_disbursement").await;
    assert_eq!(alone["transaction_id"], paid["id"]);
    // Money that came later stands in the way.
    let more = world.pay(&path, "10", "2024-03-05").await;
    let refused = world.reverse(&path, &paid).refused(409, "later_event_depends_on_it").await;
    assert_eq!(refused["transaction_id"], more["id"]);
    world.reverse(&path, &more).expect(201).await;
    let reversal = world.reverse(&path, &paid).expect(201).await;
    assert_eq!(reversal["reverses"], paid["id"]);
    assert_eq!(world.get(&path).await["status"], "approved");
    for loan in [&first, &second] {
        let loan = world.get(loan).await;
        assert_eq!((&loan["status"], &loan["outstanding"]), (&json!("disbursed"), &json!("600.00")));
    }
    assert_eq!(world.balance("cash", "").await, "-1200.00");
    world.reverse(&path, &paid).refused(409, "already_reversed").await;
    // It can be paid out once more.
    world.send(&path, "disbursements", settling("2024-03-01", &[&second, &first])).expect(201).await;
    world.is_consistent().await;
}

#[tokio::test]
async fn the_database_keeps_a_disbursement_and_its_settlements_together() {
    let world = World::new().await;
    let first = world.plain().await;
    let path = larger(&world).await;
    world.send(&path, "disbursements", settling("2024-03-01", &[&first])).expect(201).await;
    let reverse = |kind: &str| {
        format!(
            "INSERT INTO transactions (id, loan_id, kind, value_date, recorded_at, recorded_by, currency, reverses,
                reason)
            SELECT gen_random_uuid(), loan_id, 'reversal', value_date, clock_timestamp(), recorded_by, currency, id, 'r'
            FROM transactions WHERE {kind}"
        )
    };
    for kind in ["settled IS NOT NULL", "settled_by IS NOT NULL"] {
        let owner = world.connect_as_owner().await;
        let error = owner.batch_execute(&reverse(kind)).await.unwrap_err();
        assert_eq!(error.as_db_error().unwrap().constraint(), Some("transactions_settlements"), "{kind}: {error:?}");
    }
}

#[tokio::test]
async fn crossing_refinancings_do_not_wait_for_each_other_forever() {
    let world = World::new().await;
    let (first, second) = (world.plain().await, world.plain().await);
    let (one, other) = (larger(&world).await, larger(&world).await);
    // Both want both: one has them, the other finds them repaid.
    world.pay(&first, "400", "2024-02-15").await;
    world.pay(&second, "400", "2024-02-15").await;
    let a = world.send(&one, "disbursements", settling("2024-03-01", &[&first, &second]));
    let b = world.send(&other, "disbursements", settling("2024-03-01", &[&second, &first]));
    let (a, b) = tokio::join!(a.send(), b.send());
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    world.is_consistent().await;
}
