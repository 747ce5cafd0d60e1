//! Separation of duties: whoever set the password of an account could act as that account, so nobody decides on a loan
//! that such an account is involved in, nor reverses a transaction that it recorded. A key and who made it are one
//! hand. The database enforces the same.

use uuid::Uuid;

use crate::domain::{loan::Loan, refusal::Refusal, transaction::Transaction};

/// The accounts involved in a loan that are in the caller's hand.
#[derive(Debug, Default)]
pub struct SameHand(pub(crate) Vec<Uuid>);

impl SameHand {
    /// To approve, reject or pay a loan out.
    ///
    /// # Errors
    ///
    /// Forbidden where its borrower, creator, last editor or agent is such an account.
    pub fn may_decide(&self, loan: &Loan) -> Result<(), Refusal> {
        let parties = [Some(loan.borrower_id), Some(loan.created_by), Some(loan.edited_by), loan.agent_id];
        self.refuse(parties.into_iter().flatten())
    }

    /// To reverse a transaction.
    ///
    /// # Errors
    ///
    /// Forbidden where such an account recorded it.
    pub fn may_reverse(&self, transaction: &Transaction) -> Result<(), Refusal> {
        self.refuse([transaction.recorded_by])
    }

    /// To refund or write off.
    ///
    /// # Errors
    ///
    /// Forbidden where such an account made or last changed the loan, or recorded a transaction of it.
    pub fn may_give_up(&self, loan: &Loan, transactions: &[Transaction]) -> Result<(), Refusal> {
        let recorders = transactions.iter().map(|transaction| transaction.recorded_by);
        self.refuse(recorders.chain([loan.created_by, loan.edited_by]))
    }

    fn refuse(&self, accounts: impl IntoIterator<Item = Uuid>) -> Result<(), Refusal> {
        if accounts.into_iter().any(|id| self.0.contains(&id)) {
            return Err(Refusal::own_application());
        }
        Ok(())
    }
}
