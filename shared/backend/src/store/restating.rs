//! Writes a restated loan.

use crate::{
    db::Statement,
    domain::restating::{Correction, Restatement},
    store::{
        ledger::{self, Cause},
        loans,
    },
};

impl Restatement {
    /// The statements that write it.
    #[must_use]
    pub fn writes(&self) -> Vec<Statement<()>> {
        let loan = &self.loan;
        let mut writes = Vec::new();
        if let Some(Correction { transaction, recorded_at, entries }) = &self.correction {
            let cause = Cause {
                loan: loan.id,
                transaction: *transaction,
                currency: loan.amount.currency(),
                recorded_at: *recorded_at,
                restates: true,
            };
            writes.extend(ledger::insert(cause, entries));
        }
        writes.push(loans::update_money(loan));
        writes
    }
}
