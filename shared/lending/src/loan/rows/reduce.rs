//! A prepayment that reduces principal.

use jiff::civil::Date;

use super::replace::{count_on_balances, put};
use super::{LoanRow, LoanRows};
use crate::Refusal;
use crate::calendar::days_between;
use crate::number::rounding::round_div;
use crate::schedule::{Amortisation, Period, PeriodRate, Shortfall, whole_term};
use crate::steps::steps;
use crate::terms::{Amortization, InterestMethod, Prepayment};

impl LoanRows<'_> {
    /// Reduces principal that is not due by `reduction`, which is more than zero and at most the unpaid
    /// part, and replaces the rows due after that day.
    ///
    /// The interest of the running period is counted by days on each balance. Flat interest is
    /// counted from then on on a base reduced in proportion to principal. The running row gets the rate
    /// that makes its interest of the balance, so that the formula of a schedule holds as
    /// it stands. An instalment below a row's interest, which only a coarse `instalment_multiple`
    /// brings about, leaves that row with interest alone.
    ///
    /// # Errors
    /// None for terms that made a schedule.
    pub(crate) fn reduce(&mut self, on: Date, reduction: i128) -> Result<(), Refusal> {
        let running = self.running(on);
        steps(self.lines.len() - running);
        let balance: i128 = self.lines[running..].iter().map(|line| line.principal.unpaid()).sum();
        let left = balance - reduction;
        let is_flat = self.terms.interest_method() == InterestMethod::Flat;
        let (smallest, rounding) = (self.units.smallest, self.terms.rounding());

        let line = &self.lines[running];
        let whole = line.whole;
        // The part that is not a multiple of the smallest amount bears no interest, in this row as
        // in the later ones.
        let base = if is_flat { round_div(line.base * left, balance, rounding) } else { left - left % smallest };
        let base_days = line.base_days_until(on);
        let all_days = base_days + base * i128::from(days_between(on, line.due_on));
        let first_interest = line.interest_for(all_days, self.terms, self.units);

        let mut fresh: Vec<LoanRow> =
            self.lines[running..].iter().map(|line| line.emptied(self.fees_each_row)).collect();
        fresh[0].arising = first_interest;
        let principal = left / smallest;
        self.amortise_reduced(&mut fresh, running, principal, base / smallest)?;
        if let Some(last) = fresh.last_mut() {
            last.principal.charged += left % smallest;
        }
        self.instalment = self.instalment_of_reduced(&fresh, running, principal);
        count_on_balances(&mut fresh, left % smallest, if is_flat { Some(base) } else { None });
        fresh[0].base = base;
        fresh[0].base_days = base_days;
        fresh[0].since = on;
        fresh[0].whole = whole;
        self.replace(running, fresh, on, reduction, 0);
        Ok(())
    }

    /// Spreads the principal left over the rows from the running one on, the first of which has its
    /// interest. Under `reduce_term` it cuts off rows that are no longer needed.
    fn amortise_reduced(
        &mut self,
        fresh: &mut Vec<LoanRow>,
        running: usize,
        principal: i128,
        flat_base: i128,
    ) -> Result<(), Refusal> {
        let is_term_reduced = self.terms.prepayment() == Prepayment::ReduceTerm;
        if principal == 0 {
            fresh.truncate(if is_term_reduced { 1 } else { fresh.len() });
            return Ok(());
        }
        let smallest = self.units.smallest;
        let first_interest = fresh[0].arising / smallest;
        let periods: Vec<Period> = fresh.iter().map(|line| line.period).collect();
        let mut rates: Vec<PeriodRate> = periods.iter().map(|period| period.rate).collect();
        rates[0] = PeriodRate::of_whole(first_interest, principal);
        let amortisation = |rows: usize| Amortisation {
            terms: self.terms,
            units: self.units,
            principal,
            flat_base,
            rates: &rates[..rows],
            flat_term: whole_term(self.terms, &periods[1..rows]),
            first_interest: Some(first_interest),
            first_repaying: self.interest_only.saturating_sub(running),
            shortfall: Shortfall::InterestOnly,
        };
        if is_term_reduced {
            let mut rows = 0;
            amortisation(fresh.len()).fill_with(self.level, &mut |index, principal, _| {
                if principal > 0 {
                    rows = index + 1;
                }
            })?;
            fresh.truncate(rows);
            amortisation(rows).fill_with(self.level, &mut put(fresh, smallest))
        } else {
            self.level = amortisation(fresh.len()).fill(&mut put(fresh, smallest))?;
            Ok(())
        }
    }

    /// Principal and interest of a regular row of those that are left. `reduce_term` keeps it, unless one row is left.
    fn instalment_of_reduced(&self, fresh: &[LoanRow], running: usize, principal: i128) -> i128 {
        match (self.terms.prepayment(), fresh) {
            (Prepayment::ReduceTerm, [only]) => only.principal.charged + only.arising,
            (Prepayment::ReduceTerm, _) => self.instalment,
            (Prepayment::NextInstalments | Prepayment::LastInstalments | Prepayment::ReduceInstalment, rows) => {
                if principal == 0 {
                    0
                } else {
                    self.regular(rows, self.interest_only.saturating_sub(running))
                }
            }
        }
    }

    /// Principal and interest of a regular one of these rows: the instalment that was just fixed; under equal
    /// principal, where rows differ, that of the first row that repays principal.
    pub(crate) fn regular(&self, rows: &[LoanRow], first_repaying: usize) -> i128 {
        match (self.terms.amortization(), rows.get(first_repaying)) {
            (Amortization::EqualPrincipal, Some(row)) => row.principal.charged + row.arising,
            (Amortization::EqualPrincipal, None) | (Amortization::EqualInstalments, _) => {
                self.level * self.units.smallest
            }
        }
    }
}
