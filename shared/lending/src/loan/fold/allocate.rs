//! How a sum pays what is owed.

use jiff::civil::Date;

use super::effect::Split;
use crate::loan::rows::LoanRows;
use crate::terms::{AllocationGroup, Bucket, Component};

/// The amounts that a sum pays on its way through the groups, seen from the day of the payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AllocationPass {
    /// Those that have fallen due by then.
    Due,
    /// Those that fall due later.
    InAdvance,
    /// All.
    All,
    /// All: in each group first those that have fallen due, then those that fall due later, from the last row
    /// backwards.
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
    for group in groups {
        let mut walk = |wanted: &[Bucket], direction| {
            let is_wanted = |bucket: &Bucket| wanted.contains(bucket) && group.buckets.contains(bucket);
            if *left > 0 && group.buckets.iter().any(is_wanted) {
                allocate_group(rows, &group.components, on, (is_wanted, direction), left, allocated);
            }
        };
        match pass {
            AllocationPass::Due => walk(&[Bucket::PastDue, Bucket::Due], Direction::Onwards),
            AllocationPass::InAdvance => walk(&[Bucket::InAdvance], Direction::Onwards),
            AllocationPass::All => walk(&Bucket::ALL, Direction::Onwards),
            AllocationPass::LastInAdvance => {
                walk(&[Bucket::PastDue, Bucket::Due], Direction::Onwards);
                walk(&[Bucket::InAdvance], Direction::Backwards);
            }
        }
    }
}

/// The order of the rows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// From the first on.
    Onwards,
    /// From the last back.
    Backwards,
}

/// Pays components of the wanted buckets row by row.
fn allocate_group(
    rows: &mut LoanRows<'_>,
    components: &[Component],
    on: Date,
    (is_wanted, direction): (impl Fn(&Bucket) -> bool, Direction),
    left: &mut i128,
    allocated: &mut AllocatedAmounts,
) {
    let Some(first) = components.iter().map(|component| rows.first_open(*component)).min() else {
        return;
    };
    let end = if is_wanted(&Bucket::InAdvance) { rows.lines.len() } else { rows.end_of_due(on) };
    for step in first..end {
        let row = if direction == Direction::Backwards { first + end - 1 - step } else { step };
        for component in components {
            let most = rows.most_of(*component).min(*left);
            let mut sum = most;
            rows.each_open_amount(row, *component, &mut |owed, due_on| {
                if is_wanted(&Bucket::of(due_on, on)) {
                    owed.pay(&mut sum, on);
                }
                sum > 0
            });
            let paid = most - sum;
            *left -= paid;
            rows.note_settled(row, *component, paid);
            allocated.push(*component, paid);
        }
        if *left == 0 {
            return;
        }
    }
}
