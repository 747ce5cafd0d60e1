//! How a sum pays what is owed.

use jiff::civil::Date;

use super::effect::Split;
use crate::loan::allocation::{AllocationGroup, Bucket, Component};
use crate::loan::rows::LoanRows;

/// Which amounts an allocation may take, seen from the day of the payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AllocationPass {
    /// Amounts that have fallen due by then.
    Due,
    /// Amounts that fall due later, from the first row on.
    FirstInAdvance,
    /// Amounts that fall due later, from the last row backwards.
    LastInAdvance,
}

/// Amounts in the order in which they were paid.
#[derive(Clone, Default)]
pub(super) struct AllocatedAmounts(pub(super) Vec<(Component, i128)>);

impl AllocatedAmounts {
    pub(super) fn push(&mut self, component: Component, amount: i128) {
        match self.0.last_mut() {
            Some((last, sum)) if *last == component => *sum += amount,
            _ if amount > 0 => self.0.push((component, amount)),
            _ => (),
        }
    }

    pub(super) fn total(&self) -> [i128; 4] {
        let mut total = [0; 4];
        for (component, amount) in &self.0 {
            total[*component as usize] += amount;
        }
        total
    }

    /// Takes `amount` from the front; what is missing is an overpayment.
    pub(super) fn share(&mut self, amount: i128) -> Split {
        let mut split = Split { overpayment: amount, ..Split::default() };
        for (component, left) in &mut self.0 {
            let part = split.overpayment.min(*left);
            *left -= part;
            split.overpayment -= part;
            split.by_component[*component as usize] += part;
        }
        split
    }
}

/// Pays amounts group by group, in a group row by row, in a row component by component.
pub(super) fn allocate(
    rows: &mut LoanRows<'_>,
    groups: &[AllocationGroup],
    on: Date,
    pass: AllocationPass,
    left: &mut i128,
    allocated: &mut AllocatedAmounts,
) {
    let is_taken = |bucket: &Bucket| (*bucket == Bucket::InAdvance) == (pass != AllocationPass::Due);
    // Payments on the way only move these on: they stay bounds.
    let open = Component::ALL.map(|component| rows.first_open(component));
    for group in groups.iter().filter(|group| group.buckets.iter().any(is_taken)) {
        if *left == 0 {
            return;
        }
        let Some(first) = group.components.iter().map(|component| open[*component as usize]).min() else {
            continue;
        };
        let count = rows.lines.len();
        // A charge that is due stands at the latest in the first row that is not past due.
        let end = match pass {
            AllocationPass::Due => (rows.first_not_past_due(on) + 1).min(count),
            AllocationPass::FirstInAdvance | AllocationPass::LastInAdvance => count,
        };
        for step in first..end {
            let row = if pass == AllocationPass::LastInAdvance { first + end - 1 - step } else { step };
            for component in group.components {
                let mut paid = 0;
                rows.each_open_amount(row, *component, &mut |owed, due_on| {
                    let bucket = Bucket::of(due_on, on);
                    if group.buckets.contains(&bucket) && is_taken(&bucket) {
                        paid += owed.pay(left, on);
                    }
                    *left > 0
                });
                rows.note_settled(row, *component, paid);
                allocated.push(*component, paid);
            }
            if *left == 0 {
                return;
            }
        }
    }
}
