//! Refinancing: a disbursement settles other loans of its borrower, and pays out the rest. Pure.

use std::collections::HashSet;

use jiff::{Timestamp, civil::Date};
use lending::{Event, EventId, EventKind, Money};
use uuid::Uuid;

use crate::{
    domain::{
        loan::{Loan, LoanStatus},
        refusal::Refusal,
        servicing::{LockedLoan, NewTransaction, Recorded, record},
        transaction::{Notes, Transaction},
    },
    values::moment::Moment,
};

/// The events of other loans that come with the transaction of a command: settlements with a disbursement, their
/// reversals with its reversal.
pub struct Settling(Vec<(LockedLoan, EventKind)>);

impl Settling {
    /// The transaction, and the events of these other loans with it.
    ///
    /// # Errors
    ///
    /// A conflict for a loan that the disbursement cannot settle.
    pub fn with(
        mut new: NewTransaction,
        loan: &Loan,
        others: Vec<LockedLoan>,
    ) -> Result<(NewTransaction, Self), Refusal> {
        let mut events = Vec::with_capacity(others.len());
        for other in others {
            let kind = match new.kind {
                EventKind::Disbursement { .. } => {
                    let amount = settlement(loan, &other, new.on)?;
                    let sum = new.notes.settled.unwrap_or(Money::zero(amount.currency())).checked_add(amount);
                    new.notes.settled = Some(sum.ok_or_else(|| Refusal::defect("settlements out of range"))?);
                    EventKind::Repayment { amount }
                }
                EventKind::Reversal { of } => {
                    let disbursement = Some(Uuid::from_u128(of.0));
                    let settlement = other.transactions.iter().find(|it| it.notes.settled_by == disbursement);
                    let settlement = settlement.ok_or_else(|| Refusal::defect("a settled loan without settlement"))?;
                    EventKind::Reversal { of: settlement.event.id }
                }
                EventKind::Repayment { .. }
                | EventKind::Charge { .. }
                | EventKind::Waiver { .. }
                | EventKind::Refund { .. }
                | EventKind::WriteOff
                | EventKind::Reschedule { .. } => {
                    return Err(Refusal::defect("nothing else has to do with other loans"));
                }
            };
            events.push((other, kind));
        }
        Ok((new, Self(events)))
    }

    /// Records them beside the transaction, on its business date.
    ///
    /// # Errors
    ///
    /// As [`record`].
    pub fn record(self, recorded: &Recorded, by: Uuid, at: Moment<'_>) -> Result<Vec<Recorded>, Refusal> {
        let Some(main) = recorded.transactions.last() else { return Ok(Vec::new()) };
        let event = |(other, kind): (LockedLoan, EventKind)| {
            let notes = if kind.reverses().is_some() {
                Notes { reason: main.notes.reason.clone(), ..Notes::default() }
            } else {
                Notes { source: main.notes.source.clone(), settled_by: Some(main.id()), ..Notes::default() }
            };
            record(other, NewTransaction { kind, on: main.event.on, notes }, by, at, "/settles")
        };
        self.0.into_iter().map(event).collect()
    }
}

/// The payment that closes another loan of the borrower on a day.
fn settlement(loan: &Loan, other: &LockedLoan, on: Date) -> Result<Money, Refusal> {
    let settled = &other.loan;
    let refuse = |why: String| {
        Err(Refusal::conflict("not_settleable", format!("The loan {} cannot be settled: {why}.", settled.id)))
    };
    if settled.borrower_id != loan.borrower_id {
        return refuse("it is of another borrower".to_owned());
    }
    if settled.amount.currency() != loan.amount.currency() {
        return refuse(format!("it is in {}", settled.amount.currency()));
    }
    if settled.status != LoanStatus::Disbursed {
        return refuse(format!("it is {}", settled.status.as_str()));
    }
    if let Some(later) = standing(&other.transactions).find(|it| it.event.on > on) {
        return refuse(format!("the transaction {} of {} comes after {on}", later.id(), later.event.on));
    }
    let events: Vec<Event> = other.transactions.iter().map(|it| it.event.clone()).collect();
    let owed = lending::settlement(&settled.contract(), &events, on, Timestamp::MAX).map_err(Refusal::defect)?;
    match owed {
        Some(owed) if !owed.total.is_zero() => Ok(owed.total),
        _ => refuse(format!("nothing is owed on {on}")),
    }
}

/// The transactions that were not reversed, without reversals.
fn standing(transactions: &[Transaction]) -> impl Iterator<Item = &Transaction> {
    let reversed: HashSet<EventId> = transactions.iter().filter_map(|it| it.event.kind.reverses()).collect();
    transactions.iter().filter(move |it| it.event.kind.reverses().is_none() && !reversed.contains(&it.event.id))
}
