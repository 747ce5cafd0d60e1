//! Rows whose interest follows the balance of each day: they ask for other amounts as days pass. Rows that have fallen
//! due ask for the same until something is paid; what the others ask for depends on who asks: a payment in advance, or
//! a reader. Nothing here does anything where interest is that of the schedule.

use jiff::civil::Date;

use super::replace::{CarriedOver, put_in_first};
use super::{LoanRow, LoanRows, NewRows, RescheduledRows};
use crate::AnnualRate;
use crate::loan::accruing::Accruing;
use crate::loan::conflict::ConflictReason;
use crate::loan::daily::{DailyRow, DailyRows, FirstRows, RowDue, rate_by_years};
use crate::schedule::Plan;
use crate::terms::{Component, Units};
use crate::{Percent, Terms};

/// The rows of a new loan, where its terms want interest by the day.
pub(super) fn daily_rows(
    disbursed_on: Date,
    amount: i128,
    terms: &Terms,
    units: Units,
    plan: &Plan,
) -> Option<DailyRows> {
    let level = plan.schedule.instalment.units();
    terms.accrues_daily().then(|| DailyRows::new((disbursed_on, amount, level), &plan.periods, terms, units))
}

impl LoanRow {
    fn ask(&mut self, due: RowDue) {
        self.principal.charged = due.principal;
        self.interest.charged = due.interest;
    }

    /// Asks for as much more than what is paid and waived.
    fn ask_more(&mut self, more: RowDue) {
        self.principal.charged += more.principal - self.principal.unpaid();
        self.interest.charged += more.interest - self.interest.unpaid();
    }
}

