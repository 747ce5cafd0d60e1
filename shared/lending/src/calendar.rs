//! Due dates and day counts. Dates are calendar dates between 1900 and 2200; no clock, no time
//! zone.

mod date;
mod frequency;
mod working_days;
mod year_fraction;

pub use date::{DateError, FIRST_YEAR, LAST_YEAR, parse_date};
pub(crate) use date::{JsonDate, days_after, days_between, is_taken};
pub(crate) use frequency::Frequency;
pub use frequency::{MonthEnd, RepayUnit};
pub use working_days::{Calendar, CalendarCode, CalendarCodeError, CalendarRule, WeekDay};
pub(crate) use year_fraction::YearFraction;
pub use year_fraction::{DayCount, InterestPeriod};
