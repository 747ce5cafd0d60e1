//! The instalments of a loan while it is folded, in whole smallest units of its currency: charges,
//! waivers, payments and write-offs.

mod amount;
mod closing;
mod reduce;
mod replace;
mod reschedule;
mod row;

use jiff::civil::Date;

pub(crate) use amount::OwedAmount;
pub(crate) use reschedule::{NewRows, RescheduledRows};
pub(crate) use row::{Charge, DueDates, LoanRow};

use super::allocation::Component;
use super::events::{ChargeKind, EventId};
use crate::number::rounding::round_div;
use crate::schedule::Plan;
use crate::terms::{Amortization, InterestMethod, Units};
use crate::{Percent, Terms};

/// The instalments and charges of a disbursed loan.
#[derive(Clone)]
pub(crate) struct LoanRows<'a> {
    pub(crate) terms: &'a Terms,
    pub(crate) units: Units,
    pub(crate) disbursed_on: Date,
    pub(crate) lines: Vec<LoanRow>,
    /// The due dates of the lines, close together: they are looked up all the time.
    due_on: Vec<Date>,
    pub(crate) charges: Vec<Charge>,
    /// The amount of the loan.
    pub(crate) amount: i128,
    fees_each_row: i128,
    /// The rate in force.
    annual_rate: Percent,
    /// The number of first rows that repay no principal.
    interest_only: usize,
    /// The index of the row with which the interest of the rows before it is paid.
    pub(crate) deferred_to: usize,
    /// The amount that `reduce_term` keeps, in smallest amounts: the instalment, or under equal
    /// principal the principal of a row.
    level: i128,
    /// Principal and interest of a regular row of the schedule in force.
    pub(crate) instalment: i128,
    /// The waivers by component.
    pub(crate) waived: [i128; 4],
    /// The part of the waivers that no row could take: it waits for rows made later.
    pub(crate) waiting: [i128; 4],
    /// Charges and late fees so far, by component.
    pub(crate) charged: [i128; 4],
    /// For each component, a row before which nothing of it is unpaid.
    pub(crate) open: [usize; 4],
    /// The number of amounts that were visited: the cost of a fold.
    pub(crate) looked_at: u64,
}

impl<'a> LoanRows<'a> {
    pub(crate) fn new(
        disbursed_on: Date,
        first_due_on: Option<Date>,
        terms: &'a Terms,
        units: Units,
        plan: &Plan,
    ) -> Self {
        let amount: i128 = plan.schedule.rows.iter().map(|row| row.principal.units()).sum();
        let mut start = disbursed_on;
        let mut balance = amount;
        let is_flat = terms.interest_method() == InterestMethod::Flat;
        let due_dates = match first_due_on {
            Some(first) => DueDates { seed: first, before: 1 },
            None => DueDates { seed: disbursed_on, before: 0 },
        };
        let mut lines = Vec::with_capacity(plan.schedule.rows.len());
        for (row, (period, arising)) in plan.schedule.rows.iter().zip(plan.periods.iter().zip(&plan.arising)) {
            let mut line = LoanRow::empty(start, row.due_on, *period, due_dates);
            line.arising = *arising;
            line.principal = OwedAmount::of(row.principal.units());
            line.interest = OwedAmount::of(row.interest.units());
            line.own_fee(row.fees.units());
            line.count_on(if is_flat { amount } else { balance });
            lines.push(line);
            start = row.due_on;
            balance = row.balance.units();
        }
        let interest_only = terms.grace().principal as usize;
        let repaying = (lines.len() - interest_only) as i128;
        let instalment = plan.schedule.instalment.units();
        let level = match terms.amortization() {
            Amortization::EqualPrincipal => round_div(amount / units.smallest, repaying, terms.rounding()),
            Amortization::EqualInstalments => instalment / units.smallest,
        };
        Self {
            terms,
            units,
            disbursed_on,
            due_on: lines.iter().map(|line| line.due_on).collect(),
            lines,
            charges: Vec::new(),
            amount,
            fees_each_row: plan.fees_each_row,
            annual_rate: terms.interest_rate_apr().percent(),
            interest_only,
            deferred_to: terms.grace().interest_payment as usize,
            level,
            instalment,
            waived: [0; 4],
            waiting: [0; 4],
            charged: [0; 4],
            open: [0; 4],
            looked_at: 0,
        }
    }

    /// The running row: the first due after that day, else the number of rows.
    pub(crate) fn running(&self, on: Date) -> usize {
        self.due_on.partition_point(|due_on| *due_on <= on)
    }

