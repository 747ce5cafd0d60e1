//! How the tests write loans down.

use jiff::Timestamp;
use jiff::civil::Date;
use lending::{ChargeKind, Contract, Currency, Event, EventId, EventKind, Money, State, TermsPatch, Waivable, fold};

pub(crate) fn day(text: &str) -> Date {
    lending::parse_date(text).unwrap()
}

/// The n-th second: events are recorded one a second.
pub(crate) fn instant(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// After everything.
pub(crate) fn end() -> Timestamp {
    instant(1_000_000_000)
}

/// A loan and what was recorded of it, in order.
#[derive(Debug, Clone)]
pub(crate) struct Loan {
    pub(crate) contract: Contract,
    pub(crate) events: Vec<Event>,
}

impl Loan {
    /// `terms` is the inside of a JSON object.
    pub(crate) fn new(amount: &str, currency: &str, terms: &str) -> Self {
        let currency: Currency = currency.parse().unwrap();
        let patch: TermsPatch = serde_json::from_str(&format!("{{{terms}}}")).unwrap();
        let terms = patch.complete(currency).unwrap();
        let amount = Money::parse(amount, currency).unwrap();
        Self { contract: Contract { amount, terms }, events: Vec::new() }
    }

    pub(crate) fn money(&self, amount: &str) -> Money {
        Money::parse(amount, self.contract.amount.currency()).unwrap()
    }

    /// Records an event, whatever it is, and gives its id.
    pub(crate) fn record(&mut self, on: Date, kind: EventKind) -> EventId {
        let id = EventId(self.events.len() as u128 + 1);
        let recorded_at = instant(i64::try_from(self.events.len()).unwrap());
        self.events.push(Event { id, on, recorded_at, kind });
        id
    }

    pub(crate) fn disburse(&mut self, on: &str) -> EventId {
        self.record(day(on), EventKind::Disbursement { first_due_on: None, calendar: None })
    }

    pub(crate) fn repay(&mut self, on: &str, amount: &str) -> EventId {
        let amount = self.money(amount);
        self.record(day(on), EventKind::Repayment { amount })
    }

    pub(crate) fn charge(&mut self, on: &str, kind: ChargeKind, amount: &str, due_on: &str) -> EventId {
        let amount = self.money(amount);
        self.record(day(on), EventKind::Charge { kind, amount, due_on: day(due_on) })
    }

    pub(crate) fn waive(&mut self, on: &str, component: Waivable, amount: &str) -> EventId {
        let amount = self.money(amount);
        self.record(day(on), EventKind::Waiver { component, amount })
    }

    pub(crate) fn refund(&mut self, on: &str, amount: &str) -> EventId {
        let amount = self.money(amount);
        self.record(day(on), EventKind::Refund { amount })
    }

    pub(crate) fn write_off(&mut self, on: &str) -> EventId {
        self.record(day(on), EventKind::WriteOff)
    }

    pub(crate) fn reverse(&mut self, of: EventId) -> EventId {
        let on = self.events.iter().find(|event| event.id == of).unwrap().on;
        self.record(on, EventKind::Reversal { of })
    }

    /// With all that was recorded.
    pub(crate) fn state(&self, as_of: &str) -> State {
        fold(&self.contract, &self.events, day(as_of), end()).unwrap()
    }

    /// The id and the code of the conflict.
    pub(crate) fn conflict(&self) -> (EventId, &'static str) {
        let conflict = fold(&self.contract, &self.events, day("2200-12-31"), end()).unwrap_err();
        (conflict.event, conflict.reason.code())
    }
}
