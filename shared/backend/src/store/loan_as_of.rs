//! Reads the inputs of a loan as of another day.

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    db::Statement,
    domain::{
        loan::{Loan, Scope},
        loan_as_of::may_grow,
        loan_history::HistoryEntry,
        transaction::Transaction,
    },
    store::{loans, transactions},
};

/// The inputs of a loan's past, in one round trip. See [`File::new`].
pub type LoanAsOfStatements =
    (Option<Statement<()>>, Statement<Option<Loan>>, Statement<Vec<HistoryEntry>>, Statement<Vec<Transaction>>);

/// Reads a loan with its versions and transactions, if the caller may see it. If `known_at` is so recent that open
/// transactions could still count, waits for those that change the loan.
#[must_use]
pub fn statements(id: Uuid, scope: Scope, known_at: Option<Timestamp>) -> LoanAsOfStatements {
    let wait = known_at.filter(|known_at| may_grow(*known_at)).map(|_| loans::share(id, scope));
    (wait, loans::by_id(id, scope), loans::versions(id), transactions::of_loan(id, known_at))
}
