//! Due dates and day counts. Dates are calendar dates between 1900 and 2200; no clock, no time
//! zone.

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize};

use crate::exact::gcd;
use crate::number::refused;
use crate::terms::{DayCount, InterestPeriod, MonthEnd, RepayUnit};

/// The first year that is taken.
pub const FIRST_YEAR: i16 = 1900;
/// The last year that is taken.
pub const LAST_YEAR: i16 = 2200;

/// Why a text is no date that can be taken.
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

/// Reads a date in the one form that is taken, `YYYY-MM-DD`, in the years 1900 to 2200.
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

/// Whether the date is in the years that are taken.
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

/// How often an instalment falls due: every so many months, weeks or days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frequency {
    pub(crate) every: u32,
    pub(crate) unit: RepayUnit,
    pub(crate) month_end: MonthEnd,
}

impl Frequency {
    /// The date `count` repayment periods after `start`, whose day of the month is the seed day:
    /// it is taken wherever the month has it, whatever became of it in between. `None` beyond the
    /// years that are taken.
    pub(crate) fn after(self, start: Date, count: u32) -> Option<Date> {
        let steps = i64::from(count).checked_mul(i64::from(self.every))?;
        let date = match self.unit {
            RepayUnit::Month => self.months_after(start, steps)?,
            RepayUnit::Week => days_after(start, steps.checked_mul(7)?)?,
            RepayUnit::Day => days_after(start, steps)?,
        };
        is_taken(date).then_some(date)
    }

    fn months_after(self, start: Date, months: i64) -> Option<Date> {
        let month_index = (i64::from(start.year()) * 12 + i64::from(start.month()) - 1).checked_add(months)?;
        // Checked before the conversion: every later step is then small.
        let year = i16::try_from(month_index.div_euclid(12)).ok()?;
        let month = i8::try_from(month_index.rem_euclid(12) + 1).ok()?;
        let first = Date::new(year, month, 1).ok()?;
        if start.day() <= first.days_in_month() {
            return Date::new(year, month, start.day()).ok();
        }
        match self.month_end {
            MonthEnd::Clamp => Some(first.last_of_month()),
            MonthEnd::Roll => first.last_of_month().tomorrow().ok(),
        }
    }
}

/// So many days later; `None` where that is beyond every date.
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

/// An exact part of a year, `numerator / denominator`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct YearFraction {
    pub(crate) numerator: u64,
    pub(crate) denominator: u64,
}

/// Years have 365 or 366 days: the common denominator of actual/actual.
const BOTH_YEARS: u64 = 365 * 366;

impl YearFraction {
    /// A whole repayment period: by the calendar's names for `repayment_period`, by the day count
    /// for `daily` and for periods of days.
    pub(crate) fn regular(
        frequency: Frequency,
        basis: InterestPeriod,
        day_count: DayCount,
        start: Date,
        end: Date,
    ) -> Self {
        let every = u64::from(frequency.every);
        match (basis, frequency.unit, day_count) {
            (InterestPeriod::RepaymentPeriod, RepayUnit::Month, _) => Self::of(every, 12),
            (InterestPeriod::RepaymentPeriod, RepayUnit::Week, _) => Self::of(every, 52),
            (_, RepayUnit::Month, DayCount::Thirty360) => Self::of(every * 30, 360),
            (_, RepayUnit::Week, DayCount::Thirty360) => Self::of(every * 7, 360),
            (_, RepayUnit::Day, DayCount::Thirty360) => Self::of(every, 360),
            _ => Self::by_days(day_count, start, end),
        }
    }

    /// Any two dates, by the day count alone; 30/360 by the US rule.
    pub(crate) fn by_days(day_count: DayCount, start: Date, end: Date) -> Self {
        let actual = || u64::try_from(days_between(start, end)).unwrap_or(0);
        match day_count {
            DayCount::Thirty360 => Self::of(thirty_360_us(start, end), 360),
            DayCount::Actual360 => Self::of(actual(), 360),
            DayCount::Actual364 => Self::of(actual(), 364),
            DayCount::Actual365 => Self::of(actual(), 365),
            DayCount::ActualActual => actual_actual(start, end),
        }
    }

