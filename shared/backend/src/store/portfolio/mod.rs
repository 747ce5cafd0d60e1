//! The stored sums behind the figures of the portfolio.

mod arrears;
mod changes;

pub(crate) use self::changes::AT_ONCE;
pub use self::{
    arrears::{ARREARS, ARREARS_OF_GROUP, ArrearsRow, agents_arrears, arrears},
    changes::{ADD_UP, ADD_UP_EVERY, CHANGE_AGENTS, CHANGE_BOOK, CHANGE_EXPOSURES, add_up, step},
};

use jiff::civil::Date;
use lending::{Currency, Money};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    columns,
    db::{Columns as _, DbError, FromRow, List, OfLoan, Reading, Sql, Statement, column},
    domain::portfolio::{AgentKey, AgentSums, ApplicationStep, BookKey, BookSums, ExposureKey, ExposureSums},
    sql,
};

/// The states that the applications of loans went through.
pub const STEPS_OF_LOANS: &str = sql!(
    "SELECT loan_id, {} FROM loan_versions WHERE loan_id = ANY ($1) ORDER BY loan_id, version",
    List::Names(ApplicationStep::COLUMNS),
);

/// The stored book, in sums and changes.
pub const KEPT_BOOK: &str = "\
SELECT currency, on_date, status, sum(loans)::int8 AS loans, sum(amount) AS amount, sum(disbursed) AS disbursed,
    sum(repaid) AS repaid, sum(outstanding) AS outstanding, sum(past_due) AS past_due
FROM (SELECT * FROM book_days UNION ALL SELECT * FROM book_changes) kept GROUP BY currency, on_date, status";

/// The stored exposures.
pub const KEPT_EXPOSURES: &str = "\
SELECT grouped_by, group_name, currency, oldest_unpaid_due_on, sum(loans)::int8 AS loans,
    sum(outstanding) AS outstanding
FROM (SELECT * FROM exposures UNION ALL SELECT * FROM exposure_changes) kept
GROUP BY grouped_by, group_name, currency, oldest_unpaid_due_on";

/// The results of an agent's loans in a range of days, by currency.
pub const PERFORMANCE: &str = "\
SELECT currency, sum(requests)::int8 AS requests, sum(approved)::int8 AS approved, sum(rejected)::int8 AS rejected,
    sum(disbursed) AS disbursed, sum(collected) AS collected
FROM (SELECT * FROM agent_days UNION ALL SELECT * FROM agent_changes) kept
WHERE agent_id = $1 AND on_date >= $2 AND on_date <= $3 GROUP BY currency";

/// The stored results of agents' loans.
pub const KEPT_AGENTS: &str = "\
SELECT currency, agent_id, on_date, sum(requests)::int8 AS requests, sum(approved)::int8 AS approved,
    sum(rejected)::int8 AS rejected, sum(disbursed) AS disbursed, sum(collected) AS collected
FROM (SELECT * FROM agent_days UNION ALL SELECT * FROM agent_changes) kept
GROUP BY currency, agent_id, on_date";

/// The states that a loan's application went through.
pub const STEPS: &str =
    sql!("SELECT {} FROM loan_versions WHERE loan_id = $1 ORDER BY version", List::Names(ApplicationStep::COLUMNS),);

columns! {
    ApplicationStep {
        at: "at",
        status: "status",
        amount: "amount",
    }
    write { "currency": amount.currency(), }
}

/// The steps of a loan's application, in their order.
#[must_use]
pub fn steps(loan: Uuid) -> Statement<Vec<ApplicationStep>> {
    Sql::new(STEPS).bind(loan).all()
}

/// The steps of loans' applications, each loan's in their order.
#[must_use]
pub fn steps_of_loans(loans: Vec<Uuid>) -> Statement<Vec<OfLoan<ApplicationStep>>> {
    Sql::new(STEPS_OF_LOANS).bind(loans).all()
}

/// One row of [`KEPT_BOOK`].
pub struct BookRow(pub BookKey, pub BookSums);

/// One row of [`KEPT_EXPOSURES`].
pub struct ExposureRow(pub ExposureKey, pub ExposureSums);

/// One row of [`KEPT_AGENTS`].
pub struct AgentRow(pub AgentKey, pub AgentSums);

impl FromRow for BookRow {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let row = Reading::new(row);
        let money = |name| row.get(name).map(Money::units);
        let sums = BookSums {
            loans: row.get("loans")?,
            amount: money("amount")?,
            disbursed: money("disbursed")?,
            repaid: money("repaid")?,
            outstanding: money("outstanding")?,
            past_due: money("past_due")?,
        };
        Ok(Self((row.get("on_date")?, row.currency()?, row.get("status")?), sums))
    }
}

impl FromRow for ExposureRow {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let row = Reading::new(row);
        let (grouping, group) = (row.get("grouped_by")?, row.get("group_name")?);
        let due_on = row.get("oldest_unpaid_due_on")?;
        let sums = ExposureSums { loans: row.get("loans")?, outstanding: row.get("outstanding").map(Money::units)? };
        Ok(Self((grouping, group, row.currency()?, due_on), sums))
    }
}

impl FromRow for AgentRow {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let AgentPerformanceRow(currency, sums) = AgentPerformanceRow::from_row(row)?;
        Ok(Self((currency, column(row, "agent_id")?, column(row, "on_date")?), sums))
    }
}

/// Reads all stored sums: see [`kept`].
pub type SumsStatements = (Statement<Vec<BookRow>>, Statement<Vec<ExposureRow>>, Statement<Vec<AgentRow>>);

/// All stored sums: for the consistency check.
#[must_use]
pub fn kept() -> SumsStatements {
    (Sql::new(KEPT_BOOK).all(), Sql::new(KEPT_EXPOSURES).all(), Sql::new(KEPT_AGENTS).all())
}

/// One row of [`PERFORMANCE`], and the sums of one of [`KEPT_AGENTS`].
pub struct AgentPerformanceRow(pub Currency, pub AgentSums);

impl FromRow for AgentPerformanceRow {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let row = Reading::new(row);
        let sums = AgentSums {
            requests: row.get("requests")?,
            approved: row.get("approved")?,
            rejected: row.get("rejected")?,
            disbursed: row.get("disbursed").map(Money::units)?,
            collected: row.get("collected").map(Money::units)?,
        };
        Ok(Self(row.currency()?, sums))
    }
}

/// The results of an agent's loans from one day to another, by currency.
#[must_use]
pub fn performance(agent: Uuid, from: Date, to: Date) -> Statement<Vec<AgentPerformanceRow>> {
    Sql::new(PERFORMANCE).bind(agent).bind(from).bind(to).all()
}
