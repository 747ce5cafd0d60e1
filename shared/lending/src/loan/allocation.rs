//! The allocation of payments, as data rather than code.

use jiff::civil::Date;
use serde::Serialize;

use crate::words::words;
use crate::{Allocation, Money};

/// The due date of an amount, seen from the day it is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// Before that day.
    PastDue,
    /// On that day.
    Due,
    /// After that day.
    InAdvance,
}

impl Bucket {
    /// The bucket of an amount due on `due_on` for a payment on `paid_on`.
    #[must_use]
    pub fn of(due_on: Date, paid_on: Date) -> Self {
        match due_on.cmp(&paid_on) {
            std::cmp::Ordering::Less => Self::PastDue,
            std::cmp::Ordering::Equal => Self::Due,
            std::cmp::Ordering::Greater => Self::InAdvance,
        }
    }
}

words! {
    /// A component of the amounts owed.
    Component {
        /// Late fees and charged penalties.
        Penalty = "penalty",
        /// Fees of instalments and charged fees.
        Fee = "fee",
        /// Interest.
        Interest = "interest",
        /// Principal.
        Principal = "principal",
    }
}

/// Amounts that are paid instalment by instalment, the oldest first, in an instalment component by
/// component, and in a component the oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllocationGroup {
    /// Which amounts, by their own due dates.
    pub buckets: &'static [Bucket],
    /// Which components, in their order.
    pub components: &'static [Component],
}

/// Groups in the order in which they are paid. Amounts in advance come last, in groups of their own, so
/// that the effect of a prepayment can come between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllocationOrder {
    /// The groups.
    pub groups: &'static [AllocationGroup],
}

impl Allocation {
    /// The order that the word stands for.
    #[must_use]
    pub const fn order(self) -> AllocationOrder {
        match self {
            Self::PenaltyFeeInterestPrincipal => AllocationOrder::PENALTY_FEE_INTEREST_PRINCIPAL,
            Self::DuePenaltyFeeInterestPrincipalInAdvancePrincipalPenaltyFeeInterest => {
                AllocationOrder::DUE_PENALTY_FEE_INTEREST_PRINCIPAL_IN_ADVANCE_PRINCIPAL_PENALTY_FEE_INTEREST
            }
            Self::DuePenaltyInterestPrincipalFeeInAdvancePenaltyInterestPrincipalFee => {
                AllocationOrder::DUE_PENALTY_INTEREST_PRINCIPAL_FEE_IN_ADVANCE_PENALTY_INTEREST_PRINCIPAL_FEE
            }
            Self::OverdueInterestFirst => AllocationOrder::OVERDUE_INTEREST_FIRST,
        }
    }
}

use Bucket::{Due, InAdvance, PastDue};
use Component::{Fee, Interest, Penalty, Principal};

const fn group(buckets: &'static [Bucket], components: &'static [Component]) -> AllocationGroup {
    AllocationGroup { buckets, components }
}

impl AllocationOrder {
    /// `penalty_fee_interest_principal`.
    pub const PENALTY_FEE_INTEREST_PRINCIPAL: Self = Self {
        groups: &[
            group(&[PastDue], &[Penalty, Fee, Interest, Principal]),
            group(&[Due], &[Penalty, Fee, Interest, Principal]),
            group(&[InAdvance], &[Penalty, Fee, Interest, Principal]),
        ],
    };

    /// `due_penalty_fee_interest_principal_in_advance_principal_penalty_fee_interest`.
    pub const DUE_PENALTY_FEE_INTEREST_PRINCIPAL_IN_ADVANCE_PRINCIPAL_PENALTY_FEE_INTEREST: Self = Self {
        groups: &[
            group(&[PastDue, Due], &[Penalty, Fee, Interest, Principal]),
            group(&[InAdvance], &[Principal, Penalty, Fee, Interest]),
        ],
    };

    /// `due_penalty_interest_principal_fee_in_advance_penalty_interest_principal_fee`.
    pub const DUE_PENALTY_INTEREST_PRINCIPAL_FEE_IN_ADVANCE_PENALTY_INTEREST_PRINCIPAL_FEE: Self = Self {
        groups: &[
            group(&[PastDue, Due], &[Penalty, Interest, Principal, Fee]),
            group(&[InAdvance], &[Penalty, Interest, Principal, Fee]),
        ],
    };

    /// `overdue_interest_first`.
    pub const OVERDUE_INTEREST_FIRST: Self = Self {
        groups: &[
            group(&[PastDue], &[Interest]),
            group(&[Due], &[Interest]),
            group(&[PastDue], &[Principal]),
            group(&[Due], &[Principal]),
            group(&[PastDue, Due], &[Penalty, Fee]),
            group(&[InAdvance], &[Interest, Principal, Fee, Penalty]),
        ],
    };
}

/// The parts of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Shares {
    /// Late fees and charged penalties.
    pub penalty: Money,
    /// Fees.
    pub fee: Money,
    /// Interest.
    pub interest: Money,
    /// Principal.
    pub principal: Money,
    /// The rest, held for the borrower.
    pub overpayment: Money,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fold relies on this: every amount has one place, and amounts in advance come last.
    #[test]
    fn the_presets_name_every_amount_once_and_what_is_in_advance_last() {
        for allocation in Allocation::ALL {
            let order = allocation.order();
            let mut places = Vec::new();
            for group in order.groups {
                for bucket in group.buckets {
                    places.extend(group.components.iter().map(|component| (*bucket, *component)));
                }
            }
            for bucket in [PastDue, Due, InAdvance] {
                for component in Component::ALL {
                    let count = places.iter().filter(|place| **place == (bucket, component)).count();
                    assert_eq!(count, 1, "{} {bucket:?} {component:?}", allocation.as_str());
                }
            }
            let advance = order.groups.iter().position(|group| group.buckets.contains(&InAdvance)).unwrap();
            assert_eq!(advance + 1, order.groups.len());
            assert_eq!(order.groups[advance].buckets, [InAdvance]);
        }
    }
}