    /// The first row that is not past due on that day, else the number of rows.
    pub(crate) fn first_not_past_due(&self, on: Date) -> usize {
        self.due_on.partition_point(|due_on| *due_on < on)
    }

    /// The row that shows a charge: the first due on or after its due date, else the last.
    fn row_of(&self, due_on: Date) -> usize {
        self.first_not_past_due(due_on).min(self.lines.len().saturating_sub(1))
    }

    /// Adds a charge where its due date puts it.
    pub(crate) fn charge(&mut self, by: EventId, kind: ChargeKind, amount: i128, due_on: Date) {
        let row = self.row_of(due_on);
        self.add(Charge { kind, by: Some(by), due_on, row, owed: OwedAmount::of(amount) });
    }

    /// Adds a late fee to the row that is late.
    pub(crate) fn late_fee(&mut self, row: usize, amount: i128, due_on: Date) {
        self.add(Charge { kind: ChargeKind::Penalty, by: None, due_on, row, owed: OwedAmount::of(amount) });
    }

    fn add(&mut self, charge: Charge) {
        self.charged[charge.kind.component() as usize] += charge.owed.charged;
        self.charges.push(charge);
        self.show(self.charges.len() - 1, charge.row);
    }

    /// Shows a charge in a row, after those that are due before it or with it.
    fn show(&mut self, charge: usize, row: usize) {
        let due_on = self.charges[charge].due_on;
        self.charges[charge].row = row;
        let component = self.charges[charge].kind.component() as usize;
        self.open[component] = self.open[component].min(row);
        let charges = &self.charges;
        let line = &mut self.lines[row];
        let shown = match charges[charge].kind {
            ChargeKind::Fee => &mut line.fee_charges,
            ChargeKind::Penalty => &mut line.penalty_charges,
        };
        let place = shown.partition_point(|other| charges[*other].due_on <= due_on);
        shown.insert(place, charge);
    }

    /// Calls `f` with each amount of a component in a row and its due date, the oldest first: the
    /// instalment's own fee stands before charges that are due with it or after it.
    pub(crate) fn each_amount(&mut self, row: usize, component: Component, f: &mut impl FnMut(&mut OwedAmount, Date)) {
        let line = &mut self.lines[row];
        self.looked_at += 1;
        match component {
            Component::Principal => f(&mut line.principal, line.due_on),
            Component::Interest => f(&mut line.interest, line.due_on),
            Component::Penalty => {
                self.looked_at += line.penalty_charges.len() as u64;
                for charge in &line.penalty_charges {
                    let charge = &mut self.charges[*charge];
                    f(&mut charge.owed, charge.due_on);
                }
            }
            Component::Fee => {
                self.looked_at += line.fee_charges.len() as u64;
                let mut is_own_done = false;
                for charge in &line.fee_charges {
                    let charge = &mut self.charges[*charge];
                    if !is_own_done && charge.due_on >= line.due_on {
                        f(&mut line.fees, line.due_on);
                        is_own_done = true;
                    }
                    f(&mut charge.owed, charge.due_on);
                }
                if !is_own_done {
                    f(&mut line.fees, line.due_on);
                }
            }
        }
    }

    /// The unpaid amount of a component in a row.
    pub(crate) fn unpaid_in(&self, row: usize, component: Component) -> i128 {
        let line = &self.lines[row];
        let of = |charges: &[usize]| -> i128 { charges.iter().map(|charge| self.charges[*charge].owed.unpaid()).sum() };
        match component {
            Component::Principal => line.principal.unpaid(),
            Component::Interest => line.interest.unpaid(),
            Component::Penalty => of(&line.penalty_charges),
            Component::Fee => line.fees.unpaid() + of(&line.fee_charges),
        }
    }

    /// The unpaid amount of a component in all rows.
    pub(crate) fn unpaid(&mut self, component: Component) -> i128 {
        (self.first_open(component)..self.lines.len()).map(|row| self.unpaid_in(row, component)).sum()
    }

    /// The unpaid amount of all components.
    pub(crate) fn unpaid_in_all(&mut self) -> i128 {
        Component::ALL.into_iter().map(|component| self.unpaid(component)).sum()
    }

    /// The first row with an unpaid amount of a component, else the number of rows. Settled rows are
    /// not visited again.
    pub(crate) fn first_open(&mut self, component: Component) -> usize {
        let mut row = self.open[component as usize];
        while row < self.lines.len() && self.unpaid_in(row, component) == 0 {
            row += 1;
            self.looked_at += 1;
        }
        self.open[component as usize] = row;
        row
    }
}
