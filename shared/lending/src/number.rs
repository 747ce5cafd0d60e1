//! Numbers as clients write them: `[0-9]+(\.[0-9]+)?`, as a JSON string or a JSON number, read
//! digit by digit so that they never pass through a binary float.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Why a text is no number that can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NumberError {
    #[error("must be digits, with at most one point between digits")]
    NotANumber,
    #[error("must have at most {0} decimals")]
    TooManyDecimals(u32),
    #[error("is too large")]
    TooLarge,
}

/// Reads `text` as a whole number of 10^-`decimals`, at most `max` of them. Nothing is rounded: a
/// zero beyond `decimals` is one decimal too many.
pub(crate) fn parse_fixed(text: &str, decimals: u32, max: i128) -> Result<i128, NumberError> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !fraction.is_none_or(is_digits) {
        return Err(NumberError::NotANumber);
    }
    let fraction = fraction.unwrap_or_default();
    let missing = usize::try_from(decimals)
        .ok()
        .and_then(|allowed| allowed.checked_sub(fraction.len()))
        .ok_or(NumberError::TooManyDecimals(decimals))?;
    let zeros = std::iter::repeat_n(b'0', missing);
    let mut units: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()).chain(zeros) {
        units = units * 10 + i128::from(digit - b'0');
        // Checked at each digit, so that no length of text overflows.
        if units > max {
            return Err(NumberError::TooLarge);
        }
    }
    Ok(units)
}

/// `units` of 10^-`decimals` with exactly `decimals` decimals: (-5, 2) is `-0.05`.
pub(crate) fn write_fixed(f: &mut std::fmt::Formatter<'_>, units: i128, decimals: u32) -> std::fmt::Result {
    let sign = if units < 0 { "-" } else { "" };
    let scale = 10u128.pow(decimals);
    let (whole, fraction) = (units.unsigned_abs() / scale, units.unsigned_abs() % scale);
    match usize::try_from(decimals) {
        Ok(width) if width > 0 => write!(f, "{sign}{whole}.{fraction:0width$}"),
        _ => write!(f, "{sign}{whole}"),
    }
}

/// What a value refuses with while it is deserialised. serde's errors are text: the stable code stands in brackets before
/// the rule in words.
pub(crate) fn refused<E: serde::de::Error>(code: &str, rule: impl std::fmt::Display) -> E {
    E::custom(format_args!("[{code}] {rule}"))
}

/// The text of a JSON string or a JSON number, with every digit as the client wrote it.
pub(crate) fn deserialize_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let json = raw.get();
    match json.as_bytes().first() {
        Some(b'"') => serde_json::from_str(json).map_err(serde::de::Error::custom),
        Some(b'-' | b'0'..=b'9') => Ok(json.to_owned()),
        _ => Err(refused("wrong_type", "must be a string or a number")),
    }
}

/// Reads a whole number within a range from a JSON number, digit by digit: `6.0` is one, `6.5` and `6e0` are none.
///
/// # Errors
/// What is none, and one that is not within the range.
pub fn whole_number<'de, D: Deserializer<'de>>(
    deserializer: D,
    range: std::ops::RangeInclusive<u32>,
) -> Result<u32, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let (whole, fraction) = raw.get().split_once('.').unwrap_or((raw.get(), "0"));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || !fraction.bytes().all(|byte| byte == b'0') {
        return Err(refused("wrong_type", "must be a whole number"));
    }
    match whole.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(refused("out_of_range", format_args!("must be from {} to {}", range.start(), range.end()))),
    }
}

/// A number in terms, before it is known what it counts: money of some currency, or percent. The
/// digits are kept as written, at most 10^15 and with at most six decimals.
///
/// It becomes money or a percentage, or is refused, when terms are completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number(Decimal);

impl Number {
    /// As many as a percentage may have; no currency has more.
    const DECIMALS: u32 = 6;
    /// 10^15, in units of 10^-6.
    const MAX: i128 = 10i128.pow(15 + Self::DECIMALS);

    /// Reads `[0-9]+(\.[0-9]+)?`.
    ///
    /// # Errors
    /// A [`MoneyError`](crate::MoneyError) for anything else, and for what neither any currency
    /// nor a percentage can hold.
    pub fn parse(text: &str) -> Result<Self, crate::MoneyError> {
        let units = parse_fixed(text, Self::DECIMALS, Self::MAX)?;
        let written = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let mut value = Decimal::from_i128_with_scale(units, Self::DECIMALS);
        // Keeps the decimals that were written: "1.50" in a currency without decimals is refused.
        value.rescale(u32::try_from(written).unwrap_or(Self::DECIMALS));
        Ok(Self(value))
    }

