//! One amount that is owed, and what became of it.

use jiff::civil::Date;

/// One amount that is owed, and what became of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OwedAmount {
    pub(crate) charged: i128,
    pub(crate) waived: i128,
    pub(crate) paid: i128,
    /// Given up by a write-off.
    pub(crate) lapsed: i128,
    /// The latest day on which some of it was paid or waived.
    pub(crate) touched_on: Option<Date>,
}

impl OwedAmount {
    pub(crate) fn of(charged: i128) -> Self {
        Self { charged, ..Self::default() }
    }

    pub(crate) fn unpaid(&self) -> i128 {
        self.charged - self.waived - self.paid - self.lapsed
    }

    /// As charged, less waivers.
    pub(crate) fn asked(&self) -> i128 {
        self.charged - self.waived
    }

    /// Pays as much of it as `sum` covers. Returns how much.
    pub(crate) fn pay(&mut self, sum: &mut i128, on: Date) -> i128 {
        let part = self.part(sum, on);
        self.paid += part;
        part
    }

    /// Waives as much of it as `sum` covers. Returns how much.
    pub(crate) fn waive(&mut self, sum: &mut i128, on: Date) -> i128 {
        let part = self.part(sum, on);
        self.waived += part;
        part
    }

    fn part(&mut self, sum: &mut i128, on: Date) -> i128 {
        let part = self.unpaid().min(*sum);
        *sum -= part;
        if part > 0 {
            self.touched_on = self.touched_on.max(Some(on));
        }
        part
    }

    /// Takes off payments beyond the amount due. Returns how much.
    pub(crate) fn give_back(&mut self) -> i128 {
        let part = (-self.unpaid()).max(0);
        self.paid -= part;
        part
    }

    /// Gives up the unpaid part. Returns how much.
    pub(crate) fn lapse(&mut self) -> i128 {
        let part = self.unpaid();
        self.lapsed += part;
        part
    }
}
