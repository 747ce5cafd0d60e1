//! Currencies: every active ISO 4217 code that has a minor unit, with its number of decimals.
//!
//! The table is the standard's "List One" as its maintenance agency published it on 2026-01-01.
//! The codes that have no minor unit there (the metals, the bond-market units, `XDR`, `XSU`,
//! `XUA`, `XTS`, `XXX`) are left out: no amount can be written in them. A test compares the table
//! with an independently kept one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::refused;

/// Code and decimals, sorted by code. Source: ISO 4217 List One of 2026-01-01.
#[rustfmt::skip]
const TABLE: [(&str, u32); 165] = [
    ("AED", 2), ("AFN", 2), ("ALL", 2), ("AMD", 2), ("AOA", 2), ("ARS", 2), ("AUD", 2), ("AWG", 2),
    ("AZN", 2), ("BAM", 2), ("BBD", 2), ("BDT", 2), ("BHD", 3), ("BIF", 0), ("BMD", 2), ("BND", 2),
    ("BOB", 2), ("BOV", 2), ("BRL", 2), ("BSD", 2), ("BTN", 2), ("BWP", 2), ("BYN", 2), ("BZD", 2),
    ("CAD", 2), ("CDF", 2), ("CHE", 2), ("CHF", 2), ("CHW", 2), ("CLF", 4), ("CLP", 0), ("CNY", 2),
    ("COP", 2), ("COU", 2), ("CRC", 2), ("CUP", 2), ("CVE", 2), ("CZK", 2), ("DJF", 0), ("DKK", 2),
    ("DOP", 2), ("DZD", 2), ("EGP", 2), ("ERN", 2), ("ETB", 2), ("EUR", 2), ("FJD", 2), ("FKP", 2),
    ("GBP", 2), ("GEL", 2), ("GHS", 2), ("GIP", 2), ("GMD", 2), ("GNF", 0), ("GTQ", 2), ("GYD", 2),
    ("HKD", 2), ("HNL", 2), ("HTG", 2), ("HUF", 2), ("IDR", 2), ("ILS", 2), ("INR", 2), ("IQD", 3),
    ("IRR", 2), ("ISK", 0), ("JMD", 2), ("JOD", 3), ("JPY", 0), ("KES", 2), ("KGS", 2), ("KHR", 2),
    ("KMF", 0), ("KPW", 2), ("KRW", 0), ("KWD", 3), ("KYD", 2), ("KZT", 2), ("LAK", 2), ("LBP", 2),
    ("LKR", 2), ("LRD", 2), ("LSL", 2), ("LYD", 3), ("MAD", 2), ("MDL", 2), ("MGA", 2), ("MKD", 2),
    ("MMK", 2), ("MNT", 2), ("MOP", 2), ("MRU", 2), ("MUR", 2), ("MVR", 2), ("MWK", 2), ("MXN", 2),
    ("MXV", 2), ("MYR", 2), ("MZN", 2), ("NAD", 2), ("NGN", 2), ("NIO", 2), ("NOK", 2), ("NPR", 2),
    ("NZD", 2), ("OMR", 3), ("PAB", 2), ("PEN", 2), ("PGK", 2), ("PHP", 2), ("PKR", 2), ("PLN", 2),
    ("PYG", 0), ("QAR", 2), ("RON", 2), ("RSD", 2), ("RUB", 2), ("RWF", 0), ("SAR", 2), ("SBD", 2),
    ("SCR", 2), ("SDG", 2), ("SEK", 2), ("SGD", 2), ("SHP", 2), ("SLE", 2), ("SOS", 2), ("SRD", 2),
    ("SSP", 2), ("STN", 2), ("SVC", 2), ("SYP", 2), ("SZL", 2), ("THB", 2), ("TJS", 2), ("TMT", 2),
    ("TND", 3), ("TOP", 2), ("TRY", 2), ("TTD", 2), ("TWD", 2), ("TZS", 2), ("UAH", 2), ("UGX", 0),
    ("USD", 2), ("USN", 2), ("UYI", 0), ("UYU", 2), ("UYW", 4), ("UZS", 2), ("VED", 2), ("VES", 2),
    ("VND", 0), ("VUV", 0), ("WST", 2), ("XAD", 2), ("XAF", 0), ("XCD", 2), ("XCG", 2), ("XOF", 0),
    ("XPF", 0), ("YER", 2), ("ZAR", 2), ("ZMW", 2), ("ZWG", 2),
];

