//! The end of a fold as a client reads it.

use std::collections::HashMap;

use jiff::civil::Date;

use super::Contract;
use super::allocation::{Component, Shares};
use super::book::{AppliedHeld, Book, Effect, Split};
use super::events::{Event, EventId, EventKind, History};
use super::rows::{Cell, Charge, Line, Rows};
use super::state::{
    Applied, Components, Instalment, InstalmentTotals, Outlook, Owed, Settlement, Standing, State, Transaction,
    TransactionKind,
};
use crate::calendar::days_between;
use crate::{Currency, Money};

/// Amounts by [`Component::ALL`], in smallest units.
type Sums = [i128; 4];

#[derive(Clone, Copy)]
struct Units(Currency);

impl Units {
    fn money(self, units: i128) -> Money {
        Money::computed(units, self.0)
    }

    fn components(self, sums: Sums) -> Components {
        let of = |component: Component| self.money(sums[component as usize]);
        Components {
            principal: of(Component::Principal),
            interest: of(Component::Interest),
            fees: of(Component::Fee),
            penalties: of(Component::Penalty),
        }
    }

    fn shares(self, split: Split) -> Shares {
        let of = |component: Component| self.money(split.by_component[component as usize]);
        Shares {
            penalty: of(Component::Penalty),
            fee: of(Component::Fee),
            interest: of(Component::Interest),
            principal: of(Component::Principal),
            overpayment: self.money(split.overpayment),
        }
    }
}

/// Calls `f` with each amount of a row, its component and its due date.
fn each_cell(rows: &Rows<'_>, line: &Line, f: &mut impl FnMut(&Cell, Component, Date)) {
    f(&line.principal, Component::Principal, line.due_on);
    f(&line.interest, Component::Interest, line.due_on);
    f(&line.fees, Component::Fee, line.due_on);
    for charge in line.fee_charges.iter().chain(&line.penalty_charges).map(|index| &rows.charges[*index]) {
        f(&charge.cell, charge.kind.component(), charge.due_on);
    }
}

pub(super) fn state(contract: &Contract, history: &History<'_>, book: &Book<'_>, as_of: Date) -> State {
    let units = Units(contract.amount.currency());
    let money = |amount: i128| units.money(amount);
    let reading = Reading::of(contract, book);
    let standing = reading.standing(book);
    let Reading { rows, totals, unpaid, paid, owed, oldest_unpaid, .. } = reading;
    let owed = by_date(owed, units);
    let past_due = owed.iter().take_while(|owed| owed.due_on < as_of).fold([0; 4], |mut sums, owed| {
        sums[Component::Principal as usize] += owed.unpaid.principal.units();
        sums[Component::Interest as usize] += owed.unpaid.interest.units();
        sums[Component::Fee as usize] += owed.unpaid.fees.units();
        sums[Component::Penalty as usize] += owed.unpaid.penalties.units();
        sums
    });
    let late_fees: i128 = book.rows.iter().flat_map(|rows| &rows.charges).map(Charge::late_fee_asked).sum();
    State {
        standing,
        disbursed_on: book.rows.as_ref().map(|rows| rows.disbursed_on),
        totals: InstalmentTotals {
            principal: money(totals.asked[Component::Principal as usize]),
            interest: money(totals.asked[Component::Interest as usize]),
            fees: money(totals.asked[Component::Fee as usize]),
            penalties: money(totals.asked[Component::Penalty as usize]),
            due: money(totals.asked.iter().sum()),
            paid: money(totals.paid),
            outstanding: money(totals.unpaid),
            written_off: money(totals.lapsed),
        },
        rows,
        instalment: money(book.rows.as_ref().map_or(0, |rows| rows.instalment)),
        total_due: money(totals.asked.iter().sum::<i128>() - late_fees),
        unpaid: units.components(unpaid),
        past_due: units.components(past_due),
        next_due_on: owed.iter().map(|owed| owed.due_on).find(|due_on| *due_on >= as_of),
        owed,
        oldest_unpaid_due_on: oldest_unpaid,
        days_past_due: oldest_unpaid.map_or(0, |due_on| u32::try_from(days_between(due_on, as_of)).unwrap_or(0)),
        paid: units.components(paid),
        overpayment: money(book.held),
        refunded: money(book.refunded),
        written_off_on: book.written_off_on,
        written_off: units.components(book.written_off),
        recovered: money(book.recovered),
        transactions: transactions(history, book, units),
        applied: applied(book, units),
        postings: book.postings.clone(),
        rescheduled: book.rescheduled.clone(),
    }
}

