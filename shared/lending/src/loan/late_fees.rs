//! Late fees: when they arise, and their amounts.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::allocation::Component;
use super::rows::LoanRows;
use crate::calendar::{Frequency, days_after};
use crate::number::rounding::{Rounding, round_div};
use crate::refusal::{Reason, Refusal};
use crate::terms::{LateFeeKind, Units};
use crate::{Percent, Terms};

#[derive(Clone)]
enum Value {
    Flat(i128),
    PercentOfOverdue(Percent),
}

/// The late fees of a loan.
///
/// An instalment whose principal, interest or fees (those that have fallen due) are not fully paid
/// at the end of its due date plus `grace_days` bears a penalty due the next day, shown in that
/// instalment. That day is the seed of the later ones: one more each repayment period after it, as
/// long as the instalment is still unpaid at the end of the day before, at most `max_times` in all.
/// The first check that finds it paid ends it. A fee that rounds to zero is not charged, but counts.
///
/// An instalment that a reschedule made after its due date cannot be late before that day: its
/// grace runs from there.
#[derive(Clone)]
pub(super) struct LateFees {
    grace_days: i64,
    value: Value,
    max_times: u32,
    frequency: Frequency,
    rounding: Rounding,
    smallest: i128,
    /// The first row whose first check is still to come, and the day after it.
    next_row: usize,
    next_on: Option<Date>,
    /// Later checks: the day after, the row, the seed, and the number of fees that the row bore already.
    again: BTreeSet<(Date, usize, Date, u32)>,
}

impl LateFees {
    pub(super) fn new(terms: &Terms, units: Units) -> Result<Option<Self>, Refusal> {
        let Some(late_fee) = terms.late_fee() else {
            return Ok(None);
        };
        let refuse = |reason| Refusal::terms("/late_fee/value", reason);
        let value = match late_fee.kind {
            LateFeeKind::Flat => Value::Flat(units.amount(late_fee.value).map_err(refuse)?.units()),
            LateFeeKind::PercentOfOverdue => {
                let percent = Percent::from_decimal(late_fee.value.get());
                Value::PercentOfOverdue(percent.map_err(|error| refuse(Reason::Rate(error)))?)
            }
        };
        Ok(Some(Self {
            grace_days: i64::from(late_fee.grace_days),
            value,
            max_times: late_fee.max_times,
            frequency: terms.frequency(),
            rounding: terms.rounding(),
            smallest: units.smallest,
            next_row: 0,
            next_on: None,
            again: BTreeSet::new(),
        }))
    }

    /// Starts again with the rows from `first` on, which are new.
    pub(super) fn rows_are_new_from(&mut self, first: usize, rows: &LoanRows<'_>) {
        self.again.retain(|(_, row, _, _)| *row < first);
        self.next_row = self.next_row.min(first);
        self.look_ahead(rows);
    }

    fn look_ahead(&mut self, rows: &LoanRows<'_>) {
        let line = rows.lines.get(self.next_row);
        self.next_on = line.and_then(|line| days_after(line.late_from, self.grace_days + 1));
    }

    /// The next day on which a late fee may fall due.
    pub(super) fn next_on(&self) -> Option<Date> {
        let again = self.again.first().map(|(on, _, _, _)| *on);
        match (self.next_on, again) {
            (Some(first), Some(again)) => Some(first.min(again)),
            (first, again) => first.or(again),
        }
    }

    /// Charges the late fees that fall due on a day; before anything else of that day.
    pub(super) fn charge(&mut self, on: Date, rows: &mut LoanRows<'_>) {
        while self.next_on == Some(on) {
            self.charge_row(on, rows, (self.next_row, on, 0));
            self.next_row += 1;
            self.look_ahead(rows);
        }
        while let Some(&(due_on, row, seed, times)) = self.again.first()
            && due_on == on
        {
            self.again.pop_first();
            self.charge_row(on, rows, (row, seed, times));
        }
    }

    fn charge_row(&mut self, on: Date, rows: &mut LoanRows<'_>, (row, seed, times): (usize, Date, u32)) {
        let mut overdue = 0;
        for component in [Component::Principal, Component::Interest, Component::Fee] {
            rows.each_amount(row, component, &mut |owed, due_on| {
                if due_on < on {
                    overdue += owed.unpaid();
                }
            });
        }
        if overdue == 0 {
            return;
        }
        let fee = match self.value {
            Value::Flat(fee) => fee,
            Value::PercentOfOverdue(percent) => {
                let whole = i128::from(Percent::MILLIONTHS_OF_ONE) * self.smallest;
                round_div(overdue * i128::from(percent.millionths()), whole, self.rounding) * self.smallest
            }
        };
        if fee > 0 {
            rows.late_fee(row, fee, on);
        }
        if times + 1 < self.max_times
            && let Some(next) = self.frequency.after(seed, times + 1)
        {
            self.again.insert((next, row, seed, times + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use crate::loan::contract::Contract;
    use crate::loan::events::{Event, EventId, EventKind};
    use crate::loan::fold::LoanFold;
    use crate::loan::history::History;
    use crate::{Currency, Money, TermsPatch, parse_date};

    /// The number of amounts that a fold up to a day visits: 600 daily instalments of 1.00 each, paid out on
    /// 1 January 2020, with payments of 0.50 on the days after it.
    fn looked_at(max_times: u32, payments: u32, as_of: &str) -> u64 {
        let euro = Currency::from_code("EUR").unwrap();
        let terms = format!(
            r#"{{"interest_rate_apr": "0", "instalments": 600, "repay_unit": "day",
            "late_fee": {{"grace_days": 0, "kind": "flat", "value": "0.01", "max_times": {max_times}}}}}"#
        );
        let terms = serde_json::from_str::<TermsPatch>(&terms).unwrap().complete(euro).unwrap();
        let contract = Contract { amount: Money::parse("600.00", euro).unwrap(), terms };
        let paid_out = parse_date("2020-01-01").unwrap();
        let event = |n: u32, kind| {
            let on = paid_out.checked_add(jiff::Span::new().days(n)).unwrap();
            let recorded_at = Timestamp::from_second(i64::from(n)).unwrap();
            Event { id: EventId(n.into()), on, recorded_at, kind }
        };
        let mut events = vec![event(0, EventKind::Disbursement { first_due_on: None })];
        let amount = Money::parse("0.50", euro).unwrap();
        events.extend((1..=payments).map(|n| event(n, EventKind::Repayment { amount })));
        let as_of = parse_date(as_of).unwrap();
        let history = History::read(&events, euro, as_of, Timestamp::MAX).unwrap();
        let fold = LoanFold::fold(&contract, &history, as_of).map_err(|conflict| conflict.reason).unwrap();
        fold.rows.map_or(0, |rows| rows.looked_at)
    }

    /// The most late fees that any loan can have: each costs the amounts of its row, not the late fees before it.
    #[test]
    fn late_fees_cost_their_number() {
        let most = 600 * 600;
        let steps = looked_at(600, 0, "2200-12-31");
        assert!((most..5 * most).contains(&steps), "{steps}");
        let steps = looked_at(6, 0, "2200-12-31");
        assert!(steps < 5 * 3_600 + 5 * 600, "{steps}");
    }

    /// A payment looks at most at each instalment and its late fees a few times.
    #[test]
    fn payments_cost_instalments_and_their_late_fees() {
        let steps = looked_at(6, 1_000, "2200-12-31");
        assert!(steps < 1_000 * 4 * (600 + 3_600), "{steps}");
    }
}
