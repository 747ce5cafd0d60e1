//! What happened to a loan's money, as it was recorded.

use lending::{Event, Money};
use utoipa::ToSchema;
use uuid::Uuid;

/// What a transaction is.
#[derive(ToSchema)]
#[schema(as = TransactionKind, rename_all = "snake_case")]
pub enum TransactionKindSchema {
    /// The loan was paid out.
    Disbursement,
    /// A payment.
    Repayment,
    /// A payment after the write-off.
    Recovery,
    /// An overpayment was paid back.
    Refund,
    /// More was asked for.
    Charge,
    /// Less was asked for.
    Waiver,
    /// What was unpaid was given up.
    WriteOff,
    /// Rows were made anew.
    Reschedule,
    /// Another transaction never counted.
    Reversal,
}

/// One transaction as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// What happened, as the engine takes it.
    pub event: Event,
    /// What it was about, where the request or the loan named an amount.
    pub amount: Option<Money>,
    /// Of a disbursement: the amount less the fees taken then.
    pub paid_out: Option<Money>,
    /// Who recorded it.
    pub recorded_by: Uuid,
    /// What it is called and why it was done, in the words of whoever recorded it.
    pub notes: Notes,
}

/// What people wrote about a transaction.
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
}

impl Transaction {
    /// Names the transaction.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        Uuid::from_u128(self.event.id.0)
    }
}
