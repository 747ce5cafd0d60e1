//! Due dates.

use jiff::civil::Date;

use super::date::{days_after, is_taken};
use crate::words::words;

words! {
    /// The unit of a repayment period.
    #[derive(Default)]
    RepayUnit {
        /// Calendar months.
        #[default]
        Month = "month",
        /// Seven days.
        Week = "week",
        /// Calendar days.
        Day = "day",
    }
}

words! {
    /// The due date in a month that lacks the seed day.
    #[derive(Default)]
    MonthEnd {
        /// The last day of that month.
        #[default]
        Clamp = "clamp",
        /// The first day of the next.
        Roll = "roll",
    }
}

/// The interval between due dates: a number of months, weeks or days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frequency {
    pub(crate) every: u32,
    pub(crate) unit: RepayUnit,
    pub(crate) month_end: MonthEnd,
}

impl Frequency {
    /// The date `count` repayment periods after `start`, whose day of the month is the seed day:
    /// it is taken wherever the month has it, whatever became of it in between. `None` beyond the
    /// last year of the calendar.
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

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::calendar::date::days_between;

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

    proptest! {
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
