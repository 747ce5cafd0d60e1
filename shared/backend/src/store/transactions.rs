//! Transactions of loans: rows that are appended and never changed.

use std::sync::Arc;

use jiff::Timestamp;
use lending::{
    AnnualRate, Calendar, ChargeKind, Component, Currency, Event, EventId, EventKind, Money, TransactionKind, Waivable,
};
use serde::Serialize;
use tokio_postgres::Row;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    columns,
    db::{ALL, Columns, DbError, FromRow, List, OfLoan, Reading, Sql, Statement},
    domain::transaction::{Notes, Transaction},
    sql,
    store::columns,
    values::time::{BusinessDate, Instant},
};

/// A transaction as it was recorded. The loan's transactions show the allocation of a payment.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ExportedTransaction, example = json!({
    "amount": "2142.40", "paid_out": "12000.50", "settled": "8057.60"}))]
pub struct TransactionRow {
    /// Names the transaction.
    pub id: Uuid,
    /// The loan.
    pub loan_id: Uuid,
    /// The kind. A payment after a write-off is a repayment here.
    pub kind: TransactionKind,
    /// The business date.
    pub on: BusinessDate,
    /// The amount; null for a reversal.
    pub amount: Option<Money>,
    /// ISO 4217.
    pub currency: Currency,
    /// Of a disbursement: the amount less the fees taken then, and less what it settles.
    pub paid_out: Option<Money>,
    /// Of a charge and a waiver: the component charged or waived.
    pub component: Option<Component>,
    /// Of a charge: the lender's name for it.
    pub code: Option<String>,
    /// Of a charge: when it falls due.
    pub due_on: Option<BusinessDate>,
    /// Of a reschedule: the due date of the first new row.
    pub from: Option<BusinessDate>,
    /// Of a reschedule: how many instalments.
    #[schema(value_type = Option<i32>, example = 6)]
    pub instalments: Option<u32>,
    /// Of a reschedule: percent a year.
    pub interest_rate_apr: Option<AnnualRate>,
    /// Of a reschedule: when the first of them falls due.
    pub first_due_on: Option<BusinessDate>,
    /// Of a disbursement or a reschedule: the version of the calendar that it took.
    #[schema(example = 1)]
    pub calendar_version: Option<i32>,
    /// Of a reversal: the transaction that it takes back.
    pub reverses: Option<Uuid>,
    /// How the other side names it.
    pub reference: Option<String>,
    /// How a repayment came in.
    #[schema(example = "cash")]
    pub channel: Option<String>,
    /// The reason given.
    pub reason: Option<String>,
    /// Of a repayment: the payment that it is from.
    pub payment_id: Option<Uuid>,
    /// Of a disbursement or a refund: the source that it was paid from.
    #[schema(example = "paybill-kenya")]
    pub source: Option<String>,
    /// Of a disbursement that refinances: the sum of the settlements that it pays.
    pub settled: Option<Money>,
    /// Of a repayment that is such a settlement: the disbursement.
    pub settled_by: Option<Uuid>,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// Who recorded it.
    pub recorded_by: Uuid,
}

columns! {
    TransactionRow {
        id: "id",
        loan_id: "loan_id",
        kind: "kind",
        on: "value_date",
        amount: "amount",
        currency: "currency",
        paid_out: "paid_out",
        component: "component",
        code: "code",
        due_on: "due_on",
        from: "from_due_on",
        instalments: "instalments",
        interest_rate_apr: "interest_rate_apr",
        first_due_on: "first_due_on",
        calendar_version: "calendar_version",
        reverses: "reverses",
        reference: "reference",
        channel: "channel",
        reason: "reason",
        payment_id: "payment_id",
        source: "source",
        settled: "settled",
        settled_by: "settled_by",
        recorded_at: "recorded_at",
        recorded_by: "recorded_by",
    }
}

/// The transactions of a loan, in the order in which they were recorded.
pub const BY_LOAN: &str = sql!(
    "SELECT {}, calendar_of_version(calendar_code, calendar_version) AS calendar FROM transactions WHERE loan_id = $1",
    List::Names(TransactionRow::COLUMNS)
);

/// The transactions of loans.
pub const BY_LOANS: &str = sql!(
    "SELECT {}, calendar_of_version(calendar_code, calendar_version) AS calendar FROM transactions
WHERE loan_id = ANY ($1) ORDER BY loan_id, recorded_at",
    List::Names(TransactionRow::COLUMNS),
);

/// Records a transaction without a calendar.
pub const INSERT: &str = sql!(
    "INSERT INTO transactions ({}) VALUES ({})",
    List::Names(TransactionRow::COLUMNS),
    List::Parameters(TransactionRow::COLUMNS, 1),
);

