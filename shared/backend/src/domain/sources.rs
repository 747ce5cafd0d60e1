//! Where money arrives.

use jiff::Timestamp;
use lending::Currency;
use uuid::Uuid;

use crate::values::words::words;

words! {
    /// How a source tells of money.
    Provider {
        /// M-Pesa's confirmations and callbacks.
        Mpesa = "mpesa",
        /// Signed JSON of any system.
        Json = "json",
        /// Statements of a bank.
        Statement = "statement",
        /// Entered by an admin.
        Manual = "manual",
    }
}

words! {
    /// The answer of a source to M-Pesa's validation.
    #[derive(Default)]
    Validation {
        /// Every payment is taken.
        #[default]
        Open = "open",
        /// Only one whose reference leads to an open loan.
        Strict = "strict",
    }
}

/// Where money arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its code.
    pub code: String,
    /// Who it is as a recorder of transactions.
    pub id: Uuid,
    /// For people.
    pub name: String,
    /// How it tells of money.
    pub provider: Provider,
    /// Its account, as the provider names it.
    pub account: String,
    /// Its one currency.
    pub currency: Currency,
    /// ISO 3166.
    pub country: Option<String>,
    /// By its name in the tz database.
    pub time_zone: String,
    /// The answer to validations.
    pub validation: Validation,
    /// An inactive one takes money into suspense.
    pub active: bool,
    /// Networks from which its hooks are called; any where there is none.
    pub addresses: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}
