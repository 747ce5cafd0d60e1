//! The value date of a charge that is entered late.

use std::collections::HashSet;

use jiff::civil::Date;

use super::events::{Event, EventId, EventKind};
use super::state::Instalment;

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
/// A payment recorded before it keeps its allocation, unless the charge had fallen due by that payment's
/// date: the borrower could not have paid a charge that did not exist. So does a payment recorded after it,
/// unless it was made in the period in which the charge fell due.
#[must_use]
pub fn levied_on(due_on: Date, today: Date, events: &[Event], rows: &[Instalment]) -> Date {
    if due_on > today {
        return today;
    }
    let reversed: HashSet<EventId> = events.iter().filter_map(|event| event.kind.reverses()).collect();
    // No charge can come after the last day of the calendar.
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
