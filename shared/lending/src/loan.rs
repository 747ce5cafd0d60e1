//! A loan as a pure function of its terms and its events.
//!
//! `state = fold(contract, events, as_of, known_at)`: no clock, no storage. Events are appended and
//! never changed; reading applies those with a value date up to `as_of` that were recorded by
//! `known_at`. Late fees, days past due and money held for a later charge follow from the events
//! and the date, without any job. The postings of the ledger follow from the events too.
//!
//! Within a value date the order is: late fees (of the amounts unpaid at the end of the day before),
//! disbursement, reschedule, charges, waivers, held money paying charges that are due, repayments and
//! recoveries, refunds, write-off; within each of these the order of recording. A payment or a waiver
//! that leaves nothing to settle closes the loan. One day's repayments are allocated together, whose
//! parts are then shared among them in that order.

mod accruing;
mod conflict;
mod contract;
#[cfg(test)]
mod counts;
mod daily;
mod events;
mod fold;
mod follow;
mod history;
mod in_currency;
mod late_fees;
mod levy;
mod postings;
mod project;
mod rows;
mod settlement;
mod shares;
mod state;

pub use accruing::Accruing;
pub use conflict::{Conflict, ConflictReason};
pub use contract::Contract;
pub use events::{ChargeKind, Event, EventId, EventKind, Waivable};
pub use follow::{Change, Consequences, Exposure, change, follow};
pub use levy::levied_on;
pub use postings::{Account, JournalEntry, JournalLine, Posting, journal_entries};
pub use project::{fold, fold_on};
pub use settlement::settlement;
pub use shares::Shares;
pub use state::{
    Applied, Components, Instalment, InstalmentTotals, Outlook, Owed, Rescheduled, Settlement, Standing, State,
    Transaction, TransactionKind,
};
