//! Whole smallest units as money of a currency.

use super::fold::Split;
use super::shares::Shares;
use super::state::Components;
use crate::terms::Component;
use crate::{Currency, Money};

/// Amounts by [`Component::ALL`], in smallest units.
pub(super) type ByComponent = [i128; 4];

#[derive(Clone, Copy)]
pub(super) struct InCurrency(pub(super) Currency);

impl InCurrency {
    pub(super) fn money(self, units: i128) -> Money {
        Money::computed(units, self.0)
    }

    pub(super) fn components(self, sums: ByComponent) -> Components {
        let of = |component: Component| self.money(sums[component as usize]);
        Components {
            principal: of(Component::Principal),
            interest: of(Component::Interest),
            fees: of(Component::Fee),
            penalties: of(Component::Penalty),
        }
    }

    pub(super) fn shares(self, split: Split) -> Shares {
        let of = |component: Component| self.money(split.by_component[component as usize]);
        Shares {
            penalty: of(Component::Penalty),
            fee: of(Component::Fee),
            interest: of(Component::Interest),
            principal: of(Component::Principal),
            overpayment: self.money(split.overpayment),
        }
    }
}
