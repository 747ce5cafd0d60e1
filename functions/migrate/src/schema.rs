//! The schema: the migrations, embedded in the program, applied by refinery in order and once.

use std::fmt::Write as _;

use refinery::{Error, Runner, embed_migrations};
use tokio_postgres::Client;

use crate::MigrateError;

mod embedded {
    use super::embed_migrations;

    embed_migrations!("../../migrations");
}

/// Names the lock under which the schema changes: "microloans" in ASCII, cut to eight bytes.
const LOCK: i64 = i64::from_be_bytes(*b"microloa");

fn runner() -> Runner {
    // A schema that is further than this program is no error: when a deployment fails after its migrations, CloudFormation
    // puts the old program back and invokes it. Old code works on the new schema, since migrations expand first.
    embedded::migrations::runner().set_abort_missing(false)
}

/// Changes whenever a migration is added or changed.
#[must_use]
pub fn fingerprint() -> String {
    let mut text = String::new();
    for migration in runner().get_migrations() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{migration} {:016x}", migration.checksum());
    }
    text
}

/// Waits until no other session changes the schema, and keeps others from it until this session ends. refinery itself
/// takes no lock.
pub(crate) async fn lock(client: &Client) -> Result<(), MigrateError> {
    client.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})")).await?;
    Ok(())
}

/// Applies what has not been applied. Returns the names of the migrations.
pub(crate) async fn apply(client: &mut Client) -> Result<Vec<String>, MigrateError> {
    let failed = |error: Error| MigrateError::Migration(Box::new(error));
    let report = runner().run_async(client).await.map_err(failed)?;
    Ok(report.applied_migrations().iter().map(ToString::to_string).collect())
}