    /// No time at all.
    pub(crate) const ZERO: Self = Self::of(0, 1);

    /// Both together, over the least common denominator.
    pub(crate) fn plus(self, other: Self) -> Self {
        let common = self.denominator / gcd(self.denominator, other.denominator);
        let denominator = common * other.denominator;
        let numerator =
            self.numerator * (denominator / self.denominator) + other.numerator * (denominator / other.denominator);
        Self::of(numerator, denominator)
    }

    /// So many times as long.
    pub(crate) fn times(self, times: u32) -> Self {
        Self::of(self.numerator * u64::from(times), self.denominator)
    }

    const fn of(numerator: u64, denominator: u64) -> Self {
        Self { numerator, denominator }
    }
}

/// ISDA: each calendar year's days over that year's length, here over the common denominator.
fn actual_actual(start: Date, end: Date) -> YearFraction {
    let mut numerator = 0;
    let mut from = start;
    while from < end {
        let next_year = from.year() + 1;
        // The end of the year is the next 1 January, which every year that is taken has.
        let year_end = Date::new(next_year, 1, 1).map_or(end, |new_year| new_year.min(end));
        let days = u64::try_from(days_between(from, year_end)).unwrap_or(0);
        let days_in_other_year = if from.in_leap_year() { 365 } else { 366 };
        numerator += days * days_in_other_year;
        from = year_end;
    }
    YearFraction::of(numerator, BOTH_YEARS)
}

