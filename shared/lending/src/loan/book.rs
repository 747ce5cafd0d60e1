//! The fold itself: a loan's events, day by day, in whole smallest units of its currency.

use jiff::civil::Date;

use super::Contract;
use super::allocation::{AllocationGroup, Bucket, Component};
use super::conflict::{Conflict, ConflictReason};
use super::events::{Event, EventId, EventKind, History, Step, Waivable};
use super::late_fees::LateFees;
use super::postings::{Account, Movements, Posting};
use super::rows::{CannotReschedule, NewRows, Rows};
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

/// How far a fold goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// Through the whole of a day.
    EndOf(Date),
    /// Through the payments of a day, as though they closed the loan.
    SettledOn(Date),
}

impl Until {
    pub(super) const fn date(self) -> Date {
        match self {
            Self::EndOf(date) | Self::SettledOn(date) => date,
        }
    }
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
    pub(super) applied: Vec<(Date, [i128; 4])>,
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
    pub(super) fn fold(contract: &'a Contract, history: &History<'_>, until: Until) -> Result<Self, Conflict> {
        let mut walk = Walk::new(contract, history, until);
        while walk.day()?.is_some() {}
        Ok(walk.book)
    }

    /// One day: late fees, then the events of the day in the order of their steps.
    fn day(&mut self, on: Date, history: &History<'_>, today: &[usize], until: Until) -> Result<(), Conflict> {
        if let (Some(late_fees), Some(rows)) = (&mut self.late_fees, &mut self.rows) {
            late_fees.charge(on, rows);
        }
        let step = |index: &usize| history.known[*index].event.kind.step();
        let (first, rest) = today.split_at(today.partition_point(|index| step(index) < Some(Step::Payment)));
        let (payments, last) = rest.split_at(rest.partition_point(|index| step(index) == Some(Step::Payment)));

        self.apply_all(history, first)?;
        let is_touched = first.iter().any(|index| step(index) == Some(Step::Waiver));
        self.pay(on, history, payments, is_touched, until)?;
        if until == Until::SettledOn(on) {
            return Ok(());
        }
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
            EventKind::Disbursement => self.disburse(event.on)?,
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
                rows.charge(*kind, amount.units(), *due_on);
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

    fn disburse(&mut self, on: Date) -> Result<Effect, ConflictReason> {
        let Contract { amount, terms } = self.contract;
        let plan = plan(*amount, on, terms).map_err(ConflictReason::Schedule)?;
        let units = terms.units(amount.currency()).map_err(ConflictReason::Schedule)?;
        let rows = Rows::new(on, terms, units, &plan);
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
        let (first, amount) = rows.reschedule(on, new).map_err(|reason| match reason {
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
        let first_row = u32::try_from(first + 1).unwrap_or(u32::MAX);
        self.rescheduled.push(Rescheduled { id, on, first_row });
        Ok(Effect { amount, ..Effect::default() })
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

    fn refund(&mut self, amount: i128) -> Result<Effect, ConflictReason> {
        if amount > self.held {
            let held = Money::computed(self.held, self.contract.amount.currency());
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

    /// The payments of a day as one sum, after what is held has paid what is due.
    fn pay(
        &mut self,
        on: Date,
        history: &History<'_>,
        payments: &[usize],
        is_touched: bool,
        until: Until,
    ) -> Result<(), Conflict> {
        let amounts = || {
            payments.iter().filter_map(|index| match history.known[*index].event.kind {
                EventKind::Repayment { amount } => Some((*index, amount.units())),
                _ => None,
            })
        };
        if self.written_off_on.is_some() {
            self.recover(amounts());
            return Ok(());
        }
        self.apply_held(on);
        let is_settled = until == Until::SettledOn(on);
        if payments.is_empty() && !is_touched && !is_settled {
            return Ok(());
        }
        let Some(rows) = &mut self.rows else {
            return Ok(());
        };

        let sum: i128 = amounts().map(|(_, amount)| amount).sum();
        let is_closing = is_settled || (sum >= self.balance && sum >= rows.settlement_total(on));
        if is_closing {
            rows.drop_unearned(on);
        }
        let mut left = sum;
        let mut stream = std::mem::take(&mut self.stream);
        let order = self.contract.terms.allocation().order();
        allocate(rows, order.groups, on, Take::Due, &mut left, &mut stream);
        let take = match self.contract.terms.prepayment() {
            _ if is_closing => Take::FirstInAdvance,
            Prepayment::NextInstalments => Take::FirstInAdvance,
            Prepayment::LastInstalments => Take::LastInAdvance,
            Prepayment::ReduceInstalment | Prepayment::ReduceTerm => {
                let due: i128 = stream.total()[Component::Principal as usize];
                let reduction = left.min(self.balance - due);
                if reduction > 0 {
                    self.reduce(on, reduction).map_err(|refusal| {
                        // Cannot happen: these rows were made before, and may ask for interest
                        // alone where they were not.
                        let event = history.known[payments[0]].event;
                        Conflict::of(event, ConflictReason::Schedule(refusal))
                    })?;
                    stream.push(Component::Principal, reduction);
                    left -= reduction;
                }
                Take::FirstInAdvance
            }
        };
        if let Some(rows) = &mut self.rows {
            allocate(rows, order.groups, on, take, &mut left, &mut stream);
        }

        let paid = stream.total();
        let mut balance = self.balance;
        self.balance -= paid[Component::Principal as usize];
        self.held += left;
        self.post(&[(Account::Cash, sum), (Account::OverpaymentsPayable, -left)]);
        self.post_paid(paid);
        for (index, amount) in amounts() {
            let split = stream.share(amount);
            balance -= split.by_component[Component::Principal as usize];
            self.effects[index] = Some(Effect { amount, split: Some(split), balance });
        }
        stream.0.clear();
        self.stream = stream;
        Ok(())
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

    /// What is held pays what has fallen due. Nothing but charges can be: while something is held,
    /// nothing else is unpaid, and nothing else is left to be dropped once they are paid.
    fn apply_held(&mut self, on: Date) {
        let Some(rows) = self.rows.as_mut().filter(|_| self.held > 0) else {
            return;
        };
        let mut left = self.held;
        let mut stream = Stream::default();
        let order = self.contract.terms.allocation().order();
        allocate(rows, order.groups, on, Take::Due, &mut left, &mut stream);
        if left == self.held {
            return;
        }
        let paid = stream.total();
        self.post(&[(Account::OverpaymentsPayable, self.held - left)]);
        self.post_paid(paid);
        self.held = left;
        self.applied.push((on, paid));
    }

    /// After a write-off: up to all that was given up, the rest is held.
    fn recover(&mut self, amounts: impl Iterator<Item = (usize, i128)>) {
        let given_up: i128 = self.written_off.iter().sum();
        for (index, amount) in amounts {
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

/// A fold in the course of its days.
pub(super) struct Walk<'h, 'a> {
    history: &'h History<'h>,
    until: Until,
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
    pub(super) fn new(contract: &'a Contract, history: &'h History<'h>, until: Until) -> Self {
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
        let settled_on = match self.until {
            Until::SettledOn(on) if self.last < Some(on) => Some(on),
            Until::SettledOn(_) | Until::EndOf(_) => None,
        };
        let candidates = [event, late_fee, due_date, settled_on];
        candidates.into_iter().flatten().min().filter(|on| *on <= self.until.date())
    }

    /// Folds the next day on which something may happen, and says which one that was.
    pub(super) fn day(&mut self) -> Result<Option<Date>, Conflict> {
        let Some(on) = self.next() else {
            return Ok(None);
        };
        let Self { history, until, folded, .. } = *self;
        let events = &history.effective[folded..];
        let count = events.iter().take_while(|index| history.known[**index].event.on == on).count();
        self.book.day(on, history, &events[..count], until)?;
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
