//! Payments: rows that are appended, with the details that later notices add to, and what was decided of them.

mod entries;
mod list;
mod matching;
mod rows;

pub use self::{
    entries::{INSERT_PAYMENT_ENTRY, OF_PAYMENTS, of_payments},
    list::{Filter, list},
    matching::{
        BY_HAND, Hit, MATCH, MatchedLoan, OF_MATCHED, Readings, STEPS_OF_MATCHED, SUGGESTIONS, SuggestedLoan, by_hand,
        find_loan, lock_matched, suggestions,
    },
    rows::{Id, SELECT},
};

use jiff::Timestamp;
use tokio_postgres::{Row, types::Json};
use uuid::Uuid;

use crate::{
    db::{DbError, FromRow, Sql, Statement, column},
    domain::{
        notices::Via,
        payments::{Details, Movement, MovementKind, Payment},
    },
    store::payments::entries::Cause,
};

/// Lets one after the other record what has this receipt, as a payment or as a repayment by hand; then tells the time.
pub const ONE_RECEIPT: &str = "\
SELECT pg_advisory_xact_lock(hashtextextended($1, 7426184530)), clock_timestamp() AS now";

/// A payment of a receipt.
pub const OF_RECEIPT: &str = "SELECT id FROM payments WHERE external_id = $1 ORDER BY id LIMIT 1";

/// A notice that is there already, word for word.
pub const SAME_NOTICE: &str = "\
SELECT FROM payments p JOIN payment_notices n ON n.payment_id = p.id
WHERE p.source = $1 AND p.external_id = $2 AND n.via = $3 AND n.raw = $4";

/// Makes a payment.
pub const INSERT: &str = "\
INSERT INTO payments (id, source, external_id, currency, amount, paid_at, paid_on, received_at, recorded_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// Makes the details of a payment.
pub const INSERT_DETAILS: &str = "\
INSERT INTO payment_details (payment_id, reference, payer_name, payer_phone, payer_account, matched_by, conflicts)
VALUES ($1, $2, $3, $4, $5, $6, $7)";

/// Changes the details of a payment.
pub const UPDATE_DETAILS: &str = "\
UPDATE payment_details SET reference = $2, payer_name = $3, payer_phone = $4, payer_account = $5,
    matched_by = $6, conflicts = $7
WHERE payment_id = $1";

/// Keeps a notice.
pub const INSERT_NOTICE: &str =
    "INSERT INTO payment_notices (id, payment_id, via, received_at, raw) VALUES ($1, $2, $3, clock_timestamp(), $4)";

/// The notices of a payment.
pub const NOTICES: &str =
    "SELECT via, received_at, raw FROM payment_notices WHERE payment_id = $1 ORDER BY received_at, id";

/// Records what was decided of a payment.
pub const INSERT_MOVEMENT: &str = "\
INSERT INTO payment_movements (id, payment_id, kind, amount, value_date, from_source, reference, reason, recorded_at,
    recorded_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

/// The time at which a receipt's turn has come.
pub struct Turn(pub Timestamp);

impl FromRow for Turn {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self(column(row, "now")?))
    }
}

/// Waits for a receipt's turn.
#[must_use]
pub fn turn(external_id: &str) -> Statement<Turn> {
    Sql::new(ONE_RECEIPT).bind(external_id.to_owned()).one()
}

/// The payment of a receipt, whatever its source.
#[must_use]
pub fn of_receipt(external_id: &str) -> Statement<Option<Id>> {
    Sql::new(OF_RECEIPT).bind(external_id.to_owned()).optional()
}

/// A payment.
#[must_use]
pub fn by_id(id: Uuid) -> Statement<Option<Payment>> {
    Sql::new(SELECT).push_bind(" WHERE p.id = {}", id).optional()
}

/// A payment, locked.
#[must_use]
pub fn lock(id: Uuid) -> Statement<Option<Payment>> {
    Sql::new(SELECT).push_bind(" WHERE p.id = {} FOR NO KEY UPDATE OF p", id).optional()
}

