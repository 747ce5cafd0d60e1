//! Rescheduling: replacing the rows from a due date on.

use jiff::civil::Date;

use super::replace::{count_on_balances, put};
use super::{DueDates, LoanRow, LoanRows};
use crate::loan::conflict::ConflictReason;
use crate::number::rounding::round_div;
use crate::schedule::{Amortisation, Period, PeriodRate, Shortfall, first_period, regular_period, whole_term};
use crate::steps::steps;
use crate::terms::Component;
use crate::terms::{Amortization, InterestMethod};
use crate::{AnnualRate, MAX_INSTALMENTS, Percent, Refusal};

/// The parameters of a reschedule, checked by [`LoanRows::reschedule`].
pub(crate) struct NewRows {
    pub(crate) from: Date,
    pub(crate) instalments: Option<u32>,
    pub(crate) interest_rate_apr: Option<AnnualRate>,
    pub(crate) first_due_on: Option<Date>,
}

impl LoanRows<'_> {
    /// Replaces the rows from a due date on.
    ///
    /// The unpaid principal of those rows is amortised. Interest paid beyond the interest of the new
    /// rows pays principal first: less principal bears less interest, until the two are equal. The
    /// graces of the terms are over. Without a new first due date the due dates continue with their
    /// seed day, and the first period stays as it was.
    pub(crate) fn reschedule(&mut self, on: Date, new: &NewRows) -> Result<RescheduledRows, ConflictReason> {
        let first = self.due_on.binary_search(&new.from).map_err(|_| ConflictReason::NotADueDate)?;
        let left: i128 = self.lines[first..].iter().map(|line| line.principal.unpaid()).sum();
        if left == 0 {
            return Err(ConflictReason::NothingToReschedule);
        }
        let annual_rate = new.interest_rate_apr.map_or(self.annual_rate, AnnualRate::percent);
        let mut fresh = self.rows_made_from(first, on, new, annual_rate)?;
        let mut excess = 0;
        let instalment = loop {
            steps(self.lines.len() + fresh.len());
            let instalment = self.amortise_rescheduled(&mut fresh, left - excess).map_err(ConflictReason::Schedule)?;
            let beyond = self.interest_beyond(first, &fresh, excess).min(left - excess);
            if beyond == 0 {
                break instalment;
            }
            excess += beyond;
        };
        let principal = (left - excess) / self.units.smallest;
        self.level = instalment;
        self.instalment = self.regular(&fresh, 0);
        if self.terms.amortization() == Amortization::EqualPrincipal {
            self.level = round_div(principal, fresh.len() as i128, self.terms.rounding());
        }
        self.annual_rate = annual_rate;
        self.interest_only = 0;
        // Interest of earlier periods that was deferred to a replaced row is paid with the first new one.
        self.deferred_to = self.deferred_to.min(first);
        self.replace(first, fresh, on, excess, excess);
        Ok(RescheduledRows { first, amortised: left - excess, excess })
    }

    /// The rows of a reschedule, with their dates and fees.
    fn rows_made_from(
        &self,
        first: usize,
        on: Date,
        new: &NewRows,
        annual_rate: Percent,
    ) -> Result<Vec<LoanRow>, ConflictReason> {
        let count = match new.instalments {
            None => self.lines.len() - first,
            Some(count) if (1..=MAX_INSTALMENTS).contains(&count) => count as usize,
            Some(_) => return Err(ConflictReason::InstalmentsOutOfRange),
        };
        let start = self.lines[first].start;
        let number = u32::try_from(first + 1).unwrap_or(u32::MAX);
        let (due_dates, first_fraction) = match new.first_due_on.filter(|date| *date != new.from) {
            None => (self.lines[first].due_dates, self.lines[first].period.fraction),
            Some(date) if date <= start => return Err(ConflictReason::NotAfterDueDateBefore),
            Some(date) => (DueDates { seed: date, before: number }, first_period(self.terms, start, date)),
        };
        let mut fresh: Vec<LoanRow> = Vec::with_capacity(count);
        let mut previous = start;
        for n in (number..).take(count) {
            let due_on = n
                .checked_sub(due_dates.before)
                .and_then(|periods| self.terms.frequency().after(due_dates.seed, periods))
                .ok_or(ConflictReason::DateOutOfRange)?;
            let fraction = if n == number { first_fraction } else { regular_period(self.terms, previous, due_on) };
            // Periods of a few lengths follow each other: the rate is computed once for those that are close.
            let same = fresh.iter().rev().take(4).find(|line| line.period.fraction == fraction);
            let period = same.map_or_else(|| Period::new(annual_rate, fraction), |line| line.period);
            let mut line = LoanRow::empty(previous, due_on, period, due_dates);
            line.late_from = due_on.max(on);
            line.own_fee(self.fees_each_row);
            fresh.push(line);
            previous = due_on;
        }
        Ok(fresh)
    }

    /// Puts principal and interest into the rows of a reschedule. Returns the instalment, in smallest
    /// amounts.
    fn amortise_rescheduled(&self, fresh: &mut [LoanRow], left: i128) -> Result<i128, Refusal> {
        let smallest = self.units.smallest;
        let principal = left / smallest;
        let is_flat = self.terms.interest_method() == InterestMethod::Flat;
        let mut instalment = 0;
        if principal > 0 {
            let periods: Vec<Period> = fresh.iter().map(|line| line.period).collect();
            let rates: Vec<PeriodRate> = periods.iter().map(|period| period.rate).collect();
            let amortisation = Amortisation {
                terms: self.terms,
                units: self.units,
                principal,
                flat_base: principal,
                rates: &rates,
                flat_term: whole_term(self.terms, &periods),
                first_interest: None,
                first_repaying: 0,
                shortfall: Shortfall::Refuse,
            };
            instalment = amortisation.fill(&mut put(fresh, smallest))?;
        } else {
            for line in fresh.iter_mut() {
                line.principal.charged = 0;
                line.arising = 0;
            }
        }
        if let Some(last) = fresh.last_mut() {
            last.principal.charged += left % smallest;
        }
        count_on_balances(fresh, left % smallest, if is_flat { Some(principal * smallest) } else { None });
        Ok(instalment)
    }

    /// Interest paid beyond what the rows before `first` and those that are to replace the others ask
    /// for, less what of it pays principal already.
    fn interest_beyond(&self, first: usize, fresh: &[LoanRow], excess: i128) -> i128 {
        let (kept, replaced) = self.lines.split_at(first);
        let paid: i128 = replaced.iter().map(|line| line.interest.paid).sum();
        let waived: i128 = replaced.iter().map(|line| line.interest.waived).sum();
        let unpaid_before: i128 = kept.iter().map(|line| line.interest.unpaid()).sum();
        let before = if first <= self.deferred_to { kept.iter().map(|line| line.arising).sum() } else { 0 };
        let arising: i128 = fresh.iter().map(|line| line.arising).sum();
        let asked = (before + arising - waived - self.waiting[Component::Interest as usize]).max(0);
        (paid - excess - unpaid_before - asked).max(0)
    }
}

/// The outcome of a reschedule.
pub(crate) struct RescheduledRows {
    /// The index of the first row that it made.
    pub(crate) first: usize,
    /// The principal that was amortised.
    pub(crate) amortised: i128,
    /// Interest paid that now pays principal.
    pub(crate) excess: i128,
}
