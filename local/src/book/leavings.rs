//! The rows that loans of a generated book leave in the database.

use std::collections::BTreeMap;

use backend::{
    domain::{
        loan::Loan, loan_history::HistoryEntry, portfolio::PortfolioDelta, profile::Profile, transaction::Transaction,
        users::User,
    },
    store::audit::{NewEntry, Subject},
};
use jiff::{Timestamp, civil::Date};
use lending::{Account, Currency, JournalEntry, JournalLine};
use serde_json::Value;
use uuid::Uuid;

/// A version of a loan, for its history: the loan's id, and the version.
pub(super) type Version = (Uuid, HistoryEntry);

/// A line of the journal with its entry.
pub(super) struct Line {
    pub(super) entry: Uuid,
    pub(super) loan: Uuid,
    pub(super) transaction: Uuid,
    pub(super) currency: Currency,
    pub(super) value_date: Date,
    pub(super) recorded_at: Timestamp,
    pub(super) posting: JournalLine,
}

/// An entry of the audit log.
pub(super) struct Audit {
    pub(super) at: Timestamp,
    pub(super) entry: NewEntry,
}

impl Audit {
    /// Where the request came from is not known: there was none.
    pub(super) fn new(
        at: Timestamp,
        id: Uuid,
        actor_id: Option<Uuid>,
        action: &str,
        subject: &Subject,
        detail: Value,
    ) -> Self {
        let (action, subject) = (action.to_owned(), subject.to_string());
        Self { at, entry: NewEntry { id, actor_id, action, subject, address: String::new(), detail } }
    }
}

/// A profile: when it was put, by whom, and of whom.
pub(super) type Profiled = (Timestamp, Uuid, Uuid, Profile);

/// A transaction with its loan and that one's currency.
pub(super) type Recorded = (Uuid, Currency, Transaction);

/// The sums posted to an account on a day, in smallest units: debits and credits.
pub(super) type Posted = BTreeMap<(Date, Currency, Account), (i128, i128)>;

/// The rows that some loans leave in the database.
#[derive(Default)]
pub(super) struct Leavings {
    pub(super) customers: Vec<User>,
    pub(super) profiles: Vec<Profiled>,
    pub(super) loans: Vec<Loan>,
    pub(super) versions: Vec<Version>,
    pub(super) transactions: Vec<Recorded>,
    pub(super) lines: Vec<Line>,
    pub(super) audit: Vec<Audit>,
    pub(super) figures: PortfolioDelta,
    pub(super) posted: Posted,
    /// Commands that the interface would have refused: they leave nothing.
    pub(super) refused: u64,
}

impl Leavings {
    /// An entry of the journal with its lines, and what they post.
    pub(super) fn enter(
        &mut self,
        loan: &Loan,
        transaction: Uuid,
        recorded_at: Timestamp,
        id: Uuid,
        entry: &JournalEntry,
    ) {
        let (currency, value_date) = (loan.amount.currency(), entry.value_date);
        for posting in &entry.lines {
            let posted = self.posted.entry((value_date, currency, posting.account)).or_default();
            *posted = (posted.0 + posting.debit.units(), posted.1 + posting.credit.units());
            let (entry, loan, posting) = (id, loan.id, *posting);
            self.lines.push(Line { entry, loan, transaction, currency, value_date, recorded_at, posting });
        }
    }
}
