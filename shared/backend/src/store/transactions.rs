//! Transactions of loans: rows that are appended and never changed.

use jiff::{Timestamp, civil::Date};
use lending::{AnnualRate, ChargeKind, Component, Currency, Event, EventId, EventKind, Money, Waivable};
use rust_decimal::Decimal;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    db::{DbError, FromRow, OfLoan, Sql, Statement, column},
    domain::transaction::{Notes, Transaction},
    store::columns,
};

/// The transactions of a loan, in the order in which they were recorded.
pub const BY_LOAN: &str = "\
SELECT id, kind, value_date, amount, currency, recorded_at, recorded_by, reverses, reference, channel, reason, paid_out,
    component, code, due_on, from_due_on, instalments, interest_rate_apr, first_due_on,
    calendar_of_version(calendar_code, calendar_version) AS calendar
FROM transactions WHERE loan_id = $1";

/// The transactions of loans.
pub const BY_LOANS: &str = "\
SELECT t.*, calendar_of_version(calendar_code, calendar_version) AS calendar FROM transactions t
WHERE loan_id = ANY ($1) ORDER BY loan_id, recorded_at";

/// Records a transaction.
pub const INSERT: &str = "\
INSERT INTO transactions (id, loan_id, kind, value_date, recorded_at, recorded_by, currency, amount, paid_out, component,
    code, due_on, from_due_on, instalments, interest_rate_apr, first_due_on, reverses, reference, channel, reason,
    calendar_code, calendar_version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
    CASE WHEN $21::integer IS NOT NULL THEN (SELECT terms #>> '{calendar,code}' FROM loans WHERE id = $2) END, $21)";

/// The transactions of a loan that had been recorded by an instant, in the order in which they were recorded.
#[must_use]
pub fn of_loan(loan: Uuid, known_at: Option<Timestamp>) -> Statement<Vec<Transaction>> {
    let sql = Sql::new(BY_LOAN).bind(loan).push_if(" AND recorded_at <= {}", known_at);
    sql.push(" ORDER BY recorded_at").all()
}

/// The transactions of loans, each loan's in the order in which they were recorded.
#[must_use]
pub fn of_loans(loans: Vec<Uuid>) -> Statement<Vec<OfLoan<Transaction>>> {
    Sql::new(BY_LOANS).bind(loans).all()
}

/// Records a transaction of a loan.
#[must_use]
pub fn insert(loan: Uuid, currency: Currency, transaction: &Transaction) -> Statement<()> {
    let Transaction { event, amount, paid_out, recorded_by, notes } = transaction;
    let sql = Sql::new(INSERT)
        .bind(transaction.id())
        .bind(loan)
        .bind(kind(&event.kind))
        .bind(event.on)
        .bind(event.recorded_at)
        .bind(*recorded_by)
        .bind(currency.code())
        .bind(amount.map(Money::to_decimal))
        .bind(paid_out.map(Money::to_decimal))
        .bind(event.kind.component().map(Component::as_str))
        .bind(notes.code.clone());
    let sql = sql.bind(event.kind.due_on());
    let sql = match event.kind {
        EventKind::Reschedule { from, instalments, interest_rate_apr, first_due_on, .. } => sql
            .bind(Some(from))
            .bind(instalments.map(u32::cast_signed))
            .bind(interest_rate_apr.map(AnnualRate::to_decimal))
            .bind(first_due_on),
        EventKind::Disbursement { first_due_on, .. } => {
            sql.bind(None::<Date>).bind(None::<i32>).bind(None::<Decimal>).bind(first_due_on)
        }
        EventKind::Repayment { .. }
        | EventKind::Charge { .. }
        | EventKind::Waiver { .. }
        | EventKind::Refund { .. }
        | EventKind::WriteOff
        | EventKind::Reversal { .. } => {
            sql.bind(None::<Date>).bind(None::<i32>).bind(None::<Decimal>).bind(None::<Date>)
        }
    };
    let reverses = event.kind.reverses().map(|of| Uuid::from_u128(of.0));
    let calendar = event.kind.calendar().map(|calendar| calendar.version().cast_signed());
    let sql = sql.bind(reverses).bind(notes.reference.clone()).bind(notes.channel.clone()).bind(notes.reason.clone());
    sql.bind(calendar).execute()
}

/// As the database writes it.
const fn kind(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::Disbursement { .. } => "disbursement",
        EventKind::Repayment { .. } => "repayment",
        EventKind::Charge { .. } => "charge",
        EventKind::Waiver { .. } => "waiver",
        EventKind::Refund { .. } => "refund",
        EventKind::WriteOff => "write_off",
        EventKind::Reschedule { .. } => "reschedule",
        EventKind::Reversal { .. } => "reversal",
    }
}