/// A currency, by its ISO 4217 code. Ordered by code.
///
/// ```
/// use lending::Currency;
///
/// let dinar: Currency = "BHD".parse()?;
/// assert_eq!((dinar.code(), dinar.decimals()), ("BHD", 3));
/// assert!("bhd".parse::<Currency>().is_err());
/// # Ok::<(), lending::UnknownCurrency>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(u8);

/// The text is not the code of an active currency with a minor unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the code of an active ISO 4217 currency")]
pub struct UnknownCurrency;

impl UnknownCurrency {
    /// The stable code of this refusal.
    #[must_use]
    pub const fn code(self) -> &'static str {
        "unknown_currency"
    }
}

impl Currency {
    /// The currency with this code, in capital letters as in the standard.
    ///
    /// # Errors
    /// [`UnknownCurrency`] for anything that is not in the table.
    pub fn from_code(code: &str) -> Result<Self, UnknownCurrency> {
        TABLE
            .binary_search_by_key(&code, |(known, _)| known)
            .ok()
            .and_then(|index| u8::try_from(index).ok())
            .map(Self)
            .ok_or(UnknownCurrency)
    }

    /// The three letters.
    #[must_use]
    pub fn code(self) -> &'static str {
        TABLE[usize::from(self.0)].0
    }

    /// How many decimals an amount has: 0, 2, 3 or 4. One smallest unit is 10 to the minus this.
    #[must_use]
    pub fn decimals(self) -> u32 {
        TABLE[usize::from(self.0)].1
    }

    /// Every currency, in the order of the codes.
    #[must_use]
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        #[expect(clippy::cast_possible_truncation, reason = "the table has fewer than 256 rows")]
        (0..TABLE.len()).map(|index| Self(index as u8))
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        Self::from_code(code)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::from_code(&code).map_err(|error| refused(error.code(), error))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_it_can_be_searched() {
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for currency in Currency::all() {
            assert_eq!(Currency::from_code(currency.code()), Ok(currency));
        }
        assert_eq!(Currency::all().len(), TABLE.len());
    }

    #[test]
    fn only_exact_codes_are_known() {
        for text in ["", "eur", "EUR ", " EUR", "EU", "EURO", "XXX", "XAU", "DEM", "HRK", "é"] {
            assert_eq!(Currency::from_code(text), Err(UnknownCurrency), "{text:?}");
        }
    }

    #[test]
    fn decimals_by_hand() {
        for (code, decimals) in [("VND", 0), ("JPY", 0), ("INR", 2), ("KES", 2), ("BHD", 3), ("TND", 3), ("CLF", 4)] {
            assert_eq!(Currency::from_code(code).map(Currency::decimals), Ok(decimals), "{code}");
        }
    }

    /// The crate `iso_currency` is kept by other people from the same standard. It also lists
    /// codes that a later currency has replaced, and codes without a minor unit; neither is active
    /// money here. It calls VES replaced by VED; the standard has both as active.
    #[test]
    fn the_table_agrees_with_an_independent_one() {
        use iso_currency::{Flag, IntoEnumIterator};

        let is_replaced = |other: iso_currency::Currency| {
            other.code() != "VES" && other.flags().iter().any(|flag| matches!(flag, Flag::Superseded(_)))
        };
        let theirs: BTreeMap<String, u32> = iso_currency::Currency::iter()
            .filter(|other| !is_replaced(*other))
            .filter_map(|other| Some((other.code().to_owned(), u32::from(other.exponent()?))))
            .collect();
        let ours: BTreeMap<String, u32> =
            Currency::all().map(|currency| (currency.code().to_owned(), currency.decimals())).collect();
        assert_eq!(ours, theirs);
    }

    #[test]
    fn written_as_the_code() {
        let rupee = Currency::from_code("INR").unwrap();
        assert_eq!(format!("{rupee} {rupee:>5} {rupee:?}"), "INR   INR INR");
    }

    #[test]
    fn json_is_the_code() {
        let rupee: Currency = serde_json::from_str("\"INR\"").unwrap();
        assert_eq!(serde_json::to_string(&rupee).unwrap(), "\"INR\"");
        let refusal = serde_json::from_str::<Currency>("\"inr\"").unwrap_err().to_string();
        assert!(refusal.starts_with("[unknown_currency] "), "{refusal}");
        assert!(serde_json::from_str::<Currency>("356").is_err());
    }
}
