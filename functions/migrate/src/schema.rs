//! The schema: the migrations, embedded in the program, applied by refinery in order and once.

use std::fmt::Write as _;

use refinery::{Error, Migration, Runner, embed_migrations};
use tokio_postgres::{Client, error::SqlState};

use crate::error::MigrateError;

mod embedded {
    use super::embed_migrations;

    embed_migrations!("../../migrations");
}

/// The table whose lock keeps others from changing the schema. Nobody but the owner has a right on it: a lock that any
/// login can take, as an advisory one, would let the functions' login stop migrations.
const LOCK_TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_lock ()";

/// Held until the transaction ends. Whoever reads or writes the books does not wait for it, and no snapshot is held.
const LOCK: &str = "\
SET idle_in_transaction_session_timeout = 0;
BEGIN;
LOCK TABLE schema_lock IN EXCLUSIVE MODE";

/// Looks for the record of applied migrations: it does not exist before the first run.
const HAS_RECORD: &str = "SELECT to_regclass('refinery_schema_history') IS NOT NULL";

/// The applied migrations, by number.
const APPLIED: &str = "SELECT version::bigint FROM refinery_schema_history";

/// Files of older releases, by name and checksum, which some database never had, and which a later file made up for. A
/// released file cannot change its number. The list is empty so far.
const MADE_UP_FOR: &[(&str, u64)] = &[];

fn runner() -> Runner {
    // A schema that is further than this program is no error: when a deployment fails after its migrations,
    // CloudFormation puts the old program back and invokes it. Old code works on the new schema, since migrations
    // expand first.
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

/// Waits until no other session changes the schema, and keeps others from it until the holder's session ends: the
/// migrations have transactions of their own, so another session than the holder's applies them. refinery itself takes
/// no lock.
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

/// Applies the missing migrations. Returns their names.
pub(crate) async fn apply(client: &mut Client) -> Result<Vec<String>, MigrateError> {
    let runner = runner();
    let late = late(runner.get_migrations(), &applied(client).await?, MADE_UP_FOR);
    if !late.is_empty() {
        return Err(MigrateError::Late(late.join(", ")));
    }
    let failed = |error: Error| MigrateError::Migration(Box::new(error));
    let report = runner.run_async(client).await.map_err(failed)?;
    Ok(report.applied_migrations().iter().map(ToString::to_string).collect())
}

/// The numbers of the migrations that this database has had.
async fn applied(client: &Client) -> Result<Vec<i64>, MigrateError> {
    if !client.query_one(HAS_RECORD, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(Vec::new());
    }
    let rows = client.query(APPLIED, &[]).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

/// The names of the migrations that were never applied and are numbered below the newest that was. Refinery passes over
/// them and logs it: the code would run on a schema that it was not written for.
fn late(migrations: &[Migration], applied: &[i64], made_up_for: &[(&str, u64)]) -> Vec<String> {
    let newest = applied.iter().max();
    let is_late = |migration: &&Migration| {
        let number = i64::from(migration.version());
        newest.is_some_and(|newest| number < *newest) && !applied.contains(&number)
    };
    let named = migrations.iter().filter(is_late).map(|migration| (migration.to_string(), migration.checksum()));
    named.filter(|(name, checksum)| !made_up_for.contains(&(name, *checksum))).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_migration_below_the_newest_applied_is_late_unless_it_was_made_up_for() {
        let migration = |name| Migration::unapplied(name, "SELECT 1").unwrap();
        let migrations = [migration("V1__one"), migration("V2__two"), migration("V4__four"), migration("V9__nine")];
        assert_eq!(late(&migrations, &[], &[]), Vec::<String>::new());
        // There is no third file: a gap in the numbers is not a gap in the schema.
        assert_eq!(late(&migrations, &[1, 2, 4], &[]), Vec::<String>::new());
        assert_eq!(late(&migrations, &[1, 4], &[]), ["V2__two"]);
        // The schema is further than this program.
        assert_eq!(late(&migrations, &[1, 2, 4, 9, 10], &[]), Vec::<String>::new());
        assert_eq!(late(&migrations, &[1, 9], &[]), ["V2__two", "V4__four"]);
        let second = migrations[1].checksum();
        assert_eq!(late(&migrations, &[1, 9], &[("V2__two", second)]), ["V4__four"]);
        // Another file of that name.
        assert_eq!(late(&migrations, &[1, 4], &[("V2__two", second ^ 1)]), ["V2__two"]);
    }
}
