//! Numbers in terms, before it is known what they count.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};

use crate::json::{deserialize_text, refused};
use crate::number::fixed::parse_fixed;
use crate::{Money, MoneyError, Percent};

/// A number in terms, before it is known what it counts: money of some currency, or percent. The
/// digits are kept as written, at most 10^15 and with at most six decimals.
///
/// It becomes money or a percentage, or is refused, when terms are completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number(Decimal);

impl Number {
    /// As many as a percentage may have; no currency has more.
    const DECIMALS: u32 = 6;
    /// 10^15, in units of 10^-6.
    const MAX: i128 = 10i128.pow(15 + Self::DECIMALS);

    /// Reads `[0-9]+(\.[0-9]+)?`.
    ///
    /// # Errors
    /// A [`MoneyError`](MoneyError) for anything else, and for what neither any currency
    /// nor a percentage can hold.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let units = parse_fixed(text, Self::DECIMALS, Self::MAX)?;
        let written = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let mut value = Decimal::from_i128_with_scale(units, Self::DECIMALS);
        // Keeps the decimals that were written: "1.50" in a currency without decimals is refused.
        value.rescale(u32::try_from(written).unwrap_or(Self::DECIMALS));
        Ok(Self(value))
    }

    /// The number, with the decimals that were written.
    #[must_use]
    pub const fn get(self) -> Decimal {
        self.0
    }
}

impl From<Money> for Number {
    fn from(money: Money) -> Self {
        Self(money.to_decimal())
    }
}

impl From<Percent> for Number {
    fn from(percent: Percent) -> Self {
        Self(percent.to_decimal())
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&deserialize_text(deserializer)?).map_err(|error| refused(error.code(), error))
    }
}

/// A JSON string.
impl serde::Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_the_digits_that_json_has() {
        for (json, text) in [
            ("12000.50", "12000.50"),
            ("\"12000.50\"", "12000.50"),
            // Neither is a binary float: the nearest doubles end otherwise.
            ("0.1", "0.1"),
            ("999999999999999.9999", "999999999999999.9999"),
            ("1000000000000000", "1000000000000000"),
            ("\"\\u0034.00\"", "4.00"),
        ] {
            let number: Number = serde_json::from_str(json).unwrap();
            assert_eq!(number.get().to_string(), text);
        }
        for json in ["-1", "1e3", "1e400", "1.2345678", "null", "true", "[1]", "{}", "\"\"", "\"1 \"", "-0"] {
            assert!(serde_json::from_str::<Number>(json).is_err(), "{json}");
        }
    }
}
