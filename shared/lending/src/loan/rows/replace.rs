//! Replacing rows by new ones, which keep the payments and waivers.

use jiff::civil::Date;

use super::{LoanRow, LoanRows, OwedAmount};
use crate::steps::steps;
use crate::terms::Component;

impl LoanRows<'_> {
    /// Replaces the rows from `first` on; `principal` is paid in them, and `from_interest` of it
    /// had paid interest.
    ///
    /// Payments of the old rows stay: interest and fees count towards the new ones, the oldest first,
    /// then interest towards the rows before; principal, and any excess, is shown as due and paid in
    /// the first new row. Waivers of interest and fees count towards the new rows as well; a rest
    /// waits for rows made later.
    pub(super) fn replace(
        &mut self,
        first: usize,
        mut fresh: Vec<LoanRow>,
        on: Date,
        principal: i128,
        from_interest: i128,
    ) {
        steps(self.lines.len() + fresh.len() + self.charges.len());
        let TakenRows { principal: mut principal_taken, mut interest, fees } = self.take_rows(first);
        principal_taken.paid += principal;
        if principal > 0 {
            principal_taken.touched_on = Some(on);
        }
        interest.paid -= from_interest;

        // Interest is paid where it arises, or with the row it is deferred to.
        self.deferred_to = self.deferred_to.min(first + fresh.len() - 1);
        let before: i128 = self.lines.iter().take(self.deferred_to).map(|line| line.arising).sum();
        let mut deferred = if first <= self.deferred_to { before } else { 0 };
        for (row, line) in (first..).zip(&mut fresh) {
            deferred += line.arising;
            if row >= self.deferred_to {
                line.interest.charged = std::mem::take(&mut deferred);
            }
        }
        put_in_first(&mut fresh, principal_taken, |line| &mut line.principal);
        let interest = self.carry(&mut fresh, Component::Interest, interest, on, |line| &mut line.interest);
        let interest = self.pay_interest_before(interest, on);
        put_in_first(&mut fresh, interest, |line| &mut line.interest);
        self.carry_fees(&mut fresh, fees, on);
        self.put_rows(first, fresh);
    }

    /// Takes off the rows from `first` on.
    pub(super) fn take_rows(&mut self, first: usize) -> TakenRows {
        self.note_replaced();
        let mut taken = TakenRows::default();
        for line in &self.lines[first..] {
            taken.principal.add(&line.principal);
            taken.interest.add(&line.interest);
            taken.fees.add(&line.fees);
        }
        self.lines.truncate(first);
        taken
    }

    /// Carries fees to new rows; what was paid beyond theirs is due and paid in the first.
    pub(super) fn carry_fees(&mut self, fresh: &mut [LoanRow], fees: CarriedOver, on: Date) {
        let fees = self.carry(fresh, Component::Fee, fees, on, |line| &mut line.fees);
        put_in_first(fresh, fees, |line| &mut line.fees);
    }

    /// Adds new rows after the first ones, with the charges that they show.
    pub(super) fn put_rows(&mut self, first: usize, mut fresh: Vec<LoanRow>) {
        self.lines.append(&mut fresh);
        self.due_on.truncate(first);
        self.due_on.extend(self.lines[first..].iter().map(|line| line.due_on));
        for open in &mut self.open {
            *open = (*open).min(first);
        }
        for charge in 0..self.charges.len() {
            if self.charges[charge].row >= first {
                let row = self.row_of(self.charges[charge].due_on);
                self.show(charge, row);
            }
        }
    }

    /// Carries payments and waivers of old rows to new ones; waivers beyond their amounts wait.
    /// Returns the payments beyond the amounts due.
    fn carry(
        &mut self,
        fresh: &mut [LoanRow],
        component: Component,
        mut taken: CarriedOver,
        on: Date,
        owed: fn(&mut LoanRow) -> &mut OwedAmount,
    ) -> CarriedOver {
        let waiting = &mut self.waiting[component as usize];
        taken.waived += std::mem::take(waiting);
        let touched_on = taken.touched_on.unwrap_or(on);
        for line in fresh {
            if (taken.paid, taken.waived) == (0, 0) {
                break;
            }
            let owed = owed(line);
            owed.pay(&mut taken.paid, touched_on);
            owed.waive(&mut taken.waived, touched_on);
        }
        *waiting = std::mem::take(&mut taken.waived);
        taken
    }

    /// Pays interest of the rows that are left. Returns the rest.
    fn pay_interest_before(&mut self, mut taken: CarriedOver, on: Date) -> CarriedOver {
        for line in &mut self.lines {
            if taken.paid == 0 {
                break;
            }
            line.interest.pay(&mut taken.paid, on);
        }
        taken
    }
}

/// The payments and waivers of replaced rows, with the latest date.
#[derive(Clone, Copy, Default)]
pub(super) struct CarriedOver {
    pub(super) paid: i128,
    pub(super) waived: i128,
    pub(super) touched_on: Option<Date>,
}

/// The same of each component that a row has of its own.
#[derive(Default)]
pub(super) struct TakenRows {
    pub(super) principal: CarriedOver,
    pub(super) interest: CarriedOver,
    pub(super) fees: CarriedOver,
}

impl CarriedOver {
    fn add(&mut self, owed: &OwedAmount) {
        self.paid += owed.paid;
        self.waived += owed.waived;
        self.touched_on = self.touched_on.max(owed.touched_on);
    }
}

/// Shows payments of old rows as due and paid in the first new one.
pub(super) fn put_in_first(fresh: &mut [LoanRow], mut taken: CarriedOver, owed: fn(&mut LoanRow) -> &mut OwedAmount) {
    if let (Some(first), Some(touched_on)) = (fresh.first_mut(), taken.touched_on) {
        let owed = owed(first);
        owed.charged += taken.paid;
        owed.pay(&mut taken.paid, touched_on);
    }
}

/// Puts principal and interest, in smallest amounts, into rows.
pub(super) fn put(rows: &mut [LoanRow], smallest: i128) -> impl FnMut(usize, i128, i128) {
    move |index, principal, interest| {
        if let Some(line) = rows.get_mut(index) {
            line.principal.charged = principal * smallest;
            line.arising = interest * smallest;
        }
    }
}

/// Notes the base of each row's interest: the balance before it without the rest below the smallest amount, or the
/// given flat base.
pub(super) fn count_on_balances(rows: &mut [LoanRow], rest: i128, flat_base: Option<i128>) {
    let mut balance = -rest;
    for line in rows.iter_mut().rev() {
        balance += line.principal.charged;
        line.count_on(flat_base.unwrap_or(balance));
    }
}
