//! The fold itself: a loan's events, day by day, in whole smallest units of its currency.

use jiff::civil::Date;

use super::Contract;
use super::allocation::{AllocationGroup, Bucket, Component};
use super::conflict::{Conflict, ConflictReason};
use super::events::{Event, EventId, EventKind, History, Step, Waivable};
use super::late_fees::LateFees;
use super::postings::{Account, Movements, Posting};
use super::rows::{CannotReschedule, MadeAnew, NewRows, Rows};
use super::state::Rescheduled;
use crate::schedule::plan;
use crate::terms::Prepayment;
use crate::{Currency, Money, Refusal};

/// What was paid, by [`Component::ALL`], and what nothing took, in smallest units.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Split {
    pub(super) by_component: [i128; 4],
    pub(super) overpayment: i128,
}

/// What an event did, in smallest units.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Effect {
    pub(super) amount: i128,
    pub(super) split: Option<Split>,
    pub(super) balance: i128,
}

/// What was held, or was paid of something that is no longer asked for, pays something else.
#[derive(Clone, Copy)]
pub(super) struct AppliedHeld {
    pub(super) on: Date,
    /// What brought it about: what closes the loan, or the charge that what is held pays.
    pub(super) by: EventId,
    /// What it paid, less what it took back.
    pub(super) by_component: [i128; 4],
}

/// Which amounts an allocation may take, seen from the day of the payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Take {
    /// What has fallen due by then.
    Due,
    /// What falls due later, from the first row on.
    FirstInAdvance,
    /// What falls due later, from the last row backwards.
    LastInAdvance,
}

/// Amounts in the order in which they were paid.
#[derive(Clone, Default)]
struct Stream(Vec<(Component, i128)>);

impl Stream {
    fn push(&mut self, component: Component, amount: i128) {
        match self.0.last_mut() {
            Some((last, sum)) if *last == component => *sum += amount,
            _ if amount > 0 => self.0.push((component, amount)),
            _ => (),
        }
    }

    fn total(&self) -> [i128; 4] {
        let mut total = [0; 4];
        for (component, amount) in &self.0 {
            total[*component as usize] += amount;
        }
        total
    }

    /// Takes `amount` from the front; what is missing is an overpayment.
    fn share(&mut self, amount: i128) -> Split {
        let mut split = Split { overpayment: amount, ..Split::default() };
        for (component, left) in &mut self.0 {
            let part = split.overpayment.min(*left);
            *left -= part;
            split.overpayment -= part;
            split.by_component[*component as usize] += part;
        }
        split
    }
}

/// A loan in the course of its fold.
#[derive(Clone)]
pub(super) struct Book<'a> {
    contract: &'a Contract,
    /// Once the loan is disbursed.
    pub(super) rows: Option<Rows<'a>>,
    late_fees: Option<LateFees>,
    /// What the disbursement paid out.
    pub(super) paid_out: i128,
    /// Unpaid principal.
    pub(super) balance: i128,
    /// Overpayments that nothing took yet.
    pub(super) held: i128,
    pub(super) refunded: i128,
    pub(super) written_off_on: Option<Date>,
    /// What the write-off gave up.
    pub(super) written_off: [i128; 4],
    pub(super) recovered: i128,
    /// For each known event what it did; nothing for what was reversed.
    pub(super) effects: Vec<Option<Effect>>,
    /// The balance at the end of each day on which something happened.
    pub(super) balances: Vec<(Date, i128)>,
    /// What was paid in before a write-off.
    paid_in: i128,
    pub(super) applied: Vec<AppliedHeld>,
    pub(super) rescheduled: Vec<Rescheduled>,
    pub(super) postings: Vec<Posting>,
    /// What moved so far on the day that is folded.
    moved: Movements,
    /// Empty between payments: its memory is used again.
    stream: Stream,
}

impl<'a> Book<'a> {
    pub(super) const fn contract_amount(&self) -> i128 {
        self.contract.amount.units()
    }

    pub(super) const fn currency(&self) -> Currency {
        self.contract.amount.currency()
    }

    /// A loan of which nothing is folded yet.
    fn new(contract: &'a Contract, history: &History<'_>) -> Self {
        Self {
            contract,
            rows: None,
            late_fees: None,
            paid_out: 0,
            balance: 0,
            held: 0,
            refunded: 0,
            written_off_on: None,
            written_off: [0; 4],
            recovered: 0,
            paid_in: 0,
            effects: vec![None; history.known.len()],
            balances: Vec::new(),
            applied: Vec::new(),
            rescheduled: Vec::new(),
            postings: Vec::with_capacity(history.effective.len() * 3),
            moved: Movements::default(),
            stream: Stream::default(),
        }
    }

