//! The effect of each event except payments.

use jiff::civil::Date;

use super::{Effect, LoanFold, Split};
use crate::loan::conflict::ConflictReason;
use crate::loan::contract::Contract;
use crate::loan::events::{Event, EventId, EventKind, Waivable};
use crate::loan::late_fees::LateFees;
use crate::loan::postings::Account;
use crate::loan::rows::{LoanRows, NewRows, RescheduledRows};
use crate::loan::state::Rescheduled;
use crate::schedule::plan;
use crate::terms::Component;
use crate::{Calendar, Money};

impl LoanFold<'_> {
    /// Applies any event except a payment. The latest is the one that was recorded last.
    pub(super) fn apply(&mut self, event: &Event, is_latest: bool) -> Result<Effect, ConflictReason> {
        let mut effect = match &event.kind {
            EventKind::Disbursement { first_due_on, calendar } => {
                self.disburse(event.on, *first_due_on, calendar.as_deref())?
            }
            EventKind::Reschedule { from, instalments, interest_rate_apr, first_due_on, calendar } => {
                let new = NewRows {
                    from: *from,
                    instalments: *instalments,
                    interest_rate_apr: *interest_rate_apr,
                    first_due_on: *first_due_on,
                    calendar: calendar.as_deref(),
                };
                self.reschedule(event.id, event.on, &new)?
            }
            EventKind::Charge { kind, amount, due_on } => {
                let rows = self.open_rows()?;
                if *due_on < rows.disbursed_on {
                    return Err(ConflictReason::BeforeDisbursement);
                }
                rows.charge(event.id, *kind, amount.units(), *due_on);
                Effect { amount: amount.units(), ..Effect::default() }
            }
            EventKind::Waiver { component, amount } => self.waive(event.on, *component, amount.units(), is_latest)?,
            EventKind::Refund { amount } => self.refund(amount.units())?,
            EventKind::WriteOff => self.write_off(event.on)?,
            // Payments are taken together; a reversal has no effect of its own.
            EventKind::Repayment { .. } | EventKind::Reversal { .. } => Effect::default(),
        };
        effect.balance = self.balance;
        Ok(effect)
    }

    fn disburse(
        &mut self,
        on: Date,
        first_due_on: Option<Date>,
        calendar: Option<&Calendar>,
    ) -> Result<Effect, ConflictReason> {
        let Contract { amount, terms } = self.contract;
        let first_due_on = first_due_on.or(terms.first_due_on());
        let plan = plan(*amount, (on, first_due_on), terms, calendar).map_err(ConflictReason::Schedule)?;
        let units = terms.units(amount.currency()).map_err(ConflictReason::Schedule)?;
        let rows = LoanRows::new(on, terms, units, &plan);
        self.late_fees = LateFees::new(terms, units).map_err(ConflictReason::Schedule)?;
        if let Some(late_fees) = &mut self.late_fees {
            late_fees.rows_are_new_from(0, &rows);
        }
        self.rows = Some(rows);
        self.balance = amount.units();
        let paid_out = plan.schedule.paid_out.units();
        self.post(&[
            (Account::PrincipalReceivable, self.balance),
            (Account::FeeIncome, paid_out - self.balance),
            (Account::Cash, -paid_out),
        ]);
        self.paid_out = paid_out;
        Ok(Effect { amount: self.balance, ..Effect::default() })
    }

    fn reschedule(&mut self, id: EventId, on: Date, new: &NewRows<'_>) -> Result<Effect, ConflictReason> {
        let rows = self.open_rows()?;
        let RescheduledRows { first, amortised, excess } = rows.reschedule(on, new)?;
        if let (Some(late_fees), Some(rows)) = (&mut self.late_fees, &self.rows) {
            late_fees.rows_are_new_from(first, rows);
        }
        let mut moved = [0; 4];
        moved[Component::Interest as usize] = -excess;
        moved[Component::Principal as usize] = excess;
        self.move_paid(on, id, moved);
        let first_row = u32::try_from(first + 1).unwrap_or(u32::MAX);
        self.rescheduled.push(Rescheduled { id, on, first_row });
        Ok(Effect { amount: amortised, ..Effect::default() })
    }

    /// Waives the oldest unpaid amounts. Interest of each day's balance that was there when the waiver was recorded may
    /// be less by an event that was recorded since: the rest comes off what accrues later.
    fn waive(
        &mut self,
        on: Date,
        component: Waivable,
        amount: i128,
        is_latest: bool,
    ) -> Result<Effect, ConflictReason> {
        let currency = self.contract.amount.currency();
        let rows = self.open_rows()?;
        let may_wait = rows.accrues_daily() && component == Waivable::Interest && !is_latest;
        let component = component.component();
        rows.ask_in_advance(on, 0);
        let unpaid = rows.unpaid(component);
        if amount > unpaid && !may_wait {
            let unpaid = Money::computed(unpaid, currency);
            return Err(ConflictReason::AboveUnpaid { unpaid });
        }
        rows.waived[component as usize] += amount;
        let mut left = amount;
        for row in rows.first_open(component)..rows.lines.len() {
            let before = left;
            rows.each_open_amount(row, component, &mut |owed, _| {
                owed.waive(&mut left, on);
                left > 0
            });
            rows.note_settled(row, component, before - left);
            if left == 0 {
                break;
            }
        }
        if left > 0 {
            rows.waive_ahead(on, left);
        }
        let mut split = Split::default();
        split.by_component[component as usize] = amount;
        Ok(Effect { amount, split: Some(split), ..Effect::default() })
    }

    /// Refunds at most the held money that no later charge will take.
    fn refund(&mut self, amount: i128) -> Result<Effect, ConflictReason> {
        let unpaid = self.rows.as_mut().map_or(0, LoanRows::unpaid_in_all);
        let free = (self.held - unpaid).max(0);
        if amount > free {
            let held = Money::computed(free, self.contract.amount.currency());
            return Err(ConflictReason::AboveHeld { held });
        }
        self.held -= amount;
        self.refunded += amount;
        self.post(&[(Account::OverpaymentsPayable, amount), (Account::Cash, -amount)]);
        Ok(Effect { amount, ..Effect::default() })
    }

    fn write_off(&mut self, on: Date) -> Result<Effect, ConflictReason> {
        let rows = self.open_rows()?;
        rows.stop_daily();
        let mut given_up = [0; 4];
        for component in Component::ALL {
            for row in rows.first_open(component)..rows.lines.len() {
                rows.each_amount(row, component, &mut |owed, _| given_up[component as usize] += owed.lapse());
            }
        }
        rows.note_replaced();
        if given_up == [0; 4] {
            return Err(ConflictReason::NothingToWriteOff);
        }
        let principal = given_up[Component::Principal as usize];
        self.balance -= principal;
        self.written_off = given_up;
        self.written_off_on = Some(on);
        self.late_fees = None;
        self.post(&[(Account::WriteOffs, principal), (Account::PrincipalReceivable, -principal)]);
        let split = Split { by_component: given_up, overpayment: 0 };
        Ok(Effect { amount: principal, split: Some(split), ..Effect::default() })
    }
}
