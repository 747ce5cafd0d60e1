//! Loans: statements on their rows.

mod assign;
mod borrowers;
mod collections;
mod history;
mod list;
mod rows;
mod summary;

pub use self::{
    assign::{ASSIGN, Id, LOCK_BOOK, lock_book},
    borrowers::{BORROWER_BY_ID, BORROWER_BY_USERNAME, PENDING_BY_ID, PENDING_BY_USERNAME, borrower, pending},
    collections::{Bucket, Collecting, TO_COLLECT, to_collect},
    history::{HISTORY, RECORD_VERSION, VERSION, history, record_version, version, versions},
    list::{Filter, Sort, list},
    rows::{SELECT, SELECT_FOR_CHANGE},
    summary::{SUMMARY, SummaryRow, summary},
};

use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    db::{ALL, Columns as _, DbError, Field as _, FromRow, List, Reading, Sql, Statement},
    domain::{
        loan::{Loan, Scope},
        loan_history::{Action, HistoryEntry},
    },
    sql,
    store::{
        loans::rows::{MONEY, STEP},
        portfolio,
    },
    values::{moment::Moment, pay_ref::PayRef},
};

/// The version of the rules by which rows of loans and their part of the journal follow from terms and transactions. A
/// release increments it if the same transactions lead to another column or entry; existing loans are then restated.
pub const RULES: i32 = 1;

/// Makes a loan.
pub const INSERT: &str = sql!(
    "INSERT INTO loans (rules_version, stated_at, {}) VALUES ($1, $2, {})",
    List::Names(Loan::COLUMNS),
    List::Parameters(Loan::COLUMNS, 3),
);

/// A `pay_ref` that no loan has.
pub const NEW_PAY_REF: &str = "SELECT new_pay_ref() AS pay_ref";

/// A step of an application.
pub const UPDATE: &str = sql!(
    "UPDATE loans SET stated_at = CASE WHEN stated_at = updated_at AND rules_version = $3 THEN $2 ELSE stated_at END,
    updated_at = $2, {} WHERE id = $1",
    List::Set(Loan::COLUMNS, STEP, 4),
);

/// The effects of money on a loan.
pub const UPDATE_MONEY: &str = sql!(
    "UPDATE loans SET stated_at = CASE WHEN stated_at = updated_at AND rules_version = $3 THEN $2 ELSE stated_at END,
    updated_at = $2, {} WHERE id = $1",
    List::Set(Loan::COLUMNS, MONEY, 4),
);

/// Changes the names that other systems have for a loan: no step, and no change of what it is.
pub const UPDATE_NAMES: &str = "UPDATE loans SET external_id = $2, metadata = $3 WHERE id = $1";

/// Notes the rules that rows, and their part of the journal, follow.
pub const NOTE_RULES: &str = "UPDATE loans SET rules_version = $2, stated_at = updated_at WHERE id = ANY ($1)";

/// Waits for whoever is changing a loan.
pub const SHARE: &str = "SELECT FROM loans WHERE id = $1";

/// One loan, if the caller may see it.
#[must_use]
pub fn by_id(id: Uuid, scope: Scope) -> Statement<Option<Loan>> {
    of_scope(SELECT, id, scope).optional()
}

/// As [`by_id`], locked for a change until the transaction ends.
#[must_use]
pub fn lock(id: Uuid, scope: Scope) -> Statement<Option<Loan>> {
    of_scope(SELECT_FOR_CHANGE, id, scope).push(" FOR UPDATE").optional()
}

fn of_scope(select: &'static str, id: Uuid, scope: Scope) -> Sql {
    let sql = Sql::new(select).push_bind(" WHERE l.id = {}", id);
    sql.push_if(" AND l.borrower_id = {}", scope.borrower())
}

/// Up to `count` loans that follow older rules than these, without the ones given; locked for a change.
#[must_use]
pub fn of_older_rules(but_for: Vec<Uuid>, count: i64) -> Statement<Vec<Loan>> {
    let sql = Sql::new(SELECT).push_bind(" WHERE l.rules_version < {}", RULES);
    let sql = sql.push_bind(" AND l.id <> ALL ({}) ORDER BY l.rules_version, l.id", but_for);
    sql.push_bind(" LIMIT {} FOR UPDATE OF l", count).all()
}