    /// Folds the events up to a day.
    pub(super) fn fold(contract: &'a Contract, history: &History<'_>, until: Date) -> Result<Self, Conflict> {
        let mut walk = Walk::new(contract, history, until);
        while walk.day()?.is_some() {}
        Ok(walk.book)
    }

    /// One day: late fees, then the events of the day in the order of their steps.
    fn day(&mut self, on: Date, history: &History<'_>, today: &[usize]) -> Result<(), Conflict> {
        if let (Some(late_fees), Some(rows)) = (&mut self.late_fees, &mut self.rows) {
            late_fees.charge(on, rows);
        }
        let step = |index: &usize| history.known[*index].event.kind.step();
        let (first, rest) = today.split_at(today.partition_point(|index| step(index) < Some(Step::Payment)));
        let (payments, last) = rest.split_at(rest.partition_point(|index| step(index) == Some(Step::Payment)));

        self.apply_all(history, first)?;
        let waiver = first.iter().rev().find(|index| step(index) == Some(Step::Waiver)).copied();
        self.pay_day(on, history, payments, waiver)?;
        self.apply_all(history, last)?;
        self.post_day(on);
        self.balances.push((on, self.balance));
        Ok(())
    }

    fn apply_all(&mut self, history: &History<'_>, events: &[usize]) -> Result<(), Conflict> {
        for index in events {
            let event = history.known[*index].event;
            let effect = self.apply(event).map_err(|reason| Conflict::of(event, reason))?;
            self.effects[*index] = Some(effect);
        }
        Ok(())
    }

