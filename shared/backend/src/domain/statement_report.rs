//! The report of a statement: how its credits compare with payments. It is kept, and answers the same file again.

use lending::{Currency, Money};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::values::{time::BusinessDate, words::words};

words! {
    /// Why a credit and its payment differ.
    DifferenceReason {
        /// The amounts differ; the payment's stays.
        Amount = "amount",
        /// The bank took the credit back.
        Reversed = "reversed",
    }
}

/// A credit that is not as its payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = StatementDifference, example = json!({"amount": "1500.00", "recorded": "150.00"}))]
pub struct Difference {
    /// The credit.
    #[schema(example = "2026030200017")]
    pub external_id: String,
    /// The reason.
    pub reason: DifferenceReason,
    /// The date of booking.
    pub on: BusinessDate,
    /// The amount of the credit.
    #[schema(value_type = Money)]
    pub amount: String,
    /// The payment; null where the bank took back what is not recorded.
    pub payment_id: Option<Uuid>,
    /// The amount of the payment.
    #[schema(value_type = Option<Money>)]
    pub recorded: Option<String>,
}

/// A payment of the days of a statement, without a credit in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PaymentOnlyHere, example = json!({"amount": "1500.00"}))]
pub struct OnlyHere {
    /// The payment.
    pub payment_id: Uuid,
    /// Its receipt.
    #[schema(example = "RKTQDM7W6S")]
    pub external_id: String,
    /// Its business date.
    pub paid_on: BusinessDate,
    /// Its amount.
    #[schema(value_type = Money)]
    pub amount: String,
}

/// The comparison of a statement with the payments of its source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = StatementReport, example = json!({"opening": "12500.00", "closing": "13693.05", "currency": "EUR"}))]
pub struct Report {
    /// Names the statement.
    pub id: Uuid,
    /// The first day that it covers.
    pub from: BusinessDate,
    /// The last day that it covers.
    pub to: BusinessDate,
    /// The balance before its entries; null where it tells none, as a spreadsheet.
    #[schema(value_type = Option<Money>)]
    pub opening: Option<String>,
    /// The balance after its entries; null where it tells none.
    #[schema(value_type = Option<Money>)]
    pub closing: Option<String>,
    /// ISO 4217: the source's.
    #[schema(value_type = Currency)]
    pub currency: String,
    /// How many booked credits it has, without those that the bank took back.
    pub credits: usize,
    /// How many of them became payments by it.
    pub created: usize,
    /// How many of them were payments already, of the same amount.
    pub matched: usize,
    /// Credits that are not as their payment, and those that the bank took back.
    pub differing: Vec<Difference>,
    /// Payments of its days that are none of its credits; the first 500.
    pub only_here: Vec<OnlyHere>,
}