/// Days by the US (NASD) rule of 30/360: every month has 30 days, its last day is the 30th. The
/// last day of February counts as the 30th at the start, and at the end if the start is one too;
/// the 31st counts as the 30th at the start, and at the end if the start is the 30th by then.
///
/// Source: Securities Industry Association, Standard Securities Calculation Methods.
fn thirty_360_us(start: Date, end: Date) -> u64 {
    let ends_february = |date: Date| date.month() == 2 && date == date.last_of_month();
    let (mut start_day, mut end_day) = (i32::from(start.day()), i32::from(end.day()));
    if ends_february(start) {
        if ends_february(end) {
            end_day = 30;
        }
        start_day = 30;
    }
    if end_day == 31 && start_day >= 30 {
        end_day = 30;
    }
    start_day = start_day.min(30);
    let months =
        (i32::from(end.year()) - i32::from(start.year())) * 12 + i32::from(end.month()) - i32::from(start.month());
    u64::try_from(months * 30 + end_day - start_day).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn every(every: u32, unit: RepayUnit, month_end: MonthEnd) -> Frequency {
        Frequency { every, unit, month_end }
    }

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

    #[test]
    fn the_seed_day_is_remembered() {
        let monthly = every(1, RepayUnit::Month, MonthEnd::Clamp);
        let dates: Vec<_> = (0..4).filter_map(|k| monthly.after(date(2023, 1, 31), k)).collect();
        assert_eq!(dates, [date(2023, 1, 31), date(2023, 2, 28), date(2023, 3, 31), date(2023, 4, 30)]);
        let rolling = every(1, RepayUnit::Month, MonthEnd::Roll);
        let dates: Vec<_> = (0..4).filter_map(|k| rolling.after(date(2023, 1, 31), k)).collect();
        assert_eq!(dates, [date(2023, 1, 31), date(2023, 3, 1), date(2023, 3, 31), date(2023, 5, 1)]);
        assert_eq!(rolling.after(date(2023, 12, 31), 2), Some(date(2024, 3, 1)));
        assert_eq!(monthly.after(date(2023, 12, 31), 2), Some(date(2024, 2, 29)));
    }

    #[test]
    fn nothing_is_due_outside_the_years_that_are_taken() {
        let monthly = every(1, RepayUnit::Month, MonthEnd::Clamp);
        assert_eq!(monthly.after(date(2200, 11, 30), 1), Some(date(2200, 12, 30)));
        assert_eq!(monthly.after(date(2200, 12, 1), 1), None);
        let rolling = every(2, RepayUnit::Month, MonthEnd::Roll);
        assert_eq!(rolling.after(date(2200, 8, 31), 1), Some(date(2200, 10, 31)));
        for unit in [RepayUnit::Month, RepayUnit::Week, RepayUnit::Day] {
            for month_end in [MonthEnd::Clamp, MonthEnd::Roll] {
                let longest = every(u32::MAX, unit, month_end);
                assert_eq!(longest.after(date(1900, 1, 1), u32::MAX), None);
                assert_eq!(longest.after(date(1900, 1, 1), 1), None);
            }
        }
    }

    #[test]
    fn thirty_360_us_by_hand() {
        for (start, end, days) in [
            (date(2024, 1, 15), date(2024, 2, 15), 30),
            (date(2024, 1, 30), date(2024, 3, 31), 60),
            (date(2024, 1, 31), date(2024, 3, 31), 60),
            (date(2024, 1, 29), date(2024, 3, 31), 62),
            (date(2024, 2, 29), date(2024, 3, 31), 30),
            (date(2023, 2, 28), date(2024, 2, 29), 360),
            (date(2023, 2, 28), date(2024, 2, 28), 358),
            (date(2024, 2, 28), date(2024, 3, 31), 33),
            (date(2024, 1, 31), date(2024, 2, 29), 29),
            (date(2024, 12, 31), date(2025, 1, 1), 1),
        ] {
            assert_eq!(thirty_360_us(start, end), days, "{start} {end}");
        }
    }

    #[test]
    fn actual_actual_by_hand() {
        // 1 Nov 2003 to 1 May 2004: 61 days of a common year, 121 of a leap year (ISDA's own
        // example, "EMU and market conventions", 1998).
        let fraction = actual_actual(date(2003, 11, 1), date(2004, 5, 1));
        assert_eq!(fraction, YearFraction::of(61 * 366 + 121 * 365, 365 * 366));
        // Whole years count one each.
        let fraction = actual_actual(date(2023, 1, 1), date(2026, 1, 1));
        assert_eq!(fraction, YearFraction::of(3 * 365 * 366, 365 * 366));
    }

    #[test]
    fn periods_of_a_year() {
        use DayCount::{Actual360, Actual364, Actual365, Thirty360};
        use InterestPeriod::{Daily, RepaymentPeriod};
        use RepayUnit::{Day, Month, Week};

        let (start, end) = (date(2024, 1, 31), date(2024, 2, 29));
        let fraction = |unit, basis, day_count| {
            let frequency = every(1, unit, MonthEnd::Clamp);
            let fraction = YearFraction::regular(frequency, basis, day_count, start, end);
            (fraction.numerator, fraction.denominator)
        };
        assert_eq!(fraction(Month, RepaymentPeriod, Actual360), (1, 12));
        assert_eq!(fraction(Week, RepaymentPeriod, Actual360), (1, 52));
        assert_eq!(fraction(Day, RepaymentPeriod, Actual364), (29, 364));
        assert_eq!(fraction(Day, RepaymentPeriod, Thirty360), (1, 360));
        assert_eq!(fraction(Month, Daily, Thirty360), (30, 360));
        assert_eq!(fraction(Week, Daily, Thirty360), (7, 360));
        assert_eq!(fraction(Month, Daily, Actual365), (29, 365));
        assert_eq!(fraction(Week, Daily, Actual364), (29, 364));
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

        #[test]
        fn due_dates_increase_and_weeks_are_seven_days(start in any_date(), step in 1u32..50) {
            for month_end in [MonthEnd::Clamp, MonthEnd::Roll] {
                for unit in [RepayUnit::Month, RepayUnit::Week, RepayUnit::Day] {
                    let frequency = every(step, unit, month_end);
                    let dates: Vec<_> =
                        (0..20).map_while(|k| frequency.after(start, k)).collect();
                    prop_assert!(dates.windows(2).all(|pair| pair[0] < pair[1]));
                    let length = match unit {
                        RepayUnit::Week => step * 7,
                        RepayUnit::Day => step,
                        RepayUnit::Month => continue,
                    };
                    for pair in dates.windows(2) {
                        prop_assert_eq!(days_between(pair[0], pair[1]).unsigned_abs(), length);
                    }
                }
            }
        }
    }
}