impl LoanRows<'_> {
    /// True if interest follows the balance of each day.
    pub(crate) const fn accrues_daily(&self) -> bool {
        self.daily.is_some()
    }

    /// The most of a component that a payment can take, whatever rows ask for: principal at most what is outstanding.
    pub(crate) fn most_of(&self, component: Component) -> i128 {
        match &self.daily {
            Some(daily) if component == Component::Principal && !daily.is_stopped() => daily.balance(),
            Some(_) | None => i128::MAX,
        }
    }

    /// Notes the interest as it goes on if nothing more is recorded.
    pub(crate) fn note_accruing(&mut self, since: Date) {
        let waived = self.lines.iter().map(|line| line.interest.waived).sum();
        let daily = self.daily.as_ref().filter(|daily| !daily.is_stopped());
        self.accruing = daily.map(|daily| Accruing::new(daily.clone().without_history(), waived, since));
    }

    /// The interest as it goes on after the last event, unless it is over.
    pub(crate) fn accruing(&self) -> Option<Accruing> {
        self.accruing.clone()
    }

    /// Lets the days before a day pass. Rows that are due by then ask for what fell due.
    pub(crate) fn begin_day(&mut self, on: Date) {
        let running = self.running(on);
        if let Some(daily) = &mut self.daily {
            daily.pass_to(on);
            self.ask(on, running);
        }
    }

    /// All rows ask for what they ask for as of a day, at the earliest the last one on which something happened. As of
    /// the last day of all, they ask for what will fall due if nothing more happens.
    pub(crate) fn ask_as_of(&mut self, as_of: Date) {
        self.ask(as_of, self.lines.len());
    }

    /// True if rows ask for more than what is paid, as of a day.
    pub(crate) fn is_anything_unpaid(&mut self, as_of: Date) -> bool {
        self.ask_as_of(as_of);
        self.unpaid_in_all() > 0
    }

    /// Rows that fall due before a day, if it is given, ask for what will fall due if nothing more happens. All of them
    /// do where no principal is outstanding.
    pub(crate) fn ask_until(&mut self, next: Option<Date>) {
        let is_repaid = self.daily.as_ref().is_some_and(|daily| daily.balance() == 0);
        let end = next.filter(|_| !is_repaid).map_or(self.lines.len(), |next| self.end_of_due(next));
        self.ask(Date::MAX, end);
    }

    /// A number of first rows ask for what they ask for as of a day.
    fn ask(&mut self, as_of: Date, rows: usize) -> FirstRows {
        let Some(daily) = self.daily.as_mut().filter(|daily| !daily.is_stopped()) else {
            return FirstRows::default();
        };
        let (lines, settled) = (&mut self.lines, daily.settled());
        let first = daily.dues(as_of, rows, &mut |row, due| lines[row].ask(due));
        self.note_asked(settled);
        first
    }

    /// Notes that rows from `first` on may ask for other principal and interest.
    fn note_asked(&mut self, first: usize) {
        self.unpaid = None;
        self.unpaid_before = None;
        for component in [Component::Principal, Component::Interest] {
            self.open[component as usize] = first;
        }
    }

    /// Rows that are not due ask for what can be paid in advance, on a day that has begun. The last one may ask for too
    /// little principal where `money` that goes from row to row cannot reach it.
    pub(crate) fn ask_in_advance(&mut self, on: Date, money: i128) {
        let first = self.ask(on, self.running(on));
        let lines = &mut self.lines;
        if let Some(daily) = self.daily.as_ref().filter(|daily| !daily.is_stopped()) {
            daily.in_advance(first, money, &mut |row, more| lines[row].ask_more(more));
        }
    }

    /// Notes that part of a row was paid or waived.
    pub(super) fn note_paid(&mut self, row: usize, component: Component, amount: i128) {
        let part = match component {
            Component::Principal => RowDue { principal: amount, interest: 0 },
            Component::Interest => RowDue { principal: 0, interest: amount },
            Component::Penalty | Component::Fee => return,
        };
        if let Some(daily) = self.daily.as_mut().filter(|_| amount != 0) {
            daily.pay(row, part);
        }
    }

    /// Waives interest that has not accrued: it comes off the running row and the rows after it.
    pub(crate) fn waive_ahead(&mut self, on: Date, amount: i128) {
        let row = self.running(on).min(self.lines.len() - 1);
        let interest = &mut self.lines[row].interest;
        interest.charged += amount;
        interest.waived += amount;
        interest.touched_on = interest.touched_on.max(Some(on));
        self.note_paid(row, Component::Interest, amount);
    }

    /// On the day on which the loan closes, rows ask for all interest that has accrued. Gives back interest that was
    /// paid beyond what has accrued and is not waived.
    pub(super) fn ask_to_close(&mut self, on: Date) -> i128 {
        self.ask_in_advance(on, i128::MAX);
        let Some(daily) = self.daily.as_ref().filter(|daily| !daily.is_stopped()) else {
            return 0;
        };
        let asked = (daily.accrued(on) - self.waived[Component::Interest as usize]).max(0);
        let paid: i128 = self.lines.iter().map(|line| line.interest.paid).sum();
        let given_back = (paid - asked).max(0);
        let mut left = given_back;
        for line in self.lines.iter_mut().rev() {
            let part = line.interest.paid.min(left);
            line.interest.paid -= part;
            line.interest.charged -= part;
            left -= part;
        }
        given_back
    }

    /// The last row of a loan that closes asks for all principal that is left.
    pub(crate) fn ask_for_the_rest(&mut self) {
        let outstanding = self.daily.as_ref().filter(|daily| !daily.is_stopped()).map(DailyRows::balance);
        if let (Some(outstanding), Some(last)) = (outstanding, self.lines.last_mut()) {
            last.principal.charged += (outstanding - last.principal.unpaid()).max(0);
            self.note_asked(0);
        }
    }

    /// Rows of a loan that has closed ask for what is paid and waived, from then on.
    pub(crate) fn close_daily(&mut self) {
        let Some(daily) = self.daily.as_mut().filter(|daily| !daily.is_stopped()) else {
            return;
        };
        daily.stop();
        for line in &mut self.lines {
            line.ask_more(RowDue::default());
        }
        self.note_asked(0);
    }

    /// Rows of a loan that is given up ask for all principal, and for the interest that has accrued, from then on.
    pub(crate) fn stop_daily(&mut self) {
        let Some(daily) = self.daily.as_mut().filter(|daily| !daily.is_stopped()) else {
            return;
        };
        daily.stop();
        let (lines, rows) = (&mut self.lines, self.due_on.len());
        daily.dues(Date::MAX, rows, &mut |row, due| lines[row].ask(due));
        self.note_asked(0);
    }

    /// Replaces the rows from a due date on: see [`Self::reschedule`].
    ///
    /// The instalment is that of the principal which the rows from that date on ask for as of the day, paid or not. The
    /// new rows bear the new rate on the balances that the days which have passed had. What was paid or waived on
    /// replaced rows counts on the new ones in their order. Interest paid beyond what accrued at the new rate pays
    /// principal; beyond this it stays paid in the first new row. Waivers beyond what accrued come off the running row
    /// and the rows after it.
    pub(super) fn reschedule_daily(&mut self, on: Date, new: &NewRows<'_>) -> Result<RescheduledRows, ConflictReason> {
        let first = self.due_on.binary_search(&new.from).map_err(|_| ConflictReason::NotADueDate)?;
        let asked = self.ask(on, first);
        // All rows together ask for all principal: those from that date on for what the rows before do not.
        let unpaid = self.daily.as_ref().map_or(0, |daily| daily.left_after(asked));
        if unpaid == 0 {
            return Err(ConflictReason::NothingToReschedule);
        }
        let paid: i128 = self.lines[first..].iter().map(|line| line.principal.paid).sum();
        let amortised = unpaid + paid;
        let annual_rate = new.interest_rate_apr.map_or(self.annual_rate, AnnualRate::percent);
        let mut fresh = self.rows_made_from(first, on, new, annual_rate)?;
        let instalment = self.amortise_rescheduled(&mut fresh, amortised).map_err(ConflictReason::Schedule)?;
        self.instalment = instalment * self.units.smallest;
        self.annual_rate = annual_rate;
        let excess = self.replace_daily(first, fresh, on, annual_rate);
        Ok(RescheduledRows { first, amortised, excess })
    }

    /// Puts new rows in the place of those from `first` on, and what was paid and waived on those. Returns the interest
    /// that pays principal.
    fn replace_daily(&mut self, first: usize, mut fresh: Vec<LoanRow>, on: Date, annual_rate: Percent) -> i128 {
        let taken = self.take_rows(first);
        self.carry_fees(&mut fresh, taken.fees, on);
        if let Some(daily) = &mut self.daily {
            let (by_years, level) = (rate_by_years(annual_rate, self.terms), Some(self.instalment));
            let rows = fresh.iter().map(|line| DailyRow::new(line.dates, line.period.rate, by_years, level));
            daily.replace(first, rows);
        }
        for line in &mut fresh {
            line.ask(RowDue::default());
        }
        self.put_rows(first, fresh);
        self.ask_in_advance(on, taken.interest.paid + taken.principal.paid);

        let asked: i128 = self.lines[first..].iter().map(|line| line.interest.charged).sum();
        let (mut waived, mut interest, mut principal) =
            (taken.interest.waived, taken.interest.paid, taken.principal.paid);
        let outstanding = self.most_of(Component::Principal) - principal;
        let excess = (interest - (asked - waived).max(0)).min(outstanding).max(0);
        interest -= excess;
        principal += excess;
        let touched_on = taken.interest.touched_on.unwrap_or(on);
        let principal_on = if excess > 0 { on } else { taken.principal.touched_on.unwrap_or(on) };
        for row in first..self.lines.len() {
            let line = &mut self.lines[row];
            if row + 1 == self.due_on.len() {
                line.principal.charged = line.principal.charged.max(principal);
            }
            let settled = line.interest.pay(&mut interest, touched_on) + line.interest.waive(&mut waived, touched_on);
            let paid = line.principal.pay(&mut principal, principal_on);
            self.note_paid(row, Component::Interest, settled);
            self.note_paid(row, Component::Principal, paid);
        }
        self.note_paid(first, Component::Interest, interest);
        let rest = CarriedOver { paid: interest, touched_on: Some(touched_on), ..CarriedOver::default() };
        put_in_first(&mut self.lines[first..], rest, |line| &mut line.interest);
        if waived > 0 {
            self.waive_ahead(on, waived);
        }
        excess
    }
}
