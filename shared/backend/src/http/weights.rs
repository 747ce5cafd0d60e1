//! Lists of what a client accepts, with weights (RFC 9110, 12.4.2).

/// The values of a header line with their weights in thousandths, as `Accept` and `Accept-Encoding` have them. A value
/// whose weight cannot be read is left out.
pub(super) fn weighted(line: &str) -> impl Iterator<Item = (&str, u16)> {
    line.split(',').filter_map(|item| {
        let mut parts = item.split(';').map(str::trim);
        let value = parts.next().filter(|value| !value.is_empty())?;
        let mut parameters = parts.filter_map(|parameter| parameter.split_once('='));
        let quality = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
        Some((value, quality.map_or(Some(1000), |(_, text)| thousandths(text.trim()))?))
    })
}

/// A weight: 0 to 1 with up to three decimals.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let are_digits = decimals.len() <= 3 && decimals.bytes().all(|byte| byte.is_ascii_digit());
    let decimals: u16 = format!("{decimals:0<3}").parse().ok().filter(|_| are_digits)?;
    match whole {
        "0" => Some(decimals),
        "1" if decimals == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_thousandths_and_what_has_an_unreadable_one_is_left_out() {
        let line = "a, b;q=0.5 ,c ; Q = 1.000,, d;level=1;q=0.001, e;q=0, f;q=2, g;q=0.1234, h;q=, i;q=-1, ;q=1";
        let expected = [("a", 1000), ("b", 500), ("c", 1000), ("d", 1), ("e", 0)];
        assert_eq!(weighted(line).collect::<Vec<_>>(), expected);
    }
}
