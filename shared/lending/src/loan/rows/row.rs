//! One instalment of a loan with its charges.

use jiff::civil::Date;

use super::amount::OwedAmount;
use crate::Terms;
use crate::calendar::days_between;
use crate::loan::events::{ChargeKind, EventId};
use crate::number::rounding::round_mul_div;
use crate::schedule::{Period, PeriodDates, Seed};
use crate::terms::{InterestMethod, Units};

/// A fee or penalty with a due date of its own: charged by an event, or a late fee.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Charge {
    pub(crate) kind: ChargeKind,
    /// The event that charged it; `None` for a late fee.
    pub(crate) by: Option<EventId>,
    pub(crate) due_on: Date,
    /// The index of the row that shows it.
    pub(crate) row: usize,
    pub(crate) owed: OwedAmount,
}

impl Charge {
    /// A late fee less waivers; zero for other charges.
    pub(crate) fn late_fee_asked(&self) -> i128 {
        if self.by.is_none() { self.owed.asked() } else { 0 }
    }
}

/// One instalment.
#[derive(Debug, Clone)]
pub(crate) struct LoanRow {
    /// The due date before, or the disbursement.
    pub(crate) start: Date,
    pub(crate) due_on: Date,
    /// The same with the dates that the rhythm gives.
    pub(crate) dates: PeriodDates,
    /// The day from which it can be late: its due date, or the day of the reschedule if that is later.
    pub(crate) late_from: Date,
    pub(crate) period: Period,
    /// The interest of the period, wherever it is paid.
    pub(crate) arising: i128,
    /// The base of interest from `since` on: the balance, or the flat base.
    pub(crate) base: i128,
    pub(crate) since: Date,
    /// The base times days, from `start` to `since`.
    pub(crate) base_days: i128,
    /// The interest and its base when the period began, or when a reschedule made the row.
    pub(crate) whole: WholePeriod,
    /// The instalment's own fee.
    pub(crate) fee: i128,
    /// The loan was closed before it was due: no further interest or fee arises.
    pub(crate) is_stopped: bool,
    pub(crate) principal: OwedAmount,
    pub(crate) interest: OwedAmount,
    pub(crate) fees: OwedAmount,
    /// Indices of the charges shown in it, by due date: fees and penalties apart.
    pub(crate) fee_charges: Vec<usize>,
    pub(crate) penalty_charges: Vec<usize>,
    /// The number of first ones of each that have nothing unpaid.
    pub(super) settled_fees: usize,
    pub(super) settled_penalties: usize,
    /// The series that its due date belongs to.
    pub(crate) seed: Seed,
}

/// The interest of a whole period and its base.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct WholePeriod {
    interest: i128,
    base: i128,
}

impl LoanRow {
    /// A row without amounts.
    pub(crate) fn empty(dates: PeriodDates, period: Period, seed: Seed) -> Self {
        let PeriodDates { start, due_on, .. } = dates;
        Self {
            start,
            due_on,
            dates,
            late_from: due_on,
            period,
            arising: 0,
            base: 0,
            since: start,
            base_days: 0,
            whole: WholePeriod::default(),
            fee: 0,
            is_stopped: false,
            principal: OwedAmount::default(),
            interest: OwedAmount::default(),
            fees: OwedAmount::default(),
            fee_charges: Vec::new(),
            penalty_charges: Vec::new(),
            settled_fees: 0,
            settled_penalties: 0,
            seed,
        }
    }

    /// The same period, with its fee alone.
    pub(crate) fn emptied(&self, fee: i128) -> Self {
        let mut line = Self::empty(self.dates, self.period, self.seed);
        line.late_from = self.late_from;
        line.own_fee(fee);
        line
    }

    /// The charges of a kind, without the first ones that have nothing unpaid.
    pub(super) fn open_charges(&self, kind: ChargeKind) -> &[usize] {
        match kind {
            ChargeKind::Fee => &self.fee_charges[self.settled_fees..],
            ChargeKind::Penalty => &self.penalty_charges[self.settled_penalties..],
        }
    }

    pub(crate) fn own_fee(&mut self, fee: i128) {
        self.fee = fee;
        self.fees = OwedAmount::of(fee);
    }

    pub(crate) fn days(&self) -> i128 {
        i128::from(days_between(self.start, self.due_on))
    }

    /// The base of interest, summed over the days of the period before a day within it.
    pub(crate) fn base_days_until(&self, on: Date) -> i128 {
        self.base_days + self.base * i128::from(days_between(self.since, on))
    }

    /// Interest for a number of base days, rounded once: declining balance by the rate of the period,
    /// flat in proportion to the interest of the whole period.
    pub(crate) fn interest_for(&self, base_days: i128, terms: &Terms, units: Units) -> i128 {
        if terms.interest_method() != InterestMethod::Flat {
            return self.period.rate.of_parts(base_days, self.days(), units.smallest, terms.rounding());
        }
        if self.whole.base == 0 {
            return 0;
        }
        let interest = self.whole.interest / units.smallest;
        round_mul_div(interest, base_days, self.whole.base * self.days(), terms.rounding()) * units.smallest
    }

    /// The interest of the period that is earned before a day within it.
    pub(crate) fn earned(&self, on: Date, terms: &Terms, units: Units) -> i128 {
        if self.is_stopped {
            return self.arising;
        }
        self.interest_for(self.base_days_until(on), terms, units).min(self.arising)
    }

    /// Notes the interest of the whole period and its base from the first day.
    pub(crate) fn count_on(&mut self, base: i128) {
        self.base = base;
        self.base_days = 0;
        self.since = self.start;
        self.whole = WholePeriod { interest: self.arising, base };
    }
}
