//! The transactions of a loan's money, as recorded.

use lending::{Event, Money};
use uuid::Uuid;

/// One transaction as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// The event, as the engine takes it.
    pub event: Event,
    /// The amount, if the request or the loan named one.
    pub amount: Option<Money>,
    /// Of a disbursement: the amount less the fees taken then.
    pub paid_out: Option<Money>,
    /// Who recorded it.
    pub recorded_by: Uuid,
    /// Its name and its reason, in the words of whoever recorded it.
    pub notes: Notes,
}

/// The words written about a transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// The lender's name of a charge.
    pub code: Option<String>,
    /// Of a disbursement or a repayment: how the other side names it.
    pub reference: Option<String>,
    /// How a repayment came in.
    pub channel: Option<String>,
    /// Why something was done.
    pub reason: Option<String>,
    /// Of a repayment: the payment that it is from.
    pub payment: Option<Uuid>,
    /// Of a disbursement or a refund: the source that it was paid from.
    pub source: Option<String>,
}

impl Transaction {
    /// Names the transaction.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        Uuid::from_u128(self.event.id.0)
    }
}
