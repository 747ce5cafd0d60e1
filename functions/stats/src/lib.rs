//! The scheduled function: adds up changes of the figures of the portfolio, stores those of each business date, and
//! clears away expired rows.
//!
//! The scheduler delivers at least once, in any order, and may miss a day: a run looks at the work to do and at nothing
//! else, so that an extra run does no harm, and a run does the work of missed ones.

pub mod arrivals;
pub mod check;
pub mod rebuild;
mod recompute;
pub mod seal;

pub use arrivals::arrivals;
pub use check::check;
pub use rebuild::rebuild;
pub use recompute::{Difference, NO_TIME_LIMIT};
pub use seal::seal;

use backend::{
    db::{Db, DbError, Sql},
    store::stats::{self, Statistics},
};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// The scheduler's event; `{}` will do.
#[derive(Debug, Default, Deserialize)]
pub struct Event {
    /// The task.
    #[serde(default)]
    pub task: Task,
    /// When the schedule said, which may be a while ago.
    pub scheduled_time: Option<String>,
    /// Names this delivery.
    pub execution_id: Option<String>,
}

/// The tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Adds up changes: see [`run`].
    #[default]
    AddUp,
    /// To hold everything against the transactions: see [`check()`].
    Check,
    /// Rebuilds the figures: see [`rebuild()`].
    Rebuild,
    /// Seals stored secrets with the current key: see [`seal()`].
    Seal,
}

/// The work done.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The figures of today.
    pub statistics: Statistics,
    /// Of how many days the figures were kept.
    pub days: usize,
}

/// Lets one run at a time add up: two would wait for each other's rows in turn.
pub const LOCK: &str = "SELECT pg_advisory_xact_lock(7426184529)";

/// Moves changes into their sums: at most 20,000 of each kind at a time, so that no transaction is long; the answer has
/// a row if there may be more.
pub const ADD_UP: &str = "SELECT FROM add_up(20000) AS more WHERE more";

/// Takes out sums of nothing, lest there be one for every day that was ever due.
pub const TIDY_EXPOSURES: &str = "DELETE FROM exposures WHERE loans = 0 AND outstanding = 0";

/// Sessions whose tokens have expired. As the others here: at most 10,000 at a time, so that no transaction is long;
/// the answer has a row if there may be more.
pub const CLEAR_SESSIONS: &str = "\
WITH cleared AS (
    DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < now() LIMIT 10000) RETURNING 1)
SELECT FROM cleared HAVING count(*) = 10000";

/// Answers stored for Idempotency-Keys longer than promised, except those that a request is using.
pub const CLEAR_IDEMPOTENCY_KEYS: &str = "\
WITH cleared AS (
    DELETE FROM idempotency_keys WHERE (caller_id, operation, key) IN (
        SELECT caller_id, operation, key FROM idempotency_keys WHERE created_at < now() - interval '7 days'
        LIMIT 10000 FOR UPDATE SKIP LOCKED) RETURNING 1)
SELECT FROM cleared HAVING count(*) = 10000";

/// Buckets that are full again: a missing bucket means the same.
pub const CLEAR_RATE_LIMITS: &str = "\
WITH cleared AS (
    DELETE FROM rate_limits WHERE key IN (
        SELECT key FROM rate_limits WHERE full_at < now() LIMIT 10000 FOR UPDATE SKIP LOCKED) RETURNING 1)
SELECT FROM cleared HAVING count(*) = 10000";

/// Notices as they were sent, after 13 months: what they say is kept.
pub const DROP_NOTICES: &str = "\
WITH dropped AS (
    UPDATE payment_notices SET raw = NULL WHERE id IN (
        SELECT id FROM payment_notices WHERE raw IS NOT NULL AND received_at < now() - interval '13 months' LIMIT 10000)
    RETURNING 1)
SELECT FROM dropped HAVING count(*) = 10000";

/// Notices that could not become a payment, after 13 months.
pub const DROP_REFUSALS: &str = "\
WITH dropped AS (
    DELETE FROM payment_refusals WHERE id IN (
        SELECT id FROM payment_refusals WHERE received_at < now() - interval '13 months' LIMIT 10000)
    RETURNING 1)
SELECT FROM dropped HAVING count(*) = 10000";

/// The days whose figures are kept at a time.
const DAYS_AT_ONCE: usize = 100;

/// Builds the figures if they never were, adds up changes, stores the figures of each day that lacks them, clears away
/// expired rows.
///
/// # Errors
///
/// Without a database. What was done before stays done, and the scheduler tries again.
pub async fn run(db: &Db, zone: &TimeZone) -> Result<Report, DbError> {
    rebuild::build_once(db, zone).await?;
    repeat(db, ADD_UP).await?;
    let (tx, ()) = db.begin(&Sql::new(LOCK).execute()).await?;
    tx.commit(vec![Sql::new(TIDY_EXPOSURES).execute()]).await?;
    mark(db, zone).await?;
    let report = keep(db, zone).await?;
    for clear in [CLEAR_SESSIONS, CLEAR_IDEMPOTENCY_KEYS, CLEAR_RATE_LIMITS, DROP_NOTICES, DROP_REFUSALS] {
        repeat(db, clear).await?;
    }
    Ok(report)
}

/// Sums up the book before each mark that has been reached. The first time, there are as many as weeks in the book.
async fn mark(db: &Db, zone: &TimeZone) -> Result<(), DbError> {
    let today = zone.to_datetime(Timestamp::now()).date();
    let start = [LOCK, NO_TIME_LIMIT, stats::LOCK_DAYS].map(|sql| Sql::new(sql).execute());
    let [one_at_a_time, no_time_limit, lock_days] = start;
    let (tx, _) = db.begin(&(one_at_a_time, no_time_limit, lock_days)).await?;
    tx.commit(vec![stats::mark(today)]).await
}

/// Runs a statement until it has nothing left to do. Each time is a transaction of its own: finished work stays,
/// whatever happens to the rest.
async fn repeat(db: &Db, sql: &'static str) -> Result<(), DbError> {
    loop {
        let (tx, ((), more)) = db.begin(&(Sql::new(LOCK).execute(), Sql::new(sql).exists())).await?;
        tx.commit(Vec::new()).await?;
        if !more {
            return Ok(());
        }
    }
}

/// Stores the figures of today, and of each day since the last stored one: that day may not have been over, and those
/// between were missed. Without any stored day, from the first day in the book.
async fn keep(db: &Db, zone: &TimeZone) -> Result<Report, DbError> {
    let now = Timestamp::now();
    let today = zone.to_datetime(now).date();
    let mut day = db.read(&stats::first_to_keep(today)).await?.map_or(today, |first| first.0);
    let (mut days, mut kept) = (0, Vec::new());
    loop {
        let statistics = Statistics::new(day, &db.read(&stats::book(day)).await?);
        kept.push(stats::keep_snapshot(&statistics, now));
        days += 1;
        let is_last = day >= today;
        if is_last || kept.len() == DAYS_AT_ONCE {
            let (tx, ()) = db.begin(&()).await?;
            tx.commit(std::mem::take(&mut kept)).await?;
        }
        if is_last {
            return Ok(Report { statistics, days });
        }
        day = day.saturating_add(1.day());
    }
}
