//! The payments of a day, and what they close.

use jiff::civil::Date;

use super::allocate::{AllocatedAmounts, AllocationPass, allocate};
use super::{Effect, LoanFold, Split};
use crate::Refusal;
use crate::loan::conflict::{Conflict, ConflictReason};
use crate::loan::history::History;
use crate::loan::postings::Account;
use crate::terms::Component;
use crate::terms::Prepayment;

impl LoanFold<'_> {
    /// Takes the payments of a day together, after held money has paid charges. `waiver` is the
    /// last of the day.
    pub(super) fn pay_day(
        &mut self,
        on: Date,
        history: &History<'_>,
        payments: &[usize],
        waiver: Option<usize>,
    ) -> Result<(), Conflict> {
        let payments: Vec<DayPayment> = payments
            .iter()
            .filter_map(|index| {
                let amount = history.known[*index].event.kind.amount()?.units();
                Some(DayPayment { index: *index, amount })
            })
            .collect();
        if self.written_off_on.is_some() {
            self.recover(&payments);
            return Ok(());
        }
        self.apply_held(on);
        if let Some(waiver) = waiver
            && self.left_to_settle(on) <= 0
        {
            let given_back = self.drop_unearned(on);
            self.close(on, history, waiver, given_back);
        }
        let Some(first) = payments.first() else {
            return Ok(());
        };
        self.pay(on, history, &payments).map_err(|refusal| {
            // Cannot happen: these rows were made before, and may ask for interest alone where they were not.
            Conflict::of(history.known[first.index].event, ConflictReason::Schedule(refusal))
        })
    }

    /// The charges until a day less payments not refunded; below zero where these are more. A lower bound above
    /// zero where not even the principal was paid in.
    fn left_to_settle(&mut self, on: Date) -> i128 {
        let paid = self.paid_in - self.refunded;
        let principal = self.contract.amount.units() - paid;
        match &mut self.rows {
            Some(rows) if principal <= 0 => rows.charged_until(on).iter().sum::<i128>() - paid,
            _ => principal,
        }
    }

    fn pay(&mut self, on: Date, history: &History<'_>, payments: &[DayPayment]) -> Result<(), Refusal> {
        let sum: i128 = payments.iter().map(|paid| paid.amount).sum();
        self.paid_in += sum;
        let to_settle = self.left_to_settle(on);
        let is_closing = to_settle <= 0;
        let given_back = if is_closing { self.drop_unearned(on) } else { [0; 4] };
        if let Some(rows) = self.rows.as_mut().filter(|_| !is_closing) {
            let is_backwards = self.contract.terms.prepayment() == Prepayment::LastInstalments;
            rows.ask_in_advance(on, if is_backwards { i128::MAX } else { sum });
        }

        let mut allocated = std::mem::take(&mut self.allocated);
        let left = self.allocate_payments(on, sum, is_closing, &mut allocated)?;
        let paid = allocated.total();
        let mut balance = self.balance;
        self.balance -= paid[Component::Principal as usize];
        self.held += left;
        self.post(&[(Account::Cash, sum), (Account::OverpaymentsPayable, -left)]);
        self.post_paid(paid);
        for DayPayment { index, amount } in payments {
            let split = allocated.share(*amount);
            balance -= split.by_component[Component::Principal as usize];
            self.effects[*index] = Some(Effect { amount: *amount, split: Some(split), balance });
        }
        allocated.0.clear();
        self.allocated = allocated;
        if is_closing {
            let closing = closing_payment(payments, to_settle + sum);
            self.close(on, history, closing, given_back);
        }
        Ok(())
    }

    /// Pays what is owed, due or not. Returns the rest.
    fn allocate_payments(
        &mut self,
        on: Date,
        sum: i128,
        is_closing: bool,
        allocated: &mut AllocatedAmounts,
    ) -> Result<i128, Refusal> {
        let terms = &self.contract.terms;
        let groups = terms.allocation().groups();
        let mut left = sum;
        // A payment that closes the loan pays the rest as scheduled, whatever the terms say. Where interest follows the
        // balance of each day rows ask for what is left all the same, and the terms say in which order.
        let is_as_scheduled = is_closing && !terms.accrues_daily();
        let prepayment = if is_as_scheduled { Prepayment::NextInstalments } else { terms.prepayment() };
        let pass = match prepayment {
            Prepayment::NextInstalments => AllocationPass::All,
            Prepayment::LastInstalments => AllocationPass::LastInAdvance,
            Prepayment::ReduceInstalment | Prepayment::ReduceTerm => {
                if let Some(rows) = &mut self.rows {
                    allocate(rows, groups, on, AllocationPass::Due, &mut left, allocated);
                }
                let due: i128 = allocated.total()[Component::Principal as usize];
                let reduction = left.min(self.balance - due);
                if reduction > 0 {
                    self.reduce(on, reduction)?;
                    allocated.push(Component::Principal, reduction);
                    left -= reduction;
                }
                AllocationPass::InAdvance
            }
        };
        if let Some(rows) = &mut self.rows {
            allocate(rows, groups, on, pass, &mut left, allocated);
        }
        Ok(left)
    }

    fn drop_unearned(&mut self, on: Date) -> [i128; 4] {
        self.rows.as_mut().map_or([0; 4], |rows| rows.drop_unearned(on))
    }

    /// Closes the loan: held money, and payments of unearned interest and fees, pay everything unpaid, also charges
    /// that are not due yet. The rest is held.
    fn close(&mut self, on: Date, history: &History<'_>, by: usize, given_back: [i128; 4]) {
        let Some(rows) = &mut self.rows else {
            return;
        };
        let mut left = self.held + given_back.iter().sum::<i128>();
        let mut allocated = AllocatedAmounts::default();
        let groups = self.contract.terms.allocation().groups();
        rows.ask_for_the_rest();
        allocate(rows, groups, on, AllocationPass::All, &mut left, &mut allocated);
        rows.close_daily();
        let mut moved = allocated.total();
        for (moved, given_back) in moved.iter_mut().zip(given_back) {
            *moved -= given_back;
        }
        self.move_paid(on, history.known[by].event.id, moved);
        if let Some(effect) = &mut self.effects[by] {
            effect.balance = self.balance;
        }
    }

    fn reduce(&mut self, on: Date, reduction: i128) -> Result<(), Refusal> {
        let Some(rows) = &mut self.rows else {
            return Ok(());
        };
        let running = rows.running(on);
        rows.reduce(on, reduction)?;
        if let Some(late_fees) = &mut self.late_fees {
            late_fees.rows_are_new_from(running, rows);
        }
        Ok(())
    }

    /// Pays charges that have fallen due with held money, in the allocation's order. While money is held nothing
    /// else is unpaid, and nothing else is left to be dropped once they are paid.
    fn apply_held(&mut self, on: Date) {
        let Some(rows) = self.rows.as_mut().filter(|_| self.held > 0) else {
            return;
        };
        let open = rows.open_charges_until(on);
        let before: Vec<i128> = open.iter().map(|charge| rows.charges[*charge].owed.paid).collect();
        let mut left = self.held;
        let groups = self.contract.terms.allocation().groups();
        allocate(rows, groups, on, AllocationPass::Due, &mut left, &mut AllocatedAmounts::default());
        let mut paid = Vec::new();
        for (charge, before) in open.into_iter().map(|charge| &rows.charges[charge]).zip(before) {
            if let Some(by) = charge.by {
                let mut moved = [0; 4];
                moved[charge.kind.component() as usize] = charge.owed.paid - before;
                paid.push((by, moved));
            }
        }
        for (by, moved) in paid {
            self.move_paid(on, by, moved);
        }
    }

    /// Recovers up to the amount written off; the rest is held.
    fn recover(&mut self, payments: &[DayPayment]) {
        let given_up: i128 = self.written_off.iter().sum();
        for DayPayment { index, amount } in payments.iter().copied() {
            let recovered = (given_up - self.recovered).min(amount);
            let overpayment = amount - recovered;
            self.recovered += recovered;
            self.held += overpayment;
            self.post(&[
                (Account::Cash, amount),
                (Account::Recoveries, -recovered),
                (Account::OverpaymentsPayable, -overpayment),
            ]);
            let split = Split { overpayment, ..Split::default() };
            self.effects[index] = Some(Effect { amount, split: Some(split), balance: self.balance });
        }
    }
}

/// A payment of a day: its index in the history, and its amount.
#[derive(Clone, Copy)]
struct DayPayment {
    index: usize,
    amount: i128,
}

/// The payment with which the payments of a day reach the settlement.
fn closing_payment(payments: &[DayPayment], needed: i128) -> usize {
    let mut sum = 0;
    let reaches = |paid: &&DayPayment| {
        sum += paid.amount;
        sum >= needed
    };
    payments.iter().find(reaches).or(payments.last()).map_or(0, |paid| paid.index)
}
