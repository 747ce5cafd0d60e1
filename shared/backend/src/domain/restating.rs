//! Loans that an earlier release wrote, stated again by the rules of this one: their columns, and their part of the journal,
//! which further entries put right.

use jiff::{SignedDuration, Timestamp};
use lending::{Event, JournalEntry, Posting};
use uuid::Uuid;

use crate::{
    domain::{
        ledger::PostedSums, loan::Loan, loan_money, portfolio::ApplicationStep, refusal::Refusal,
        transaction::Transaction,
    },
    values::moment::Moment,
};

/// A loan that is locked, as its rows are.
#[derive(Clone, Copy)]
pub struct Stated<'a> {
    /// The loan.
    pub loan: &'a Loan,
    /// What was recorded, in that order.
    pub transactions: &'a [Transaction],
    /// The steps of its application.
    pub steps: &'a [ApplicationStep],
    /// What was posted.
    pub posted: &'a [PostedSums],
}

/// A loan that follows the rules again. `writes` is in `store::restating`.
pub struct Restatement {
    /// The loan. It was last changed when it was: nothing happened to it.
    pub loan: Loan,
    /// What puts the journal right, where money has moved.
    pub correction: Option<Correction>,
}

/// Entries that put right what was posted.
pub struct Correction {
    /// The last transaction, which they name.
    pub transaction: Uuid,
    /// When they are made: after everything that is known of the loan.
    pub recorded_at: Timestamp,
    /// The entries; none where the journal is right.
    pub entries: Vec<JournalEntry>,
}

/// States a loan again; `None` where it follows the rules. The figures of the portfolio have to be made anew then: the loan was
/// in them by other rules.
///
/// # Errors
///
/// A defect, where the transactions cannot stand by these rules.
pub fn restate(stated: Stated<'_>, at: Moment<'_>) -> Result<Option<Restatement>, Refusal> {
    let Stated { loan, transactions, steps, .. } = stated;
    let follows = loan_money::recompute(loan, transactions, steps, at.today)?;
    let entries = missing(stated)?;
    if follows == *loan && entries.is_empty() {
        return Ok(None);
    }
    let correction = match transactions.last() {
        None => None,
        Some(last) => {
            let known = loan.updated_at.max(last.event.recorded_at);
            let after_all = known.checked_add(SignedDuration::from_micros(1)).map_err(Refusal::defect)?;
            Some(Correction { transaction: last.id(), recorded_at: at.now.max(after_all), entries })
        }
    };
    Ok(Some(Restatement { loan: follows, correction }))
}

/// The entries that the journal lacks to be what follows.
fn missing(stated: Stated<'_>) -> Result<Vec<JournalEntry>, Refusal> {
    let Stated { loan, transactions, posted, .. } = stated;
    let events: Vec<Event> = transactions.iter().map(|transaction| transaction.event.clone()).collect();
    let follows = lending::follow(&loan.contract(), &events, Timestamp::MAX).map_err(Refusal::defect)?;
    let posted: Option<Vec<Posting>> = posted.iter().map(PostedSums::posting).collect();
    let posted = posted.ok_or_else(|| Refusal::defect("amounts in the journal that no loan has"))?;
    Ok(lending::journal_entries(&follows.postings, &posted))
}
