//! Periods as parts of a year, by day counts.

use jiff::civil::Date;

use super::date::days_between;
use super::frequency::{Frequency, RepayUnit};
use crate::number::rounding::gcd;
use crate::words::words;

words! {
    /// The conversion of a regular period to a part of a year.
    #[derive(Default)]
    InterestPeriod {
        /// One of 12 months or 52 weeks, whatever the calendar says.
        #[default]
        RepaymentPeriod = "repayment_period",
        /// By the day count.
        Daily = "daily",
    }
}

words! {
    /// The conversion of days to a part of a year.
    #[derive(Default)]
    DayCount {
        /// Months of 30 days, years of 360.
        #[default]
        Thirty360 = "30/360",
        /// Calendar days over 360.
        Actual360 = "actual/360",
        /// Calendar days over 364.
        Actual364 = "actual/364",
        /// Calendar days over 365.
        Actual365 = "actual/365",
        /// Calendar days of each year over that year's own length (ISDA).
        ActualActual = "actual/actual",
    }
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
    /// A whole repayment period, or several where a calendar skips due dates: by the calendar's names for
    /// `repayment_period`, by the day count for `daily` and for periods of days.
    pub(crate) fn regular(
        frequency: Frequency,
        basis: InterestPeriod,
        day_count: DayCount,
        start: Date,
        end: Date,
    ) -> Self {
        let actual = || u64::try_from(days_between(start, end)).unwrap_or(0);
        match (basis, frequency.unit) {
            (InterestPeriod::RepaymentPeriod, RepayUnit::Month) => return Self::of(u64::from(frequency.every), 12),
            (InterestPeriod::RepaymentPeriod, RepayUnit::Week) => return Self::of(actual() / 7, 52),
            (InterestPeriod::RepaymentPeriod, RepayUnit::Day)
            | (InterestPeriod::Daily, RepayUnit::Month | RepayUnit::Week | RepayUnit::Day) => (),
        }
        match day_count {
            DayCount::Thirty360 => {
                let days = match frequency.unit {
                    RepayUnit::Month => u64::from(frequency.every) * 30,
                    RepayUnit::Week | RepayUnit::Day => actual(),
                };
                Self::of(days, 360)
            }
            DayCount::Actual360 | DayCount::Actual364 | DayCount::Actual365 | DayCount::ActualActual => {
                Self::by_days(day_count, start, end)
            }
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
        if self.denominator == other.denominator {
            return Self::of(self.numerator + other.numerator, self.denominator);
        }
        let common = self.denominator / gcd(self.denominator, other.denominator);
        let denominator = common * other.denominator;
        let numerator =
            self.numerator * (denominator / self.denominator) + other.numerator * (denominator / other.denominator);
        Self::of(numerator, denominator)
    }

    /// A period several times as long.
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

    use super::*;
    use crate::calendar::frequency::MonthEnd;

    fn every(every: u32, unit: RepayUnit, month_end: MonthEnd) -> Frequency {
        Frequency { every, unit, month_end }
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

        let start = date(2024, 1, 31);
        let fraction = |unit, basis, day_count| {
            let frequency = every(1, unit, MonthEnd::Clamp);
            let end = frequency.after(start, 1).unwrap();
            let fraction = YearFraction::regular(frequency, basis, day_count, start, end);
            (fraction.numerator, fraction.denominator)
        };
        assert_eq!(fraction(Month, RepaymentPeriod, Actual360), (1, 12));
        assert_eq!(fraction(Week, RepaymentPeriod, Actual360), (1, 52));
        assert_eq!(fraction(Day, RepaymentPeriod, Actual364), (1, 364));
        assert_eq!(fraction(Day, RepaymentPeriod, Thirty360), (1, 360));
        assert_eq!(fraction(Month, Daily, Thirty360), (30, 360));
        assert_eq!(fraction(Week, Daily, Thirty360), (7, 360));
        assert_eq!(fraction(Month, Daily, Actual365), (29, 365));
        assert_eq!(fraction(Week, Daily, Actual364), (7, 364));
    }
}
