//! Annual percentage rates as they are written.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use crate::number::fixed::write_fixed;

/// An annual percentage rate: percent a year with four decimals, negative where less is paid than
/// was advanced. It stays within 10^24 percent; beyond 10^15 percent its last digits are uncertain,
/// since the search has 28 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Apr {
    /// Of a percent.
    pub(super) ten_thousandths: i128,
}

impl Apr {
    const DECIMALS: u32 = 4;

    /// The number of percent, with four decimals.
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        // Cannot fail: 10^28 is below 2^96.
        Decimal::from_i128_with_scale(self.ten_thousandths, Self::DECIMALS)
    }
}

/// Percent with exactly four decimals: `9.6900`.
impl fmt::Display for Apr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_fixed(f, self.ten_thousandths, Self::DECIMALS)
    }
}

/// A JSON string, as [`fmt::Display`] writes it.
impl Serialize for Apr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