/// Where a fold that went on to the end leads.
pub(super) fn outlook(contract: &Contract, book: &Book<'_>) -> Outlook {
    let units = Units(contract.amount.currency());
    let reading = Reading::of(contract, book);
    Outlook {
        standing: reading.standing(book),
        owed: by_date(reading.owed, units),
        oldest_unpaid_due_on: reading.oldest_unpaid,
        overpayment: units.money(book.held),
        applied: applied(book, units),
    }
}

fn applied(book: &Book<'_>, units: Units) -> Vec<Applied> {
    let applied = book.applied.iter().map(|&AppliedHeld { on, by, by_component }| {
        let split = Split { by_component, overpayment: -by_component.iter().sum::<i128>() };
        Applied { on, by, shares: units.shares(split) }
    });
    applied.collect()
}

/// In the order of dates, each once.
fn by_date(mut owed: Vec<(Date, Sums)>, units: Units) -> Vec<Owed> {
    owed.sort_unstable_by_key(|(due_on, _)| *due_on);
    owed.dedup_by(|later, earlier| {
        let is_same = later.0 == earlier.0;
        if is_same {
            for (sum, amount) in earlier.1.iter_mut().zip(later.1) {
                *sum += amount;
            }
        }
        is_same
    });
    owed.into_iter().map(|(due_on, sums)| Owed { due_on, unpaid: units.components(sums) }).collect()
}

#[derive(Default)]
struct Totals {
    asked: Sums,
    paid: i128,
    unpaid: i128,
    lapsed: i128,
}

/// The rows read so far.
struct Reading {
    units: Units,
    balance: i128,
    rows: Vec<Instalment>,
    totals: Totals,
    unpaid: Sums,
    paid: Sums,
    /// What is unpaid, in no order; a date may be there several times.
    owed: Vec<(Date, Sums)>,
    oldest_unpaid: Option<Date>,
}

impl Reading {
    /// All rows of a loan.
    fn of(contract: &Contract, book: &Book<'_>) -> Self {
        let mut reading = Self::new(contract, book.rows.as_ref().map_or(0, |rows| rows.lines.len()));
        if let Some(rows) = &book.rows {
            for line in &rows.lines {
                reading.line(rows, line);
            }
        }
        reading
    }

    /// Where the loan stands by what is unpaid.
    fn standing(&self, book: &Book<'_>) -> Standing {
        match &book.rows {
            None => Standing::Approved,
            Some(_) if book.written_off_on.is_some() => Standing::Defaulted,
            Some(_) if self.unpaid == [0; 4] => Standing::Repaid,
            Some(_) => Standing::Disbursed,
        }
    }

    fn new(contract: &Contract, rows: usize) -> Self {
        Self {
            units: Units(contract.amount.currency()),
            balance: contract.amount.units(),
            rows: Vec::with_capacity(rows),
            totals: Totals::default(),
            unpaid: [0; 4],
            paid: [0; 4],
            owed: Vec::new(),
            oldest_unpaid: None,
        }
    }

    fn line(&mut self, rows: &Rows<'_>, line: &Line) {
        let mut row = Totals::default();
        let mut touched_on = None;
        each_cell(rows, line, &mut |cell, component, due_on| {
            let component = component as usize;
            let unpaid = cell.unpaid();
            row.asked[component] += cell.asked();
            row.paid += cell.paid;
            row.unpaid += unpaid;
            row.lapsed += cell.lapsed;
            touched_on = touched_on.max(cell.touched_on);
            self.paid[component] += cell.paid;
            if unpaid == 0 {
                return;
            }
            self.unpaid[component] += unpaid;
            match self.owed.last_mut() {
                Some((date, sums)) if *date == due_on => sums[component] += unpaid,
                _ => {
                    let mut sums = [0; 4];
                    sums[component] = unpaid;
                    self.owed.push((due_on, sums));
                }
            }
            if component != Component::Penalty as usize {
                let since = due_on.max(line.due_on);
                self.oldest_unpaid = Some(self.oldest_unpaid.map_or(since, |oldest| oldest.min(since)));
            }
        });
        self.balance -= row.asked[Component::Principal as usize];
        let money = |amount: i128| self.units.money(amount);
        let due: i128 = row.asked.iter().sum();
        let is_paid = due > 0 && row.unpaid == 0 && row.lapsed == 0;
        self.rows.push(Instalment {
            n: u32::try_from(self.rows.len() + 1).unwrap_or(u32::MAX),
            due_on: line.due_on,
            days: u32::try_from(line.days()).unwrap_or(0),
            principal: money(row.asked[Component::Principal as usize]),
            interest: money(row.asked[Component::Interest as usize]),
            fees: money(row.asked[Component::Fee as usize]),
            penalties: money(row.asked[Component::Penalty as usize]),
            due: money(due),
            paid: money(row.paid),
            outstanding: money(row.unpaid),
            written_off: money(row.lapsed),
            paid_on: if is_paid { touched_on } else { None },
            balance: money(self.balance),
        });
        for (total, amount) in self.totals.asked.iter_mut().zip(row.asked) {
            *total += amount;
        }
        self.totals.paid += row.paid;
        self.totals.unpaid += row.unpaid;
        self.totals.lapsed += row.lapsed;
    }
}

