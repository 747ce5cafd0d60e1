//! What happens to a loan, and which of it counts.

use std::collections::HashSet;

use jiff::Timestamp;
use jiff::civil::Date;

use super::conflict::{Conflict, ConflictReason};
use super::state::Instalment;
use crate::calendar::is_taken;
use crate::{AnnualRate, Currency, Money};

/// The id of an event; its order breaks ties between events recorded at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub u128);

/// Something that happened to a loan. Appended once, never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Unique within the loan.
    pub id: EventId,
    /// The value date: the business date from which it counts.
    pub on: Date,
    /// When it was recorded. Events are in the order of this, then of their ids.
    pub recorded_at: Timestamp,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// The amount of the loan, less the fees at disbursement, was paid out.
    Disbursement {
        /// When the first instalment is due; by default as the terms say.
        first_due_on: Option<Date>,
    },
    /// The borrower paid. After a write-off it is a recovery: the fold decides.
    Repayment {
        /// More than zero.
        amount: Money,
    },
    /// The borrower owes more, from the value date on. It can be paid at once, and is in advance
    /// until it falls due. See [`levied_on`] for the value date.
    Charge {
        /// What it is.
        kind: ChargeKind,
        /// More than zero.
        amount: Money,
        /// When it falls due.
        due_on: Date,
    },
    /// The lender asks for less. The oldest unpaid amounts of the component are waived first,
    /// whether they are due or not.
    Waiver {
        /// Of what.
        component: Waivable,
        /// More than zero, at most what is unpaid.
        amount: Money,
    },
    /// An overpayment was paid back.
    Refund {
        /// More than zero, at most what is held.
        amount: Money,
    },
    /// The lender gives up what is unpaid.
    WriteOff,
    /// The principal due on `from` and later is amortised anew.
    Reschedule {
        /// The due date of an instalment.
        from: Date,
        /// How many new instalments, 1 to 600; by default as many as it replaces.
        instalments: Option<u32>,
        /// The new rate; by default the old one.
        interest_rate_apr: Option<AnnualRate>,
        /// When the first of them is due; by default, or if it is the same date, on `from`, and
        /// the due dates go on as they were.
        first_due_on: Option<Date>,
    },
    /// Another event never counted. It has that event's value date.
    Reversal {
        /// The event; not itself a reversal.
        of: EventId,
    },
}

/// What a charge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChargeKind {
    /// A fee.
    Fee,
    /// A penalty.
    Penalty,
}

/// What can be waived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Waivable {
    /// Late fees and charged penalties.
    Penalty,
    /// Fees of instalments and charged fees.
    Fee,
    /// Interest.
    Interest,
}

/// The value date of a charge that is recorded today; `rows` are the loan's instalments as they stand.
///
/// A charge that falls due later counts from today. One that has fallen due is entered late; it counts
/// from the day on which the borrower could first have paid it, at the latest from its due date:
///
/// ```text
/// min(due_on, max(disbursement,
///                 the day after the due date before due_on,
///                 the day after the latest value date of the repayments, refunds and waivers that stand))
/// ```
///
/// A payment recorded before is then never allocated anew because of it, unless the charge had fallen
/// due by that payment's date: the borrower could not have paid what nobody had asked for. Nor is one
/// that was recorded after it, unless it was made in the period in which the charge fell due.
#[must_use]
pub fn levied_on(due_on: Date, today: Date, events: &[Event], rows: &[Instalment]) -> Date {
    if due_on > today {
        return today;
    }
    let reversed: HashSet<EventId> = events.iter().filter_map(|event| event.kind.reverses()).collect();
    // Without a day after, there is none on which a charge could come later.
    let after = |date: Date| date.tomorrow().unwrap_or(date);
    let mut earliest = rows.iter().map(|row| row.due_on).take_while(|date| *date < due_on).last().map(after);
    for event in events {
        let date = match event.kind {
            EventKind::Disbursement { .. } => Some(event.on),
            EventKind::Repayment { .. } | EventKind::Refund { .. } | EventKind::Waiver { .. } => Some(after(event.on)),
            EventKind::Charge { .. }
            | EventKind::WriteOff
            | EventKind::Reschedule { .. }
            | EventKind::Reversal { .. } => None,
        };
        if date > earliest && !reversed.contains(&event.id) {
            earliest = date;
        }
    }
    earliest.map_or(due_on, |earliest| due_on.min(earliest))
}

/// The place of an event within its value date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Disbursement,
    Reschedule,
    Charge,
    Waiver,
    Payment,
    Refund,
    WriteOff,
}

impl EventKind {
    /// `None` for a reversal, which has no effect of its own.
    pub(super) const fn step(&self) -> Option<Step> {
        match self {
            Self::Disbursement { .. } => Some(Step::Disbursement),
            Self::Reschedule { .. } => Some(Step::Reschedule),
            Self::Charge { .. } => Some(Step::Charge),
            Self::Waiver { .. } => Some(Step::Waiver),
            Self::Repayment { .. } => Some(Step::Payment),
            Self::Refund { .. } => Some(Step::Refund),
            Self::WriteOff => Some(Step::WriteOff),
            Self::Reversal { .. } => None,
        }
    }

    /// The amount that the event itself names.
    #[must_use]
    pub const fn amount(&self) -> Option<Money> {
        match self {
            Self::Repayment { amount }
            | Self::Charge { amount, .. }
            | Self::Waiver { amount, .. }
            | Self::Refund { amount } => Some(*amount),
            Self::Disbursement { .. } | Self::WriteOff | Self::Reschedule { .. } | Self::Reversal { .. } => None,
        }
    }

