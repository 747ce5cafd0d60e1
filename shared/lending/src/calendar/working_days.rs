//! Calendars: the working days, and the rules for due dates on other days.

use std::collections::BTreeSet;
use std::str::FromStr;

use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

use super::date::{days_after, is_taken};
use crate::words::words;

words! {
    /// The effect on a due date that is no working day.
    #[derive(Default)]
    CalendarRule {
        /// The next working day.
        #[default]
        Following = "following",
        /// The working day before, if that is after the due date before, else the next.
        Preceding = "preceding",
        /// The next working day, unless that lies in another month, then the one before.
        ModifiedFollowing = "modified_following",
        /// The date is skipped, and the term grows: days count working days alone, weeks go on to the next of their
        /// rhythm.
        Extend = "extend",
    }
}

words! {
    /// A day of the week.
    WeekDay {
        /// Monday.
        Monday = "mon",
        /// Tuesday.
        Tuesday = "tue",
        /// Wednesday.
        Wednesday = "wed",
        /// Thursday.
        Thursday = "thu",
        /// Friday.
        Friday = "fri",
        /// Saturday.
        Saturday = "sat",
        /// Sunday.
        Sunday = "sun",
    }
}

impl WeekDay {
    /// The day of the week of a date.
    #[must_use]
    pub fn of(date: Date) -> Self {
        match date.weekday() {
            Weekday::Monday => Self::Monday,
            Weekday::Tuesday => Self::Tuesday,
            Weekday::Wednesday => Self::Wednesday,
            Weekday::Thursday => Self::Thursday,
            Weekday::Friday => Self::Friday,
            Weekday::Saturday => Self::Saturday,
            Weekday::Sunday => Self::Sunday,
        }
    }
}

/// The longest code of a calendar, in characters.
const LONGEST_CODE: usize = 64;

/// The code of a calendar: 1 to 64 characters of `a-z`, `0-9` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct CalendarCode(String);

/// The text is not the code of a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {LONGEST_CODE} characters of a-z, 0-9 and -")]
pub struct CalendarCodeError;

impl CalendarCodeError {
    /// The stable, `snake_case` code of this refusal.
    #[must_use]
    pub const fn code(self) -> &'static str {
        "not_a_calendar_code"
    }
}

impl CalendarCode {
    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CalendarCode {
    type Err = CalendarCodeError;

    fn from_str(text: &str) -> Result<Self, CalendarCodeError> {
        let is_taken = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.is_empty() || text.len() > LONGEST_CODE || !text.bytes().all(is_taken) {
            return Err(CalendarCodeError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for CalendarCode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error: CalendarCodeError| crate::json::refused(error.code(), error))
    }
}

/// A version of a calendar. All days are working days but those of a weekend and holidays.
///
/// ```
/// use lending::{Calendar, WeekDay, parse_date};
///
/// let christmas = parse_date("2026-12-25")?;
/// let calendar = Calendar::new(1, [WeekDay::Saturday, WeekDay::Sunday], [christmas]);
/// assert!(!calendar.is_working(christmas));
/// assert!(calendar.is_working(parse_date("2026-12-28")?));
/// # Ok::<(), lending::DateError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    version: u32,
    weekend: [bool; WeekDay::ALL.len()],
    holidays: BTreeSet<Date>,
}

impl Calendar {
    /// A version of a calendar.
    #[must_use]
    pub fn new(
        version: u32,
        weekend: impl IntoIterator<Item = WeekDay>,
        holidays: impl IntoIterator<Item = Date>,
    ) -> Self {
        let mut is_weekend = [false; WeekDay::ALL.len()];
        for day in weekend {
            is_weekend[day as usize] = true;
        }
        Self { version, weekend: is_weekend, holidays: holidays.into_iter().collect() }
    }

    /// Its version, as the lender counts them.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// True if a day is a working day.
    #[must_use]
    pub fn is_working(&self, date: Date) -> bool {
        !self.is_weekend(date) && !self.holidays.contains(&date)
    }

    /// True if a day is one of the weekend's.
    pub(crate) fn is_weekend(&self, date: Date) -> bool {
        self.weekend[WeekDay::of(date) as usize]
    }

    /// The first working day from a day on; `None` beyond the last year of the calendar.
    pub(crate) fn working_from(&self, date: Date) -> Option<Date> {
        let mut date = date;
        while is_taken(date) {
            if self.is_working(date) {
                return Some(date);
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    /// The last working day before a day; `None` before the first year of the calendar.
    pub(crate) fn working_before(&self, date: Date) -> Option<Date> {
        let mut date = date.yesterday().ok()?;
        while is_taken(date) {
            if self.is_working(date) {
                return Some(date);
            }
            date = date.yesterday().ok()?;
        }
        None
    }

    /// The working day so many working days after a day; at least one.
    pub(crate) fn working_days_after(&self, date: Date, count: u32) -> Option<Date> {
        let mut date = date;
        for _ in 0..count {
            date = self.working_from(days_after(date, 1)?)?;
        }
        Some(date)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn days_of_the_weekend_and_holidays_are_no_working_days() {
        let friday = date(2026, 12, 25);
        let calendar = Calendar::new(1, [WeekDay::Saturday, WeekDay::Sunday], [friday]);
        assert_eq!(calendar.working_from(friday), Some(date(2026, 12, 28)));
        assert_eq!(calendar.working_from(date(2026, 12, 24)), Some(date(2026, 12, 24)));
        assert_eq!(calendar.working_before(date(2026, 12, 28)), Some(date(2026, 12, 24)));
        assert_eq!(calendar.working_days_after(date(2026, 12, 24), 2), Some(date(2026, 12, 29)));
        assert_eq!(calendar.working_days_after(friday, 1), Some(date(2026, 12, 28)));
        assert!(calendar.is_weekend(date(2026, 12, 27)) && !calendar.is_weekend(friday));
    }

    #[test]
    fn nothing_is_a_working_day_outside_the_years_that_are_taken() {
        let none = Calendar::new(1, WeekDay::ALL, []);
        assert_eq!(none.working_from(date(2026, 1, 1)), None);
        assert_eq!(none.working_before(date(2026, 1, 1)), None);
        let all = Calendar::new(1, [], []);
        assert_eq!(all.working_days_after(date(2200, 12, 30), 1), Some(date(2200, 12, 31)));
        assert_eq!(all.working_days_after(date(2200, 12, 31), 1), None);
        assert_eq!(all.working_before(date(1900, 1, 1)), None);
    }

    #[test]
    fn codes_are_short_and_plain() {
        for code in ["ke", "in-mh", "0", "x".repeat(64).as_str()] {
            assert_eq!(code.parse::<CalendarCode>().map(|code| code.as_str().to_owned()).as_deref(), Ok(code));
        }
        for code in ["", "KE", "k e", "é", "a_b", "x".repeat(65).as_str()] {
            assert_eq!(code.parse::<CalendarCode>(), Err(CalendarCodeError), "{code}");
        }
        assert_eq!(CalendarCodeError.code(), "not_a_calendar_code");
    }
}
