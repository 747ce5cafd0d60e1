//! Sums of the ledger by currency, date and account.

use std::{collections::HashSet, fmt, ops::AddAssign};

use jiff::civil::Date;
use lending::{Account, Currency, EventId, EventKind, Money, Posting};
use serde::{Serialize, Serializer};

use crate::{domain::transaction::Transaction, values::units::decimal};

/// Sums posted to an account on a day, in smallest units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountSums {
    /// The sum of the debits.
    pub debit: i128,
    /// The sum of the credits.
    pub credit: i128,
}

impl AddAssign for AccountSums {
    fn add_assign(&mut self, other: Self) {
        self.debit += other.debit;
        self.credit += other.credit;
    }
}

/// The key of an account's sums: currency, value date, account.
pub type AccountKey = (Currency, Date, LedgerAccount);

/// The sums posted to an account: one row of [`MADE`] and of [`KEPT_ACCOUNTS`].
pub struct PostedSums(pub AccountKey, pub AccountSums);

impl PostedSums {
    /// Debits less credits.
    #[must_use]
    pub fn posting(&self) -> Option<Posting<LedgerAccount>> {
        let Self((currency, on, account), AccountSums { debit, credit }) = self;
        let (currency, on, account) = (*currency, *on, account.clone());
        let amount = Money::from_decimal(decimal(debit - credit, currency), currency);
        amount.ok().map(|amount| Posting { on, account, amount })
    }
}

/// An account of the books: one of a loan's, the cash at a source, or the one for money in suspense.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LedgerAccount {
    /// One that loans post to.
    Loans(Account),
    /// Cash at the source of this code.
    CashAt(String),
    /// Payments of which nothing was decided.
    UnappliedPayments,
}

/// The prefix of the names of sources' accounts.
const CASH_AT: &str = "cash.";
const UNAPPLIED_PAYMENTS: &str = "unapplied_payments";

impl LedgerAccount {
    /// The account of this name; `None` if unknown.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name.strip_prefix(CASH_AT) {
            Some(source) => Some(Self::CashAt(source.to_owned())),
            None if name == UNAPPLIED_PAYMENTS => Some(Self::UnappliedPayments),
            None => Account::from_name(name).map(Self::Loans),
        }
    }
}

impl fmt::Display for LedgerAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loans(account) => f.write_str(account.as_str()),
            Self::CashAt(source) => write!(f, "{CASH_AT}{source}"),
            Self::UnappliedPayments => f.write_str(UNAPPLIED_PAYMENTS),
        }
    }
}

impl Serialize for LedgerAccount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The postings of a loan with the accounts that its money went through. To the engine all of it is cash. A repayment
/// that names a payment takes it out of suspense instead; a disbursement, a refund or a settlement that names a source
/// goes through its account. If `postings` begin at a date, transactions before it are left out.
#[must_use]
pub fn through_accounts(
    postings: &[Posting],
    transactions: &[Transaction],
    from: Option<Date>,
) -> Vec<Posting<LedgerAccount>> {
    let in_books = |posting: &Posting| {
        let Posting { on, account, amount } = *posting;
        Posting { on, account: LedgerAccount::Loans(account), amount }
    };
    let mut all: Vec<Posting<LedgerAccount>> = postings.iter().map(in_books).collect();
    let elsewhere = |it: &&Transaction| it.notes.payment.is_some() || it.notes.source.is_some();
    if !transactions.iter().any(|it| elsewhere(&it)) {
        return all;
    }
    let reversed: HashSet<EventId> = transactions.iter().filter_map(|it| it.event.kind.reverses()).collect();
    let stand = transactions.iter().filter(|it| !reversed.contains(&it.event.id) && Some(it.event.on) >= from);
    for transaction in stand.filter(elsewhere) {
        let Some(cash) = cash_of(transaction) else { continue };
        let account = match &transaction.notes.source {
            Some(source) => LedgerAccount::CashAt(source.clone()),
            None => LedgerAccount::UnappliedPayments,
        };
        let on = transaction.event.on;
        let zero = Money::zero(cash.currency());
        all.push(Posting { on, account, amount: cash });
        let amount = zero.checked_sub(cash).unwrap_or(zero);
        all.push(Posting { on, account: LedgerAccount::Loans(Account::Cash), amount });
    }
    all
}

/// The money that came in, or went out if it is negative.
fn cash_of(transaction: &Transaction) -> Option<Money> {
    let negative = |amount: Money| Money::zero(amount.currency()).checked_sub(amount);
    match transaction.event.kind {
        EventKind::Repayment { amount } => Some(amount),
        EventKind::Refund { amount } => negative(amount),
        // Settlements come back as money of their own.
        EventKind::Disbursement { .. } => transaction.before_settlements().and_then(negative),
        EventKind::Charge { .. }
        | EventKind::Waiver { .. }
        | EventKind::WriteOff
        | EventKind::Reschedule { .. }
        | EventKind::Reversal { .. } => None,
    }
}
