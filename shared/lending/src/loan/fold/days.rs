//! A fold, day by day.

use jiff::civil::Date;

use super::LoanFold;
use crate::loan::conflict::Conflict;
use crate::loan::contract::Contract;
use crate::loan::history::{DayPhase, History};
use crate::loan::late_fees::LateFees;
use crate::steps::steps;

impl<'a> LoanFold<'a> {
    /// Folds the events up to a day.
    pub(crate) fn fold(contract: &'a Contract, history: &History<'_>, until: Date) -> Result<Self, Conflict> {
        let mut days = FoldByDay::new(contract, history, until);
        while days.day()?.is_some() {}
        Ok(days.fold)
    }

    /// One day: late fees, then the events of the day phase by phase.
    fn day(&mut self, on: Date, history: &History<'_>, today: &[usize]) -> Result<(), Conflict> {
        if let Some(rows) = &mut self.rows {
            rows.begin_day(on);
            if let Some(late_fees) = &mut self.late_fees {
                late_fees.charge(on, rows);
            }
        }
        let phase = |index: &usize| history.known[*index].event.kind.phase();
        let (first, rest) = today.split_at(today.partition_point(|index| phase(index) < Some(DayPhase::Payment)));
        let (payments, last) = rest.split_at(rest.partition_point(|index| phase(index) == Some(DayPhase::Payment)));

        self.apply_all(history, first)?;
        let waiver = first.iter().rev().find(|index| phase(index) == Some(DayPhase::Waiver)).copied();
        self.pay_day(on, history, payments, waiver)?;
        self.apply_all(history, last)?;
        self.post_day(on);
        self.balances.push((on, self.balance));
        Ok(())
    }

    fn apply_all(&mut self, history: &History<'_>, events: &[usize]) -> Result<(), Conflict> {
        for index in events {
            let event = history.known[*index].event;
            let effect = self.apply(event, history.is_latest(*index)).map_err(|reason| Conflict::of(event, reason))?;
            self.effects[*index] = Some(effect);
        }
        Ok(())
    }
}

/// A fold in the course of its days.
pub(crate) struct FoldByDay<'h, 'a> {
    history: &'h History<'h>,
    until: Date,
    /// The due dates on which held money may pay a charge.
    due_dates: Vec<Date>,
    /// How many of the effective events are folded.
    folded: usize,
    /// The last day that is folded.
    last: Option<Date>,
    /// The loan at the end of that day.
    pub(crate) fold: LoanFold<'a>,
}

impl<'h, 'a> FoldByDay<'h, 'a> {
    pub(crate) fn new(contract: &'a Contract, history: &'h History<'h>, until: Date) -> Self {
        let fold = LoanFold::new(contract, history);
        Self { history, until, due_dates: charged_due_dates(history), folded: 0, last: None, fold }
    }

    /// The same fold, from here on with another history. That has the same events up to here, but at other indices:
    /// the effects so far must not be read.
    pub(crate) fn fork<'o>(&self, history: &'o History<'o>) -> FoldByDay<'o, 'a> {
        let Self { until, folded, last, ref fold, .. } = *self;
        steps(fold.rows.as_ref().map_or(0, |rows| rows.lines.len() + rows.charges.len()));
        FoldByDay { history, until, due_dates: charged_due_dates(history), folded, last, fold: fold.clone() }
    }

    /// The next day on which something may happen.
    pub(crate) fn next(&self) -> Option<Date> {
        let event = self.history.effective.get(self.folded).map(|index| self.history.known[*index].event.on);
        let late_fee = self.fold.late_fees.as_ref().and_then(LateFees::next_on);
        let due_date = self.due_dates.get(self.due_dates.partition_point(|date| Some(*date) <= self.last)).copied();
        [event, late_fee, due_date].into_iter().flatten().min().filter(|on| *on <= self.until)
    }

    /// Folds all days that are left, whatever day was the last to be folded: nothing but time passes on those after it.
    pub(crate) fn go_on_to_the_end(&mut self) -> Result<(), Conflict> {
        self.until = Date::MAX;
        while self.day()?.is_some() {}
        Ok(())
    }

    /// Folds the next day on which something may happen. Returns that day.
    pub(crate) fn day(&mut self) -> Result<Option<Date>, Conflict> {
        let Some(on) = self.next() else {
            return Ok(None);
        };
        let Self { history, folded, .. } = *self;
        let events = &history.effective[folded..];
        let count = events.iter().take_while(|index| history.known[**index].event.on == on).count();
        steps(1 + count);
        self.fold.day(on, history, &events[..count])?;
        if let Some(rows) = self.fold.rows.as_mut().filter(|_| count > 0 && count == events.len()) {
            rows.note_accruing(on);
        }
        self.folded += count;
        self.last = Some(on);
        Ok(Some(on))
    }
}

/// The due dates on which held money may pay a charge. A charge due by the day it is levied has no
/// such date: it is paid on the day of its event.
fn charged_due_dates(history: &History<'_>) -> Vec<Date> {
    let mut dates: Vec<Date> = history
        .effective
        .iter()
        .map(|index| history.known[*index].event)
        .filter_map(|event| event.kind.due_on().filter(|due_on| *due_on > event.on))
        .collect();
    dates.sort_unstable();
    dates.dedup();
    dates
}