fn transactions(history: &History<'_>, book: &Book<'_>, units: Units) -> Vec<Transaction> {
    let end_of_day = |on: Date| {
        // Nothing happened on a day whose events were all reversed: the day before counts.
        let place = book.balances.partition_point(|(date, _)| *date <= on);
        place.checked_sub(1).and_then(|place| book.balances.get(place)).map_or(0, |(_, balance)| *balance)
    };
    let amount_of = |event: &Event| match event.kind {
        EventKind::Disbursement { .. } => book.contract_amount(),
        _ => event.kind.amount().map_or(0, Money::units),
    };
    let by_id: HashMap<EventId, &Event> = history.known.iter().map(|known| (known.event.id, known.event)).collect();
    let find = |id: EventId| by_id.get(&id).copied();
    let transaction = |(known, effect): (&super::events::Known<'_>, &Option<Effect>)| {
        let event = known.event;
        let reverses = event.kind.reverses();
        let effect = effect.unwrap_or_else(|| Effect {
            amount: reverses.and_then(find).map_or_else(|| amount_of(event), amount_of),
            balance: end_of_day(event.on),
            ..Effect::default()
        });
        let kind = kind_of(event, book.written_off_on);
        let stands = known.reversed_by.is_none();
        let recovered = effect
            .split
            .filter(|_| kind == TransactionKind::Recovery && stands)
            .map(|split| units.money(effect.amount - split.overpayment));
        let paid_out = (kind == TransactionKind::Disbursement && stands).then(|| units.money(book.paid_out));
        Transaction {
            id: event.id,
            kind,
            on: event.on,
            recorded_at: event.recorded_at,
            amount: units.money(effect.amount),
            allocation: effect.split.map(|split| units.shares(split)),
            recovered,
            balance: units.money(effect.balance),
            paid_out,
            reverses,
            reversed_by: known.reversed_by,
        }
    };
    history.known.iter().zip(&book.effects).map(transaction).collect()
}

fn kind_of(event: &Event, written_off_on: Option<Date>) -> TransactionKind {
    match event.kind {
        EventKind::Disbursement { .. } => TransactionKind::Disbursement,
        EventKind::Repayment { .. } if written_off_on.is_some_and(|date| date < event.on) => TransactionKind::Recovery,
        EventKind::Repayment { .. } => TransactionKind::Repayment,
        EventKind::Charge { .. } => TransactionKind::Charge,
        EventKind::Waiver { .. } => TransactionKind::Waiver,
        EventKind::Refund { .. } => TransactionKind::Refund,
        EventKind::WriteOff => TransactionKind::WriteOff,
        EventKind::Reschedule { .. } => TransactionKind::Reschedule,
        EventKind::Reversal { .. } => TransactionKind::Reversal,
    }
}

/// What closes the loan on the last day that is folded.
pub(super) fn settlement(contract: &Contract, book: &mut Book<'_>, on: Date) -> Settlement {
    let units = Units(contract.amount.currency());
    let is_written_off = book.written_off_on.is_some();
    let (mut unpaid, mut credit) = ([0; 4], if is_written_off { 0 } else { book.held });
    if let Some(rows) = book.rows.as_mut().filter(|_| !is_written_off)
        && rows.unpaid_in_all() > 0
    {
        for ((unpaid, charged), paid) in unpaid.iter_mut().zip(rows.charged_until(on)).zip(rows.paid()) {
            *unpaid = (charged - paid).max(0);
            credit += (paid - charged).max(0);
        }
    }
    let Components { principal, interest, fees, penalties } = units.components(unpaid);
    let total = (unpaid.iter().sum::<i128>() - credit).max(0);
    Settlement { principal, interest, fees, penalties, credit: units.money(credit), total: units.money(total) }
}
