//! The time between two dates as the methods count it: whole periods back from the later date, and
//! the days that remain.

use jiff::civil::Date;

use super::{AprMethod, PeriodUnit, UnitPeriod};
use crate::calendar::days_between;
use crate::equation::{OddPart, Steps, Time};

/// How a series of flows falls on the days of its months.
///
/// "All months shall be considered equal. Full months shall be measured from any point in time on
/// a given date of a given month to the same point in time on the same date of another month. If a
/// series of payments (or advances) is scheduled for the last day of each month, months shall be
/// measured from the last day of the given month to the last day of another month. If payments (or
/// advances) are scheduled for the 29th or 30th of each month, the last day of February shall be
/// used when applicable." (12 CFR 1026, Appendix J (b)(3)(iv))
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MonthDays {
    /// Each on its own date.
    Same,
    /// What falls on the last day of a month means the last day of every month.
    Last,
    /// On this date, 29 or 30: the last day of February means the same.
    LateWith(i8),
}

impl MonthDays {
    /// The days of a series, its start among them: on the 29th or 30th if one of them is and the
    /// month goes on; otherwise on the last day, if several fall on the last days of months of
    /// different length.
    pub(crate) fn of(dates: impl Iterator<Item = Date>) -> Self {
        let mut late = None;
        let mut last = None;
        let mut differ = false;
        for date in dates {
            if date.day() == date.days_in_month() {
                differ |= last.is_some_and(|other| other != date.day());
                last = Some(date.day());
            } else if date.day() >= 29 {
                late = late.max(Some(date.day()));
            }
        }
        match late {
            Some(day) => Self::LateWith(day),
            None if differ => Self::Last,
            None => Self::Same,
        }
    }

    /// The day of the month that a date means.
    fn day(self, date: Date) -> i8 {
        let is_last = date.day() == date.days_in_month();
        match self {
            Self::Last if is_last => 31,
            Self::LateWith(day) if is_last && date.month() == 2 => day.max(date.day()),
            Self::Same | Self::Last | Self::LateWith(_) => date.day(),
        }
    }
}

/// The date so many months before `to`, whose day of the month is `day`; the last day of a month
/// that does not have it.
fn months_before(to: Date, day: i8, months: u32) -> Date {
    let index = i32::from(to.year()) * 12 + i32::from(to.month()) - 1 - i32::try_from(months).unwrap_or(0);
    let year = i16::try_from(index.div_euclid(12)).unwrap_or(to.year());
    let month = i8::try_from(index.rem_euclid(12) + 1).unwrap_or(1);
    let first = Date::new(year, month, 1).unwrap_or(to);
    first.with().day(day.min(first.days_in_month())).build().unwrap_or(first)
}

/// As many whole groups of `step` months as lie between the dates, counted back from the later
/// one, and where they begin.
fn whole_months(from: Date, to: Date, days: MonthDays, step: u32) -> (u32, Date) {
    let months = (i32::from(to.year()) - i32::from(from.year())) * 12 + i32::from(to.month()) - i32::from(from.month());
    let mut groups = u32::try_from(months).unwrap_or(0) / step;
    let mut start = months_before(to, days.day(to), groups * step);
    if start < from && groups > 0 {
        groups -= 1;
        start = months_before(to, days.day(to), groups * step);
    }
    // In the month of `from` itself there is no whole month.
    (groups, if groups == 0 { to } else { start })
}

fn days(from: Date, to: Date) -> u64 {
    u64::try_from(days_between(from, to)).unwrap_or(0)
}

/// `numerator / denominator` steps.
fn divided(numerator: u64, denominator: u64) -> Time {
    let whole = u32::try_from(numerator / denominator).unwrap_or(u32::MAX);
    Time { whole, odd: numerator % denominator, of: denominator }
}

/// How a method counts time with a unit period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counting {
    method: AprMethod,
    unit_period: UnitPeriod,
}

impl Counting {
    pub(crate) const fn new(method: AprMethod, unit_period: UnitPeriod) -> Self {
        Self { method, unit_period }
    }

