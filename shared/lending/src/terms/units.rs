//! Amounts of terms in a currency.

use super::number::Number;
use crate::refusal::Reason;
use crate::{Currency, Money, MoneyError};

/// The units that amounts are multiples of, in smallest units of the currency.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Units {
    pub(crate) currency: Currency,
    /// Of every amount of a row.
    pub(crate) smallest: i128,
    /// Of an equal instalment; itself a multiple of `smallest`.
    pub(crate) multiple: i128,
}

impl Units {
    /// A number of the terms as money: within the currency's decimals, a multiple of the smallest
    /// amount.
    pub(crate) fn amount(&self, number: Number) -> Result<Money, Reason> {
        let allowed = self.currency.decimals();
        // As in every request, zeros beyond the currency's decimals are too many.
        if number.get().scale() > allowed {
            return Err(Reason::Money(MoneyError::TooManyDecimals { allowed }));
        }
        let money = Money::from_decimal(number.get(), self.currency).map_err(Reason::Money)?;
        if money.units() > Money::MAX_REQUEST_UNITS {
            return Err(Reason::Money(MoneyError::TooLarge));
        }
        if money.units() % self.smallest != 0 {
            return Err(Reason::NotAMultipleOfSmallestAmount);
        }
        Ok(money)
    }
}
