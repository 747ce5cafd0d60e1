//! Decimal text with a fixed number of decimals: `[0-9]+(\.[0-9]+)?`, read digit by digit so that it never passes
//! through a binary float.

/// The reason why a text is not a number.
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
