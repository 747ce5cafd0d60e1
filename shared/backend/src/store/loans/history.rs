//! Versions of loans.

use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    db::{DbError, FromRow, Sql, Statement, column},
    domain::{
        loan::ScheduleFigures,
        loan_history::{Action, HistoryEntry, LoanState},
    },
    store::{
        columns,
        loans::rows::{figures, status},
    },
    values::{
        page::{Limit, Position},
        time::Instant,
        version::Version,
    },
};

impl FromRow for LoanState {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let currency = columns::currency(row, "currency")?;
        let ScheduleFigures { instalment, total_interest, total_due } = figures(row, currency)?;
        let terms = columns::terms(row, "terms")?;
        Ok(Self {
            status: status(row)?,
            agent_id: column(row, "agent_id")?,
            product: column(row, "product_code")?,
            product_version: Version(column(row, "product_version")?),
            amount: columns::money(row, "amount", currency)?,
            currency,
            term_months: terms.term_months(),
            interest_rate_apr: terms.interest_rate_apr(),
            terms,
            instalment,
            total_interest,
            total_due,
        })
    }
}

impl FromRow for HistoryEntry {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let action: &str = column(row, "action")?;
        let action = Action::ALL.into_iter().find(|known| known.as_str() == action);
        Ok(Self {
            version: Version(column(row, "version")?),
            action: action.ok_or_else(|| DbError::unexpected("unknown loan_versions.action"))?,
            at: Instant(column(row, "at")?),
            by: column(row, "by_id")?,
            reason: column(row, "reason")?,
            changed: column(row, "changed")?,
            state: LoanState::from_row(row)?,
        })
    }
}

/// The versions of a loan.
pub const HISTORY: &str = "\
SELECT v.*, newest_calendar(v.terms) AS calendar FROM loan_versions v WHERE v.loan_id = $1";

/// One version of a loan.
pub const VERSION: &str = "\
SELECT v.*, newest_calendar(v.terms) AS calendar FROM loan_versions v WHERE v.loan_id = $1 AND v.version = $2";

/// Records the version that the loan now has.
pub const RECORD_VERSION: &str = "\
INSERT INTO loan_versions (loan_id, version, action, at, by_id, reason, changed, status, agent_id, product_code,
    product_version, currency, amount, terms, instalment, total_interest, total_due)
SELECT id, version, $2, updated_at, $3, $4, $5, status, agent_id, product_code, product_version, currency, amount, terms,
    instalment, total_interest, total_due
FROM loans WHERE id = $1";

/// A page of a loan's history, newest first: the steps taken before one instant and known by another.
#[must_use]
pub fn history(
    id: Uuid,
    taken_before: Option<Timestamp>,
    known_at: Option<Timestamp>,
    before: Option<Position<i32>>,
    limit: Limit,
) -> Statement<Vec<HistoryEntry>> {
    let sql = Sql::new(HISTORY).bind(id);
    let sql = sql.push_if(" AND at < {}", taken_before).push_if(" AND at <= {}", known_at);
    let sql = sql.push_if(" AND version < {}", before.map(|Position(version, _)| version));
    sql.push(" ORDER BY version DESC").push_bind(" LIMIT {}", limit.and_one()).all()
}

/// Every version of a loan, the oldest first.
#[must_use]
pub fn versions(id: Uuid) -> Statement<Vec<HistoryEntry>> {
    Sql::new(HISTORY).bind(id).push(" ORDER BY version").all()
}

/// The loan in one version.
#[must_use]
pub fn version(id: Uuid, version: i32) -> Statement<Option<LoanState>> {
    Sql::new(VERSION).bind(id).bind(version).optional()
}

pub(super) fn record_version(
    loan: Uuid,
    action: Action,
    by: Uuid,
    reason: Option<String>,
    changed: Vec<&'static str>,
) -> Statement<()> {
    Sql::new(RECORD_VERSION).bind(loan).bind(action.as_str()).bind(by).bind(reason).bind(changed).execute()
}
