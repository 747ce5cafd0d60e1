//! Visiting the amounts of a row.

use jiff::civil::Date;

use super::{LoanRows, OwedAmount};
use crate::loan::events::ChargeKind;
use crate::steps::steps;
use crate::terms::Component;

impl LoanRows<'_> {
    /// Calls `f` with each amount of a component in a row and its due date, the oldest first: the
    /// instalment's own fee stands before charges that are due with it or after it.
    pub(crate) fn each_amount(&mut self, row: usize, component: Component, f: &mut impl FnMut(&mut OwedAmount, Date)) {
        self.each_amount_after(row, component, 0, &mut |owed, due_on| {
            f(owed, due_on);
            true
        });
    }

    /// The same without the first charges that have nothing unpaid, until `f` returns `false`.
    pub(crate) fn each_open_amount(
        &mut self,
        row: usize,
        component: Component,
        f: &mut impl FnMut(&mut OwedAmount, Date) -> bool,
    ) {
        let kind = match component {
            Component::Principal | Component::Interest => return self.each_amount_after(row, component, 0, f),
            Component::Fee => ChargeKind::Fee,
            Component::Penalty => ChargeKind::Penalty,
        };
        let line = &self.lines[row];
        let mut settled = match kind {
            ChargeKind::Fee => line.settled_fees,
            ChargeKind::Penalty => line.settled_penalties,
        };
        self.each_amount_after(row, component, settled, f);
        let line = &mut self.lines[row];
        let (shown, place) = match kind {
            ChargeKind::Fee => (&line.fee_charges, &mut line.settled_fees),
            ChargeKind::Penalty => (&line.penalty_charges, &mut line.settled_penalties),
        };
        while shown.get(settled).is_some_and(|charge| self.charges[*charge].owed.unpaid() == 0) {
            settled += 1;
        }
        *place = settled;
    }

    fn each_amount_after(
        &mut self,
        row: usize,
        component: Component,
        settled: usize,
        f: &mut impl FnMut(&mut OwedAmount, Date) -> bool,
    ) {
        let line = &mut self.lines[row];
        steps(1);
        match component {
            Component::Principal => {
                f(&mut line.principal, line.due_on);
            }
            Component::Interest => {
                f(&mut line.interest, line.due_on);
            }
            Component::Penalty => {
                for charge in line.penalty_charges.iter().skip(settled) {
                    steps(1);
                    let charge = &mut self.charges[*charge];
                    if !f(&mut charge.owed, charge.due_on) {
                        return;
                    }
                }
            }
            Component::Fee => {
                let mut is_own_done = false;
                for charge in line.fee_charges.iter().skip(settled) {
                    steps(1);
                    let charge = &mut self.charges[*charge];
                    if !is_own_done && charge.due_on >= line.due_on {
                        is_own_done = true;
                        if !f(&mut line.fees, line.due_on) {
                            return;
                        }
                    }
                    if !f(&mut charge.owed, charge.due_on) {
                        return;
                    }
                }
                if !is_own_done {
                    f(&mut line.fees, line.due_on);
                }
            }
        }
    }
}
