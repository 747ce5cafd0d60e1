//! What events did, in whole smallest units.

use jiff::civil::Date;

use crate::loan::events::EventId;

/// What was paid, by [`Component::ALL`], and what nothing took, in smallest units.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Split {
    pub(crate) by_component: [i128; 4],
    pub(crate) overpayment: i128,
}

/// What an event did, in smallest units.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Effect {
    pub(crate) amount: i128,
    pub(crate) split: Option<Split>,
    pub(crate) balance: i128,
}

/// What was held, or was paid of something that is no longer asked for, pays something else.
#[derive(Clone, Copy)]
pub(crate) struct AppliedAmounts {
    pub(crate) on: Date,
    /// What brought it about: what closes the loan, or the charge that what is held pays.
    pub(crate) by: EventId,
    /// What it paid, less what it took back.
    pub(crate) by_component: [i128; 4],
}
