//! Due dates, one after the other: the rhythm of the terms, and a calendar that moves them.

use jiff::civil::Date;

use crate::Terms;
use crate::calendar::{Calendar, CalendarRule, RepayUnit, YearFraction, days_between};
use crate::refusal::{Reason, Refusal};
use crate::steps::steps;

/// A period between due dates: as the rhythm gives it, and as a calendar moves its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PeriodDates {
    /// The due date before, or the disbursement.
    pub(crate) start: Date,
    /// The due date.
    pub(crate) due_on: Date,
    /// The same by the rhythm alone.
    pub(crate) nominal_start: Date,
    pub(crate) nominal_due_on: Date,
    /// A first due date of its own made it longer or shorter than a repayment period.
    pub(crate) is_irregular: bool,
}

impl PeriodDates {
    /// Calendar days from the start to the due date.
    pub(crate) fn days(&self) -> u32 {
        days_between(self.start, self.due_on).unsigned_abs()
    }

    /// The period as a part of a year. Interest by the day counts the days between the moved dates, unless every month
    /// has 30 days.
    pub(crate) fn fraction(&self, terms: &Terms) -> YearFraction {
        let (start, end) = if terms.counts_moved_days() {
            (self.start, self.due_on)
        } else {
            (self.nominal_start, self.nominal_due_on)
        };
        if self.is_irregular {
            return YearFraction::by_days(terms.day_count(), start, end);
        }
        YearFraction::regular(terms.frequency(), terms.interest_period(), terms.day_count(), start, end)
    }
}

/// The series of due dates: the n-th instalment is due `n - before` repayment periods after the seed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seed {
    pub(crate) on: Date,
    pub(crate) before: u32,
}

impl Seed {
    pub(crate) fn of_disbursement(disbursed_on: Date, first_due_on: Option<Date>) -> Self {
        match first_due_on {
            Some(first) => Self { on: first, before: 1 },
            None => Self { on: disbursed_on, before: 0 },
        }
    }
}

/// The dates of instalments, one after the other.
pub(crate) struct DueDates<'a> {
    terms: &'a Terms,
    moved: Option<(CalendarRule, &'a Calendar)>,
    seed: Seed,
    /// The number of the next instalment.
    next: u32,
    /// The due date before it, or the disbursement; and the same by the rhythm.
    previous: Date,
    previous_nominal: Date,
}

impl<'a> DueDates<'a> {
    /// From instalment `next` on, after the due date before it, or the disbursement, and the same by the rhythm.
    ///
    /// # Errors
    /// A [`Refusal`] of weeks that would always skip their due date.
    pub(crate) fn after(
        (previous, previous_nominal): (Date, Date),
        next: u32,
        seed: Seed,
        terms: &'a Terms,
        calendar: Option<&'a Calendar>,
    ) -> Result<Self, Refusal> {
        let moved = terms.moves_by(calendar);
        if let Some((CalendarRule::Extend, calendar)) = moved
            && terms.repay_unit() == RepayUnit::Week
            && calendar.is_weekend(seed.on)
        {
            return Err(Refusal::terms("/calendar/rule", Reason::NeverAWorkingDay));
        }
        Ok(Self { terms, moved, seed, next, previous, previous_nominal })
    }

    /// The period of the next instalment; `None` beyond the last year of the calendar.
    pub(crate) fn next(&mut self) -> Option<PeriodDates> {
        steps(1);
        let nominal = self.nominal()?;
        let due_on = match self.moved {
            None => nominal,
            Some((rule, calendar)) => moved(rule, calendar, nominal, self.previous)?,
        };
        let dates = PeriodDates {
            start: self.previous,
            due_on,
            nominal_start: self.previous_nominal,
            nominal_due_on: nominal,
            // The first instalment of a series that begins with a date of its own.
            is_irregular: self.seed.before == self.next && !self.is_regular(self.previous_nominal, nominal),
        };
        self.next += 1;
        self.previous = due_on;
        self.previous_nominal = nominal;
        Some(dates)
    }

    /// The next date of the rhythm.
    fn nominal(&self) -> Option<Date> {
        let frequency = self.terms.frequency();
        let Some((CalendarRule::Extend, calendar)) = self.moved else {
            return frequency.after(self.seed.on, self.next.checked_sub(self.seed.before)?);
        };
        let is_first = self.seed.before == self.next;
        if self.terms.repay_unit() == RepayUnit::Day {
            return if is_first {
                calendar.working_from(self.seed.on)
            } else {
                calendar.working_days_after(self.previous_nominal, frequency.every)
            };
        }
        let mut date = if is_first { self.seed.on } else { frequency.after(self.previous_nominal, 1)? };
        while !calendar.is_working(date) {
            steps(1);
            date = frequency.after(date, 1)?;
        }
        Some(date)
    }

    /// True if the period between these dates is one repayment period, or several where dates are skipped.
    fn is_regular(&self, start: Date, end: Date) -> bool {
        let frequency = self.terms.frequency();
        let Some((CalendarRule::Extend, calendar)) = self.moved else {
            return frequency.after(start, 1) == Some(end);
        };
        match self.terms.repay_unit() {
            RepayUnit::Day => calendar.working_days_after(start, frequency.every) == Some(end),
            RepayUnit::Week => {
                let weeks = i64::from(days_between(start, end));
                weeks % (7 * i64::from(frequency.every)) == 0
            }
            // Refused with the terms.
            RepayUnit::Month => false,
        }
    }
}

/// The place to which a date of the rhythm moves, after the due date before it.
fn moved(rule: CalendarRule, calendar: &Calendar, nominal: Date, previous: Date) -> Option<Date> {
    let next = |date: Date| calendar.working_from(date);
    let date = if calendar.is_working(nominal) {
        nominal
    } else {
        match rule {
            // A date of this rule is a working day.
            CalendarRule::Following | CalendarRule::Extend => next(nominal)?,
            CalendarRule::Preceding => match calendar.working_before(nominal) {
                Some(before) if before > previous => before,
                Some(_) | None => next(nominal)?,
            },
            CalendarRule::ModifiedFollowing => match next(nominal) {
                Some(date) if date.first_of_month() == nominal.first_of_month() => date,
                Some(_) | None => calendar.working_before(nominal)?,
            },
        }
    };
    if date > previous { Some(date) } else { next(previous.tomorrow().ok()?) }
}
