//! A loan as a pure function of its terms and its events.
//!
//! `state = fold(contract, events, as_of, known_at)`: no clock, no storage. Events are appended and
//! never changed; reading applies those with a value date up to `as_of` that were recorded by
//! `known_at`. Late fees, days past due and what is held for a later charge follow from the events
//! and the date, without any job. The postings of the ledger follow from the events too.
//!
//! Within a value date: late fees (of what was unpaid at the end of the day before), disbursement,
//! reschedule, charges, waivers, what is held pays charges that are due, repayments and recoveries,
//! refunds, write-off; within each of these the order of recording. A payment or a waiver that leaves nothing
//! to settle closes the loan. One day's repayments are
//! allocated as one sum, whose parts are then shared among them in that order.

mod allocation;
mod book;
mod closing;
mod conflict;
mod events;
mod follow;
mod late_fees;
mod postings;
mod read;
mod rows;
mod state;

use jiff::Timestamp;
use jiff::civil::Date;

pub use allocation::{AllocationGroup, AllocationOrder, Bucket, Component, Shares};
pub use conflict::{Conflict, ConflictReason};
pub use events::{ChargeKind, Event, EventId, EventKind, Waivable, levied_on};
pub use follow::{Change, Consequences, Exposure, change, follow};
pub use postings::{Account, JournalEntry, JournalLine, Posting, journal_entries};
pub use state::{
    Applied, Components, Instalment, InstalmentTotals, Outlook, Owed, Rescheduled, Settlement, Standing, State,
    Transaction, TransactionKind,
};

use book::{Book, Walk};
use events::History;

use crate::{Money, Terms};

/// What was agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// The amount of the loan. Every amount of its events is in the same currency.
    pub amount: Money,
    /// Its terms.
    pub terms: Terms,
}

/// The loan as of the end of a day, as far as it was known at an instant. The order of `events` does
/// not matter.
///
/// A day that is not over, or in the future, has the events that are there: late fees and days past
/// due go on, nothing else happens.
///
/// ```
/// use jiff::Timestamp;
/// use lending::{
///     Contract, Currency, Event, EventId, EventKind, Money, Standing, TermsPatch, fold, parse_date,
/// };
///
/// let euro = Currency::from_code("EUR")?;
/// let terms: TermsPatch =
///     serde_json::from_str(r#"{"interest_rate_apr": "12", "instalments": 2}"#)?;
/// let contract =
///     Contract { amount: Money::parse("1000.00", euro)?, terms: terms.complete(euro)? };
/// let event = |id, on: &str, kind| Event {
///     id: EventId(id),
///     on: parse_date(on).unwrap(),
///     recorded_at: Timestamp::UNIX_EPOCH,
///     kind,
/// };
/// let events = [
///     event(1, "2025-01-31", EventKind::Disbursement { first_due_on: None }),
///     event(2, "2025-02-28", EventKind::Repayment { amount: Money::parse("500.00", euro)? }),
/// ];
///
/// let state = fold(&contract, &events, parse_date("2025-03-02")?, Timestamp::UNIX_EPOCH)?;
/// assert_eq!(state.standing, Standing::Disbursed);
/// // The first instalment is 507.51: 10.00 interest, and 497.51 principal, of which 490.00 is paid.
/// assert_eq!(state.rows[0].outstanding.to_string(), "7.51");
/// assert_eq!(state.unpaid.principal.to_string(), "510.00");
/// assert_eq!(state.days_past_due, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A [`Conflict`] naming the event that cannot stand.
pub fn fold(contract: &Contract, events: &[Event], as_of: Date, known_at: Timestamp) -> Result<State, Conflict> {
    let history = History::read(events, contract.amount.currency(), as_of, known_at)?;
    let book = Book::fold(contract, &history, as_of)?;
    Ok(read::state(contract, &history, &book, as_of))
}

/// As [`fold`], and where that leads when nothing more is recorded.
///
/// # Errors
/// As [`fold`].
pub fn fold_on(
    contract: &Contract,
    events: &[Event],
    as_of: Date,
    known_at: Timestamp,
) -> Result<(State, Outlook), Conflict> {
    let history = History::read(events, contract.amount.currency(), as_of, known_at)?;
    let mut walk = Walk::new(contract, &history, as_of);
    while walk.day()?.is_some() {}
    let state = read::state(contract, &history, &walk.book, as_of);
    walk.go_on_to_the_end()?;
    Ok((state, read::outlook(contract, &walk.book)))
}

/// The smallest payment that closes the loan on a day, beside those recorded for that day; `None` unless
/// it is disbursed by then.
///
/// It is what the loan has charged until that day, less what was paid in and not refunded, never below
/// zero. Charged are the principal; the interest of the periods that ended by then, in whichever row it is
/// paid, and of the running row what its scheduled balances have earned by days; the fees of instalments due
/// by then and all charges, due or not; late fees. Waivers by then are taken off, each up to what is charged
/// of its kind. Interest or fees paid in advance, and money held, are credit. Of a loan that owes nothing all
/// but the credit is zero; from a write-off on all is.
///
/// The first day on which a payment or a waiver leaves nothing of that closes the loan: what is unearned is
/// dropped; what was paid of it, and what is held, pays all that is unpaid; the rest is held.
///
/// # Errors
/// As [`fold`].
pub fn settlement(
    contract: &Contract,
    events: &[Event],
    on: Date,
    known_at: Timestamp,
) -> Result<Option<Settlement>, Conflict> {
    let history = History::read(events, contract.amount.currency(), on, known_at)?;
    if history.disbursed_on.is_none_or(|disbursed_on| disbursed_on > on) {
        return Ok(None);
    }
    let mut book = Book::fold(contract, &history, on)?;
    Ok(Some(read::settlement(contract, &mut book, on)))
}
