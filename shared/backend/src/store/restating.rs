//! Loans that an earlier release wrote, stated again by the rules of this one: their columns, and their part of the journal,
//! which is put right by further entries. It decides on rows that were read, as [`servicing`](crate::domain::servicing) does.

use jiff::{SignedDuration, Timestamp};
use lending::{Event, JournalEntry, Posting};

use crate::{
    db::Statement,
    domain::{loan::Loan, loan_money, portfolio::ApplicationStep, refusal::Refusal, transaction::Transaction},
    store::{
        ledger::{self, Cause, PostedRow},
        loans,
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
    pub made: &'a [PostedRow],
}

/// What makes a loan follow the rules; nothing where it does. The figures of the portfolio have to be made anew then: what
/// the loan was in them followed from other rules.
///
/// # Errors
///
/// 500 where the transactions cannot stand by these rules.
pub fn restate(stated: Stated<'_>, at: Moment<'_>) -> Result<Vec<Statement<()>>, Refusal> {
    let Stated { loan, transactions, steps, made } = stated;
    let follows = loan_money::recompute(loan, transactions, steps, at.today)?;
    let entries = missing(loan, transactions, made)?;
    if follows == *loan && entries.is_empty() {
        return Ok(Vec::new());
    }
    let mut writes = Vec::new();
    if let Some(last) = transactions.last() {
        let after_all = loan.updated_at.max(last.event.recorded_at).checked_add(SignedDuration::from_micros(1));
        let cause = Cause {
            loan: loan.id,
            transaction: last.id(),
            currency: loan.amount.currency(),
            recorded_at: at.now.max(after_all.map_err(Refusal::defect)?),
            restates: true,
        };
        writes.extend(ledger::insert(cause, &entries));
    }
    // Nothing happened to the loan: it was last changed when it was.
    writes.push(loans::update_money(&follows, at.today));
    Ok(writes)
}

/// The entries that the journal lacks to be what follows.
fn missing(loan: &Loan, transactions: &[Transaction], made: &[PostedRow]) -> Result<Vec<JournalEntry>, Refusal> {
    let events: Vec<Event> = transactions.iter().map(|transaction| transaction.event.clone()).collect();
    let follows = lending::follow(&loan.contract(), &events, Timestamp::MAX).map_err(Refusal::defect)?;
    let made: Option<Vec<Posting>> = made.iter().map(|PostedRow(posted)| posted.posting()).collect();
    let made = made.ok_or_else(|| Refusal::defect("amounts in the journal that no loan has"))?;
    Ok(lending::journal_entries(&follows.postings, &made))
}
