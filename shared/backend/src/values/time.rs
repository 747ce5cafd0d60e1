//! Time in the interface: instants in UTC, business dates in the lender's zone. Never a local time without its zone.

use std::fmt;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use super::refusal::refusal;
use crate::values::refusal::FieldError;

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
        let instant = if is_rfc_3339(&text) { text.parse().ok() } else { None };
        instant
            .map(Self)
            .ok_or_else(|| refusal("not_an_instant", "must be an instant as in RFC 3339, such as 2026-03-02T09:30:00Z"))
    }
}

/// True if a text has the form of RFC 3339, with at most nine digits of a second and an offset of at most 18 hours, as
/// on Earth: the parser accepts more of both, more of ISO 8601, and zones in brackets.
fn is_rfc_3339(text: &str) -> bool {
    let has_form = |bytes: &[u8], form: &[u8]| {
        let fits = |(byte, form): (&u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form };
        bytes.len() == form.len() && bytes.iter().zip(form).all(fits)
    };
    let Some((local, rest)) = text.as_bytes().split_at_checked("0000-00-00T00:00:00".len()) else { return false };
    let (fraction, offset) = rest.split_at(rest.iter().position(|byte| b"Zz+-".contains(byte)).unwrap_or(rest.len()));
    let is_fraction = |digits: &[u8]| (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    has_form(&local.to_ascii_uppercase(), b"0000-00-00T00:00:00")
        && (fraction.is_empty() || fraction.strip_prefix(b".").is_some_and(is_fraction))
        && [&b"Z"[..], b"z", b"+00:00", b"-00:00"].iter().any(|form| has_form(offset, form))
        // Of the form `+00:00` by now; texts of one length are ordered as their numbers are.
        && (offset.len() < 2 || (offset[1..] <= b"18:00"[..] && offset[4..] <= b"59"[..]))
}

/// A business date: `YYYY-MM-DD` in the lender's time zone, years 1900 to 2200.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BusinessDate(pub Date);

impl PartialSchema for BusinessDate {
    fn schema() -> RefOr<Schema> {
        lending::openapi::BusinessDate::schema()
    }
}

impl ToSchema for BusinessDate {}

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

/// The instants of a range of business dates: from the start of the first one to the start of the day after the last
/// one, exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// The first instant of the period.
    pub from: Option<Timestamp>,
    /// The first instant after the period.
    pub before: Option<Timestamp>,
}

impl Period {
    /// The dates `from` to `to`, both included, in the lender's time zone; `pointer` is that of `from` in the request.
    ///
    /// # Errors
    ///
    /// Names `pointer` where `from` is after `to`.
    pub fn new(
        zone: &TimeZone,
        from: Option<BusinessDate>,
        to: Option<BusinessDate>,
        pointer: &'static str,
    ) -> Result<Self, FieldError> {
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            return Err(FieldError::new(pointer, "after_end", format!("must not be after {to}")));
        }
        let start = |date: Date| date.to_zoned(zone.clone()).map(|midnight| midnight.timestamp());
        // Dates of the years 1900 to 2200 are far from the calendar's ends.
        let beyond = |error: jiff::Error| FieldError::new(pointer, "out_of_range", error.to_string());
        let from = from.map(|date| start(date.0)).transpose().map_err(beyond)?;
        let before = to.map(|date| date.0.tomorrow().and_then(start)).transpose().map_err(beyond)?;
        Ok(Self { from, before })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_instant_is_read_as_it_is_written(microseconds in -62_135_596_800_000_000..253_402_207_200_000_000_i64) {
            let at = Instant(Timestamp::from_microsecond(microseconds).unwrap());
            prop_assert_eq!(instant(&serde_json::to_string(&at).unwrap()).unwrap(), at);
        }

        /// Text of any characters, some of it nearly an instant: it is parsed or refused.
        #[test]
        fn any_other_text_is_no_instant(text in prop_oneof![
            any::<String>(),
            "[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,12})?\
                ([zZ]|[+-][0-9]{2}:?[0-9]{2})?(\\[UTC\\])?",
        ]) {
            let read = instant(&serde_json::to_string(&text).unwrap());
            prop_assert!(read.is_err() || is_rfc_3339(&text), "{}", text);
            if let Ok(at) = read {
                prop_assert_eq!(instant(&serde_json::to_string(&at).unwrap()).unwrap().to_string(), at.to_string());
            }
        }
    }

    fn instant(json: &str) -> Result<Instant, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn an_instant_has_the_form_of_rfc_3339() {
        for text in [
            "2026-03-02T09:30:00Z",
            "2026-03-02t09:30:00.5z",
            "2026-03-02T09:30:00.123456789+05:30",
            "2026-03-02T09:30:00+18:00",
            "2026-03-02T09:30:00-18:00",
            "2026-03-02T09:30:00-00:00",
        ] {
            assert!(instant(&format!("\"{text}\"")).is_ok(), "{text}");
        }
        for text in [
            "",
            "20260302T093000Z",
            "2026-03-02T09Z",
            "2026-03-02T09:30Z",
            "2026-03-02T09:30:00Z[UTC]",
            "2026-03-02T09:30:00",
            "2026-03-02T09:30:00+05",
            "2026-03-02T09:30:00.Z",
            "2026-03-02T09:30:00.1234567890Z",
            "2026-03-02T09:30:00+18:01",
            "2026-03-02T09:30:00-18:01",
            "2026-03-02T09:30:00+25:00",
            "2026-03-02T09:30:00+05:60",
            "2026-03-02 09:30:00Z",
            "2026-13-02T09:30:00Z",
            "2026-03-02T24:00:00Z",
            "2026-03-02T09:30:00Zé",
        ] {
            assert!(instant(&format!("\"{text}\"")).is_err(), "{text}");
        }
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

    #[test]
    fn a_period_includes_its_whole_last_day_where_the_lender_is() {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        let date = |text: &str| Some(serde_json::from_value::<BusinessDate>(text.into()).unwrap());
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let period = |from, to| Period::new(&zone, from, to, "/from");

        let day = period(date("2026-03-02"), date("2026-03-02")).unwrap();
        assert_eq!(day, Period { from: at("2026-03-01T18:30:00Z"), before: at("2026-03-02T18:30:00Z") });
        assert_eq!(period(None, None).unwrap(), Period::default());
        assert_eq!(period(None, date("2200-12-31")).unwrap().before, at("2200-12-31T18:30:00Z"));
        assert_eq!(period(date("2026-03-02"), date("2026-03-01")).unwrap_err().code, "after_end");
    }

    #[test]
    fn a_day_may_start_after_midnight() {
        // Clocks in São Paulo went from midnight to 01:00 that day.
        let zone = TimeZone::get("America/Sao_Paulo").unwrap();
        let date = Some(BusinessDate(jiff::civil::date(2018, 11, 4)));
        let period = Period::new(&zone, date, date, "/from").unwrap();
        assert_eq!(period.from, Some("2018-11-04T03:00:00Z".parse().unwrap()));
        assert_eq!(period.before, Some("2018-11-05T02:00:00Z".parse().unwrap()));
    }
}