/// Up to `count` loans that code of other rules wrote since they were stated, without the ones given; locked for a
/// change.
#[must_use]
pub fn written_since_stated(but_for: Vec<Uuid>, count: i64) -> Statement<Vec<Loan>> {
    let sql = Sql::new(SELECT).push(" WHERE l.stated_at IS DISTINCT FROM l.updated_at");
    let sql = sql.push_bind(" AND l.id <> ALL ({}) ORDER BY l.id", but_for);
    sql.push_bind(" LIMIT {} FOR UPDATE OF l", count).all()
}

/// Notes that loans' rows and their part of the journal follow these rules.
#[must_use]
pub fn note_rules(loans: Vec<Uuid>) -> Statement<()> {
    Sql::new(NOTE_RULES).bind(loans).bind(RULES).execute()
}

/// Up to `count` loans with ids after this one, in the order of their ids.
#[must_use]
pub fn after(id: Uuid, count: i64) -> Statement<Vec<Loan>> {
    let sql = Sql::new(SELECT).push_bind(" WHERE l.id > {} ORDER BY l.id", id);
    sql.push_bind(" LIMIT {}", count).all()
}

/// Waits until nobody is changing the loan: whatever is recorded later is recorded after this.
#[must_use]
pub fn share(id: Uuid, scope: Scope) -> Statement<()> {
    Sql::new(SHARE).bind(id).push_if(" AND borrower_id = {}", scope.borrower()).push(" FOR SHARE").execute()
}

/// Asks for the `pay_ref` of a new loan.
#[must_use]
pub fn new_pay_ref() -> Statement<NewPayRef> {
    Sql::new(NEW_PAY_REF).one()
}

/// The row of [`NEW_PAY_REF`].
pub struct NewPayRef(pub PayRef);

impl FromRow for NewPayRef {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Reading::new(row).get("pay_ref").map(Self)
    }
}

/// The row of a loan.
#[must_use]
pub fn row(loan: &Loan) -> Statement<()> {
    Sql::new(INSERT).bind(RULES).bind(loan.updated_at).bind_all(loan.parameters(ALL)).execute()
}

/// Makes a loan, with its first version.
#[must_use]
pub fn insert(loan: &Loan, reason: Option<String>, at: Moment<'_>) -> Vec<Statement<()>> {
    let version = HistoryEntry::new(None, loan, Action::Create, loan.created_by, reason);
    let mut writes = vec![row(loan), record_version(loan.id, &version)];
    writes.extend(portfolio::step(None, loan, at));
    writes
}

/// Takes a step from `before` to `after`, with the version that makes.
#[must_use]
pub fn step(
    before: &Loan,
    after: &Loan,
    action: Action,
    by: Uuid,
    reason: Option<String>,
    at: Moment<'_>,
) -> Vec<Statement<()>> {
    let version = HistoryEntry::new(Some(before), after, action, by, reason);
    let mut writes = vec![update(UPDATE, after, STEP), record_version(after.id, &version)];
    writes.extend(portfolio::step(Some(before), after, at));
    writes
}

/// Assigns loans that are locked, and are not the agent's, to an agent.
#[must_use]
pub fn assign(loans: Vec<Uuid>, to: Uuid, by: Uuid, at: Timestamp) -> Statement<()> {
    Sql::new(ASSIGN).bind(loans).bind(to).bind(at).bind(by).bind(RULES).execute()
}

/// Changes the names that other systems have for a loan.
#[must_use]
pub fn update_names(loan: &Loan) -> Statement<()> {
    Sql::new(UPDATE_NAMES).bind(loan.id).bind_all(Vec::from(loan.names.parameters())).execute()
}

/// Writes the effects of money on a loan.
#[must_use]
pub fn update_money(after: &Loan) -> Statement<()> {
    update(UPDATE_MONEY, after, MONEY)
}

fn update(sql: &'static str, loan: &Loan, group: u8) -> Statement<()> {
    let sql = Sql::new(sql).bind(loan.id).bind(loan.updated_at).bind(RULES);
    sql.bind_all(loan.parameters(group)).execute()
}