/// Records a transaction that takes a version of the calendar that the loan's terms name.
pub const INSERT_WITH_CALENDAR: &str = sql!(
    "INSERT INTO transactions (calendar_code, {})
VALUES ((SELECT terms #>> '{calendar,code}' FROM loans WHERE id = $1), {})",
    List::Names(TransactionRow::COLUMNS),
    List::Parameters(TransactionRow::COLUMNS, 2),
);

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
    let row = TransactionRow::of(loan, currency, transaction);
    let sql = match row.calendar_version {
        None => Sql::new(INSERT),
        Some(_) => Sql::new(INSERT_WITH_CALENDAR).bind(loan),
    };
    sql.bind_all(row.parameters(ALL)).execute()
}

impl TransactionRow {
    /// The row of a loan's transaction.
    fn of(loan_id: Uuid, currency: Currency, transaction: &Transaction) -> Self {
        let Transaction { event, amount, paid_out, recorded_by, notes } = transaction;
        let Event { id, on, recorded_at, kind } = event;
        let Notes { code, reference, channel, reason, payment: payment_id, source, settled, settled_by } =
            notes.clone();
        let row = Self {
            id: Uuid::from_u128(id.0),
            loan_id,
            kind: TransactionKind::of(kind),
            on: BusinessDate(*on),
            amount: *amount,
            currency,
            paid_out: *paid_out,
            component: kind.component(),
            code,
            due_on: kind.due_on().map(BusinessDate),
            from: None,
            instalments: None,
            interest_rate_apr: None,
            first_due_on: None,
            calendar_version: kind.calendar().map(|calendar| calendar.version().cast_signed()),
            reverses: kind.reverses().map(|of| Uuid::from_u128(of.0)),
            reference,
            channel,
            reason,
            payment_id,
            source,
            settled,
            settled_by,
            recorded_at: Instant(*recorded_at),
            recorded_by: *recorded_by,
        };
        match *kind {
            EventKind::Disbursement { first_due_on, .. } => {
                Self { first_due_on: first_due_on.map(BusinessDate), ..row }
            }
            EventKind::Reschedule { from, instalments, interest_rate_apr, first_due_on, .. } => Self {
                from: Some(BusinessDate(from)),
                instalments,
                interest_rate_apr,
                first_due_on: first_due_on.map(BusinessDate),
                ..row
            },
            EventKind::Repayment { .. }
            | EventKind::Charge { .. }
            | EventKind::Waiver { .. }
            | EventKind::Refund { .. }
            | EventKind::WriteOff
            | EventKind::Reversal { .. } => row,
        }
    }

    /// The event of the engine; `None` if a column is missing that its kind needs.
    fn event_kind(&self, calendar: Option<Arc<Calendar>>) -> Option<EventKind> {
        Some(match self.kind {
            TransactionKind::Disbursement => {
                EventKind::Disbursement { first_due_on: self.first_due_on.map(|date| date.0), calendar }
            }
            TransactionKind::Repayment => EventKind::Repayment { amount: self.amount? },
            TransactionKind::Refund => EventKind::Refund { amount: self.amount? },
            TransactionKind::WriteOff => EventKind::WriteOff,
            TransactionKind::Charge => EventKind::Charge {
                kind: ChargeKind::from_name(self.component?.as_str())?,
                amount: self.amount?,
                due_on: self.due_on?.0,
            },
            TransactionKind::Waiver => {
                EventKind::Waiver { component: Waivable::from_name(self.component?.as_str())?, amount: self.amount? }
            }
            TransactionKind::Reschedule => EventKind::Reschedule {
                from: self.from?.0,
                instalments: self.instalments,
                interest_rate_apr: self.interest_rate_apr,
                first_due_on: self.first_due_on.map(|date| date.0),
                calendar,
            },
            TransactionKind::Reversal => EventKind::Reversal { of: EventId(self.reverses?.as_u128()) },
            TransactionKind::Recovery => return None,
        })
    }
}

impl FromRow for Transaction {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let reading = Reading::new(row);
        let (row, calendar) = (TransactionRow::read(&reading)?, columns::calendar(&reading)?);
        let kind =
            row.event_kind(calendar).ok_or_else(|| DbError::unexpected("a stored transaction is not of its kind"))?;
        let TransactionRow { id, on, amount, paid_out, code, reference, channel, reason, .. } = row;
        let (payment, source, recorded_at) = (row.payment_id, row.source, row.recorded_at);
        let event = Event { id: EventId(id.as_u128()), on: on.0, recorded_at: recorded_at.0, kind };
        let (settled, settled_by) = (row.settled, row.settled_by);
        let notes = Notes { code, reference, channel, reason, payment, source, settled, settled_by };
        Ok(Self { event, amount, paid_out, recorded_by: row.recorded_by, notes })
    }
}