    /// The number, with the decimals that were written.
    #[must_use]
    pub const fn get(self) -> Decimal {
        self.0
    }
}

impl From<crate::Money> for Number {
    fn from(money: crate::Money) -> Self {
        Self(money.to_decimal())
    }
}

impl From<crate::Percent> for Number {
    fn from(percent: crate::Percent) -> Self {
        Self(percent.to_decimal())
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&deserialize_text(deserializer)?).map_err(|error| refused(error.code(), error))
    }
}

/// A JSON string.
impl serde::Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_grammar_is_digits_point_digits() {
        for text in [
            "", ".", "1.", ".5", "-1", "+1", "1e3", "1E3", " 1", "1 ", "1,5", "1.2.3", "0x1", "NaN", "inf", "١",
            "1_000", "1.-5", "--1", "1\n",
        ] {
            assert_eq!(parse_fixed(text, 2, 1000), Err(NumberError::NotANumber), "{text:?}");
        }
        assert_eq!(parse_fixed("7", 2, 1000), Ok(700));
        assert_eq!(parse_fixed("007.5", 2, 1000), Ok(750));
        assert_eq!(parse_fixed("7.05", 2, 1000), Ok(705));
    }

    #[test]
    fn no_zero_is_dropped_and_nothing_overflows() {
        assert_eq!(parse_fixed("7.050", 2, 1000), Err(NumberError::TooManyDecimals(2)));
        assert_eq!(parse_fixed("7.0", 0, 1000), Err(NumberError::TooManyDecimals(0)));
        assert_eq!(parse_fixed("10.00", 2, 1000), Ok(1000));
        assert_eq!(parse_fixed("10.01", 2, 1000), Err(NumberError::TooLarge));
        assert_eq!(parse_fixed(&"9".repeat(10_000), 2, 1000), Err(NumberError::TooLarge));
        assert_eq!(parse_fixed(&"0".repeat(10_000), 2, 1000), Ok(0));
    }

    #[test]
    fn numbers_keep_the_digits_that_json_has() {
        for (json, text) in [
            ("12000.50", "12000.50"),
            ("\"12000.50\"", "12000.50"),
            // Neither is a binary float: the nearest doubles end otherwise.
            ("0.1", "0.1"),
            ("999999999999999.9999", "999999999999999.9999"),
            ("1000000000000000", "1000000000000000"),
            ("\"\\u0034.00\"", "4.00"),
        ] {
            let number: Number = serde_json::from_str(json).unwrap();
            assert_eq!(number.get().to_string(), text);
        }
        for json in ["-1", "1e3", "1e400", "1.2345678", "null", "true", "[1]", "{}", "\"\"", "\"1 \"", "-0"] {
            assert!(serde_json::from_str::<Number>(json).is_err(), "{json}");
        }
    }
    proptest! {
        /// Whatever is written: read exactly as arithmetic of any length reads it, or refused for the one reason.
        #[test]
        fn digits_are_read_exactly_or_refused(
            whole in "[0-9]{1,400}",
            fraction in prop::option::of("[0-9]{1,9}"),
            decimals in 0..7u32,
        ) {
            let text = fraction.as_ref().map_or(whole.clone(), |fraction| format!("{whole}.{fraction}"));
            let written = fraction.as_ref().map_or(0, String::len);
            let max = 10i128.pow(15);
            let read = parse_fixed(&text, decimals, max);
            let Some(missing) = (decimals as usize).checked_sub(written) else {
                prop_assert_eq!(read, Err(NumberError::TooManyDecimals(decimals)));
                return Ok(());
            };
            let digits = format!("{whole}{}{}", fraction.unwrap_or_default(), "0".repeat(missing));
            let exact: BigUint = digits.parse().unwrap();
            let expected = i128::try_from(exact).ok().filter(|units| *units <= max).ok_or(NumberError::TooLarge);
            prop_assert_eq!(read, expected);
        }

        /// Text of any characters: none but digits and one point between them is a number.
        #[test]
        fn any_other_text_is_no_number(text in prop_oneof![any::<String>(), "[-+0-9.eE_ ]{0,12}"]) {
            let has_form = text.split('.').count() <= 2
                && text.split('.').all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()));
            let read = parse_fixed(&text, 6, i128::from(u32::MAX));
            prop_assert_eq!(matches!(read, Err(NumberError::NotANumber)), !has_form);
        }
    }
}
