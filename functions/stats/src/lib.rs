//! The scheduled function: keeps the figures of each business date, and clears away what has expired.
//!
//! The scheduler delivers at least once and in any order; taking a snapshot twice changes nothing but its freshness.

use backend::{
    db::{Db, DbError, Sql},
    models::stats::{self, Statistics},
};
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// What the scheduler sends; `{}` will do.
#[derive(Debug, Default, Deserialize)]
pub struct Event {
    /// When the schedule said, which may be a while ago.
    pub scheduled_time: Option<String>,
    /// Names this delivery.
    pub execution_id: Option<String>,
}

/// What was done.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The snapshot that was kept.
    pub statistics: Statistics,
}

/// Sessions whose tokens have expired. As the others here: at most 10,000 at a time, so that no transaction is long; the
/// answer has a row if there may be more.
pub const CLEAR_SESSIONS: &str = "\
WITH cleared AS (
    DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < now() LIMIT 10000) RETURNING 1)
SELECT FROM cleared HAVING count(*) = 10000";

/// Answers kept for Idempotency-Keys longer than promised, but for those that a request is using.
pub const CLEAR_IDEMPOTENCY_KEYS: &str = "\
WITH cleared AS (
    DELETE FROM idempotency_keys WHERE (caller_id, operation, key) IN (
        SELECT caller_id, operation, key FROM idempotency_keys WHERE created_at < now() - interval '7 days'
        LIMIT 10000 FOR UPDATE SKIP LOCKED) RETURNING 1)
SELECT FROM cleared HAVING count(*) = 10000";

/// Buckets that are full again, which is what no bucket means too.
pub const CLEAR_RATE_LIMITS: &str = "\
WITH cleared AS (
    DELETE FROM rate_limits WHERE key IN (
        SELECT key FROM rate_limits WHERE full_at < now() LIMIT 10000 FOR UPDATE SKIP LOCKED) RETURNING 1)
SELECT FROM cleared HAVING count(*) = 10000";

/// Takes a snapshot; then clears away what has expired.
///
/// # Errors
///
/// Without a database. What was done before stays done, and the scheduler tries again.
pub async fn run(db: &Db, zone: &TimeZone) -> Result<Report, DbError> {
    let now = Timestamp::now();
    let today = zone.to_datetime(now).date();
    let (tx, (totals, past_due)) = db.begin(&stats::totals(today)).await?;
    let statistics = Statistics::new(today, &totals, &past_due);
    tx.commit(vec![stats::keep_snapshot(&statistics, now)]).await?;
    for clear in [CLEAR_SESSIONS, CLEAR_IDEMPOTENCY_KEYS, CLEAR_RATE_LIMITS] {
        // Each batch is a transaction of its own: what is cleared stays so, whatever becomes of the rest.
        while {
            let (tx, more) = db.begin(&Sql::new(clear).exists()).await?;
            tx.commit(Vec::new()).await?;
            more
        } {}
    }
    Ok(Report { statistics })
}