    /// Any event but a payment.
    fn apply(&mut self, event: &Event) -> Result<Effect, ConflictReason> {
        let mut effect = match &event.kind {
            EventKind::Disbursement { first_due_on } => self.disburse(event.on, *first_due_on)?,
            EventKind::Reschedule { from, instalments, interest_rate_apr, first_due_on } => {
                let new = NewRows {
                    from: *from,
                    instalments: *instalments,
                    interest_rate_apr: *interest_rate_apr,
                    first_due_on: *first_due_on,
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
            EventKind::Waiver { component, amount } => self.waive(event.on, *component, amount.units())?,
            EventKind::Refund { amount } => self.refund(amount.units())?,
            EventKind::WriteOff => self.write_off(event.on)?,
            // Payments are taken together; a reversal has no effect of its own.
            EventKind::Repayment { .. } | EventKind::Reversal { .. } => Effect::default(),
        };
        effect.balance = self.balance;
        Ok(effect)
    }

    /// The rows of a loan on which something can still be owed.
    fn open_rows(&mut self) -> Result<&mut Rows<'a>, ConflictReason> {
        if self.written_off_on.is_some() {
            return Err(ConflictReason::AlreadyWrittenOff);
        }
        self.rows.as_mut().ok_or(ConflictReason::NotDisbursed)
    }

    fn disburse(&mut self, on: Date, first_due_on: Option<Date>) -> Result<Effect, ConflictReason> {
        let Contract { amount, terms } = self.contract;
        let first_due_on = first_due_on.or(terms.first_due_on());
        let plan = plan(*amount, on, first_due_on, terms).map_err(ConflictReason::Schedule)?;
        let units = terms.units(amount.currency()).map_err(ConflictReason::Schedule)?;
        let rows = Rows::new(on, first_due_on, terms, units, &plan);
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

    fn reschedule(&mut self, id: EventId, on: Date, new: &NewRows) -> Result<Effect, ConflictReason> {
        let rows = self.open_rows()?;
        let MadeAnew { first, amortised, excess } = rows.reschedule(on, new).map_err(|reason| match reason {
            CannotReschedule::NotADueDate => ConflictReason::NotADueDate,
            CannotReschedule::NothingLeft => ConflictReason::NothingToReschedule,
            CannotReschedule::InstalmentsOutOfRange => ConflictReason::InstalmentsOutOfRange,
            CannotReschedule::NotAfterDueDateBefore => ConflictReason::NotAfterDueDateBefore,
            CannotReschedule::DateOutOfRange => ConflictReason::DateOutOfRange,
            CannotReschedule::Refused(refusal) => ConflictReason::Schedule(refusal),
        })?;
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

    fn waive(&mut self, on: Date, component: Waivable, amount: i128) -> Result<Effect, ConflictReason> {
        let currency = self.contract.amount.currency();
        let component = match component {
            Waivable::Penalty => Component::Penalty,
            Waivable::Fee => Component::Fee,
            Waivable::Interest => Component::Interest,
        };
        let rows = self.open_rows()?;
        let unpaid = rows.unpaid(component);
        if amount > unpaid {
            let unpaid = Money::computed(unpaid, currency);
            return Err(ConflictReason::AboveUnpaid { unpaid });
        }
        rows.waived[component as usize] += amount;
        let mut left = amount;
        for row in rows.first_open(component)..rows.lines.len() {
            rows.each_amount(row, component, &mut |cell, _| {
                cell.waive(&mut left, on);
            });
            if left == 0 {
                break;
            }
        }
        let mut split = Split::default();
        split.by_component[component as usize] = amount;
        Ok(Effect { amount, split: Some(split), ..Effect::default() })
    }

    /// At most what is held and no charge that falls due later will take.
    fn refund(&mut self, amount: i128) -> Result<Effect, ConflictReason> {
        let unpaid = self.rows.as_mut().map_or(0, Rows::unpaid_in_all);
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
        let mut given_up = [0; 4];
        for component in Component::ALL {
            for row in rows.first_open(component)..rows.lines.len() {
                rows.each_amount(row, component, &mut |cell, _| given_up[component as usize] += cell.lapse());
            }
        }
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

    /// The payments of a day as one sum, after what is held has paid what is due. `waiver` is the last of the day.
    fn pay_day(
        &mut self,
        on: Date,
        history: &History<'_>,
        payments: &[usize],
        waiver: Option<usize>,
    ) -> Result<(), Conflict> {
        let payments: Vec<Paid> = payments
            .iter()
            .filter_map(|index| match history.known[*index].event.kind {
                EventKind::Repayment { amount } => Some(Paid { index: *index, amount: amount.units() }),
                _ => None,
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

    /// What is charged until a day less what was paid in and not refunded; below zero where that is more. A bound
    /// below it, above zero, where not even the principal was paid in.
    fn left_to_settle(&mut self, on: Date) -> i128 {
        let paid = self.paid_in - self.refunded;
        let principal = self.contract.amount.units() - paid;
        match &mut self.rows {
            Some(rows) if principal <= 0 => rows.charged_until(on).iter().sum::<i128>() - paid,
            _ => principal,
        }
    }

    fn pay(&mut self, on: Date, history: &History<'_>, payments: &[Paid]) -> Result<(), Refusal> {
        let sum: i128 = payments.iter().map(|paid| paid.amount).sum();
        self.paid_in += sum;
        let to_settle = self.left_to_settle(on);
        let is_closing = to_settle <= 0;
        let given_back = if is_closing { self.drop_unearned(on) } else { [0; 4] };

        let mut stream = std::mem::take(&mut self.stream);
        let left = self.allocate_payments(on, sum, is_closing, &mut stream)?;
        let paid = stream.total();
        let mut balance = self.balance;
        self.balance -= paid[Component::Principal as usize];
        self.held += left;
        self.post(&[(Account::Cash, sum), (Account::OverpaymentsPayable, -left)]);
        self.post_paid(paid);
        for Paid { index, amount } in payments {
            let split = stream.share(*amount);
            balance -= split.by_component[Component::Principal as usize];
            self.effects[*index] = Some(Effect { amount: *amount, split: Some(split), balance });
        }
        stream.0.clear();
        self.stream = stream;
        if is_closing {
            let closing = closing_payment(payments, to_settle + sum);
            self.close(on, history, closing, given_back);
        }
        Ok(())
    }

    /// Pays what is due, then what is in advance; what nothing takes is left.
    fn allocate_payments(
        &mut self,
        on: Date,
        sum: i128,
        is_closing: bool,
        stream: &mut Stream,
    ) -> Result<i128, Refusal> {
        let order = self.contract.terms.allocation().order();
        let mut left = sum;
        if let Some(rows) = &mut self.rows {
            allocate(rows, order.groups, on, Take::Due, &mut left, stream);
        }
        let take = match self.contract.terms.prepayment() {
            _ if is_closing => Take::FirstInAdvance,
            Prepayment::NextInstalments => Take::FirstInAdvance,
            Prepayment::LastInstalments => Take::LastInAdvance,
            Prepayment::ReduceInstalment | Prepayment::ReduceTerm => {
                let due: i128 = stream.total()[Component::Principal as usize];
                let reduction = left.min(self.balance - due);
                if reduction > 0 {
                    self.reduce(on, reduction)?;
                    stream.push(Component::Principal, reduction);
                    left -= reduction;
                }
                Take::FirstInAdvance
            }
        };
        if let Some(rows) = &mut self.rows {
            allocate(rows, order.groups, on, take, &mut left, stream);
        }
        Ok(left)
    }

    fn drop_unearned(&mut self, on: Date) -> [i128; 4] {
        self.rows.as_mut().map_or([0; 4], |rows| rows.drop_unearned(on))
    }

    /// Closes the loan: what was given back of what is unearned, and what is held, pays all that is unpaid, charges that
    /// are not due yet too. The rest is held.
    fn close(&mut self, on: Date, history: &History<'_>, by: usize, given_back: [i128; 4]) {
        let Some(rows) = &mut self.rows else {
            return;
        };
        let mut left = self.held + given_back.iter().sum::<i128>();
        let mut stream = Stream::default();
        let order = self.contract.terms.allocation().order();
        allocate(rows, order.groups, on, Take::Due, &mut left, &mut stream);
        allocate(rows, order.groups, on, Take::FirstInAdvance, &mut left, &mut stream);
        let mut moved = stream.total();
        for (moved, given_back) in moved.iter_mut().zip(given_back) {
            *moved -= given_back;
        }
        self.move_paid(on, history.known[by].event.id, moved);
        if let Some(effect) = &mut self.effects[by] {
            effect.balance = self.balance;
        }
    }

    /// What was paid, or is held, now pays something else.
    fn move_paid(&mut self, on: Date, by: EventId, moved: [i128; 4]) {
        if moved == [0; 4] {
            return;
        }
        let taken: i128 = moved.iter().sum();
        self.held -= taken;
        self.balance -= moved[Component::Principal as usize];
        self.post(&[(Account::OverpaymentsPayable, taken)]);
        self.post_paid(moved);
        self.applied.push(AppliedHeld { on, by, by_component: moved });
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

    /// What is held pays charges that have fallen due, in the allocation's order. While something is held nothing else is
    /// unpaid, and nothing else is left to be dropped once they are paid.
    fn apply_held(&mut self, on: Date) {
        let Some(rows) = self.rows.as_mut().filter(|_| self.held > 0) else {
            return;
        };
        let before: Vec<i128> = rows.charges.iter().map(|charge| charge.cell.paid).collect();
        let mut left = self.held;
        let order = self.contract.terms.allocation().order();
        allocate(rows, order.groups, on, Take::Due, &mut left, &mut Stream::default());
        let mut paid = Vec::new();
        for (charge, before) in rows.charges.iter().zip(before) {
            if let Some(by) = charge.by {
                let mut moved = [0; 4];
                moved[charge.kind.component() as usize] = charge.cell.paid - before;
                paid.push((by, moved));
            }
        }
        for (by, moved) in paid {
            self.move_paid(on, by, moved);
        }
    }

    /// After a write-off: up to all that was given up, the rest is held.
    fn recover(&mut self, payments: &[Paid]) {
        let given_up: i128 = self.written_off.iter().sum();
        for Paid { index, amount } in payments.iter().copied() {
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

    fn post_paid(&mut self, paid: [i128; 4]) {
        self.post(&[
            (Account::PenaltyIncome, -paid[Component::Penalty as usize]),
            (Account::FeeIncome, -paid[Component::Fee as usize]),
            (Account::InterestIncome, -paid[Component::Interest as usize]),
            (Account::PrincipalReceivable, -paid[Component::Principal as usize]),
        ]);
    }

    fn post(&mut self, amounts: &[(Account, i128)]) {
        for (account, amount) in amounts {
            self.moved[*account as usize] += amount;
        }
    }

    /// Makes postings of what moved on a day.
    fn post_day(&mut self, on: Date) {
        let moved = std::mem::take(&mut self.moved);
        let currency = self.contract.amount.currency();
        for (account, amount) in Account::ALL.into_iter().zip(moved) {
            if amount != 0 {
                self.postings.push(Posting { on, account, amount: Money::computed(amount, currency) });
            }
        }
    }
}

/// A payment of a day: its place in what is known, and how much.
#[derive(Clone, Copy)]
struct Paid {
    index: usize,
    amount: i128,
}

/// The payment with which the payments of a day reach what closes the loan.
fn closing_payment(payments: &[Paid], needed: i128) -> usize {
    let mut sum = 0;
    let reaches = |paid: &&Paid| {
        sum += paid.amount;
        sum >= needed
    };
    payments.iter().find(reaches).or(payments.last()).map_or(0, |paid| paid.index)
}

/// A fold in the course of its days.
pub(super) struct Walk<'h, 'a> {
    history: &'h History<'h>,
    until: Date,
    /// The days on which what is held may have a charge to pay.
    due_dates: Vec<Date>,
    /// How many of the effective events are folded.
    folded: usize,
    /// The last day that is folded.
    last: Option<Date>,
    /// The loan at the end of that day.
    pub(super) book: Book<'a>,
}

impl<'h, 'a> Walk<'h, 'a> {
    pub(super) fn new(contract: &'a Contract, history: &'h History<'h>, until: Date) -> Self {
        let book = Book::new(contract, history);
        Self { history, until, due_dates: charged_due_dates(history), folded: 0, last: None, book }
    }

    /// The same days, from here on with another history: one that has the same events up to here, though at other places in
    /// what is known. Effects are at places of the first: they are nothing to read.
    pub(super) fn fork<'o>(&self, history: &'o History<'o>) -> Walk<'o, 'a> {
        let Self { until, folded, last, ref book, .. } = *self;
        Walk { history, until, due_dates: charged_due_dates(history), folded, last, book: book.clone() }
    }

    /// The next day on which something may happen.
    pub(super) fn next(&self) -> Option<Date> {
        let event = self.history.effective.get(self.folded).map(|index| self.history.known[*index].event.on);
        let late_fee = self.book.late_fees.as_ref().and_then(LateFees::next_on);
        let due_date = self.due_dates.get(self.due_dates.partition_point(|date| Some(*date) <= self.last)).copied();
        [event, late_fee, due_date].into_iter().flatten().min().filter(|on| *on <= self.until)
    }

    /// Folds all days that are left, whatever day was the last to be folded: nothing but time passes on those after it.
    pub(super) fn go_on_to_the_end(&mut self) -> Result<(), Conflict> {
        self.until = Date::MAX;
        while self.day()?.is_some() {}
        Ok(())
    }

    /// Folds the next day on which something may happen, and says which one that was.
    pub(super) fn day(&mut self) -> Result<Option<Date>, Conflict> {
        let Some(on) = self.next() else {
            return Ok(None);
        };
        let Self { history, folded, .. } = *self;
        let events = &history.effective[folded..];
        let count = events.iter().take_while(|index| history.known[**index].event.on == on).count();
        self.book.day(on, history, &events[..count])?;
        self.folded += count;
        self.last = Some(on);
        Ok(Some(on))
    }
}

/// The days on which what is held may have a charge to pay. One that is due by the day it is levied has none: it is paid on
/// the day of its event.
fn charged_due_dates(history: &History<'_>) -> Vec<Date> {
    let mut dates: Vec<Date> = history
        .effective
        .iter()
        .map(|index| history.known[*index].event)
        .filter_map(|event| match event.kind {
            EventKind::Charge { due_on, .. } => Some(due_on).filter(|due_on| *due_on > event.on),
            _ => None,
        })
        .collect();
    dates.sort_unstable();
    dates.dedup();
    dates
}

/// Pays amounts group by group, in a group row by row, in a row component by component.
fn allocate(
    rows: &mut Rows<'_>,
    groups: &[AllocationGroup],
    on: Date,
    take: Take,
    left: &mut i128,
    stream: &mut Stream,
) {
    let is_taken = |bucket: &Bucket| (*bucket == Bucket::InAdvance) == (take != Take::Due);
    // What is paid on the way only moves these on: they stay bounds.
    let open = Component::ALL.map(|component| rows.first_open(component));
    for group in groups.iter().filter(|group| group.buckets.iter().any(is_taken)) {
        if *left == 0 {
            return;
        }
        let Some(first) = group.components.iter().map(|component| open[*component as usize]).min() else {
            continue;
        };
        let count = rows.lines.len();
        // A charge that is due stands at the latest in the first row that is not past due.
        let end = match take {
            Take::Due => (rows.first_not_past_due(on) + 1).min(count),
            Take::FirstInAdvance | Take::LastInAdvance => count,
        };
        for step in first..end {
            let row = if take == Take::LastInAdvance { first + end - 1 - step } else { step };
            for component in group.components {
                let mut paid = 0;
                rows.each_amount(row, *component, &mut |cell, due_on| {
                    let bucket = Bucket::of(due_on, on);
                    if group.buckets.contains(&bucket) && is_taken(&bucket) {
                        paid += cell.pay(left, on);
                    }
                });
                stream.push(*component, paid);
            }
            if *left == 0 {
                return;
            }
        }
    }
}
