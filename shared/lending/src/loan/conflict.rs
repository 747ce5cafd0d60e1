//! Conflicts in a history: the event that cannot stand, and the reason.

use std::fmt;

use super::events::{Event, EventId};
use crate::{MAX_INSTALMENTS, Money, Refusal};

/// An event that cannot stand among the others.
///
/// A caller who records a new event folds the old ones together with it. If the conflict is of the
/// new event, that event is wrong; if it is of an older one, the new event would remove what the
/// older one needs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Conflict {
    /// The event.
    pub event: EventId,
    /// The reason.
    pub reason: ConflictReason,
}

/// The reason why an event cannot stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConflictReason {
    /// There is no disbursement.
    NotDisbursed,
    /// There is another disbursement.
    AlreadyDisbursed,
    /// Its value date, or a charge's due date, is before the disbursement.
    BeforeDisbursement,
    /// The loan was written off before, so that nothing is owed on it any more.
    AlreadyWrittenOff,
    /// The amount is zero or less.
    NotPositive,
    /// The amount is larger than any request may have.
    TooLarge,
    /// The amount is in another currency than the loan.
    OtherCurrency,
    /// A date outside the years 1900 to 2200, or an instalment that would fall due outside.
    DateOutOfRange,
    /// A waiver of more than is unpaid.
    AboveUnpaid {
        /// The unpaid amount of that component on that day.
        unpaid: Money,
    },
    /// A refund of more than is held.
    AboveHeld {
        /// The amount held on that day.
        held: Money,
    },
    /// A write-off where nothing is unpaid.
    NothingToWriteOff,
    /// A reschedule where no principal is left from that due date on.
    NothingToReschedule,
    /// A reschedule from a date on which no instalment is due.
    NotADueDate,
    /// A reschedule whose first due date is not after the due date before `from`.
    NotAfterDueDateBefore,
    /// A reschedule over no or too many instalments.
    InstalmentsOutOfRange,
    /// A schedule that is refused: at the disbursement, or of a reschedule.
    Schedule(Refusal),
    /// A reversal of an unknown event.
    UnknownEvent,
    /// A reversal of a reversal.
    ReversalOfReversal,
    /// A second reversal of the same event.
    AlreadyReversed,
    /// A reversal whose value date is not that of what it reverses.
    OtherValueDate,
    /// Another event has the same id.
    RecordedTwice,
}

impl ConflictReason {
    /// The stable, `snake_case` code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotDisbursed => "not_disbursed",
            Self::AlreadyDisbursed => "already_disbursed",
            Self::BeforeDisbursement => "before_disbursement",
            Self::AlreadyWrittenOff => "already_written_off",
            Self::NotPositive => "not_positive",
            Self::TooLarge => "too_large",
            Self::OtherCurrency => "other_currency",
            Self::DateOutOfRange => "date_out_of_range",
            Self::AboveUnpaid { .. } => "above_unpaid",
            Self::AboveHeld { .. } => "above_held",
            Self::NothingToWriteOff => "nothing_to_write_off",
            Self::NothingToReschedule => "nothing_to_reschedule",
            Self::NotADueDate => "not_a_due_date",
            Self::NotAfterDueDateBefore => "not_after_due_date_before",
            Self::InstalmentsOutOfRange => "out_of_range",
            Self::Schedule(refusal) => refusal.code(),
            Self::UnknownEvent => "unknown_transaction",
            Self::ReversalOfReversal => "reversal_of_reversal",
            Self::AlreadyReversed => "already_reversed",
            Self::OtherValueDate => "other_value_date",
            Self::RecordedTwice => "recorded_twice",
        }
    }

    /// True if the state of the loan does not allow such an event at all, rather than this event
    /// breaking a rule: the difference between 409 and 422.
    #[must_use]
    pub const fn is_of_state(&self) -> bool {
        matches!(
            self,
            Self::NotDisbursed
                | Self::AlreadyDisbursed
                | Self::AlreadyWrittenOff
                | Self::NothingToWriteOff
                | Self::NothingToReschedule
                | Self::ReversalOfReversal
                | Self::AlreadyReversed
                | Self::RecordedTwice
        )
    }
}

impl fmt::Display for ConflictReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotDisbursed => "the loan is not disbursed",
            Self::AlreadyDisbursed => "the loan is disbursed already",
            Self::BeforeDisbursement => "must not be before the disbursement",
            Self::AlreadyWrittenOff => "the loan was written off before",
            Self::NotPositive => "must be more than zero",
            Self::TooLarge => "is larger than any amount that can be handled",
            Self::OtherCurrency => "must be in the currency of the loan",
            Self::DateOutOfRange => "leads to a date outside the years 1900 to 2200",
            Self::AboveUnpaid { unpaid } => return write!(f, "must be at most what is unpaid that day, {unpaid}"),
            Self::AboveHeld { held } => return write!(f, "must be at most what is held that day, {held}"),
            Self::NothingToWriteOff => "nothing is unpaid that day",
            Self::NothingToReschedule => "no principal is left from that due date on",
            Self::NotADueDate => "must be the due date of an instalment",
            Self::NotAfterDueDateBefore => "must be after the due date before the first instalment that is replaced",
            Self::InstalmentsOutOfRange => return write!(f, "must be from 1 to {MAX_INSTALMENTS}"),
            Self::Schedule(refusal) => return refusal.fmt(f),
            Self::UnknownEvent => "the loan has no such transaction",
            Self::ReversalOfReversal => "a reversal cannot be reversed",
            Self::AlreadyReversed => "is reversed already",
            Self::OtherValueDate => "must have the value date of what is reversed",
            Self::RecordedTwice => "has the id of another transaction",
        })
    }
}

impl Conflict {
    pub(super) const fn of(event: &Event, reason: ConflictReason) -> Self {
        Self { event: event.id, reason }
    }
}
