//! Quotients that are rounded once, from their exact value.

use std::cmp::Ordering;

use crate::words::words;

words! {
    /// The rounding of an exact value to a whole number of units.
    #[derive(Default)]
    Rounding {
        /// To the nearest; halfway, to the even one.
        #[default]
        HalfEven = "half_even",
        /// To the nearest; halfway, away from zero.
        HalfUp = "half_up",
        /// Away from zero.
        Up = "up",
        /// Towards zero.
        Down = "down",
    }
}

/// True if a value between two whole numbers becomes the one farther from zero.
///
/// `rest` compares the distance to the nearer-to-zero one with one half; `None` means an exact
/// value. `odd` says if the nearer-to-zero one is odd.
pub(crate) const fn is_raised(rounding: Rounding, rest: Option<Ordering>, odd: bool) -> bool {
    let Some(rest) = rest else {
        return false;
    };
    match rounding {
        Rounding::Down => false,
        Rounding::Up => true,
        Rounding::HalfUp => rest.is_ge(),
        Rounding::HalfEven => rest.is_gt() || (rest.is_eq() && odd),
    }
}

/// `numerator / denominator` as a whole number. The denominator is positive; `up` and `down` mean
/// away from zero and towards it.
pub(crate) fn round_div(numerator: i128, denominator: i128, rounding: Rounding) -> i128 {
    let (size, divisor) = (numerator.unsigned_abs(), denominator.unsigned_abs());
    let quotient = size / divisor;
    let rest = size - quotient * divisor;
    let rest = (rest != 0).then(|| rest.cmp(&(divisor - rest)));
    let rounded = quotient + u128::from(is_raised(rounding, rest, quotient % 2 == 1));
    let rounded = i128::try_from(rounded).unwrap_or(i128::MAX);
    if numerator < 0 { -rounded } else { rounded }
}

/// `factor * amount / divisor` as a whole number, rounded once. None is negative; the factor is below 2^63,
/// the amount and the divisor below 2^68, and the amount is at most the divisor times a few.
///
/// The product may have more than 128 bits: the amount is taken in two parts.
pub(crate) fn round_mul_div(factor: i128, amount: i128, divisor: i128, rounding: Rounding) -> i128 {
    const BITS: u32 = 32;
    let (high, low) = (amount >> BITS, amount & ((1 << BITS) - 1));
    let of_high = factor * high;
    let rest = ((of_high % divisor) << BITS) + factor * low;
    ((of_high / divisor) << BITS) + round_div(rest, divisor, rounding)
}

/// `value` as a multiple of `unit`, which is positive.
pub(crate) fn round_to_multiple(value: i128, unit: i128, rounding: Rounding) -> i128 {
    if unit == 1 { value } else { round_div(value, unit, rounding) * unit }
}

pub(crate) fn gcd(a: u64, b: u64) -> u64 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Rounding; 4] = [Rounding::HalfEven, Rounding::HalfUp, Rounding::Up, Rounding::Down];

    #[test]
    fn the_four_roundings() {
        // In the order of `ALL`: half to even, half up, up, down.
        for (numerator, denominator, expected) in [
            (15_625, 1000, [16, 16, 16, 15]),
            (5, 2, [2, 3, 3, 2]),
            (7, 2, [4, 4, 4, 3]),
            (-5, 2, [-2, -3, -3, -2]),
            (-7, 2, [-4, -4, -4, -3]),
            (7, 3, [2, 2, 3, 2]),
            (8, 3, [3, 3, 3, 2]),
            (-1, 3, [0, 0, -1, 0]),
            (6, 3, [2, 2, 2, 2]),
            (0, 3, [0, 0, 0, 0]),
        ] {
            let got = ALL.map(|rounding| round_div(numerator, denominator, rounding));
            assert_eq!(got, expected, "{numerator}/{denominator}");
        }
        assert_eq!(ALL.map(|it| round_to_multiple(250, 100, it)), [200, 300, 300, 200]);
        assert_eq!(ALL.map(|it| round_to_multiple(251, 1, it)), [251; 4]);
    }

    #[test]
    fn the_denominator_may_be_the_largest() {
        // The rest is compared with the other part, not doubled.
        assert_eq!(round_div(i128::MAX - 1, i128::MAX, Rounding::HalfEven), 1);
        assert_eq!(round_div(i128::MAX / 2, i128::MAX, Rounding::HalfUp), 0);
        assert_eq!(round_div(i128::MAX, 1, Rounding::Up), i128::MAX);
    }
}
