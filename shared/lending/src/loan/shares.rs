//! The parts of a payment.

use serde::Serialize;

use crate::Money;

/// The parts of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = Allocation, example = json!({
    "penalty": "0.00", "fee": "0.00", "interest": "240.01", "principal": "1902.39", "overpayment": "0.00"})))]
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
