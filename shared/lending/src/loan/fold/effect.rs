//! The effects of events, in whole smallest units.

use jiff::civil::Date;

use crate::loan::events::EventId;

/// A payment by [`Component::ALL`], with its overpayment, in smallest units.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Split {
    pub(crate) by_component: [i128; 4],
    pub(crate) overpayment: i128,
}

/// The effect of an event, in smallest units.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Effect {
    pub(crate) amount: i128,
    pub(crate) split: Option<Split>,
    pub(crate) balance: i128,
}

/// Money held, or paid for something no longer owed, that pays other amounts.
#[derive(Clone, Copy)]
pub(crate) struct AppliedAmounts {
    pub(crate) on: Date,
    /// The cause: the event that closes the loan, or the charge that the held money pays.
    pub(crate) by: EventId,
    /// The amounts paid, less those taken back.
    pub(crate) by_component: [i128; 4],
}
