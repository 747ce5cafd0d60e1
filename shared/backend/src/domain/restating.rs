//! Loans that an earlier release wrote, restated by the rules of this one: their columns, and their part of the
//! journal, which further entries correct.

use jiff::{SignedDuration, Timestamp};
use lending::{Event, JournalEntry, Posting};
use uuid::Uuid;

use crate::{
    domain::{
        ledger::{self, LedgerAccount, PostedSums},
        loan::Loan,
        loan_money,
        portfolio::ApplicationStep,
        refusal::Refusal,
        transaction::Transaction,
    },
    values::moment::Moment,
};

/// A locked loan with its rows.
#[derive(Clone, Copy)]
pub struct Stated<'a> {
    /// The loan.
    pub loan: &'a Loan,
    /// The recorded transactions, in the order of recording.
    pub transactions: &'a [Transaction],
    /// The steps of its application.
    pub steps: &'a [ApplicationStep],
    /// The sums posted.
    pub posted: &'a [PostedSums],
}

/// A loan that follows the rules again. `writes` is in `store::restating`.
pub struct Restatement {
    /// The loan, with its old time of change: nothing happened to it.
    pub loan: Loan,
    /// The correction of the journal, if money has moved.
    pub correction: Option<Correction>,
}

/// Entries that correct the journal.
pub struct Correction {
    /// The last transaction, which they name.
    pub transaction: Uuid,
    /// When they are made: after everything known of the loan.
    pub recorded_at: Timestamp,
    /// The entries; empty if the journal is right.
    pub entries: Vec<JournalEntry<LedgerAccount>>,
}

/// Restates a loan; `None` if it follows the rules already. Otherwise rebuild the figures of the portfolio: they
/// counted the loan by other rules.
///
/// # Errors
///
/// A defect, if the transactions cannot stand by these rules.
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

/// The entries missing from the journal.
fn missing(stated: Stated<'_>) -> Result<Vec<JournalEntry<LedgerAccount>>, Refusal> {
    let Stated { loan, transactions, posted, .. } = stated;
    let events: Vec<Event> = transactions.iter().map(|transaction| transaction.event.clone()).collect();
    let follows = lending::follow(&loan.contract(), &events, Timestamp::MAX).map_err(Refusal::defect)?;
    let posted: Option<Vec<Posting<LedgerAccount>>> = posted.iter().map(PostedSums::posting).collect();
    let posted = posted.ok_or_else(|| Refusal::defect("amounts in the journal are out of range"))?;
    let follows = ledger::through_accounts(&follows.postings, transactions, None);
    Ok(lending::journal_entries(&follows, &posted))
}
