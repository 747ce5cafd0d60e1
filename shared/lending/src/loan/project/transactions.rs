//! The transaction of each event.

use std::collections::HashMap;

use jiff::civil::Date;

use crate::loan::events::{Event, EventId};
use crate::loan::fold::{Effect, LoanFold};
use crate::loan::history::{History, Known};
use crate::loan::in_currency::InCurrency;
use crate::loan::state::{Transaction, TransactionKind};

pub(super) fn transactions(history: &History<'_>, fold: &LoanFold<'_>, units: InCurrency) -> Vec<Transaction> {
    let end_of_day = |on: Date| {
        // Nothing happened on a day whose events were all reversed: the day before counts.
        let place = fold.balances.partition_point(|(date, _)| *date <= on);
        place.checked_sub(1).and_then(|place| fold.balances.get(place)).map_or(0, |(_, balance)| *balance)
    };
    let amount_of = |event: &Event| match event.kind.amount() {
        Some(amount) => amount.units(),
        None if TransactionKind::of(&event.kind) == TransactionKind::Disbursement => fold.contract_amount(),
        None => 0,
    };
    let by_id: HashMap<EventId, &Event> = history.known.iter().map(|known| (known.event.id, known.event)).collect();
    let find = |id: EventId| by_id.get(&id).copied();
    let transaction = |(known, effect): (&Known<'_>, &Option<Effect>)| {
        let event = known.event;
        let reverses = event.kind.reverses();
        let effect = effect.unwrap_or_else(|| Effect {
            amount: reverses.and_then(find).map_or_else(|| amount_of(event), amount_of),
            balance: end_of_day(event.on),
            ..Effect::default()
        });
        let kind = kind_of(event, fold.written_off_on);
        let stands = known.reversed_by.is_none();
        let recovered = effect
            .split
            .filter(|_| kind == TransactionKind::Recovery && stands)
            .map(|split| units.money(effect.amount - split.overpayment));
        let paid_out = (kind == TransactionKind::Disbursement && stands).then(|| units.money(fold.paid_out));
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
    history.known.iter().zip(&fold.effects).map(transaction).collect()
}

fn kind_of(event: &Event, written_off_on: Option<Date>) -> TransactionKind {
    let kind = TransactionKind::of(&event.kind);
    let is_after = written_off_on.is_some_and(|date| date < event.on);
    if kind == TransactionKind::Repayment && is_after { TransactionKind::Recovery } else { kind }
}
