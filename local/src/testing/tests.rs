//! What is left on a server that is not the tests' own.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::error::Error as StdError;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio_postgres::Client;

use super::leavings::PREFIX;
use super::{Schema, Server};
use crate::postgres::{Shutdown, sql};

/// An empty schema, or one that cannot be migrated.
struct Empty(Result<(), &'static str>);

impl Schema for Empty {
    fn name(&self) -> &'static str {
        "empty"
    }

    fn fingerprint(&self) -> String {
        format!("{:?}", self.0)
    }

    async fn migrate(&self, _: &str) -> Result<(), Box<dyn StdError + Send + Sync>> {
        Ok(self.0?)
    }
}

async fn ours(client: &Client) -> Vec<String> {
    let names = "SELECT datname::text AS name FROM pg_database UNION ALL SELECT rolname FROM pg_roles ORDER BY name";
    let rows = client.query(names, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).filter(|name: &String| name.starts_with("microloans_")).collect()
}

#[tokio::test]
async fn a_borrowed_server_is_left_as_it_was() {
    let lender = Server::exclusive().await.unwrap();
    let client = sql::connect(&lender.maintenance).await.unwrap();
    // Left by a run that was killed long ago, and by one that may still be going on.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let (old, young) = (format!("{PREFIX}1700000000_killed_1"), format!("{PREFIX}{now}_running_1"));
    for name in [&old, &young] {
        sql::execute(&client, "CREATE DATABASE %I", &[name]).await.unwrap();
    }
    let before = ours(&client).await;
    assert!(before.contains(&old) && before.contains(&young), "{before:?}");

    let server = Server::borrow(lender.maintenance.clone()).await.unwrap();
    let (one, two) = (server.fresh(&Empty(Ok(()))).await.unwrap(), server.fresh(&Empty(Ok(()))).await.unwrap());
    one.application_url("pg_read_all_data").await.unwrap();
    assert!(server.stop(Shutdown::Fast).is_err(), "it is not ours to stop");
    assert_eq!(ours(&client).await.len(), before.len() - 1 + 4, "two databases, their template, a role");
    drop(one);
    assert_eq!(ours(&client).await.len(), before.len() - 1 + 3);
    drop(two);

    let expected: Vec<String> = before.into_iter().filter(|name| *name != old).collect();
    assert_eq!(ours(&client).await, expected);
    // Nor does a schema that fails leave anything.
    let error = server.fresh(&Empty(Err("no such table"))).await.unwrap_err();
    assert!(error.to_string().contains("no such table"), "{error}");
    assert_eq!(ours(&client).await, expected);
    // A template that was removed is made again.
    let again = server.fresh(&Empty(Ok(()))).await.unwrap();
    drop(again);
    assert_eq!(ours(&client).await, expected);
}
