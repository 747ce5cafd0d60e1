//! The schema: the migrations, embedded in the program, applied by refinery in order and once.

use std::fmt::Write as _;

use refinery::{Error, Runner, embed_migrations};
use tokio_postgres::{Client, error::SqlState};

use crate::MigrateError;

mod embedded {
    use super::embed_migrations;

    embed_migrations!("../../migrations");
}

/// The table whose lock keeps others from changing the schema. Nobody but the owner has a right on it: a lock that any login
/// can take, as an advisory one, would let the functions' login stop migrations.
const LOCK_TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_lock ()";

/// Held until the transaction ends. Whoever reads or writes the books does not wait for it, and no snapshot is held.
const LOCK: &str = "\
SET idle_in_transaction_session_timeout = 0;
BEGIN;
LOCK TABLE schema_lock IN EXCLUSIVE MODE";

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

/// Waits until no other session changes the schema, and keeps others from it until the holder's session ends: the migrations
/// have transactions of their own, so another session than the holder's applies them. refinery itself takes no lock.
pub(crate) async fn lock(holder: &Client) -> Result<(), MigrateError> {
    match holder.batch_execute(LOCK_TABLE).await {
        Ok(()) => {}
        // Another session has made it at this moment.
        Err(error) if matches!(error.code(), Some(&SqlState::UNIQUE_VIOLATION | &SqlState::DUPLICATE_TABLE)) => {}
        Err(error) => return Err(error.into()),
    }
    holder.batch_execute(LOCK).await?;
    Ok(())
}

/// Applies what has not been applied. Returns the names of the migrations.
pub(crate) async fn apply(client: &mut Client) -> Result<Vec<String>, MigrateError> {
    let failed = |error: Error| MigrateError::Migration(Box::new(error));
    let report = runner().run_async(client).await.map_err(failed)?;
    Ok(report.applied_migrations().iter().map(ToString::to_string).collect())
}
