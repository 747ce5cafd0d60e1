//! The interest of a loan that goes on accruing while nothing happens.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::daily::DailyRows;
use crate::Money;

/// The interest of a loan that follows the balance of each day, from the day on which something last happened.
///
/// It is stored as JSON beside the other figures of a loan, so that those which move with the day can be read without
/// the loan's events. A release that changes its fields has to read those of the release before: they are read with
/// every loan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accruing {
    rows: DailyRows,
    waived: i128,
    /// The day on which something last happened.
    pub since: Date,
}

impl Accruing {
    pub(super) const fn new(rows: DailyRows, waived: i128, since: Date) -> Self {
        Self { rows, waived, since }
    }

    /// The interest of all rows as of a day, less waivers, in the currency of `total`, which is any amount of the loan.
    /// Before [`Self::since`] it is that of this day.
    #[must_use]
    pub fn total_interest(&self, on: Date, total: Money) -> Money {
        let interest = self.rows.interest_of_all(on.max(self.since)) - self.waived;
        Money::computed(interest, total.currency())
    }
}
