//! Loans: statements on their rows.

mod borrowers;
mod collections;
mod history;
mod list;
mod rows;

pub use self::{
    borrowers::{BORROWER_BY_ID, BORROWER_BY_USERNAME, PENDING_BY_ID, PENDING_BY_USERNAME, borrower, pending},
    collections::{Bucket, Collecting, TO_COLLECT, to_collect},
    history::{HISTORY, RECORD_VERSION, VERSION, history, version, versions},
    list::{Filter, Sort, list},
    rows::{SELECT, SELECT_FOR_CHANGE},
};

use jiff::civil::Date;
use tokio_postgres::{Row, types::Json};
use uuid::Uuid;

use crate::{
    db::{DbError, FromRow, Sql, Statement},
    domain::{
        loan::{Due, Loan, ScheduleFigures, Scope},
        loan_history::{Action, changed_fields},
    },
    store::{columns, loans::history::record_version, portfolio},
    values::{moment::Moment, pay_ref::PayRef},
};

/// The version of the rules by which rows of loans and their part of the journal follow from terms and transactions. A
/// release increments it if the same transactions lead to another column or entry; existing loans are then restated.
pub const RULES: i32 = 1;

/// Makes a loan.
pub const INSERT: &str = "\
INSERT INTO loans (id, borrower_id, agent_id, product_code, product_version, currency, amount, terms, instalments,
    interest_rate_apr, instalment, total_interest, total_due, status, version, version_on, created_by, edited_by,
    created_at, updated_at, rules_version, stated_at, pay_ref)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $20, $22)";

/// A `pay_ref` that no loan has.
pub const NEW_PAY_REF: &str = "SELECT new_pay_ref() AS pay_ref";

/// A step of an application.
pub const UPDATE: &str = "\
UPDATE loans SET agent_id = $2, product_code = $3, product_version = $4, amount = $5, terms = $6, instalments = $7,
    interest_rate_apr = $8, instalment = $9, total_interest = $10, total_due = $11, status = $12, version = $13,
    version_on = $14, edited_by = $15, updated_at = $16, decided_by = $17, decided_at = $18, decision_reason = $19,
    edited_at = $20, stated_at = CASE WHEN stated_at = updated_at AND rules_version = $21 THEN $16 ELSE stated_at END
WHERE id = $1";

/// The effects of money on a loan.
pub const UPDATE_MONEY: &str = "\
UPDATE loans SET instalment = $2, total_interest = $3, total_due = $4, disbursed_on = $5, outstanding = $6, next_due_on = $7,
    oldest_unpaid_due_on = $8, owed_on = $9, owed = $10, written_off = $11,
    status = $12, updated_at = $13, held_on = $14, held = $15, penalties_on = $16, penalties = $17,
    stated_at = CASE WHEN stated_at = updated_at AND rules_version = $18 THEN $13 ELSE stated_at END
WHERE id = $1";

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
        columns::pay_ref(row).map(Self)
    }
}

/// Makes a loan, with its first version.
#[must_use]
pub fn insert(loan: &Loan, reason: Option<String>, at: Moment<'_>) -> Vec<Statement<()>> {
    let terms = &loan.terms;
    let sql = Sql::new(INSERT)
        .bind(loan.id)
        .bind(loan.borrower_id)
        .bind(loan.agent_id)
        .bind(loan.product.clone())
        .bind(loan.product_version.0)
        .bind(loan.amount.currency().code())
        .bind(loan.amount.to_decimal())
        .bind(Json(terms.clone()))
        .bind(terms.instalments().cast_signed())
        .bind(terms.interest_rate_apr().to_decimal());
    let sql = bind_figures(sql, loan)
        .bind(loan.status.as_str())
        .bind(loan.version.0)
        .bind(loan.version_on)
        .bind(loan.created_by)
        .bind(loan.edited_by)
        .bind(loan.created_at)
        .bind(loan.updated_at)
        .bind(RULES)
        .bind(loan.pay_ref.to_string());
    let changed = changed_fields(None, loan);
    let mut writes = vec![sql.execute(), record_version(loan.id, Action::Create, loan.created_by, reason, changed)];
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
    let decision = after.decision.as_ref();
    let sql = Sql::new(UPDATE)
        .bind(after.id)
        .bind(after.agent_id)
        .bind(after.product.clone())
        .bind(after.product_version.0)
        .bind(after.amount.to_decimal())
        .bind(Json(after.terms.clone()))
        .bind(after.terms.instalments().cast_signed())
        .bind(after.terms.interest_rate_apr().to_decimal());
    let sql = bind_figures(sql, after)
        .bind(after.status.as_str())
        .bind(after.version.0)
        .bind(after.version_on)
        .bind(after.edited_by)
        .bind(after.updated_at)
        .bind(decision.map(|decision| decision.by))
        .bind(decision.map(|decision| decision.at))
        .bind(decision.and_then(|decision| decision.reason.clone()))
        .bind(after.edited_at)
        .bind(RULES);
    let changed = changed_fields(Some(before), after);
    let mut writes = vec![sql.execute(), record_version(after.id, action, by, reason, changed)];
    writes.extend(portfolio::step(Some(before), after, at));
    writes
}

/// Writes the effects of money on a loan, as of `today`.
#[must_use]
pub fn update_money(after: &Loan, today: Date) -> Statement<()> {
    let days = |dues: &[Due]| dues.iter().map(|due| due.on).collect::<Vec<_>>();
    let amounts = |dues: &[Due]| dues.iter().map(|due| due.amount.to_decimal()).collect::<Vec<_>>();
    bind_figures(Sql::new(UPDATE_MONEY).bind(after.id), after)
        .bind(after.disbursed_on)
        .bind(after.outstanding.to_decimal())
        .bind(after.next_due_on(today))
        .bind(after.oldest_unpaid_due_on)
        .bind(days(&after.owed))
        .bind(amounts(&after.owed))
        .bind(after.written_off.to_decimal())
        .bind(after.status.as_str())
        .bind(after.updated_at)
        .bind(days(&after.held))
        .bind(amounts(&after.held))
        .bind(days(&after.penalties))
        .bind(amounts(&after.penalties))
        .bind(RULES)
        .execute()
}

fn bind_figures(sql: Sql, loan: &Loan) -> Sql {
    let ScheduleFigures { instalment, total_interest, total_due } = loan.figures;
    sql.bind(instalment.to_decimal()).bind(total_interest.to_decimal()).bind(total_due.to_decimal())
}
