//! The amounts to collect of a loan on a day.

use lending::{Currency, Money};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::values::{pay_ref::PayRef, time::BusinessDate};

/// The amounts to collect of a loan on a day: principal, interest, fees and penalties.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CollectionItem, example = json!({"due": "2142.40", "overdue": "0.00", "penalties": "0.00"}))]
pub struct Collection {
    /// The loan.
    pub loan_id: Uuid,
    /// The account number the customer types to pay.
    pub pay_ref: PayRef,
    /// The customer's username.
    #[schema(example = "usr_india_002")]
    pub customer: String,
    /// The customer's name.
    #[schema(example = "Asha Patel")]
    pub full_name: Option<String>,
    /// The customer's phone.
    #[schema(example = "+919812345678")]
    pub phone: String,
    /// ISO 4217.
    pub currency: Currency,
    /// The amount that falls due that day, with penalties.
    pub due: Money,
    /// The amount that fell due before and is unpaid, with penalties.
    pub overdue: Money,
    /// How much of both are penalties: late fees and charged ones.
    pub penalties: Money,
    /// When the first of that fell due.
    pub due_since: BusinessDate,
    /// Days that the oldest unpaid instalment will be past due by that day; penalties alone do not count.
    #[schema(example = 0)]
    pub days_past_due: i32,
}
