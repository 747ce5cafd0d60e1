//! Demo payments: a counter where the borrower of the repaid loan paid, and money there in each state.

use backend::{
    db::Statement,
    domain::{
        notices::{Notice, Payer, Via},
        payments::{MatchedBy, Movement, MovementKind, Payment},
        servicing::{LockedLoan, NewTransaction, Recorded, record},
        sources::{Provider, Source, Validation},
    },
    store::{payments, sources},
    values::moment::Moment,
};
use jiff::{ToSpan, civil::Date};
use lending::{EventKind, Money};
use uuid::Uuid;

use crate::error::MigrateError;

/// The counter: an admin enters what is paid there.
pub(super) struct Counter {
    source: Source,
    payer: Payer,
    admin: Uuid,
    /// How many receipts there were.
    receipts: u32,
}

impl Counter {
    /// A counter in the currency of a loan, where this borrower pays.
    pub(super) fn new(loan: &LockedLoan, (name, phone): (&str, &str), admin: Uuid, at: Moment<'_>) -> Self {
        let currency = loan.loan.amount.currency();
        let home = sources::home(currency);
        let source = Source {
            code: "demo-counter".into(),
            id: Uuid::now_v7(),
            name: "Counter of the demo branch".into(),
            provider: Provider::Manual,
            account: "demo".into(),
            currency,
            country: home.map(|(country, _)| country.into()),
            time_zone: home.map_or("UTC", |(_, zone)| zone).into(),
            validation: Validation::Open,
            active: true,
            addresses: Vec::new(),
            created_at: at.now,
            updated_at: at.now,
        };
        let payer = Payer { name: Some(name.into()), phone: Some(phone.into()), account: None };
        Self { source, payer, admin, receipts: 0 }
    }

    /// The write that makes it.
    pub(super) fn insert(&self) -> Statement<()> {
        sources::insert(&self.source, self.admin)
    }

    fn receive(&mut self, amount: Money, on: Date, reference: String, at: Moment<'_>) -> Payment {
        self.receipts += 1;
        let external_id = format!("DEMO-{:04}", self.receipts);
        let (reference, payer) = (Some(reference), self.payer.clone());
        let notice = Notice { external_id, amount, paid_at: None, paid_on: on, reference, payer };
        Payment::new(&self.source, notice, at)
    }

    fn writes(&self, payment: &Payment) -> Vec<Statement<()>> {
        let raw = format!("{{\"external_id\": \"{}\", \"amount\": \"{}\"}}", payment.external_id, payment.amount);
        let mut writes = payments::insert(payment, self.admin);
        writes.push(payments::insert_notice(payment.id, Via::Manual, &raw));
        writes
    }

    /// A payment of `amount`, of which `applied` repays the loan; with the writes of both.
    pub(super) fn pay(
        &mut self,
        locked: LockedLoan,
        (amount, applied): (Money, Money),
        on: Date,
        at: Moment<'_>,
    ) -> Result<(Recorded, Vec<Statement<()>>), MigrateError> {
        let mut payment = self.receive(amount, on, locked.loan.pay_ref.to_string(), at);
        let notes = payment.notes(&self.source);
        let new = NewTransaction { kind: EventKind::Repayment { amount: applied }, on, notes };
        let recorded = record(locked, new, self.admin, at, "").map_err(|refusal| MigrateError::demo(&refusal))?;
        payment.details.matched_by = Some(if amount == applied { MatchedBy::PayRef } else { MatchedBy::Manual });
        let mut writes = self.writes(&payment);
        writes.extend(recorded.writes());
        Ok((recorded, writes))
    }

    /// Money that waits for somebody's decision, and money that went back.
    pub(super) fn waiting_and_returned(&mut self, amount: Money, at: Moment<'_>) -> Vec<Statement<()>> {
        let waiting = self.receive(amount, at.today, "school fees".into(), at);
        let mut writes = self.writes(&waiting);
        let mistaken = self.receive(amount, at.today - 2.days(), "wrong number".into(), at);
        writes.extend(self.writes(&mistaken));
        let back = Movement {
            id: Uuid::now_v7(),
            kind: MovementKind::Return,
            amount,
            on: at.today - 1.day(),
            from: None,
            reference: Some("demo return 1".into()),
            reason: "paid by mistake".into(),
            recorded_at: at.now,
            recorded_by: self.admin,
        };
        writes.extend(payments::insert_movement(&mistaken, &back));
        writes
    }
}
