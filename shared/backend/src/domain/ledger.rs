//! Sums of the ledger by currency, date and account.

use std::ops::AddAssign;

use jiff::civil::Date;
use lending::{Account, Currency, Money, Posting};

use crate::values::units::decimal;

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
pub type AccountKey = (Currency, Date, Account);

/// The sums posted to an account: one row of [`MADE`] and of [`KEPT_ACCOUNTS`].
pub struct PostedSums(pub AccountKey, pub AccountSums);

impl PostedSums {
    /// Debits less credits.
    #[must_use]
    pub fn posting(&self) -> Option<Posting> {
        let Self((currency, on, account), AccountSums { debit, credit }) = *self;
        let amount = Money::from_decimal(decimal(debit - credit, currency), currency);
        amount.ok().map(|amount| Posting { on, account, amount })
    }
}
