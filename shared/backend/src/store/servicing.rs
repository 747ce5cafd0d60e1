//! Writes a recorded transaction with all its effects.

use crate::{
    db::Statement,
    domain::servicing::Recorded,
    store::{
        ledger::{self, Cause},
        loans, transactions,
    },
};

impl Recorded {
    /// The statements that write it.
    #[must_use]
    pub fn writes(&self) -> Vec<Statement<()>> {
        let Some(new) = self.transactions.last() else { return Vec::new() };
        let currency = self.loan.amount.currency();
        let mut writes = vec![transactions::insert(self.loan.id, currency, new)];
        let recorded_at = new.event.recorded_at;
        let cause = Cause { loan: self.loan.id, transaction: new.id(), currency, recorded_at, restates: false };
        writes.extend(ledger::insert(cause, &self.entries));
        writes.push(loans::update_money(&self.loan));
        writes.extend(self.figures.changes());
        writes
    }
}
