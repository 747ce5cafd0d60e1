//! The parts of a payment.

use serde::Serialize;

use crate::Money;

/// The parts of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Shares {
    /// Late fees and charged penalties.
    pub penalty: Money,
    /// Fees.
    pub fee: Money,
    /// Interest.
    pub interest: Money,
    /// Principal.
    pub principal: Money,
    /// The rest, held for the borrower.
    pub overpayment: Money,
}
