//! The events of a loan.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::terms::Component;
use crate::words::words;
use crate::{AnnualRate, Calendar, Money};

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
    /// The time of recording. Events are ordered by this, then by their ids.
    pub recorded_at: Timestamp,
    /// The kind of event.
    pub kind: EventKind,
}

/// The kind of event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// The amount of the loan, less the fees at disbursement, was paid out.
    Disbursement {
        /// The first due date; by default that of the terms.
        first_due_on: Option<Date>,
        /// The calendar that the terms name, as it is known when this is recorded.
        calendar: Option<Arc<Calendar>>,
    },
    /// A payment by the borrower. After a write-off it is a recovery.
    Repayment {
        /// More than zero.
        amount: Money,
    },
    /// The borrower owes more, from the value date on. It can be paid at once, and is in advance
    /// until it falls due. See [`levied_on`](super::levied_on) for the value date.
    Charge {
        /// Its kind.
        kind: ChargeKind,
        /// More than zero.
        amount: Money,
        /// When it falls due.
        due_on: Date,
    },
    /// The lender waives an amount. The oldest unpaid amounts of the component are waived first,
    /// due or not.
    Waiver {
        /// The component.
        component: Waivable,
        /// More than zero, at most the unpaid amount.
        amount: Money,
    },
    /// An overpayment was paid back.
    Refund {
        /// More than zero, at most the amount held.
        amount: Money,
    },
    /// The lender gives up the unpaid amounts.
    WriteOff,
    /// The principal due on `from` and later was amortised again.
    Reschedule {
        /// The due date of an instalment.
        from: Date,
        /// The number of new instalments, 1 to 600; by default that of the replaced ones.
        instalments: Option<u32>,
        /// The new rate; by default the old one.
        interest_rate_apr: Option<AnnualRate>,
        /// When the first of them is due; by default, or if it is the same date, on `from`, and
        /// the due dates go on as they were.
        first_due_on: Option<Date>,
        /// The calendar that the terms name, as it is known when this is recorded: for the new instalments.
        calendar: Option<Arc<Calendar>>,
    },
    /// Another event never counted. It has that event's value date.
    Reversal {
        /// The event; not itself a reversal.
        of: EventId,
    },
}

words! {
    /// The kind of a charge.
    ChargeKind {
        /// A fee.
        Fee = "fee",
        /// A penalty.
        Penalty = "penalty",
    }
}

impl ChargeKind {
    pub(crate) const fn component(self) -> Component {
        match self {
            Self::Fee => Component::Fee,
            Self::Penalty => Component::Penalty,
        }
    }
}

words! {
    /// A component that can be waived.
    Waivable {
        /// Late fees and charged penalties.
        Penalty = "penalty",
        /// Fees of instalments and charged fees.
        Fee = "fee",
        /// Interest.
        Interest = "interest",
    }
}

impl Waivable {
    pub(crate) const fn component(self) -> Component {
        match self {
            Self::Penalty => Component::Penalty,
            Self::Fee => Component::Fee,
            Self::Interest => Component::Interest,
        }
    }
}

impl EventKind {
    /// The same with the calendar that a disbursement or a reschedule takes.
    #[must_use]
    pub fn with_calendar(mut self, taken: Option<Arc<Calendar>>) -> Self {
        match &mut self {
            Self::Disbursement { calendar, .. } | Self::Reschedule { calendar, .. } => *calendar = taken,
            Self::Repayment { .. }
            | Self::Charge { .. }
            | Self::Waiver { .. }
            | Self::Refund { .. }
            | Self::WriteOff
            | Self::Reversal { .. } => {}
        }
        self
    }

    /// The version of the calendar that it took, if any.
    #[must_use]
    pub fn calendar(&self) -> Option<&Calendar> {
        match self {
            Self::Disbursement { calendar, .. } | Self::Reschedule { calendar, .. } => calendar.as_deref(),
            Self::Repayment { .. }
            | Self::Charge { .. }
            | Self::Waiver { .. }
            | Self::Refund { .. }
            | Self::WriteOff
            | Self::Reversal { .. } => None,
        }
    }

    /// The amount named by the event, if any.
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

    /// When it falls due, if it is a charge.
    #[must_use]
    pub const fn due_on(&self) -> Option<Date> {
        match self {
            Self::Charge { due_on, .. } => Some(*due_on),
            Self::Disbursement { .. }
            | Self::Repayment { .. }
            | Self::Waiver { .. }
            | Self::Refund { .. }
            | Self::WriteOff
            | Self::Reschedule { .. }
            | Self::Reversal { .. } => None,
        }
    }

    /// The component that is charged or waived, if it is a charge or a waiver.
    #[must_use]
    pub const fn component(&self) -> Option<Component> {
        match self {
            Self::Charge { kind, .. } => Some(kind.component()),
            Self::Waiver { component, .. } => Some(component.component()),
            Self::Disbursement { .. }
            | Self::Repayment { .. }
            | Self::Refund { .. }
            | Self::WriteOff
            | Self::Reschedule { .. }
            | Self::Reversal { .. } => None,
        }
    }

    /// The reversed event, if it is a reversal.
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
