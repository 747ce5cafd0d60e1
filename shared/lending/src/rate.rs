//! Rates: exact percentages with at most six decimals, 0 to 1000.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::{deserialize_text, refused};
use crate::number::fixed::{NumberError, parse_fixed, write_fixed};

/// A percentage, 0 to 1000, exact to six decimals: 2 is two percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent {
    millionths: u32,
}

/// An annual interest rate in percent a year, 0 to 1000, exact to six decimals: 24 is 24 % a year.
///
/// ```
/// use lending::AnnualRate;
///
/// assert_eq!(AnnualRate::parse("24")?.to_string(), "24.00");
/// assert_eq!(AnnualRate::parse("9.482200")?.to_string(), "9.4822");
/// assert_eq!(AnnualRate::parse("1000.01").unwrap_err().code(), "too_large");
/// # Ok::<(), lending::RateError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AnnualRate(Percent);

/// The reason why a number is not a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// Not `[0-9]+(\.[0-9]+)?`.
    #[error("must be a percentage such as 24.5: digits, with at most one point between digits")]
    NotANumber,
    /// More than six decimals; zeros count.
    #[error("must have at most 6 decimals")]
    TooManyDecimals,
    /// More than 1000.
    #[error("must be at most 1000 percent")]
    TooLarge,
}

impl RateError {
    /// The stable, `snake_case` code of this refusal.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotANumber => "not_a_number",
            Self::TooManyDecimals => "too_many_decimals",
            Self::TooLarge => "too_large",
        }
    }
}

impl From<NumberError> for RateError {
    fn from(error: NumberError) -> Self {
        match error {
            NumberError::NotANumber => Self::NotANumber,
            NumberError::TooManyDecimals(_) => Self::TooManyDecimals,
            NumberError::TooLarge => Self::TooLarge,
        }
    }
}

impl Percent {
    /// How many decimals are kept.
    const DECIMALS: u32 = 6;
    /// 1000 percent, in millionths.
    const MAX: i128 = 1000 * 10i128.pow(Self::DECIMALS);

    /// Zero.
    pub const ZERO: Self = Self { millionths: 0 };

    /// The whole in [`Self::millionths`]: 100 percent is 10^8.
    pub(crate) const MILLIONTHS_OF_ONE: u64 = 100_000_000;

    /// Reads `[0-9]+(\.[0-9]+)?`, at most six decimals, at most 1000.
    ///
    /// # Errors
    /// A [`RateError`] that says which of these does not hold.
    pub fn parse(text: &str) -> Result<Self, RateError> {
        Self::new(parse_fixed(text, Self::DECIMALS, Self::MAX)?)
    }

    /// The percentage of a stored number. Zeros beyond the sixth decimal do no harm here.
    ///
    /// # Errors
    /// As [`Self::parse`]; [`RateError::NotANumber`] for a negative number.
    pub fn from_decimal(value: Decimal) -> Result<Self, RateError> {
        let value = value.normalize();
        if value.is_sign_negative() && !value.is_zero() {
            return Err(RateError::NotANumber);
        }
        let missing = Self::DECIMALS.checked_sub(value.scale()).ok_or(RateError::TooManyDecimals)?;
        10i128
            .checked_pow(missing)
            .and_then(|factor| value.mantissa().checked_mul(factor))
            .ok_or(RateError::TooLarge)
            .and_then(Self::new)
    }

    fn new(millionths: i128) -> Result<Self, RateError> {
        if millionths > Self::MAX {
            return Err(RateError::TooLarge);
        }
        u32::try_from(millionths).map(|millionths| Self { millionths }).map_err(|_| RateError::TooLarge)
    }

    /// Millionths of a percent.
    pub(crate) const fn millionths(self) -> u32 {
        self.millionths
    }

    /// The number of percent, with two decimals or more and no other trailing zeros.
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        let (units, decimals) = self.shown();
        Decimal::from_i128_with_scale(units, decimals)
    }

    /// The number and its decimals as it is written: two, or more where they are not zero.
    fn shown(self) -> (i128, u32) {
        let (mut units, mut decimals) = (i128::from(self.millionths), Self::DECIMALS);
        while decimals > 2 && units % 10 == 0 {
            units /= 10;
            decimals -= 1;
        }
        (units, decimals)
    }
}

