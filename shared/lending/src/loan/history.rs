//! The events that a fold sees, in the order in which they count.

use jiff::Timestamp;
use jiff::civil::Date;

use super::conflict::{Conflict, ConflictReason};
use super::events::{Event, EventId, EventKind};
use crate::calendar::is_taken;
use crate::steps::steps;
use crate::{Currency, Money};

/// The phase of a day in which an event counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum DayPhase {
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
    pub(super) const fn phase(&self) -> Option<DayPhase> {
        match self {
            Self::Disbursement { .. } => Some(DayPhase::Disbursement),
            Self::Reschedule { .. } => Some(DayPhase::Reschedule),
            Self::Charge { .. } => Some(DayPhase::Charge),
            Self::Waiver { .. } => Some(DayPhase::Waiver),
            Self::Repayment { .. } => Some(DayPhase::Payment),
            Self::Refund { .. } => Some(DayPhase::Refund),
            Self::WriteOff => Some(DayPhase::WriteOff),
            Self::Reversal { .. } => None,
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
    /// Indices into `known` of the events that count, in the order in which they count.
    pub(super) effective: Vec<usize>,
    /// The value date of the disbursement, even if it is after `as_of`.
    pub(super) disbursed_on: Option<Date>,
}

impl<'a> History<'a> {
    /// # Errors
    /// A [`Conflict`] of an event that is wrong in every state of the loan, of a reversal, or of an
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
        steps(known.len());
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
        effective.sort_by_key(|index| (known[*index].event.on, known[*index].event.kind.phase()));
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

    /// True if no event was recorded after the one with this index.
    pub(super) fn is_latest(&self, index: usize) -> bool {
        index + 1 == self.known.len()
    }
}

impl Known<'_> {
    fn stands(&self) -> bool {
        self.reversed_by.is_none() && self.event.kind.phase().is_some()
    }
}

/// Checks an event alone, without the loan's state.
fn check(event: &Event, currency: Currency) -> Result<(), ConflictReason> {
    if !is_taken(event.on) {
        return Err(ConflictReason::DateOutOfRange);
    }
    let named = match event.kind {
        EventKind::Charge { due_on, .. } => Some(due_on),
        EventKind::Disbursement { first_due_on, .. } => first_due_on,
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

/// Notes each reversal at the event that it reverses. `known` is in order of recording.
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
            // Only an event recorded before can be reversed.
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
