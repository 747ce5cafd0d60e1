//! Money: a whole number of a currency's smallest units. Never a float, never a silent rounding,
//! never two currencies in one sum.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use crate::Currency;
use crate::number::fixed::{NumberError, parse_fixed, write_fixed};

/// An amount of money: exact, possibly negative where something is owed back.
///
/// ```
/// use lending::{Currency, Money};
///
/// let rupee = Currency::from_code("INR")?;
/// let amount = Money::parse("12000.5", rupee)?;
/// assert_eq!(amount.units(), 1_200_050);
/// assert_eq!(amount.to_string(), "12000.50");
///
/// let dong = Currency::from_code("VND")?;
/// assert_eq!(Money::parse("8400", dong)?.to_string(), "8400");
/// assert_eq!(Money::parse("8400.00", dong).unwrap_err().code(), "too_many_decimals");
/// assert_eq!(amount.checked_add(Money::zero(dong)), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    units: i128,
    currency: Currency,
}

/// The reason why a number is not an amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not `[0-9]+(\.[0-9]+)?`.
    #[error("must be an amount such as 12000.50: digits, with at most one point between digits")]
    NotANumber,
    /// More decimals than the currency has; zeros count.
    #[error("must have at most {allowed} decimals in this currency")]
    TooManyDecimals {
        /// The number of decimals of the currency.
        allowed: u32,
    },
    /// More than [`Money::MAX_REQUEST_UNITS`] in a request, or than can be computed with.
    #[error("is larger than any amount that can be handled")]
    TooLarge,
}

impl MoneyError {
    /// The stable, `snake_case` code of this refusal.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotANumber => "not_a_number",
            Self::TooManyDecimals { .. } => "too_many_decimals",
            Self::TooLarge => "too_large",
        }
    }
}

impl From<NumberError> for MoneyError {
    fn from(error: NumberError) -> Self {
        match error {
            NumberError::NotANumber => Self::NotANumber,
            NumberError::TooManyDecimals(allowed) => Self::TooManyDecimals { allowed },
            NumberError::TooLarge => Self::TooLarge,
        }
    }
}

impl Money {
    /// The most smallest units an amount in a request may have: 10^15.
    pub const MAX_REQUEST_UNITS: i128 = 10i128.pow(15);

    /// Every amount stays below this in size, so that it always fits a [`Decimal`] (96 bits).
    const LIMIT: i128 = 10i128.pow(28);

    /// Reads an amount from a request: `[0-9]+(\.[0-9]+)?`, not more decimals than the currency
    /// has, at most [`Self::MAX_REQUEST_UNITS`]. Zero is an amount.
    ///
    /// # Errors
    /// A [`MoneyError`] that says which of these does not hold.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let units = parse_fixed(text, currency.decimals(), Self::MAX_REQUEST_UNITS)?;
        Ok(Self { units, currency })
    }

    /// The amount of a stored number. Zeros beyond the currency's decimals do no harm here, unlike
    /// in [`Self::parse`]; anything else there is refused. It may be negative.
    ///
    /// # Errors
    /// [`MoneyError::TooManyDecimals`], [`MoneyError::TooLarge`].
    pub fn from_decimal(value: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let allowed = currency.decimals();
        let value = value.normalize();
        let missing = allowed.checked_sub(value.scale()).ok_or(MoneyError::TooManyDecimals { allowed })?;
        10i128
            .checked_pow(missing)
            .and_then(|factor| value.mantissa().checked_mul(factor))
            .and_then(|units| Self::checked(units, currency))
            .ok_or(MoneyError::TooLarge)
    }

    /// An amount in smallest units: 1050 in INR is 10.50.
    #[must_use]
    pub const fn from_units(units: i64, currency: Currency) -> Self {
        Self { units: units as i128, currency }
    }

    /// Zero.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self { units: 0, currency }
    }

    /// For the engine, whose bounds keep every amount far below the limit.
    pub(crate) const fn computed(units: i128, currency: Currency) -> Self {
        debug_assert!(units.unsigned_abs() < Self::LIMIT.unsigned_abs());
        Self { units, currency }
    }

    fn checked(units: i128, currency: Currency) -> Option<Self> {
        (units.unsigned_abs() < Self::LIMIT.unsigned_abs()).then_some(Self { units, currency })
    }

    /// The number of smallest units.
    #[must_use]
    pub const fn units(self) -> i128 {
        self.units
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// True if it is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.units == 0
    }

    /// True if it is below zero: owed back.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.units < 0
    }

    /// The number, with exactly the currency's decimals.
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        // Cannot fail: `LIMIT` is below 2^96 and there are at most four decimals.
        Decimal::from_i128_with_scale(self.units, self.currency.decimals())
    }

    /// The sum; `None` for two currencies, or beyond 28 digits.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        if self.currency != other.currency {
            return None;
        }
        self.units.checked_add(other.units).and_then(|units| Self::checked(units, self.currency))
    }

    /// The difference; `None` for two currencies, or beyond 28 digits.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        if self.currency != other.currency {
            return None;
        }
        self.units.checked_sub(other.units).and_then(|units| Self::checked(units, self.currency))
    }
}