/// The payment of a source's receipt, locked.
#[must_use]
pub fn lock_receipt(source: &str, external_id: &str) -> Statement<Option<Payment>> {
    let sql = Sql::new(SELECT).push_bind(" WHERE p.source = {}", source.to_owned());
    sql.push_bind(" AND p.external_id = {} FOR NO KEY UPDATE OF p", external_id.to_owned()).optional()
}

/// True if the notice is there already.
#[must_use]
pub fn same_notice(source: &str, external_id: &str, via: Via, raw: &str) -> Statement<bool> {
    let sql = Sql::new(SAME_NOTICE).bind(source.to_owned()).bind(external_id.to_owned());
    sql.bind(via.as_str()).bind(raw.to_owned()).exists()
}

/// Makes a payment with its entry.
#[must_use]
pub fn insert(payment: &Payment, by: Uuid) -> Vec<Statement<()>> {
    let made = Sql::new(INSERT)
        .bind(payment.id)
        .bind(payment.source.clone())
        .bind(payment.external_id.clone())
        .bind(payment.amount.currency().code())
        .bind(payment.amount.to_decimal())
        .bind(payment.paid_at)
        .bind(payment.paid_on)
        .bind(payment.received_at)
        .bind(by)
        .execute();
    let cause = Cause { payment: payment.id, movement: None, on: payment.paid_on, at: payment.received_at };
    vec![made, details(INSERT_DETAILS, payment), entries::received(cause, &payment.source, payment.amount)]
}

/// Writes what later notices added.
#[must_use]
pub fn update_details(payment: &Payment) -> Statement<()> {
    details(UPDATE_DETAILS, payment)
}

fn details(sql: &'static str, payment: &Payment) -> Statement<()> {
    let Details { reference, payer, matched_by, conflicts } = payment.details.clone();
    Sql::new(sql)
        .bind(payment.id)
        .bind(reference)
        .bind(payer.name)
        .bind(payer.phone)
        .bind(payer.account)
        .bind(matched_by.map(|it| it.as_str().to_owned()))
        .bind(Json(conflicts))
        .execute()
}

/// Keeps a notice of a payment.
#[must_use]
pub fn insert_notice(payment: Uuid, via: Via, raw: &str) -> Statement<()> {
    Sql::new(INSERT_NOTICE).bind(Uuid::now_v7()).bind(payment).bind(via.as_str()).bind(raw.replace('\0', "")).execute()
}

/// A notice as it was sent.
pub struct RawNotice {
    /// How it came.
    pub via: String,
    /// When.
    pub received_at: Timestamp,
    /// As it was sent; none after 13 months.
    pub raw: Option<String>,
}

impl FromRow for RawNotice {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self { via: column(row, "via")?, received_at: column(row, "received_at")?, raw: column(row, "raw")? })
    }
}

/// The notices of a payment.
#[must_use]
pub fn notices(payment: Uuid) -> Statement<Vec<RawNotice>> {
    Sql::new(NOTICES).bind(payment).all()
}

/// Records a movement of a payment with its entry.
#[must_use]
pub fn insert_movement(payment: &Payment, movement: &Movement) -> Vec<Statement<()>> {
    let made = Sql::new(INSERT_MOVEMENT)
        .bind(movement.id)
        .bind(payment.id)
        .bind(movement.kind.as_str())
        .bind(movement.amount.to_decimal())
        .bind(movement.on)
        .bind(movement.from.clone())
        .bind(movement.reference.clone())
        .bind(movement.reason.clone())
        .bind(movement.recorded_at)
        .bind(movement.recorded_by)
        .execute();
    let cause = Cause { payment: payment.id, movement: Some(movement.id), on: movement.on, at: movement.recorded_at };
    let entry = match movement.kind {
        MovementKind::Correction => entries::received(cause, &payment.source, movement.amount),
        MovementKind::Return => entries::paid_out(cause, &payment.source, movement.amount),
        MovementKind::Transfer => {
            entries::paid_out(cause, movement.from.as_deref().unwrap_or(&payment.source), movement.amount)
        }
    };
    vec![made, entry]
}
