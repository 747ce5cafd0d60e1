//! The transactions of a loan's money, as recorded.

use lending::{Event, Money};
use uuid::Uuid;

use crate::domain::refusal::Refusal;

/// One transaction as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// The event, as the engine takes it.
    pub event: Event,
    /// The amount, if the request or the loan named one.
    pub amount: Option<Money>,
    /// Of a disbursement: the amount less the fees taken then, and less what it settles.
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
    /// Of a disbursement or a refund: the source that it was paid from; of a settlement that of its disbursement.
    pub source: Option<String>,
    /// Of a disbursement that refinances: the sum of the settlements that it pays.
    pub settled: Option<Money>,
    /// Of a repayment that is such a settlement: the disbursement.
    pub settled_by: Option<Uuid>,
}

impl Notes {
    /// The sum that a disbursement pays out: its amount less the fees, and less what it settles.
    ///
    /// # Errors
    ///
    /// A field if the settlements are more.
    pub(crate) fn less_settled(&self, less_fees: Option<Money>) -> Result<Option<Money>, Refusal> {
        let (Some(less_fees), Some(settled)) = (less_fees, self.settled) else { return Ok(less_fees) };
        match less_fees.checked_sub(settled) {
            Some(left) if !left.is_negative() => Ok(Some(left)),
            _ => {
                let detail = format!("the settlements are {settled}, and only {less_fees} is paid out");
                Err(Refusal::rule("/settles", "above_paid_out", detail))
            }
        }
    }
}

impl Transaction {
    /// Names the transaction.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        Uuid::from_u128(self.event.id.0)
    }

    /// Of a disbursement: the amount less the fees taken then.
    pub(crate) fn before_settlements(&self) -> Option<Money> {
        let paid_out = self.paid_out?;
        self.notes.settled.map_or(Some(paid_out), |settled| paid_out.checked_add(settled))
    }
}
