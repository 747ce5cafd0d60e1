//! Rescheduling: replacing the rows from a due date on.

use jiff::civil::Date;

use super::replace::{count_on_balances, put};
use super::{LoanRow, LoanRows};
use crate::loan::conflict::ConflictReason;
use crate::number::rounding::round_div;
use crate::schedule::{Amortisation, DueDates, Period, PeriodDates, PeriodRate, Seed, Shortfall, whole_term};
use crate::steps::steps;
use crate::terms::Component;
use crate::terms::{Amortization, InterestMethod};
use crate::{AnnualRate, Calendar, MAX_INSTALMENTS, Percent, Refusal};

/// The parameters of a reschedule, checked by [`LoanRows::reschedule`].
pub(crate) struct NewRows<'c> {
    pub(crate) from: Date,
    pub(crate) instalments: Option<u32>,
    pub(crate) interest_rate_apr: Option<AnnualRate>,
    pub(crate) first_due_on: Option<Date>,
    pub(crate) calendar: Option<&'c Calendar>,
}

impl LoanRows<'_> {
    /// Replaces the rows from a due date on.
    ///
    /// The unpaid principal of those rows is amortised. Interest paid beyond the interest of the new
    /// rows pays principal first: less principal bears less interest, until the two are equal. The
    /// graces of the terms are over. Without a new first due date the due dates continue with their
    /// seed day, and the first period stays as it was.
    pub(crate) fn reschedule(&mut self, on: Date, new: &NewRows<'_>) -> Result<RescheduledRows, ConflictReason> {
        if self.accrues_daily() {
            return self.reschedule_daily(on, new);
        }
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
    pub(super) fn rows_made_from(
        &self,
        first: usize,
        on: Date,
        new: &NewRows<'_>,
        annual_rate: Percent,
    ) -> Result<Vec<LoanRow>, ConflictReason> {
        let count = match new.instalments {
            None => self.lines.len() - first,
            Some(count) if (1..=MAX_INSTALMENTS).contains(&count) => count as usize,
            Some(_) => return Err(ConflictReason::InstalmentsOutOfRange),
        };
        let old = &self.lines[first];
        let number = u32::try_from(first + 1).unwrap_or(u32::MAX);
        let PeriodDates { start, nominal_start, nominal_due_on, .. } = old.dates;
        let first_due_on = new.first_due_on.filter(|date| *date != new.from);
        let seed = match first_due_on {
            Some(date) if date <= start => return Err(ConflictReason::NotAfterDueDateBefore),
            Some(date) => Seed { on: date, before: number },
            // Where dates are skipped the number of an instalment does not tell its date.
            None if self.terms.skips_dates() => Seed { on: nominal_due_on, before: number },
            None => old.seed,
        };
        let mut due_dates = DueDates::after((start, nominal_start), number, seed, self.terms, new.calendar)
            .map_err(ConflictReason::Schedule)?;
        let mut fresh: Vec<LoanRow> = Vec::with_capacity(count);
        for n in (number..).take(count) {
            let mut dates = due_dates.next().ok_or(ConflictReason::DateOutOfRange)?;
            if n == number && first_due_on.is_none() {
                dates.is_irregular = old.dates.is_irregular;
            }
            let fraction = dates.fraction(self.terms);
            // Periods of a few lengths follow each other: the rate is computed once for those that are close.
            let same = fresh.iter().rev().take(4).find(|line| line.period.fraction == fraction);
            let period = same.map_or_else(|| Period::new(annual_rate, fraction), |line| line.period);
            let mut line = LoanRow::empty(dates, period, seed);
            line.late_from = dates.due_on.max(on);
            line.own_fee(self.fees_each_row);
            fresh.push(line);
        }
        Ok(fresh)
    }

    /// Puts principal and interest into the rows of a reschedule. Returns the instalment, in smallest
    /// amounts.
    pub(super) fn amortise_rescheduled(&self, fresh: &mut [LoanRow], left: i128) -> Result<i128, Refusal> {
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