/// Ordered by amount within a currency; two currencies have no order.
impl PartialOrd for Money {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        (self.currency == other.currency).then(|| self.units.cmp(&other.units))
    }
}

/// The number alone, with exactly the currency's decimals: `12000.50`, `8400`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_fixed(f, self.units, self.currency.decimals())
    }
}

/// A JSON string, as [`fmt::Display`] writes it.
impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::from_code(code).unwrap()
    }

    #[test]
    fn requests_are_refused_by_name() {
        for (text, code, expected) in [
            ("12000.505", "INR", "too_many_decimals"),
            ("12000.500", "INR", "too_many_decimals"),
            ("1.0", "VND", "too_many_decimals"),
            ("10000000000000.01", "INR", "too_large"),
            ("1000000000000001", "VND", "too_large"),
            ("-1", "INR", "not_a_number"),
            ("1e3", "INR", "not_a_number"),
            ("", "INR", "not_a_number"),
            ("1 000", "INR", "not_a_number"),
        ] {
            let refusal = Money::parse(text, currency(code)).unwrap_err();
            assert_eq!(refusal.code(), expected, "{text} {code}");
        }
        for (text, code, units) in [
            ("10000000000000", "INR", 1_000_000_000_000_000),
            ("10000000000000.00", "INR", 1_000_000_000_000_000),
            ("1000000000000000", "VND", 1_000_000_000_000_000),
            ("0", "INR", 0),
            ("0.001", "BHD", 1),
            ("0.0001", "CLF", 1),
        ] {
            assert_eq!(Money::parse(text, currency(code)).unwrap().units(), units, "{text} {code}");
        }
    }

    #[test]
    fn written_with_exactly_the_currencys_decimals() {
        for (units, code, text) in [
            (1_200_050, "INR", "12000.50"),
            (8400, "VND", "8400"),
            (-5, "INR", "-0.05"),
            (0, "INR", "0.00"),
            (1, "BHD", "0.001"),
            (-12_345, "CLF", "-1.2345"),
        ] {
            let money = Money::from_units(units, currency(code));
            assert_eq!(money.to_string(), text);
            assert_eq!(money.to_decimal().to_string(), text);
            assert_eq!(serde_json::to_string(&money).unwrap(), format!("\"{text}\""));
        }
    }

    #[test]
    fn stored_numbers_may_have_more_zeros_but_nothing_else() {
        let rupee = currency("INR");
        let read = |text: &str| Money::from_decimal(text.parse().unwrap(), rupee);
        assert_eq!(read("12000.5000").unwrap().units(), 1_200_050);
        assert_eq!(read("-3").unwrap().units(), -300);
        assert_eq!(read("0.000").unwrap(), Money::zero(rupee));
        assert_eq!(read("0.001"), Err(MoneyError::TooManyDecimals { allowed: 2 }));
        assert_eq!(read("79228162514264337593543950335"), Err(MoneyError::TooLarge));
    }

    #[test]
    fn sums_stay_in_one_currency_and_within_a_decimal() {
        let (rupee, dong) = (currency("INR"), currency("VND"));
        let one = Money::from_units(1, rupee);
        assert_eq!(one.checked_add(one), Some(Money::from_units(2, rupee)));
        assert_eq!(one.checked_sub(Money::from_units(3, rupee)), Some(Money::from_units(-2, rupee)));
        assert_eq!(one.checked_add(Money::zero(dong)), None);
        assert_eq!(one.checked_sub(Money::zero(dong)), None);
        assert_eq!(one.partial_cmp(&Money::from_units(1, dong)), None);
        assert!(one < Money::from_units(2, rupee) && one > Money::zero(rupee));
        let most = Money::computed(Money::LIMIT - 1, rupee);
        assert_eq!(most.checked_add(one), None);
        assert_eq!(Money::computed(1 - Money::LIMIT, rupee).checked_sub(one), None);
        assert_eq!(most.to_decimal().mantissa(), most.units());
    }

    proptest! {
        #[test]
        fn text_and_decimal_come_back_the_same(
            units in 0..=Money::MAX_REQUEST_UNITS,
            index in any::<prop::sample::Index>(),
        ) {
            let all: Vec<Currency> = Currency::all().collect();
            let currency = *index.get(&all);
            let money = Money::computed(units, currency);
            prop_assert_eq!(Money::parse(&money.to_string(), currency), Ok(money));
            prop_assert_eq!(Money::from_decimal(money.to_decimal(), currency), Ok(money));
        }
    }
}
