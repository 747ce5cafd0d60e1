//! The rows of a person's data, as an export shows them.

use jiff::civil::Date;
use lending::{AnnualRate, Currency, Money, TransactionKind};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    db::{DbError, FromRow, column},
    domain::loan_history::HistoryEntry,
    store::columns,
    values::time::{BusinessDate, Instant},
};

/// One value of a user's contact data that changed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ContactChange {
    /// Names the change.
    pub id: Uuid,
    /// When it was made.
    pub at: Instant,
    /// Who made it.
    pub by: Uuid,
    /// The field.
    pub field: ContactField,
    /// The value before; null if there was no value.
    #[schema(example = "asha@example.com")]
    pub old: Option<String>,
    /// The value after; null if it was removed.
    #[schema(example = "asha.patel@example.com")]
    pub new: Option<String>,
}

/// Contact data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContactField {
    /// The e-mail address.
    Email,
    /// The telephone number.
    Phone,
    /// The name people see.
    FullName,
}

impl FromRow for ContactChange {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: column(row, "id")?,
            at: Instant(column(row, "at")?),
            by: column(row, "by_id")?,
            field: columns::word(row, "field")?,
            old: column(row, "old_value")?,
            new: column(row, "new_value")?,
        })
    }
}

/// A session that is not over, or ended by itself a short while ago.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HeldSession {
    /// Names the session.
    pub id: Uuid,
    /// When it began.
    pub created_at: Instant,
    /// When it ends by itself.
    pub expires_at: Instant,
}

impl FromRow for HeldSession {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: column(row, "id")?,
            created_at: Instant(column(row, "created_at")?),
            expires_at: Instant(column(row, "expires_at")?),
        })
    }
}

/// A version of a loan.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HeldVersion {
    /// The loan.
    pub loan_id: Uuid,
    /// The version, as the loan's history shows it.
    pub entry: HistoryEntry,
}

/// A transaction as it was recorded. The loan's transactions show the allocation of a payment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HeldTransaction {
    /// Names the transaction.
    pub id: Uuid,
    /// The loan.
    pub loan_id: Uuid,
    /// The kind. A payment after a write-off is a repayment here.
    #[schema(value_type = TransactionKind)]
    pub kind: String,
    /// The business date.
    pub on: BusinessDate,
    /// The amount; null for a reversal.
    #[schema(value_type = Option<String>, example = "2142.40")]
    pub amount: Option<Money>,
    /// ISO 4217.
    #[schema(value_type = String, example = "INR")]
    pub currency: Currency,
    /// Of a disbursement: the amount less the fees taken then.
    #[schema(value_type = Option<String>, example = "12000.50")]
    pub paid_out: Option<Money>,
    /// Of a charge and a waiver: the component charged or waived.
    #[schema(example = "fee")]
    pub component: Option<String>,
    /// Of a charge: the lender's name for it.
    pub code: Option<String>,
    /// Of a charge: when it falls due.
    pub due_on: Option<BusinessDate>,
    /// Of a reschedule: the due date of the first new row.
    pub from: Option<BusinessDate>,
    /// Of a reschedule: how many instalments.
    #[schema(example = 6)]
    pub instalments: Option<i32>,
    /// Of a reschedule: percent a year.
    #[schema(value_type = Option<String>, example = "24.00")]
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
    /// When it was recorded.
    pub recorded_at: Instant,
    /// Who recorded it.
    pub recorded_by: Uuid,
}

impl FromRow for HeldTransaction {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let currency = columns::currency(row, "currency")?;
        let money = |name: &str| -> Result<Option<Money>, DbError> {
            let amount: Option<Decimal> = column(row, name)?;
            let money = amount.map(|amount| Money::from_decimal(amount, currency));
            money.transpose().map_err(|error| DbError::Unexpected(Box::new(error)))
        };
        let date = |name: &str| -> Result<Option<BusinessDate>, DbError> {
            Ok(column::<Option<Date>>(row, name)?.map(BusinessDate))
        };
        let rate = column::<Option<Decimal>>(row, "interest_rate_apr")?.map(AnnualRate::from_decimal).transpose();
        Ok(Self {
            id: column(row, "id")?,
            loan_id: column(row, "loan_id")?,
            kind: column(row, "kind")?,
            on: BusinessDate(column(row, "value_date")?),
            amount: money("amount")?,
            currency,
            paid_out: money("paid_out")?,
            component: column(row, "component")?,
            code: column(row, "code")?,
            due_on: date("due_on")?,
            from: date("from_due_on")?,
            instalments: column(row, "instalments")?,
            interest_rate_apr: rate.map_err(|error| DbError::Unexpected(Box::new(error)))?,
            first_due_on: date("first_due_on")?,
            calendar_version: column(row, "calendar_version")?,
            reverses: column(row, "reverses")?,
            reference: column(row, "reference")?,
            channel: column(row, "channel")?,
            reason: column(row, "reason")?,
            recorded_at: Instant(column(row, "recorded_at")?),
            recorded_by: column(row, "recorded_by")?,
        })
    }
}
