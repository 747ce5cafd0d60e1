//! The time between two dates as the methods count it: whole periods back from the later date, and
//! the days that remain.

use jiff::civil::Date;

use super::method::{AprMethod, PeriodUnit, UnitPeriod};
use crate::calendar::days_between;
use crate::equation::{OddPart, StepsPerYear, Time};

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
    /// A date at the end of a month stands for the end of every month.
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

/// The date a number of months before `to`, on day `day` of its month; the last day of a shorter month.
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
    // Without any group `start` is the later date itself.
    if start < from {
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
    pub(crate) fn steps(self) -> StepsPerYear {
        let every = u64::from(self.unit_period.every());
        let unit = self.unit_period.unit();
        let (numerator, denominator) = match self.method {
            AprMethod::Eu => match unit {
                PeriodUnit::Month if self.counts_years() => (1, 1),
                PeriodUnit::Month | PeriodUnit::HalfMonth => (12, 1),
                PeriodUnit::Week => (52, 1),
                PeriodUnit::Day => (1, 1),
            },
            AprMethod::RegZ | AprMethod::Nominal => match unit {
                PeriodUnit::Month => (12, every),
                PeriodUnit::HalfMonth => (24, every),
                PeriodUnit::Week => (52, every),
                PeriodUnit::Day => (365, every),
            },
        };
        StepsPerYear { numerator, denominator }
    }

    pub(crate) const fn odd_part(self) -> OddPart {
        match self.method {
            AprMethod::RegZ => OddPart::Simple,
            AprMethod::Nominal => OddPart::OfStep,
            AprMethod::Eu => OddPart::OfYear,
        }
    }

    /// True if the unit period is a number of whole years.
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

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::Value;

    use super::*;

    fn counting(method: AprMethod, every: u32, unit: PeriodUnit) -> Counting {
        Counting::new(method, UnitPeriod::new(every, unit).unwrap())
    }

    fn time(whole: u32, odd: u64, of: u64) -> Time {
        Time { whole, odd, of }
    }

    /// One payment at the end.
    fn between(method: AprMethod, every: u32, unit: PeriodUnit, from: Date, to: Date) -> Time {
        counting(method, every, unit).between(from, to, MonthDays::of([from, to].into_iter()))
    }

    fn examples(json: &str) -> Vec<Value> {
        serde_json::from_str(json).unwrap()
    }

    /// Of `apr.json`, and of `eu-intervals.json` in the same form.
    #[test]
    fn every_published_european_interval() {
        let files =
            [include_str!("../../tests/vectors/apr.json"), include_str!("../../tests/vectors/eu-intervals.json")];
        let mut failures = Vec::new();
        let mut seen = 0;
        for example in files.iter().flat_map(|file| examples(file)) {
            let (inputs, expected) = (&example["inputs"], &example["expected"]);
            let (every, unit) = match inputs["regular_period"].as_str() {
                Some("years") => (12, PeriodUnit::Month),
                Some("months") => (1, PeriodUnit::Month),
                Some("weeks") => (1, PeriodUnit::Week),
                _ => continue,
            };
            seen += 1;
            let date = |name: &str| crate::parse_date(inputs[name].as_str().unwrap()).unwrap();
            let got = between(AprMethod::Eu, every, unit, date("from"), date("to"));
            let number = |name: &str| expected[name].as_u64().unwrap();
            let wanted = (number("whole_periods"), number("odd_days"), number("days_in_year_divisor"));
            if (u64::from(got.whole), got.odd, got.of) != wanted {
                failures.push(format!("{}: expected {wanted:?}, got {got:?}", example["id"]));
            }
        }
        assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
        assert_eq!(seen, 4 + 18);
    }

    #[test]
    fn every_published_first_payment_of_regulation_z() {
        let mut seen = 0;
        for example in examples(include_str!("../../tests/vectors/apr.json")) {
            let (inputs, expected) = (&example["inputs"], &example["expected"]);
            let Some(whole) = expected["first_payment_t"].as_u64() else { continue };
            seen += 1;
            let date = |value: &Value| crate::parse_date(value.as_str().unwrap()).unwrap();
            let unit = match inputs["unit_periods_per_year"].as_u64().unwrap() {
                12 => PeriodUnit::Month,
                24 => PeriodUnit::HalfMonth,
                other => panic!("{other}"),
            };
            let (from, to) = (date(&inputs["advance_date"]), date(&inputs["payments"][0]["first_date"]));
            let got = between(AprMethod::RegZ, 1, unit, from, to);
            assert_eq!(u64::from(got.whole), whole, "{}", example["id"]);
            let millionths = (got.odd * 1_000_000 + got.of / 2) / got.of;
            let wanted = expected["first_payment_f"].to_string();
            assert!(format!("{}.{millionths:06}", 0).starts_with(&wanted), "{}: {wanted}", example["id"]);
        }
        assert_eq!(seen, 5);
    }

    #[test]
    fn unit_periods_by_hand() {
        use AprMethod::{Nominal, RegZ};
        use PeriodUnit::{Day, HalfMonth, Month, Week};

        for (every, unit, from, to, wanted) in [
            // Appendix J (c)(1)(iv): a quarter, a month and 9 days; (c)(4)(ii): a month and 22 days.
            (3, Month, date(1978, 5, 23), date(1978, 10, 1), time(1, 39, 90)),
            (2, Month, date(1978, 1, 10), date(1978, 3, 1), time(0, 52, 60)),
            // 4 weeks and 5 days; 8 days of 14.
            (1, Week, date(1978, 3, 20), date(1978, 4, 21), time(4, 4, 7)),
            (2, Week, date(1978, 4, 3), date(1978, 4, 11), time(0, 8, 14)),
            (1, Day, date(2024, 2, 28), date(2024, 3, 1), time(2, 0, 1)),
            (10, Day, date(2024, 2, 28), date(2024, 3, 12), time(1, 3, 10)),
            (1, HalfMonth, date(1978, 2, 23), date(1978, 4, 1), time(2, 6, 15)),
            (2, HalfMonth, date(1978, 2, 23), date(1978, 4, 1), time(1, 6, 30)),
            // 30 days are a month, though the calendar's has 31.
            (1, Month, date(2024, 7, 15), date(2024, 8, 14), time(1, 0, 30)),
            (1, Month, date(2024, 7, 15), date(2024, 8, 15), time(1, 0, 30)),
            (1, Month, date(2024, 7, 15), date(2024, 7, 15), time(0, 0, 30)),
            // Years: with months that remain, or days.
            (12, Month, date(2023, 1, 15), date(2026, 1, 15), time(3, 0, 12)),
            (12, Month, date(2023, 1, 15), date(2025, 6, 15), time(2, 5, 12)),
            (12, Month, date(2023, 1, 15), date(2025, 1, 25), time(2, 10, 365)),
            (12, Month, date(2024, 1, 15), date(2025, 1, 14), time(1, 0, 365)),
            (12, Month, date(2023, 1, 15), date(2026, 1, 10), time(2, 360, 365)),
            (24, Month, date(2023, 1, 15), date(2026, 1, 25), time(1, 370, 720)),
        ] {
            for method in [RegZ, Nominal] {
                assert_eq!(between(method, every, unit, from, to), wanted, "{every} {unit:?} {from} {to}");
            }
        }
    }

    #[test]
    fn months_end_where_the_series_does() {
        let months = |dates: &[Date]| {
            let counting = counting(AprMethod::RegZ, 1, PeriodUnit::Month);
            let month_days = MonthDays::of(dates.iter().copied());
            dates[1..].iter().map(|to| counting.between(dates[0], *to, month_days)).collect::<Vec<_>>()
        };
        let regular: Vec<Time> = (1..=3).map(|k| time(k, 0, 30)).collect();
        for series in [
            // The last days of months, of the 31st and of the 30th; the 30th and the 29th.
            [date(2023, 1, 31), date(2023, 2, 28), date(2023, 3, 31), date(2023, 4, 30)],
            [date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 30)],
            [date(2023, 4, 30), date(2023, 5, 31), date(2023, 6, 30), date(2023, 7, 31)],
            [date(2023, 1, 30), date(2023, 2, 28), date(2023, 3, 30), date(2023, 4, 30)],
            [date(2023, 1, 29), date(2023, 2, 28), date(2023, 3, 29), date(2023, 4, 29)],
            [date(2024, 1, 29), date(2024, 2, 29), date(2024, 3, 29), date(2024, 4, 29)],
            [date(2024, 1, 30), date(2024, 2, 29), date(2024, 3, 30), date(2024, 4, 30)],
            // The 28th is a date like any other, and so is the 30th of months of 30 days.
            [date(2023, 1, 28), date(2023, 2, 28), date(2023, 3, 28), date(2023, 4, 28)],
        ] {
            assert_eq!(months(&series), regular, "{series:?}");
        }
        assert_eq!(
            months(&[date(2023, 4, 30), date(2023, 6, 30), date(2023, 9, 30)]),
            [time(2, 0, 30), time(5, 0, 30)]
        );
        // From the 30th of a long month to the end of a short one: the 28th day is not the 30th.
        assert_eq!(
            months(&[date(2023, 1, 15), date(2023, 2, 28), date(2023, 3, 31)]),
            [time(1, 16, 30), time(2, 16, 30)]
        );
        // A payment in the middle of a month means its own date, whatever the series: 2 months and 15
        // days from 31 January to 15 April, a month and 5 days from 10 January to 15 February.
        let odd = [date(2023, 1, 31), date(2023, 2, 28), date(2023, 3, 31), date(2023, 4, 15)];
        assert_eq!(months(&odd), [time(1, 0, 30), time(2, 0, 30), time(2, 15, 30)]);
        let late = [date(2023, 1, 10), date(2023, 2, 15), date(2023, 3, 30)];
        assert_eq!(months(&late), [time(1, 5, 30), time(2, 20, 30)]);
        // One payment on the last day, as the advance.
        assert_eq!(months(&[date(2023, 1, 31), date(2023, 2, 28)]), [time(1, 0, 30)]);
        assert_eq!(months(&[date(2023, 2, 28), date(2023, 3, 28)]), [time(1, 0, 30)]);
    }

    #[test]
    fn european_time_of_other_units() {
        use PeriodUnit::{Day, HalfMonth, Month};

        for (every, unit, from, to, wanted) in [
            // Quarters are months; two years are years.
            (3, Month, date(2012, 1, 12), date(2012, 3, 15), time(2, 3, 365)),
            (24, Month, date(2012, 1, 12), date(2015, 1, 12), time(3, 0, 365)),
            (12, Month, date(2012, 1, 12), date(2015, 1, 5), time(2, 359, 366)),
            (1, HalfMonth, date(2012, 1, 12), date(2012, 3, 15), time(2, 3, 365)),
            // Days alone, over the year that ends with the last of them.
            (1, Day, date(1994, 1, 1), date(1995, 7, 1), time(0, 546, 365)),
            (1, Day, date(2024, 1, 1), date(2024, 2, 29), time(0, 59, 366)),
            (1, Day, date(2024, 1, 1), date(2024, 2, 28), time(0, 58, 365)),
        ] {
            assert_eq!(between(AprMethod::Eu, every, unit, from, to), wanted, "{every} {unit:?} {from} {to}");
        }
    }

    #[test]
    fn steps_of_a_year() {
        use AprMethod::{Eu, Nominal, RegZ};
        use PeriodUnit::{Day, HalfMonth, Month, Week};

        for (method, every, unit, numerator, denominator) in [
            (RegZ, 1, Month, 12, 1),
            (RegZ, 5, Month, 12, 5),
            (RegZ, 1, HalfMonth, 24, 1),
            (Nominal, 4, Week, 52, 4),
            (Nominal, 255, Day, 365, 255),
            (Eu, 1, Month, 12, 1),
            (Eu, 3, Month, 12, 1),
            (Eu, 12, Month, 1, 1),
            (Eu, 36, Month, 1, 1),
            (Eu, 2, HalfMonth, 12, 1),
            (Eu, 2, Week, 52, 1),
            (Eu, 7, Day, 1, 1),
        ] {
            assert_eq!(
                counting(method, every, unit).steps(),
                StepsPerYear { numerator, denominator },
                "{every} {unit:?}"
            );
        }
    }
}
