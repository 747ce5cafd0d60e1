//! Calendars of holidays, and the rules that hold between their fields.

use std::sync::Arc;

use jiff::civil::Date;
use lending::{CalendarPatch, Given, Terms, TermsPatch, WeekDay};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::refusal::Refusal,
    values::{
        refusal::FieldError,
        time::{BusinessDate, Instant},
        version::Version,
    },
};

/// The most holidays of a calendar.
pub const MAX_HOLIDAYS: usize = 1_000;
/// The most days of a weekend: one day of the week is a working day.
const MAX_WEEKEND: usize = 6;

/// A version of a calendar.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Calendar)]
pub struct HolidayCalendar {
    /// Names the calendar.
    #[schema(example = "ke")]
    pub code: String,
    /// Changes with every change of the calendar.
    #[schema(value_type = i32, example = 1)]
    pub version: Version,
    /// The name people see.
    #[schema(example = "Kenya")]
    pub name: String,
    /// The days of the week that are no working days.
    #[schema(example = json!(["sat", "sun"]))]
    pub weekend: Vec<WeekDay>,
    /// The other days that are no working days, the earliest first.
    pub holidays: Vec<Holiday>,
    /// The dates for which holidays are entered; null where there are none.
    #[schema(required = true)]
    pub covers: Option<Covers>,
    /// When it was made.
    pub created_at: Instant,
    /// When this version was made.
    pub updated_at: Instant,
}

/// A day that is no working day.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Holiday {
    /// The day.
    pub on: BusinessDate,
    /// The name people see.
    #[schema(example = "Labour Day")]
    pub name: String,
}

/// A range of dates, both included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct Covers {
    /// The first date.
    pub from: BusinessDate,
    /// The last date.
    pub to: BusinessDate,
}

impl Covers {
    /// The whole years of these holidays, which are in the order of their dates.
    #[must_use]
    pub fn years_of(holidays: &[Holiday]) -> Option<Self> {
        let day = |date: &BusinessDate, month, day| Date::new(date.0.year(), month, day).ok().map(BusinessDate);
        Some(Self { from: day(&holidays.first()?.on, 1, 1)?, to: day(&holidays.last()?.on, 12, 31)? })
    }

    fn contains(self, date: BusinessDate) -> bool {
        self.from <= date && date <= self.to
    }
}

impl HolidayCalendar {
    /// The rules that its fields break. `places` are the places that the holidays have in the request.
    #[must_use]
    pub fn broken_rules(&self, places: &[usize]) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if self.weekend.len() > MAX_WEEKEND {
            let rule = "must leave a working day: at most 6 days";
            errors.push(FieldError::new("/weekend", "too_many", rule));
        }
        if let Some(covers) = self.covers.filter(|covers| covers.from > covers.to) {
            let rule = format!("must not be after {}", covers.to);
            errors.push(FieldError::new("/covers/from", "after_end", rule));
            return errors;
        }
        let mut before: Option<BusinessDate> = None;
        for (holiday, place) in self.holidays.iter().zip(places) {
            let pointer = format!("/holidays/{place}/on");
            if before.replace(holiday.on) == Some(holiday.on) {
                errors.push(FieldError::new(&pointer, "repeated", "must not be the date of another holiday"));
            }
            if let Some(Covers { from, to }) = self.covers.filter(|covers| !covers.contains(holiday.on)) {
                let rule = format!("must be a date that the calendar covers, {from} to {to}");
                errors.push(FieldError::new(&pointer, "outside_covers", rule));
            }
        }
        errors
    }

    /// True if both have the same fields, whatever version they are.
    #[must_use]
    pub fn has_same_days(&self, other: &Self) -> bool {
        (&self.name, &self.weekend, &self.holidays, self.covers)
            == (&other.name, &other.weekend, &other.holidays, other.covers)
    }

    /// Its days, as the engine takes them.
    #[must_use]
    pub fn days(&self) -> Arc<lending::Calendar> {
        let holidays = self.holidays.iter().map(|holiday| holiday.on.0);
        Arc::new(lending::Calendar::new(self.version.0.cast_unsigned(), self.weekend.iter().copied(), holidays))
    }
}

/// The code of the calendar that a request's terms name, if they do.
#[must_use]
pub fn named(terms: &TermsPatch) -> Option<String> {
    match &terms.calendar {
        Given::Value(CalendarPatch { code: Some(code), .. }) => Some(code.as_str().to_owned()),
        Given::Value(CalendarPatch { code: None, .. }) | Given::Absent | Given::Null => None,
    }
}

/// Terms with the newest version of the calendar that they name: `known` is the one that was looked up for them.
///
/// # Errors
///
/// An invalid field if there is no calendar of that code.
pub fn with_newest(terms: Terms, known: Option<&HolidayCalendar>) -> Result<Terms, Refusal> {
    let Some(named) = terms.calendar() else { return Ok(terms) };
    if let Some(known) = known.filter(|known| known.code == named.code.as_str()) {
        let days = known.days();
        return Ok(terms.with_calendar(Some(days)));
    }
    if terms.known_calendar().is_some() {
        return Ok(terms);
    }
    Err(Refusal::field("/terms/calendar/code", "calendar_not_found", "there is no calendar of this code"))
}