    /// How many of the steps that [`Self::between`] counts make a year.
    pub(crate) fn steps(self) -> Steps {
        let every = u64::from(self.unit_period.every());
        let (numerator, denominator) = match (self.method, self.unit_period.unit()) {
            (AprMethod::Eu, PeriodUnit::Month | PeriodUnit::HalfMonth) if !self.counts_years() => (12, 1),
            (AprMethod::Eu, PeriodUnit::Week) => (52, 1),
            (AprMethod::Eu, _) => (1, 1),
            (_, PeriodUnit::Month) => (12, every),
            (_, PeriodUnit::HalfMonth) => (24, every),
            (_, PeriodUnit::Week) => (52, every),
            (_, PeriodUnit::Day) => (365, every),
        };
        Steps { numerator, denominator }
    }

    pub(crate) const fn odd_part(self) -> OddPart {
        match self.method {
            AprMethod::RegZ => OddPart::Simple,
            AprMethod::Nominal => OddPart::OfStep,
            AprMethod::Eu => OddPart::OfYear,
        }
    }

    /// Whether the unit period is a number of whole years.
    fn counts_years(self) -> bool {
        self.unit_period.unit() == PeriodUnit::Month && self.unit_period.every().is_multiple_of(12)
    }

    /// The time from one date to another that is not before it, in the series that has these days.
    pub(crate) fn between(self, from: Date, to: Date, month_days: MonthDays) -> Time {
        match self.method {
            AprMethod::Eu => self.between_eu(from, to, month_days),
            AprMethod::RegZ | AprMethod::Nominal => self.between_reg_z(from, to, month_days),
        }
    }

    /// Whole weeks, months or years counted back from the later date, then days: "expressed in
    /// years by dividing this number by the number of days (365 or 366) of the complete year
    /// counted backwards from the last day to the same day of the previous year". Half months have
    /// no equal period of their own in the directive; they are months and days.
    fn between_eu(self, from: Date, to: Date, month_days: MonthDays) -> Time {
        let (whole, start) = match self.unit_period.unit() {
            PeriodUnit::Month if self.counts_years() => {
                let (years, start) = whole_months(from, to, month_days, 12);
                (years, start)
            }
            PeriodUnit::Month | PeriodUnit::HalfMonth => whole_months(from, to, month_days, 1),
            PeriodUnit::Week => {
                let rest = days(from, to) % 7;
                let weeks = u32::try_from(days(from, to) / 7).unwrap_or(0);
                let start = from.checked_add(jiff::Span::new().days(i64::try_from(rest).unwrap_or(0)));
                (weeks, start.unwrap_or(from))
            }
            PeriodUnit::Day => (0, to),
        };
        let year = days(months_before(start, start.day(), 12), start);
        Time { whole, odd: days(from, start), of: year }
    }

    /// Appendix J (b)(5)(ii) to (v): months of 30 days counted back from the later date and the
    /// days that remain; weeks and days by the calendar; a year with the months or else the days
    /// that remain.
    fn between_reg_z(self, from: Date, to: Date, month_days: MonthDays) -> Time {
        let every = u64::from(self.unit_period.every());
        let months_and_days = || {
            let (months, start) = whole_months(from, to, month_days, 1);
            u64::from(months) * 30 + days(from, start)
        };
        match self.unit_period.unit() {
            PeriodUnit::Month if every == 12 => {
                let (years, year_start) = whole_months(from, to, month_days, 12);
                let (months, start) = whole_months(from, to, month_days, 1);
                if start == from {
                    return Time { whole: years, odd: u64::from(months % 12), of: 12 };
                }
                let rest = divided(days(from, year_start), 365);
                Time { whole: years + rest.whole, ..rest }
            }
            PeriodUnit::Month => divided(months_and_days(), 30 * every),
            PeriodUnit::HalfMonth => divided(months_and_days(), 15 * every),
            PeriodUnit::Week => divided(days(from, to), 7 * every),
            PeriodUnit::Day => divided(days(from, to), every),
        }
    }
}
