//! The databases that `local::testing` gives to tests.
#![allow(clippy::unwrap_used)]

use std::error::Error as StdError;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use local::postgres::Shutdown;
use local::testing::{Database, Schema, Server};
use tokio_postgres::{Client, NoTls};

/// A group role that every Postgres has: it may read all tables.
const READERS: &str = "pg_read_all_data";

/// A schema of one table with one row.
struct Toy {
    name: &'static str,
    fingerprint: String,
    /// The content of the row.
    row: &'static str,
    /// How often it was migrated.
    migrations: AtomicU32,
}

impl Toy {
    fn new(name: &'static str, toy: &'static str) -> Self {
        // New in every run, so that a template of an earlier run does not hide a mistake.
        let fingerprint = format!("{toy} {} {:?}", std::process::id(), Instant::now());
        Self { name, fingerprint, row: toy, migrations: AtomicU32::new(0) }
    }
}

impl Schema for Toy {
    fn name(&self) -> &str {
        self.name
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    async fn migrate(&self, owner_url: &str) -> Result<(), Box<dyn StdError + Send + Sync>> {
        self.migrations.fetch_add(1, Ordering::Relaxed);
        let client = connect(owner_url).await;
        client.batch_execute("CREATE TABLE toys (name text PRIMARY KEY)").await?;
        client.execute("INSERT INTO toys VALUES ($1)", &[&self.row]).await?;
        Ok(())
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn toys(client: &Client) -> Vec<String> {
    let rows = client.query("SELECT name FROM toys ORDER BY name", &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn databases(client: &Client, prefix: &str) -> Vec<String> {
    let names = "SELECT datname FROM pg_database WHERE starts_with(datname, $1) ORDER BY datname";
    client.query(names, &[&prefix]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn every_database_is_separate_and_the_schema_is_migrated_once() {
    let schema = Toy::new("separate", "ball");
    let (one, other) = tokio::join!(Database::fresh(&schema), Database::fresh(&schema));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_ne!(one.name(), other.name());
    let (one_client, other_client) = (connect(one.owner_url()).await, connect(other.owner_url()).await);
    one_client.batch_execute("INSERT INTO toys VALUES ('doll')").await.unwrap();
    assert_eq!(toys(&one_client).await, ["ball", "doll"]);
    assert_eq!(toys(&other_client).await, ["ball"]);
    assert_eq!(schema.migrations.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn another_fingerprint_is_another_schema() {
    let (before, after) = (Toy::new("changed", "ball"), Toy::new("changed", "kite"));
    let before = Database::fresh(&before).await.unwrap();
    let after = Database::fresh(&after).await.unwrap();
    assert_eq!(toys(&connect(before.owner_url()).await).await, ["ball"]);
    assert_eq!(toys(&connect(after.owner_url()).await).await, ["kite"]);
}

#[tokio::test]
async fn a_dropped_database_is_gone_with_its_connections() {
    let schema = Toy::new("dropped", "ball");
    let exists = "SELECT FROM pg_database WHERE datname = $1";
    let (kept, dropped) = (Database::fresh(&schema).await.unwrap(), Database::fresh(&schema).await.unwrap());
    let client = connect(dropped.owner_url()).await;
    let name = dropped.name().to_owned();
    let watcher = connect(kept.owner_url()).await;
    assert_eq!(watcher.query(exists, &[&name]).await.unwrap().len(), 1);
    drop(dropped);
    assert_eq!(watcher.query(exists, &[&name]).await.unwrap().len(), 0);
    client.simple_query("SELECT 1").await.unwrap_err();
}

#[tokio::test]
async fn a_failed_migration_is_reported_with_its_cause_and_tried_again() {
    struct Broken;
    impl Schema for Broken {
        fn name(&self) -> &'static str {
            "broken"
        }

        fn fingerprint(&self) -> String {
            "always the same".to_owned()
        }

        async fn migrate(&self, owner_url: &str) -> Result<(), Box<dyn StdError + Send + Sync>> {
            Ok(connect(owner_url).await.batch_execute("CREATE TABLE half (); SELECT no_such_column").await?)
        }
    }
    for _ in 0..2 {
        let error = Database::fresh(&Broken).await.unwrap_err().to_string();
        assert!(error.contains("migrate") && error.contains("no_such_column"), "{error}");
    }
}

#[tokio::test]
async fn the_application_has_the_rights_of_its_group_alone() {
    let schema = Toy::new("application", "ball");
    let (one, other) = (Database::fresh(&schema).await.unwrap(), Database::fresh(&schema).await.unwrap());
    for database in [&one, &other] {
        let client = connect(&database.application_url(READERS).await.unwrap()).await;
        assert_eq!(toys(&client).await, ["ball"]);
        for forbidden in ["INSERT INTO toys VALUES ('doll')", "CREATE TABLE mine ()", "CREATE ROLE mine"] {
            let error = client.batch_execute(forbidden).await.unwrap_err();
            let state = error.code().unwrap().code();
            assert_eq!(state, "42501", "{forbidden}: insufficient_privilege");
        }
    }
}

#[tokio::test]
async fn connections_to_one_database_can_be_broken() {
    let schema = Toy::new("connections", "ball");
    let (broken, spared) = (Database::fresh(&schema).await.unwrap(), Database::fresh(&schema).await.unwrap());
    let (one, two) = (connect(broken.owner_url()).await, connect(broken.owner_url()).await);
    let other = connect(spared.owner_url()).await;
    assert_eq!(broken.break_connections().await.unwrap(), 2);
    one.simple_query("SELECT 1").await.unwrap_err();
    two.simple_query("SELECT 1").await.unwrap_err();
    assert_eq!(toys(&other).await, ["ball"]);
    assert_eq!(toys(&connect(broken.owner_url()).await).await, ["ball"]);
}

#[tokio::test]
async fn an_exclusive_server_stops_and_starts_with_its_data() {
    let server = Server::exclusive().await.unwrap();
    let database = server.fresh(&Toy::new("restarted", "ball")).await.unwrap();
    for how in [Shutdown::Fast, Shutdown::Immediate] {
        let client = connect(database.owner_url()).await;
        server.stop(how).unwrap();
        client.simple_query("SELECT 1").await.unwrap_err();
        assert!(tokio_postgres::connect(database.owner_url(), NoTls).await.is_err());
        server.start_again().unwrap();
        assert_eq!(toys(&connect(database.owner_url()).await).await, ["ball"]);
    }
}

#[tokio::test]
async fn only_the_newest_template_of_a_schema_is_kept() {
    let server = Server::exclusive().await.unwrap();
    let first = server.fresh(&Toy::new("kept", "ball")).await.unwrap();
    let watcher = connect(first.owner_url()).await;
    let before = databases(&watcher, "microloans_template_kept_").await;
    let _other_schema = server.fresh(&Toy::new("keptnot", "ball")).await.unwrap();
    let _second = server.fresh(&Toy::new("kept", "kite")).await.unwrap();
    let after = databases(&watcher, "microloans_template_kept_").await;
    assert_eq!((before.len(), after.len()), (1, 1));
    assert_ne!(before, after);
    assert_eq!(databases(&watcher, "microloans_template_keptnot_").await.len(), 1);
}
