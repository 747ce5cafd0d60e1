//! Money that changes hands on given days.

use std::fmt;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::MoneyError;
use crate::calendar::JsonDate;
use crate::json::{deserialize_text, objects_only, refused};
use crate::number::fixed::{NumberError, parse_fixed};
#[cfg(feature = "openapi")]
use crate::openapi::{BusinessDate, NumberText};

/// The most flows, advances and payments together, that a request has.
pub const MAX_FLOWS: usize = 1000;

/// An amount of a flow, in whatever currency: not negative, at most four decimals, at most 10^15.
///
/// ```
/// use lending::FlowAmount;
///
/// assert_eq!(FlowAmount::parse("969.73")?.to_string(), "969.73");
/// assert_eq!(FlowAmount::parse("0.00001").unwrap_err().code(), "too_many_decimals");
/// # Ok::<(), lending::MoneyError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowAmount {
    pub(super) ten_thousandths: i128,
}

impl FlowAmount {
    /// As many as the currency with the most has.
    const DECIMALS: u32 = 4;
    const MAX: i128 = 10i128.pow(15 + Self::DECIMALS);

    /// Reads `[0-9]+(\.[0-9]+)?`, at most four decimals, at most 10^15.
    ///
    /// # Errors
    /// A [`MoneyError`] that says which of these does not hold.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        Ok(Self::read(text)?)
    }

    fn read(text: &str) -> Result<Self, NumberError> {
        parse_fixed(text, Self::DECIMALS, Self::MAX).map(|ten_thousandths| Self { ten_thousandths })
    }

    /// The number, without zeros at its end.
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        Decimal::from_i128_with_scale(self.ten_thousandths, Self::DECIMALS).normalize()
    }
}

impl fmt::Display for FlowAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_decimal().fmt(f)
    }
}

/// From a JSON string or number, digit by digit.
impl<'de> Deserialize<'de> for FlowAmount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserialize_text(deserializer)?;
        Self::read(&text).map_err(|error| refused(MoneyError::from(error).code(), error))
    }
}

/// A JSON string, as [`fmt::Display`] writes it.
impl Serialize for FlowAmount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Money that changes hands on a day, in whatever currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = CashFlow))]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Flow {
    /// The day.
    #[serde(deserialize_with = "date")]
    #[cfg_attr(feature = "openapi", schema(value_type = BusinessDate))]
    pub on: Date,
    /// At most four decimals, and at most 10^15.
    #[cfg_attr(feature = "openapi", schema(value_type = NumberText))]
    pub amount: FlowAmount,
}

fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    JsonDate::deserialize(deserializer).map(|JsonDate(date)| date)
}

objects_only! {
    Flow, "an object with a flow of money";
}
