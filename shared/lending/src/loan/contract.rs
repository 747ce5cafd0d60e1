//! The agreement that a loan rests on.

use crate::{Money, Terms};

/// The agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// The amount of the loan. Every amount of its events is in the same currency.
    pub amount: Money,
    /// Its terms.
    pub terms: Terms,
}
