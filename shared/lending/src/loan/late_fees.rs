//! Late fees: when they arise, and their amounts.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::rows::LoanRows;
use crate::calendar::{Frequency, days_after};
use crate::number::rounding::{Rounding, round_div};
use crate::refusal::{Reason, Refusal};
use crate::terms::Component;
use crate::terms::{LateFeeKind, Units};
use crate::{Percent, Terms};

#[derive(Clone)]
enum Value {
    Flat(i128),
    PercentOfOverdue(Percent),
}

/// The late fees of a loan.
///
/// An instalment whose principal, interest or fees (those that have fallen due) are not fully paid
/// at the end of its due date plus `grace_days` bears a penalty due the next day, shown in that
/// instalment. That day is the seed of the later ones: one more each repayment period after it, as
/// long as the instalment is still unpaid at the end of the day before, at most `max_times` in all.
/// The first check that finds it paid ends it. A fee that rounds to zero is not charged, but counts.
///
/// An instalment that a reschedule made after its due date cannot be late before that day: its
/// grace runs from there.
#[derive(Clone)]
pub(super) struct LateFees {
    grace_days: i64,
    value: Value,
    max_times: u32,
    frequency: Frequency,
    rounding: Rounding,
    smallest: i128,
    /// The first row whose first check is still to come, and the day after it.
    next_row: usize,
    next_on: Option<Date>,
    /// Later checks: the day after, the row, the seed, and the number of fees that the row bore already.
    again: BTreeSet<(Date, usize, Date, u32)>,
}

impl LateFees {
    pub(super) fn new(terms: &Terms, units: Units) -> Result<Option<Self>, Refusal> {
        let Some(late_fee) = terms.late_fee() else {
            return Ok(None);
        };
        let refuse = |reason| Refusal::terms("/late_fee/value", reason);
        let value = match late_fee.kind {
            LateFeeKind::Flat => Value::Flat(units.amount(late_fee.value).map_err(refuse)?.units()),
            LateFeeKind::PercentOfOverdue => {
                let percent = Percent::from_decimal(late_fee.value.get());
                Value::PercentOfOverdue(percent.map_err(|error| refuse(Reason::Rate(error)))?)
            }
        };
        Ok(Some(Self {
            grace_days: i64::from(late_fee.grace_days),
            value,
            max_times: late_fee.max_times,
            frequency: terms.frequency(),
            rounding: terms.rounding(),
            smallest: units.smallest,
            next_row: 0,
            next_on: None,
            again: BTreeSet::new(),
        }))
    }

    /// Starts again with the rows from `first` on, which are new.
    pub(super) fn rows_are_new_from(&mut self, first: usize, rows: &LoanRows<'_>) {
        self.again.retain(|(_, row, _, _)| *row < first);
        self.next_row = self.next_row.min(first);
        self.look_ahead(rows);
    }

    fn look_ahead(&mut self, rows: &LoanRows<'_>) {
        let line = rows.lines.get(self.next_row);
        self.next_on = line.and_then(|line| days_after(line.late_from, self.grace_days + 1));
    }

    /// The next day on which a late fee may fall due.
    pub(super) fn next_on(&self) -> Option<Date> {
        let again = self.again.first().map(|(on, _, _, _)| *on);
        match (self.next_on, again) {
            (Some(first), Some(again)) => Some(first.min(again)),
            (first, again) => first.or(again),
        }
    }

    /// Charges the late fees that fall due on a day; before anything else of that day.
    pub(super) fn charge(&mut self, on: Date, rows: &mut LoanRows<'_>) {
        while self.next_on == Some(on) {
            self.charge_row(on, rows, (self.next_row, on, 0));
            self.next_row += 1;
            self.look_ahead(rows);
        }
        while let Some(&(due_on, row, seed, times)) = self.again.first()
            && due_on == on
        {
            self.again.pop_first();
            self.charge_row(on, rows, (row, seed, times));
        }
    }

    fn charge_row(&mut self, on: Date, rows: &mut LoanRows<'_>, (row, seed, times): (usize, Date, u32)) {
        let mut overdue = 0;
        for component in [Component::Principal, Component::Interest, Component::Fee] {
            rows.each_open_amount(row, component, &mut |owed, due_on| {
                if due_on < on {
                    overdue += owed.unpaid();
                }
                true
            });
        }
        if overdue == 0 {
            return;
        }
        let fee = match self.value {
            Value::Flat(fee) => fee,
            Value::PercentOfOverdue(percent) => {
                let whole = i128::from(Percent::MILLIONTHS_OF_ONE) * self.smallest;
                round_div(overdue * i128::from(percent.millionths()), whole, self.rounding) * self.smallest
            }
        };
        if fee > 0 {
            rows.late_fee(row, fee, on);
        }
        if times + 1 < self.max_times
            && let Some(next) = self.frequency.after(seed, times + 1)
        {
            self.again.insert((next, row, seed, times + 1));
        }
    }
}
