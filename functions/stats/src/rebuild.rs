//! Rebuilds the figures from the transactions: on a database that had loans before it had figures, and where the check
//! has found differences.

use crate::recompute::{NO_TIME_LIMIT, Recomputed, recompute};
use backend::{
    db::{Db, DbError, Sql, Statement},
    store::{ledger, loans::RULES},
    values::moment::Moment,
};
use jiff::{Timestamp, tz::TimeZone};

/// Sees one state of the database from the first row that is read; commits only if nobody else has moved figures since.
pub const ONE_STATE: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";

/// Waits for another run that moves changes into sums, and keeps others out. Commands and readers go on. It comes
/// before any read: a transaction sees the state of its first read.
pub const LOCK_SUMS: &str = "\
LOCK TABLE book_days, book_months, exposures, agent_days, account_days, account_months IN EXCLUSIVE MODE";

/// Takes out all figures that are seen. What is left by commands that have not committed by then stays: it is of
/// transactions that are not seen either.
pub const FORGET: &str = "\
WITH book AS (DELETE FROM book_changes), book_day AS (DELETE FROM book_days), book_month AS (DELETE FROM book_months),
exposure AS (DELETE FROM exposure_changes), agent AS (DELETE FROM agent_changes), agent_day AS (DELETE FROM agent_days),
account AS (DELETE FROM account_changes), account_day AS (DELETE FROM account_days),
account_month AS (DELETE FROM account_months)
DELETE FROM exposures";

/// Keeps that the figures were built.
pub const KEEP_BUILD: &str = "INSERT INTO figures_builds (built_at, loans, rules) VALUES ($1, $2, $3)";

/// Finds a build of the figures by these rules.
pub const BUILT: &str = "SELECT FROM figures_builds WHERE rules >= $1 LIMIT 1";

/// Rebuilds all figures, in one transaction, while commands write and readers read. Returns the number of loans. The
/// series of past days stays as stored.
///
/// # Errors
///
/// Without a database. Nothing is changed then.
pub async fn rebuild(db: &Db, zone: &TimeZone) -> Result<u64, DbError> {
    let now = Timestamp::now();
    let at = Moment { now, today: zone.to_datetime(now).date(), zone };
    let start = [ONE_STATE, NO_TIME_LIMIT, LOCK_SUMS].map(|sql| Sql::new(sql).execute());
    let [one_state, no_time_limit, lock] = start;
    let (tx, _) = db.begin(&(one_state, no_time_limit, lock)).await?;
    let Recomputed { loans, figures, accounts, .. } = recompute(&tx, at).await?;
    let mut writes: Vec<Statement<()>> = vec![Sql::new(FORGET).execute()];
    writes.extend(figures.changes());
    writes.extend(ledger::changes(&accounts));
    let count = i64::try_from(loans).map_err(|error| DbError::Unexpected(error.into()))?;
    writes.push(Sql::new(KEEP_BUILD).bind(now).bind(count).bind(RULES).execute());
    tx.commit(writes).await?;
    Ok(loans)
}

/// Makes the figures if they have never been made by these rules: the first run on a database that had loans before it
/// had figures, or of a release whose rules differ.
pub(crate) async fn build_once(db: &Db, zone: &TimeZone) -> Result<(), DbError> {
    if !db.read(&Sql::new(BUILT).bind(RULES).exists()).await? {
        rebuild(db, zone).await?;
    }
    Ok(())
}
