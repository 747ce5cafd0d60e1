//! Money that arrives, as a watchman looks at it: how much waits too long for a decision, and which sources are silent
//! that usually are not. Two figures become metrics, on which alarms ring.

use backend::{
    db::{Db, DbError, FromRow, Sql, column},
    telemetry,
};
use serde::Serialize;
use tokio_postgres::Row;

/// How many payments have had money in suspense for longer than so many hours.
pub const WAITING: &str = "\
SELECT count(*) AS payments FROM payments
WHERE state IN ('unapplied', 'partly_applied') AND received_at < now() - $1::int4 * interval '1 hour'";

/// Sources with hooks where nothing has arrived for a day, and something did on that day of the week in three of the
/// four weeks before.
pub const SILENT: &str = "\
SELECT code FROM payment_sources s
WHERE active AND provider IN ('mpesa', 'json')
    AND NOT EXISTS (SELECT FROM payments p WHERE p.source = s.code AND p.received_at > now() - interval '1 day')
    AND 3 <= (
        SELECT count(*) FROM generate_series(1, 4) AS before (weeks), LATERAL (
            SELECT now() - weeks * interval '7 days' AS until) day
        WHERE EXISTS (
            SELECT FROM payments p WHERE p.source = s.code
                AND p.received_at > until - interval '1 day' AND p.received_at <= until))
ORDER BY code";

/// The metrics: payments that wait too long, and silent sources.
pub const METRICS: [&str; 2] = ["payments_waiting", "sources_silent"];

/// The state of the money that arrives.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Arrivals {
    /// How many payments wait too long.
    pub waiting: u64,
    /// The codes of silent sources.
    pub silent: Vec<String>,
}

struct Waiting(i64);

impl FromRow for Waiting {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self(column(row, "payments")?))
    }
}

struct Code(String);

impl FromRow for Code {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self(column(row, "code")?))
    }
}

/// Looks at the money that arrives, and writes [`METRICS`]. A payment waits too long after so many hours.
///
/// # Errors
///
/// Without a database.
pub async fn arrivals(db: &Db, hours: u16) -> Result<Arrivals, DbError> {
    let waiting = Sql::new(WAITING).bind(i32::from(hours)).one();
    let (Waiting(waiting), silent): (Waiting, Vec<Code>) = db.read(&(waiting, Sql::new(SILENT).all())).await?;
    let silent: Vec<String> = silent.into_iter().map(|Code(code)| code).collect();
    let waiting = waiting.unsigned_abs();
    let [waits, silence] = METRICS;
    telemetry::figures(&[(waits, waiting), (silence, silent.len() as u64)]);
    Ok(Arrivals { waiting, silent })
}
