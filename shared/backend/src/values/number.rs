//! Numbers of requests, taken digit by digit.

use std::borrow::Cow;

use lending::{Currency, Money, MoneyError};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::value::RawValue;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use crate::values::refusal::{FieldError, refusal};

/// A whole number within a range; `6.0` is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Whole<const LEAST: u32, const MOST: u32>(u32);

/// A number of instalments.
pub type Instalments = Whole<1, { lending::MAX_INSTALMENTS }>;

impl<const LEAST: u32, const MOST: u32> Whole<LEAST, MOST> {
    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl<'de, const LEAST: u32, const MOST: u32> Deserialize<'de> for Whole<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        lending::whole_number(deserializer, LEAST..=MOST).map(Self)
    }
}

/// A number as it stands in the request, in a JSON string or as a JSON number; never a binary float.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberText(String);

impl PartialSchema for NumberText {
    fn schema() -> RefOr<Schema> {
        lending::openapi::NumberText::schema()
    }
}

impl ToSchema for NumberText {
    fn name() -> Cow<'static, str> {
        lending::openapi::NumberText::name()
    }
}

impl NumberText {
    /// The digits as sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same number without redundant zeros: two texts of one number have the same shortest one.
    #[must_use]
    pub fn shortest(&self) -> Self {
        let (whole, fraction) = self.0.split_once('.').unwrap_or((&self.0, ""));
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let whole = if whole.is_empty() { "0" } else { whole };
        Self(if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") })
    }

    /// The amount of money.
    ///
    /// # Errors
    ///
    /// Names the pointer, unless it is an amount of this currency.
    pub fn money(&self, pointer: &str, currency: Currency) -> Result<Money, FieldError> {
        Money::parse(&self.0, currency).map_err(|error| FieldError::new(pointer, error.code(), error.to_string()))
    }
}

impl<'de> Deserialize<'de> for NumberText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = match raw.get().as_bytes() {
            [b'"', ..] => serde_json::from_str::<String>(raw.get()).map_err(D::Error::custom)?,
            [b'-' | b'0'..=b'9', ..] => raw.get().to_owned(),
            _ => return Err(refusal("wrong_type", "is a number, or a string that holds one")),
        };
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
        if !is_digits(whole) || !is_digits(fraction) {
            return Err(refusal(MoneyError::NotANumber.code(), MoneyError::NotANumber));
        }
        Ok(Self(text))
    }
}

impl Serialize for NumberText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn two_texts_of_one_number_have_the_same_shortest_one() {
        for (text, shortest) in
            [("10", "10"), ("10.00", "10"), ("010.50", "10.5"), ("0.00", "0"), ("00", "0"), ("0.05", "0.05")]
        {
            assert_eq!(NumberText(text.into()).shortest().as_str(), shortest);
        }
    }
}
