//! Versions of loans.

use jiff::Timestamp;
use lending::Terms;
use uuid::Uuid;

use crate::{
    columns,
    db::{ALL, Columns as _, List, Sql, Statement},
    domain::loan_history::{HistoryEntry, LoanState},
    sql,
    values::page::{Limit, Position},
};

columns! {
    LoanState {
        status: "status",
        agent_id: "agent_id",
        product: "product_code",
        product_version: "product_version",
        currency: "currency",
        amount: "amount",
        terms: "terms",
        instalment: "instalment",
        total_interest: "total_interest",
        total_due: "total_due",
    }
    derive {
        term_months: Terms::term_months(&terms),
        interest_rate_apr: Terms::interest_rate_apr(&terms),
    }
}

columns! {
    HistoryEntry {
        version: "version",
        action: "action",
        at: "at",
        by: "by_id",
        reason: "reason",
        changed: "changed",
        ..state: LoanState,
    }
    read {
        n: "n",
        from: "from_agent",
        to: "to_agent",
    }
    then assigned
}

/// The entry; one of an assignment with the agent that the loan has from then on.
fn assigned(entry: HistoryEntry) -> HistoryEntry {
    let agent_id = entry.to.or(entry.state.agent_id);
    HistoryEntry { state: LoanState { agent_id, ..entry.state }, ..entry }
}

/// The versions of a loan, each followed by the assignments that it had.
pub const HISTORY: &str = sql!(
    "SELECT {}, n, from_agent, to_agent, newest_calendar(terms) AS calendar FROM (
    SELECT {}, 0 AS n, NULL::uuid AS from_agent, NULL::uuid AS to_agent FROM loan_versions WHERE loan_id = $1
    UNION ALL
    SELECT a.version, 'assign', a.at, a.by_id, NULL, ARRAY['agent_id'], {}, a.n, a.from_agent, a.to_agent
    FROM loan_assignments a JOIN loan_versions v ON v.loan_id = a.loan_id AND v.version = a.version
    WHERE a.loan_id = $1
) history WHERE true",
    List::Names(HistoryEntry::COLUMNS),
    List::Names(HistoryEntry::COLUMNS),
    List::Of("v", LoanState::COLUMNS),
);

/// One version of a loan.
pub const VERSION: &str = sql!(
    "SELECT {}, newest_calendar(terms) AS calendar FROM loan_versions WHERE loan_id = $1 AND version = $2",
    List::Names(LoanState::COLUMNS)
);

/// Records a version of a loan.
pub const RECORD_VERSION: &str = sql!(
    "INSERT INTO loan_versions (loan_id, {}) VALUES ($1, {})",
    List::Names(HistoryEntry::COLUMNS),
    List::Parameters(HistoryEntry::COLUMNS, 2),
);

/// A page of a loan's history, newest first: of the steps taken before one instant and known by another.
#[must_use]
pub fn history(
    id: Uuid,
    taken_before: Option<Timestamp>,
    known_at: Option<Timestamp>,
    before: Option<Position<(i32, i32)>>,
    limit: Limit,
) -> Statement<Vec<HistoryEntry>> {
    let sql = Sql::new(HISTORY).bind(id);
    let sql = sql.push_if(" AND at < {}", taken_before).push_if(" AND at <= {}", known_at);
    let sql = match before.map(|Position(place, _)| place) {
        None => sql,
        Some((version, n)) => sql.push_bind(" AND (version, n) < ({}, ", version).push_bind("{})", n),
    };
    sql.push(" ORDER BY version DESC, n DESC").push_bind(" LIMIT {}", limit.and_one()).all()
}

/// Every version of a loan, the oldest first.
#[must_use]
pub fn versions(id: Uuid) -> Statement<Vec<HistoryEntry>> {
    Sql::new(HISTORY).bind(id).push(" ORDER BY version, n").all()
}

/// One version of a loan.
#[must_use]
pub fn version(id: Uuid, version: i32) -> Statement<Option<LoanState>> {
    Sql::new(VERSION).bind(id).bind(version).optional()
}

/// Records a version of a loan.
#[must_use]
pub fn record_version(loan: Uuid, version: &HistoryEntry) -> Statement<()> {
    Sql::new(RECORD_VERSION).bind(loan).bind_all(version.parameters(ALL)).execute()
}
