//! The ledger that follows from a loan's events: the movement of each account on each value date, and
//! the entries that correct what was posted to it.
//!
//! Cash basis: interest, fees and penalties are income when they are paid, so that no posting
//! depends on time passing.

use jiff::civil::Date;
use serde::Serialize;

use crate::Money;
use crate::words::words;

words! {
    /// An account of the ledger.
    Account {
        /// Money in hand. An asset.
        Cash = "cash",
        /// Principal paid out and neither repaid nor written off. An asset.
        PrincipalReceivable = "principal_receivable",
        /// Interest paid. Income.
        InterestIncome = "interest_income",
        /// Fees paid, those at disbursement among them. Income.
        FeeIncome = "fee_income",
        /// Late fees and charged penalties paid. Income.
        PenaltyIncome = "penalty_income",
        /// Overpayments held. A liability.
        OverpaymentsPayable = "overpayments_payable",
        /// Principal given up. An expense.
        WriteOffs = "write_offs",
        /// Payments after a write-off, up to the amount written off. Income.
        Recoveries = "recoveries",
    }
}

/// The movement of an account on a value date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting<A = Account> {
    /// The value date.
    pub on: Date,
    /// The account.
    pub account: A,
    /// Debits less credits.
    pub amount: Money,
}

/// One entry of the journal: its debits are its credits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry<A = Account> {
    /// The value date.
    pub value_date: Date,
    /// At most one for each account.
    pub lines: Vec<JournalLine<A>>,
}

/// One line of an entry. One of the two amounts is more than zero, the other is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct JournalLine<A = Account> {
    /// The account.
    pub account: A,
    /// The amount debited.
    pub debit: Money,
    /// The amount credited.
    pub credit: Money,
}

/// The movements of one value date, in smallest units, by [`Account::ALL`]: debits less credits.
pub(super) type Movements = [i128; Account::ALL.len()];

/// The entries that correct the postings made to those that follow: one for each value date that
/// differs, in the order of the dates. `made` may name an account of a value date several times.
///
/// Both are of one loan, hence of one currency, and each is balanced; so every entry is balanced.
///
/// ```
/// use lending::{Account, Currency, Money, Posting, journal_entries, parse_date};
///
/// let euro = Currency::from_code("EUR")?;
/// let posting = |account, units| Posting {
///     on: parse_date("2025-01-31").unwrap(),
///     account,
///     amount: Money::from_units(units, euro),
/// };
/// let made = [posting(Account::Cash, 500), posting(Account::InterestIncome, -500)];
/// let follows = [
///     posting(Account::Cash, 500),
///     posting(Account::PenaltyIncome, -100),
///     posting(Account::InterestIncome, -400),
/// ];
/// let entries = journal_entries(&follows, &made);
/// let lines: Vec<String> = entries[0]
///     .lines
///     .iter()
///     .map(|line| format!("{} {} {}", line.account.as_str(), line.debit, line.credit))
///     .collect();
/// assert_eq!(lines, ["interest_income 1.00 0.00", "penalty_income 0.00 1.00"]);
/// # Ok::<(), lending::UnknownCurrency>(())
/// ```
#[must_use]
pub fn journal_entries<A: Clone + Ord>(follows: &[Posting<A>], made: &[Posting<A>]) -> Vec<JournalEntry<A>> {
    // The common start cancels out: nearly everything, if the new event is the latest.
    let same = follows.iter().zip(made).take_while(|(follows, made)| follows == made).count();
    let (follows, made) = (&follows[same..], &made[same..]);
    let Some(currency) = follows.iter().chain(made).next().map(|posting| posting.amount.currency()) else {
        return Vec::new();
    };
    let place = |posting: &Posting<A>| (posting.on, posting.account.clone());
    let added = follows.iter().map(|posting| (place(posting), posting.amount.units()));
    let taken_off = made.iter().map(|posting| (place(posting), -posting.amount.units()));
    let mut movements: Vec<((Date, A), i128)> = added.chain(taken_off).collect();
    movements.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut entries: Vec<JournalEntry<A>> = Vec::new();
    for movements in movements.chunk_by(|(a, _), (b, _)| a == b) {
        let (value_date, account) = movements[0].0.clone();
        let difference: i128 = movements.iter().map(|(_, amount)| amount).sum();
        if difference == 0 {
            continue;
        }
        let money = |units: i128| Money::computed(units.max(0), currency);
        let line = JournalLine { account, debit: money(difference), credit: money(-difference) };
        match entries.last_mut() {
            Some(entry) if entry.value_date == value_date => entry.lines.push(line),
            _ => entries.push(JournalEntry { value_date, lines: vec![line] }),
        }
    }
    entries
}