impl FromRow for Transaction {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let currency = columns::currency(row, "currency")?;
        let (id, recorded_at): (Uuid, Timestamp) = (column(row, "id")?, column(row, "recorded_at")?);
        let amount = optional_money(row, "amount", currency)?;
        let kind = event_kind(row, amount)?;
        let notes = Notes {
            // A field of only one kind is not looked up for others: a loan may have thousands of transactions.
            code: if matches!(kind, EventKind::Charge { .. }) { column(row, "code")? } else { None },
            reference: column(row, "reference")?,
            channel: column(row, "channel")?,
            reason: column(row, "reason")?,
        };
        let is_disbursement = matches!(kind, EventKind::Disbursement { .. });
        let paid_out = if is_disbursement { optional_money(row, "paid_out", currency)? } else { None };
        let event = Event { id: EventId(id.as_u128()), on: column(row, "value_date")?, recorded_at, kind };
        Ok(Self { event, amount, paid_out, recorded_by: column(row, "recorded_by")?, notes })
    }
}

fn optional_money(row: &Row, name: &str, currency: Currency) -> Result<Option<Money>, DbError> {
    let amount: Option<Decimal> = column(row, name)?;
    let amount = amount.map(|amount| Money::from_decimal(amount, currency)).transpose();
    amount.map_err(|error| DbError::Unexpected(Box::new(error)))
}

fn event_kind(row: &Row, amount: Option<Money>) -> Result<EventKind, DbError> {
    let missing = || DbError::unexpected("a stored transaction is not of its kind");
    let amount = || amount.ok_or_else(missing);
    Ok(match column(row, "kind")? {
        "disbursement" => {
            EventKind::Disbursement { first_due_on: column(row, "first_due_on")?, calendar: columns::calendar(row)? }
        }
        "repayment" => EventKind::Repayment { amount: amount()? },
        "refund" => EventKind::Refund { amount: amount()? },
        "write_off" => EventKind::WriteOff,
        "charge" => {
            let kind = ChargeKind::from_name(column(row, "component")?).ok_or_else(missing)?;
            EventKind::Charge { kind, amount: amount()?, due_on: column(row, "due_on")? }
        }
        "waiver" => {
            let component = Waivable::from_name(column(row, "component")?).ok_or_else(missing)?;
            EventKind::Waiver { component, amount: amount()? }
        }
        "reschedule" => {
            let instalments: Option<i32> = column(row, "instalments")?;
            let rate: Option<Decimal> = column(row, "interest_rate_apr")?;
            let rate = rate.map(AnnualRate::from_decimal).transpose();
            EventKind::Reschedule {
                from: column(row, "from_due_on")?,
                instalments: instalments.map(i32::cast_unsigned),
                interest_rate_apr: rate.map_err(|error| DbError::Unexpected(Box::new(error)))?,
                first_due_on: column(row, "first_due_on")?,
                calendar: columns::calendar(row)?,
            }
        }
        "reversal" => {
            let reversed: Uuid = column(row, "reverses")?;
            EventKind::Reversal { of: EventId(reversed.as_u128()) }
        }
        _ => return Err(missing()),
    })
}