/// Two decimals or more and no other trailing zeros: `24.00`, `9.4822`.
impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (units, decimals) = self.shown();
        write_fixed(f, units, decimals)
    }
}

/// A JSON string, as [`fmt::Display`] writes it.
impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// From a JSON string or number, digit by digit.
impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&deserialize_text(deserializer)?).map_err(|error| refused(error.code(), error))
    }
}

impl AnnualRate {
    /// No interest.
    pub const ZERO: Self = Self(Percent::ZERO);

    /// Reads `[0-9]+(\.[0-9]+)?`, at most six decimals, at most 1000.
    ///
    /// # Errors
    /// A [`RateError`] that says which of these does not hold.
    pub fn parse(text: &str) -> Result<Self, RateError> {
        Percent::parse(text).map(Self)
    }

    /// The rate of a stored number. Zeros beyond the sixth decimal do no harm here.
    ///
    /// # Errors
    /// As [`Self::parse`]; [`RateError::NotANumber`] for a negative number.
    pub fn from_decimal(value: Decimal) -> Result<Self, RateError> {
        Percent::from_decimal(value).map(Self)
    }

    /// Percent a year, with two decimals or more and no other trailing zeros.
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        self.0.to_decimal()
    }

    /// The rate as a percentage.
    pub(crate) const fn percent(self) -> Percent {
        self.0
    }
}

impl fmt::Display for AnnualRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn written_with_two_decimals_or_more() {
        for (text, shown) in [
            ("24", "24.00"),
            ("24.5", "24.50"),
            ("9.4822", "9.4822"),
            ("0", "0.00"),
            ("0.000001", "0.000001"),
            ("1000.000000", "1000.00"),
            ("10.750", "10.75"),
        ] {
            let rate = AnnualRate::parse(text).unwrap();
            assert_eq!(rate.to_string(), shown);
            assert_eq!(rate.to_decimal().to_string(), shown);
            assert_eq!(serde_json::to_string(&rate).unwrap(), format!("\"{shown}\""));
        }
    }

    #[test]
    fn refused_by_name() {
        for (text, code) in [
            ("1000.000001", "too_large"),
            ("99999999999999999999999999999999999999999999", "too_large"),
            ("0.0000000", "too_many_decimals"),
            ("-1", "not_a_number"),
            ("24%", "not_a_number"),
        ] {
            assert_eq!(AnnualRate::parse(text).unwrap_err().code(), code, "{text}");
        }
        let stored = |text: &str| AnnualRate::from_decimal(text.parse().unwrap());
        assert_eq!(stored("-0.5"), Err(RateError::NotANumber));
        assert_eq!(stored("1000.5"), Err(RateError::TooLarge));
        assert_eq!(stored("79228162514264337593543950335"), Err(RateError::TooLarge));
        assert_eq!(stored("1.0000001"), Err(RateError::TooManyDecimals));
        assert_eq!(stored("1.00000000"), AnnualRate::parse("1"));
    }

    #[test]
    fn json_strings_and_numbers_are_the_same() {
        for json in ["24.0", "\"24\"", "24", "\"24.000\""] {
            let rate: AnnualRate = serde_json::from_str(json).unwrap();
            assert_eq!(rate, AnnualRate::parse("24").unwrap());
        }
        for json in ["null", "-1", "1e1", "\"\"", "true"] {
            assert!(serde_json::from_str::<AnnualRate>(json).is_err(), "{json}");
        }
    }

    proptest! {
        #[test]
        fn text_and_decimal_come_back_the_same(millionths in 0..=1_000_000_000u32) {
            let rate = AnnualRate(Percent { millionths });
            prop_assert_eq!(AnnualRate::parse(&rate.to_string()), Ok(rate));
            prop_assert_eq!(AnnualRate::from_decimal(rate.to_decimal()), Ok(rate));
        }
    }
}
