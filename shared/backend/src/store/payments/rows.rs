//! Rows of payments.

use jiff::{Timestamp, civil::Date};
use lending::Money;
use rust_decimal::Decimal;
use serde::Deserialize;
use tokio_postgres::{Row, types::Json};
use uuid::Uuid;

use crate::{
    db::{DbError, FromRow, Reading, Stored as _},
    domain::{
        notices::Payer,
        payments::{Application, Contradiction, Details, Movement, MovementKind, Payment},
    },
};

/// Payments with their details and what was decided of them.
pub const SELECT: &str = "\
SELECT p.id, p.source, p.external_id, p.currency, p.amount + p.corrected AS amount, p.paid_at, p.paid_on,
    p.received_at, p.applied,
    p.returned, p.decided, d.reference, d.payer_name, d.payer_phone, d.payer_account, d.matched_by, d.conflicts,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('loan_id', t.loan_id, 'transaction_id', t.id,
            'amount', t.amount::text,
            'reversed_by', (SELECT r.id FROM transactions r WHERE r.reverses = t.id))
            ORDER BY t.recorded_at, t.id), '[]')
        FROM transactions t WHERE t.payment_id = p.id) AS applications,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('id', m.id, 'kind', m.kind, 'amount', m.amount::text,
            'on', m.value_date,
            'from', m.from_source, 'reference', m.reference, 'reason', m.reason, 'recorded_at', m.recorded_at,
            'recorded_by', m.recorded_by) ORDER BY m.recorded_at, m.id), '[]')
        FROM payment_movements m WHERE m.payment_id = p.id) AS movements
FROM payments p JOIN payment_details d ON d.payment_id = p.id";

#[derive(Deserialize)]
struct ApplicationRow {
    loan_id: Uuid,
    transaction_id: Uuid,
    amount: String,
    reversed_by: Option<Uuid>,
}

#[derive(Deserialize)]
struct MovementRow {
    id: Uuid,
    kind: MovementKind,
    amount: String,
    on: Date,
    from: Option<String>,
    reference: Option<String>,
    reason: String,
    recorded_at: Timestamp,
    recorded_by: Uuid,
}

fn money(text: &str, row: &Reading<'_>) -> Result<Money, DbError> {
    let decimal: Decimal = text.parse().map_err(|error: rust_decimal::Error| DbError::Unexpected(Box::new(error)))?;
    Money::of(decimal, row)
}

impl FromRow for Payment {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let row = &Reading::new(row);
        let application = |it: ApplicationRow| -> Result<Application, DbError> {
            let ApplicationRow { loan_id, transaction_id, amount, reversed_by } = it;
            Ok(Application { loan_id, transaction_id, amount: money(&amount, row)?, reversed_by })
        };
        let movement = |it: MovementRow| -> Result<Movement, DbError> {
            let MovementRow { id, kind, amount, on, from, reference, reason, recorded_at, recorded_by } = it;
            let amount = money(&amount, row)?;
            Ok(Movement { id, kind, amount, on, from, reference, reason, recorded_at, recorded_by })
        };
        let (id, source, external_id) = (row.get("id")?, row.get("source")?, row.get("external_id")?);
        let (amount, paid_at, paid_on) = (row.get("amount")?, row.get("paid_at")?, row.get("paid_on")?);
        let (received_at, applied, returned) = (row.get("received_at")?, row.get("applied")?, row.get("returned")?);
        let (decided, reference) = (row.get("decided")?, row.get("reference")?);
        let payer =
            Payer { name: row.get("payer_name")?, phone: row.get("payer_phone")?, account: row.get("payer_account")? };
        let matched_by = row.get("matched_by")?;
        let Json(conflicts): Json<Vec<Contradiction>> = row.column("conflicts")?;
        let Json(applications): Json<Vec<ApplicationRow>> = row.column("applications")?;
        let Json(movements): Json<Vec<MovementRow>> = row.column("movements")?;
        Ok(Self {
            id,
            source,
            external_id,
            amount,
            paid_at,
            paid_on,
            received_at,
            applied,
            returned,
            decided,
            details: Details { reference, payer, matched_by, conflicts },
            applications: applications.into_iter().map(application).collect::<Result<_, DbError>>()?,
            movements: movements.into_iter().map(movement).collect::<Result<_, DbError>>()?,
        })
    }
}

/// An id.
pub struct Id(pub Uuid);

impl FromRow for Id {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        row.try_get(0).map(Self).map_err(DbError::from)
    }
}