    /// What it reverses, if it is a reversal.
    #[must_use]
    pub const fn reverses(&self) -> Option<EventId> {
        match self {
            Self::Reversal { of } => Some(*of),
            Self::Disbursement { .. }
            | Self::Repayment { .. }
            | Self::Charge { .. }
            | Self::Waiver { .. }
            | Self::Refund { .. }
            | Self::WriteOff
            | Self::Reschedule { .. } => None,
        }
    }
}

/// One event that is known, and the reversal of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) event: &'a Event,
    pub(super) reversed_by: Option<EventId>,
}

/// The events that a reading sees.
pub(super) struct History<'a> {
    /// In order of recording: recorded by `known_at`, with a value date up to `as_of`.
    pub(super) known: Vec<Known<'a>>,
    /// Indices into `known`: what counts, in the order in which it counts.
    pub(super) effective: Vec<usize>,
    /// The value date of the disbursement, even if it is after `as_of`.
    pub(super) disbursed_on: Option<Date>,
}

impl<'a> History<'a> {
    /// # Errors
    /// What is wrong with an event whatever the state of the loan, with a reversal, or with an
    /// event without a disbursement before it.
    pub(super) fn read(
        events: impl IntoIterator<Item = &'a Event>,
        currency: Currency,
        as_of: Date,
        known_at: Timestamp,
    ) -> Result<Self, Conflict> {
        let mut known: Vec<Known<'a>> = events
            .into_iter()
            .filter(|event| event.recorded_at <= known_at)
            .map(|event| Known { event, reversed_by: None })
            .collect();
        known.sort_unstable_by_key(|known| (known.event.recorded_at, known.event.id));
        for known in &known {
            check(known.event, currency).map_err(|reason| Conflict::of(known.event, reason))?;
        }
        reverse(&mut known)?;

        let mut disbursements =
            known.iter().filter(|it| it.stands() && matches!(it.event.kind, EventKind::Disbursement { .. }));
        let disbursed_on = disbursements.next().map(|known| known.event.on);
        if let Some(second) = disbursements.next() {
            return Err(Conflict::of(second.event, ConflictReason::AlreadyDisbursed));
        }
        let mut write_offs = known.iter().filter(|it| it.stands() && it.event.kind == EventKind::WriteOff);
        if let Some(second) = write_offs.nth(1) {
            return Err(Conflict::of(second.event, ConflictReason::AlreadyWrittenOff));
        }

        known.retain(|known| known.event.on <= as_of);
        let mut effective: Vec<usize> = (0..known.len()).filter(|index| known[*index].stands()).collect();
        effective.sort_by_key(|index| (known[*index].event.on, known[*index].event.kind.step()));
        if let Some(first) = effective.first().map(|index| known[*index].event)
            && disbursed_on.is_none_or(|disbursed_on| first.on < disbursed_on)
        {
            let reason = match disbursed_on {
                None => ConflictReason::NotDisbursed,
                Some(_) => ConflictReason::BeforeDisbursement,
            };
            return Err(Conflict::of(first, reason));
        }
        Ok(Self { known, effective, disbursed_on })
    }
}

impl Known<'_> {
    fn stands(&self) -> bool {
        self.reversed_by.is_none() && self.event.kind.step().is_some()
    }
}

/// What must hold for an event by itself.
fn check(event: &Event, currency: Currency) -> Result<(), ConflictReason> {
    if !is_taken(event.on) {
        return Err(ConflictReason::DateOutOfRange);
    }
    let named = match event.kind {
        EventKind::Charge { due_on, .. } => Some(due_on),
        EventKind::Disbursement { first_due_on } => first_due_on,
        EventKind::Repayment { .. }
        | EventKind::Waiver { .. }
        | EventKind::Refund { .. }
        | EventKind::WriteOff
        | EventKind::Reschedule { .. }
        | EventKind::Reversal { .. } => None,
    };
    if named.is_some_and(|date| !is_taken(date)) {
        return Err(ConflictReason::DateOutOfRange);
    }
    let Some(amount) = event.kind.amount() else {
        return Ok(());
    };
    if amount.currency() != currency {
        return Err(ConflictReason::OtherCurrency);
    }
    if amount.units() <= 0 {
        return Err(ConflictReason::NotPositive);
    }
    if amount.units() > Money::MAX_REQUEST_UNITS {
        return Err(ConflictReason::TooLarge);
    }
    Ok(())
}

/// Notes each reversal at what it reverses. `known` is in order of recording.
fn reverse(known: &mut [Known<'_>]) -> Result<(), Conflict> {
    let mut by_id: Vec<(EventId, usize)> =
        known.iter().enumerate().map(|(index, known)| (known.event.id, index)).collect();
    by_id.sort_unstable();
    if let Some(pair) = by_id.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(Conflict::of(known[pair[1].1].event, ConflictReason::RecordedTwice));
    }
    for index in 0..known.len() {
        let event = known[index].event;
        let Some(of) = event.kind.reverses() else {
            continue;
        };
        let found = by_id.binary_search_by_key(&of, |(id, _)| *id).map(|place| by_id[place].1);
        let reason = match found {
            // Only what was recorded before can be reversed.
            Ok(target) if target < index => {
                let target = &mut known[target];
                if matches!(target.event.kind, EventKind::Reversal { .. }) {
                    ConflictReason::ReversalOfReversal
                } else if target.reversed_by.is_some() {
                    ConflictReason::AlreadyReversed
                } else if target.event.on != event.on {
                    ConflictReason::OtherValueDate
                } else {
                    target.reversed_by = Some(event.id);
                    continue;
                }
            }
            _ => ConflictReason::UnknownEvent,
        };
        return Err(Conflict::of(event, reason));
    }
    Ok(())
}
