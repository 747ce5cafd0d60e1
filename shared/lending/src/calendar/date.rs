//! Calendar dates between 1900 and 2200.

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize};

use crate::json::refused;

/// The first year of the calendar.
pub const FIRST_YEAR: i16 = 1900;
/// The last year of the calendar.
pub const LAST_YEAR: i16 = 2200;

/// The text is not a date of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a date of the form YYYY-MM-DD in the years {FIRST_YEAR} to {LAST_YEAR}")]
pub struct DateError;

impl DateError {
    /// The stable code of this refusal.
    #[must_use]
    pub const fn code(self) -> &'static str {
        "not_a_date"
    }
}

/// Parses a date of the form `YYYY-MM-DD` in the years 1900 to 2200.
///
/// ```
/// use jiff::civil::date;
/// use lending::parse_date;
///
/// assert_eq!(parse_date("2024-02-29"), Ok(date(2024, 2, 29)));
/// for text in ["2023-02-29", "2024-2-29", "20240229", "2024-02-29T00:00", "1899-12-31"] {
///     assert!(parse_date(text).is_err());
/// }
/// ```
///
/// # Errors
/// [`DateError`] for every other form, for days that do not exist and for other years.
pub fn parse_date(text: &str) -> Result<Date, DateError> {
    // jiff takes other forms too, none of them with digits and dashes in these places; another length it refuses.
    let shape_is_right = text.bytes().enumerate().all(|(index, byte)| match index {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    if !shape_is_right {
        return Err(DateError);
    }
    text.parse::<Date>().ok().filter(|date| is_taken(*date)).ok_or(DateError)
}

/// True if the date is between the first and the last year of the calendar.
pub(crate) fn is_taken(date: Date) -> bool {
    (FIRST_YEAR..=LAST_YEAR).contains(&date.year())
}

/// A date in JSON: a string in the form of [`parse_date`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub(crate) struct JsonDate(pub(crate) Date);

impl<'de> Deserialize<'de> for JsonDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_date(&text).map(Self).map_err(|error| refused(error.code(), error))
    }
}

/// The date a number of days later; `None` beyond every date.
pub(crate) fn days_after(start: Date, days: i64) -> Option<Date> {
    start.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

/// Days from `start` to `end`, the first counted and the last not.
pub(crate) fn days_between(start: Date, end: Date) -> i32 {
    // Both are civil dates: each day is a whole day.
    day_number(end) - day_number(start)
}

/// The number of days from 1 March of the year 0, after the civil calendar: days to the start of
/// the year (counted from March, so that the leap day is its last) and days within it.
fn day_number(date: Date) -> i32 {
    let (year, month) = (i32::from(date.year()), i32::from(date.month()));
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (month * 153 + 2) / 5 + i32::from(date.day())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn any_date() -> impl Strategy<Value = Date> {
        (1900i16..=2200, 1i8..=12, 1i8..=31).prop_map(|(year, month, day)| {
            let first = date(year, month, 1);
            date(year, month, day.min(first.days_in_month()))
        })
    }

    #[test]
    fn no_other_form_is_a_date() {
        assert_eq!(parse_date("1900-01-01"), Ok(date(1900, 1, 1)));
        assert_eq!(parse_date("2200-12-31"), Ok(date(2200, 12, 31)));
        for text in [
            "",
            "2024",
            "2024-",
            "2024-02",
            "2024-02-",
            "2024-02-2",
            "2024-02-290",
            "2024-02-2912",
            "20240229",
            "2024-2-29",
            "2024-02-2x",
            "2024-02-29 ",
            " 2024-02-29",
            "2024-02-29T00",
            "2024-02-29Z",
            "2024/02/29",
            "2024-0229",
            "202402-29",
            "2024-060",
            "2024-W09-4",
            "+002024-02-29",
            "-002024-02-29",
            "29-02-2024",
            "２０２４-02-29",
            "2023-02-29",
            "2024-13-01",
            "2024-00-10",
            "1899-12-31",
            "2201-01-01",
            "0000-01-01",
        ] {
            assert_eq!(parse_date(text), Err(DateError), "{text:?}");
        }
        assert_eq!(DateError.code(), "not_a_date");
    }

    proptest! {
        #[test]
        fn a_date_is_read_as_it_is_written(date in any_date()) {
            prop_assert_eq!(parse_date(&date.to_string()), Ok(date));
        }

        /// Text of any characters, some of them nearly a date: what is read is written the same again.
        #[test]
        fn any_other_text_is_no_date(text in prop_oneof![any::<String>(), "[0-9]{3,5}[-/.][0-9]{1,3}-?[0-9]{0,3}"]) {
            if let Ok(date) = parse_date(&text) {
                prop_assert_eq!(date.to_string(), text);
                prop_assert!((FIRST_YEAR..=LAST_YEAR).contains(&date.year()));
            }
        }

        #[test]
        fn day_numbers_agree_with_jiff(start in any_date(), end in any_date()) {
            let days = start.until(end).unwrap().get_days();
            prop_assert_eq!(days_between(start, end), days);
        }
    }
}
