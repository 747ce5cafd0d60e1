//! The scheduled function: adds up changes of the figures of the portfolio, stores those of each business date, and
//! clears away expired rows.
//!
//! The scheduler delivers at least once, in any order, and may miss a day: a run looks at the work to do and at nothing
//! else, so that an extra run does no harm, and a run does the work of missed ones.

pub mod check;
pub mod rebuild;
mod recompute;

pub use check::check;
pub use rebuild::rebuild;
pub use recompute::Difference;

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
}

/// The work done.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The figures of today.
    pub statistics: Statistics,
    /// Of how many days the figures were kept.
    pub days: usize,
}

/// For work that grows with the book, instead of the limit of the functions' login.
pub const NO_TIME_LIMIT: &str = "SET LOCAL statement_timeout = 0";

/// Lets one run at a time add up: two would wait for each other's rows in turn.
pub const LOCK: &str = "SELECT pg_advisory_xact_lock(7426184529)";

/// Moves changes of the book into its sums by day and by month. As the others here: at most 20,000 at a time, so that
/// no transaction is long; the answer has a row if there may be more.
pub const MOVE_BOOK: &str = "\
WITH moved AS (
    DELETE FROM book_changes WHERE ctid = ANY (ARRAY(SELECT ctid FROM book_changes LIMIT 20000)) RETURNING *),
changed AS (
    SELECT on_date, currency, status, sum(loans)::int8 AS loans, sum(amount) AS amount, sum(disbursed) AS disbursed,
        sum(repaid) AS repaid, sum(outstanding) AS outstanding, sum(past_due) AS past_due
    FROM moved GROUP BY on_date, currency, status),
summed AS (
    INSERT INTO book_days AS s (on_date, currency, status, loans, amount, disbursed, repaid, outstanding, past_due)
    SELECT * FROM changed
    ON CONFLICT (on_date, currency, status) DO UPDATE SET
        loans = s.loans + excluded.loans, amount = s.amount + excluded.amount,
        disbursed = s.disbursed + excluded.disbursed, repaid = s.repaid + excluded.repaid,
        outstanding = s.outstanding + excluded.outstanding, past_due = s.past_due + excluded.past_due),
months AS (
    INSERT INTO book_months AS s (on_date, currency, status, loans, amount, disbursed, repaid, outstanding, past_due)
    SELECT date_trunc('month', on_date)::date, currency, status, sum(loans)::int8 AS loans, sum(amount) AS amount,
        sum(disbursed) AS disbursed, sum(repaid) AS repaid, sum(outstanding) AS outstanding, sum(past_due) AS past_due
    FROM changed GROUP BY 1, 2, 3
    ON CONFLICT (on_date, currency, status) DO UPDATE SET
        loans = s.loans + excluded.loans, amount = s.amount + excluded.amount,
        disbursed = s.disbursed + excluded.disbursed, repaid = s.repaid + excluded.repaid,
        outstanding = s.outstanding + excluded.outstanding, past_due = s.past_due + excluded.past_due)
SELECT FROM moved HAVING count(*) = 20000";

/// Moves changes of exposures into their sums.
pub const MOVE_EXPOSURES: &str = "\
WITH moved AS (
    DELETE FROM exposure_changes WHERE ctid = ANY (ARRAY(SELECT ctid FROM exposure_changes LIMIT 20000)) RETURNING *),
changed AS (
    SELECT grouped_by, group_name, currency, oldest_unpaid_due_on, sum(loans)::int8 AS loans, sum(outstanding) AS outstanding
    FROM moved GROUP BY grouped_by, group_name, currency, oldest_unpaid_due_on),
summed AS (
    INSERT INTO exposures AS s (grouped_by, group_name, currency, oldest_unpaid_due_on, loans, outstanding)
    SELECT * FROM changed
    ON CONFLICT (grouped_by, oldest_unpaid_due_on, currency, group_name) DO UPDATE SET
        loans = s.loans + excluded.loans, outstanding = s.outstanding + excluded.outstanding)
SELECT FROM moved HAVING count(*) = 20000";

/// Moves changes of agents into their sums by day.
pub const MOVE_AGENTS: &str = "\
WITH moved AS (
    DELETE FROM agent_changes WHERE ctid = ANY (ARRAY(SELECT ctid FROM agent_changes LIMIT 20000)) RETURNING *),
changed AS (
    SELECT agent_id, on_date, currency, sum(requests)::int8 AS requests, sum(approved)::int8 AS approved,
        sum(rejected)::int8 AS rejected, sum(disbursed) AS disbursed, sum(collected) AS collected
    FROM moved GROUP BY agent_id, on_date, currency),
summed AS (
    INSERT INTO agent_days AS s (agent_id, on_date, currency, requests, approved, rejected, disbursed, collected) SELECT * FROM changed
    ON CONFLICT (agent_id, on_date, currency) DO UPDATE SET
        requests = s.requests + excluded.requests, approved = s.approved + excluded.approved, rejected = s.rejected +
        excluded.rejected, disbursed = s.disbursed + excluded.disbursed, collected = s.collected +
        excluded.collected)
SELECT FROM moved HAVING count(*) = 20000";

/// Moves posted amounts into the sums of the accounts by day and by month.
pub const MOVE_ACCOUNTS: &str = "\
WITH moved AS (
    DELETE FROM account_changes WHERE ctid = ANY (ARRAY(SELECT ctid FROM account_changes LIMIT 20000)) RETURNING *),
changed AS (
    SELECT on_date, currency, account, sum(debit) AS debit, sum(credit) AS credit
    FROM moved GROUP BY on_date, currency, account),
summed AS (
    INSERT INTO account_days AS s (on_date, currency, account, debit, credit) SELECT * FROM changed
    ON CONFLICT (on_date, currency, account) DO UPDATE SET
        debit = s.debit + excluded.debit, credit = s.credit + excluded.credit),
months AS (
    INSERT INTO account_months AS s (on_date, currency, account, debit, credit)
    SELECT date_trunc('month', on_date)::date, currency, account, sum(debit) AS debit, sum(credit) AS credit
    FROM changed GROUP BY 1, 2, 3
    ON CONFLICT (on_date, currency, account) DO UPDATE SET
        debit = s.debit + excluded.debit, credit = s.credit + excluded.credit)
SELECT FROM moved HAVING count(*) = 20000";

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
    for move_changes in [MOVE_BOOK, MOVE_EXPOSURES, MOVE_AGENTS, MOVE_ACCOUNTS] {
        repeat(db, move_changes).await?;
    }
    let (tx, ()) = db.begin(&Sql::new(LOCK).execute()).await?;
    tx.commit(vec![Sql::new(TIDY_EXPOSURES).execute()]).await?;
    let report = keep(db, zone).await?;
    for clear in [CLEAR_SESSIONS, CLEAR_IDEMPOTENCY_KEYS, CLEAR_RATE_LIMITS] {
        repeat(db, clear).await?;
    }
    Ok(report)
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
