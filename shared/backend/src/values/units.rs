//! Sums of money in smallest units.

use lending::Currency;
use rust_decimal::Decimal;

/// Smallest units in the database's type: far more than a million times the largest loan.
pub(crate) fn decimal(units: i128, currency: Currency) -> Decimal {
    Decimal::from_i128_with_scale(units, currency.decimals())
}
