//! The scheduled function: keeps the figures of each business date, and clears away what has expired.
//!
//! The scheduler delivers at least once and in any order; taking a snapshot twice changes nothing but its freshness.

use backend::{
    db::{Db, DbError, Sql, Statement},
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

/// Sessions whose tokens have expired.
pub const CLEAR_SESSIONS: &str = "DELETE FROM sessions WHERE expires_at < now()";

/// Answers kept for Idempotency-Keys longer than promised.
pub const CLEAR_IDEMPOTENCY_KEYS: &str = "DELETE FROM idempotency_keys WHERE created_at < now() - interval '7 days'";

/// Buckets that are full again, which is what no bucket means too.
pub const CLEAR_RATE_LIMITS: &str = "DELETE FROM rate_limits WHERE full_at < now()";

/// Takes a snapshot, and clears away what has expired.
///
/// # Errors
///
/// Without a database; nothing is written then, and the scheduler tries again.
pub async fn run(db: &Db, zone: &TimeZone) -> Result<Report, DbError> {
    let now = Timestamp::now();
    let today = zone.to_datetime(now).date();
    let (tx, (totals, late)) = db.begin(&stats::totals(today)).await?;
    let statistics = Statistics::new(today, &totals, &late)?;
    let clear = |sql| -> Statement<()> { Sql::new(sql).execute() };
    tx.commit(vec![
        stats::keep_snapshot(&statistics, now),
        clear(CLEAR_SESSIONS),
        clear(CLEAR_IDEMPOTENCY_KEYS),
        clear(CLEAR_RATE_LIMITS),
    ])
    .await?;
    Ok(Report { statistics })
}
