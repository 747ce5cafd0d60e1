//! The time of a command.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// When a step is taken: the instant, and its business date.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// The database's clock.
    pub now: Timestamp,
    /// Its business date.
    pub today: Date,
    /// The lender's time zone, in which dates are.
    pub zone: &'a TimeZone,
}

impl Moment<'_> {
    /// The business date of an instant.
    #[must_use]
    pub fn date_of(&self, instant: Timestamp) -> Date {
        self.zone.to_datetime(instant).date()
    }
}
