//! Statements that are prepared: once a connection, without a round trip, and again where a migration changed them.

use std::collections::HashSet;

use backend::{
    config::{Authorities, DatabaseConfig, Statements},
    db::{Db, DbError, FromRow, Sql, column},
    domain::loan::LoanStatus,
    secrets::SecretSource,
};
use serde_json::json;
use tests::{Message, RoundTrip, without_tls};
use tokio_postgres::Row;

use crate::world::World;

/// The names of statements that messages of a kind have: `Parse` first of all, `Bind` behind its portal's.
fn names(trips: &[RoundTrip], kind: u8) -> Vec<String> {
    let of_kind = trips.iter().flatten().filter(|message| message.kind == kind);
    let name = |Message { body, .. }: &Message| {
        let from = usize::from(kind == b'B');
        let length = body[from..].iter().position(|byte| *byte == 0).unwrap();
        String::from_utf8(body[from..from + length].to_vec()).unwrap()
    };
    of_kind.map(name).collect()
}

#[tokio::test]
async fn the_first_use_of_a_statement_is_unnamed_and_prepares_it_in_the_same_round_trip() {
    let world = World::new().await;
    let path = world.loan(LoanStatus::Disbursed).await;
    let (client, wire) = world.by_wire_with(Statements::Prepared).await;
    let admin = client.as_(world.admin.token());
    let mut prepared = Vec::new();
    for first in [true, false, false] {
        wire.record();
        let _ = wire.round_trips();
        admin.get(&path).expect(200).await;
        let trips = wire.recorded();
        assert_eq!(wire.round_trips(), 1);
        let (parsed, bound) = (names(&trips, b'P'), names(&trips, b'B'));
        assert_eq!(bound.len(), 2, "the loan's statement and the session's");
        if first {
            assert_eq!(bound, ["", ""]);
            assert_eq!(parsed.iter().filter(|name| name.is_empty()).count(), 2, "{parsed:?}");
            prepared = parsed.into_iter().filter(|name| !name.is_empty()).collect();
            assert_eq!(prepared.iter().collect::<HashSet<_>>().len(), 2, "{prepared:?}");
        } else {
            assert_eq!((parsed, bound), (Vec::new(), prepared.clone()));
        }
    }
}

#[tokio::test]
async fn what_a_transaction_runs_is_prepared_behind_its_end() {
    let world = World::new().await;
    let path = world.loan(LoanStatus::Disbursed).await;
    let (client, wire) = world.by_wire_with(Statements::Prepared).await;
    let admin = client.as_(world.admin.token());
    let pay = |key: &str, status| {
        let body = json!({"amount": if status == 201 { "1" } else { "0" }, "paid_on": "2024-02-15"});
        admin.post(&format!("{path}/repayments")).key(key).json(body).expect(status)
    };
    admin.get(&path).expect(200).await;
    // Refused, which rolls back; then not.
    for (key, status, end) in [("first", 422, "ROLLBACK"), ("second", 201, "COMMIT")] {
        wire.record();
        pay(key, status).await;
        let messages = wire.recorded().concat();
        let end = messages.iter().position(|message| message.is_query(end)).unwrap();
        let (before, behind) = messages.split_at(end);
        assert!(names(&[before.to_vec()], b'P').iter().all(String::is_empty), "{key}");
        let prepared = names(&[behind.to_vec()], b'P');
        assert!(!prepared.is_empty() && prepared.iter().all(|name| !name.is_empty()), "{key}: {prepared:?}");
    }
    wire.record();
    let _ = wire.round_trips();
    pay("third", 201).await;
    assert_eq!((names(&wire.recorded(), b'P'), wire.round_trips()), (Vec::new(), 2));
}

#[tokio::test]
async fn what_a_migration_changes_is_run_once_more_and_the_client_learns_nothing() {
    let world = World::new().await;
    let path = world.loan(LoanStatus::Disbursed).await;
    let (client, wire) = world.by_wire_with(Statements::Prepared).await;
    let admin = client.as_(world.admin.token());
    let pay = |key: &str| {
        let body = json!({"amount": "1", "paid_on": "2024-02-15"});
        admin.post(&format!("{path}/repayments")).key(key).json(body).expect(201)
    };
    let change = async |to: &str| {
        let sql = format!("ALTER TABLE loans ALTER COLUMN decision_reason TYPE {to}");
        world.owner.batch_execute(&sql).await.unwrap();
        wire.record();
    };
    // How many statements were sent prepared, and unnamed.
    let sent = || {
        let bound = names(&wire.recorded(), b'B');
        let unnamed = bound.iter().filter(|name| name.is_empty()).count();
        (bound.len() - unnamed, unnamed)
    };
    for key in ["first", "second"] {
        pay(key).await;
        admin.get(&path).expect(200).await;
    }
    change("varchar(2001)").await;
    let read = admin.get(&path).expect(200).await;
    assert_eq!(sent(), (2, 2), "a read twice");
    wire.record();
    assert_eq!(admin.get(&path).expect(200).await.body, read.body);
    assert_eq!(sent(), (2, 0));

    pay("third").await;
    change("text").await;
    pay("fourth").await;
    let (prepared, unnamed) = sent();
    assert!(prepared > 0 && unnamed > prepared, "the beginning of a command, then all of it: {prepared}, {unnamed}");
    let paid = admin.get(&format!("{path}/transactions")).expect(200).await;
    assert_eq!(paid.list().iter().filter(|transaction| transaction["kind"] == "repayment").count(), 4);
}

const KEPT: &str = "SELECT count(*) AS kept FROM pg_prepared_statements";
const OTHERS: &str = "SELECT count(*) AS kept FROM pg_prepared_statements WHERE statement NOT LIKE '%kept%'";

/// The number of statements that are prepared on a connection.
struct Kept(i64);

impl FromRow for Kept {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self(column(row, "kept")?))
    }
}

#[tokio::test]
async fn a_connection_keeps_so_many_statements_and_those_that_are_used() {
    let world = World::new().await;
    let url = without_tls(&world.database.session_url("microloans_app").await.unwrap());
    let kept = async |statements| {
        let source = SecretSource::fixed(url.clone().into());
        let db = Db::from_config(DatabaseConfig {
            source,
            authorities: Authorities::default(),
            host: None,
            pool_size: 1,
            statements,
        })
        .unwrap();
        let count = |text: &'static str| Sql::new(text).one::<Kept>();
        for number in 0..250 {
            let text: &'static str = Box::leak(format!("SELECT {number}").into_boxed_str());
            db.read(&Sql::new(text).execute()).await.unwrap();
            db.read(&count(KEPT)).await.unwrap();
        }
        db.read(&count(OTHERS)).await.unwrap();
        (db.read(&count(KEPT)).await.unwrap().0, db.read(&count(OTHERS)).await.unwrap().0)
    };
    // Used all the time, the counting statement stays.
    assert_eq!(kept(Statements::Prepared).await, (200, 198));
    assert_eq!(kept(Statements::Unnamed).await, (0, 0));
}
