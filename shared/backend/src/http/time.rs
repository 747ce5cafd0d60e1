//! Time in the interface: instants in UTC, business dates in the lender's zone. Never a local time without its zone.

use std::fmt;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

use super::body::refusal;

/// An instant: RFC 3339 in UTC with `Z` and exactly six decimals, which is what Postgres keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-03-02T09:30:00.000000Z")]
pub struct Instant(pub Timestamp);

impl From<Timestamp> for Instant {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.0)
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Takes any offset; refuses what has none.
impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let instant = text.parse().map_err(|_| {
            refusal("not_an_instant", "must be an instant as in RFC 3339, such as 2026-03-02T09:30:00Z")
        })?;
        Ok(Self(instant))
    }
}

/// A business date: `YYYY-MM-DD` in the lender's time zone, years 1900 to 2200.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = Date, example = "2026-03-02")]
pub struct BusinessDate(pub Date);

impl From<Date> for BusinessDate {
    fn from(date: Date) -> Self {
        Self(date)
    }
}

impl fmt::Display for BusinessDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for BusinessDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BusinessDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        lending::parse_date(&text).map(Self).map_err(|error| refusal(error.code(), error))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn instant(json: &str) -> Result<Instant, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn an_instant_always_has_six_decimals_and_z() {
        for (given, shown) in [
            ("\"2026-03-02T09:30:00Z\"", "\"2026-03-02T09:30:00.000000Z\""),
            ("\"2026-03-02T09:30:00.1Z\"", "\"2026-03-02T09:30:00.100000Z\""),
            ("\"2026-03-02T09:30:00.123456+05:30\"", "\"2026-03-02T04:00:00.123456Z\""),
            ("\"1969-12-31T23:59:59.999999Z\"", "\"1969-12-31T23:59:59.999999Z\""),
        ] {
            assert_eq!(serde_json::to_string(&instant(given).unwrap()).unwrap(), shown);
        }
    }

    #[test]
    fn an_instant_without_an_offset_is_none() {
        for text in ["\"2026-03-02T09:30:00\"", "\"2026-03-02\"", "\"\"", "0"] {
            assert!(instant(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_business_date_is_a_day_that_exists_between_1900_and_2200() {
        let date = |json| serde_json::from_str::<BusinessDate>(json);
        assert_eq!(serde_json::to_string(&date("\"2024-02-29\"").unwrap()).unwrap(), "\"2024-02-29\"");
        for text in ["\"2023-02-29\"", "\"1899-12-31\"", "\"2201-01-01\"", "\"2024-2-29\"", "20240229"] {
            assert!(date(text).is_err(), "{text}");
        }
    }
}
