//! Exact arithmetic: fractions that are rounded once, and whole numbers as long as a schedule of
//! 600 instalments needs, without allocation.

use std::cmp::Ordering;

use crate::calendar::YearFraction;
use crate::rate::Percent;
use crate::terms::Rounding;

/// Whether a value between two whole numbers becomes the one farther from zero.
///
/// `rest` compares the distance to the nearer-to-zero one with one half; `None` means there is
/// none. `odd` says whether the nearer-to-zero one is odd.
const fn is_raised(rounding: Rounding, rest: Option<Ordering>, odd: bool) -> bool {
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

/// A rate for a period: an exact fraction in lowest terms. Below 2^57 both, see [`Self::new`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ratio {
    numerator: u64,
    denominator: u64,
}

impl Ratio {
    pub(crate) const ZERO: Self = Self { numerator: 0, denominator: 1 };

    /// An annual rate for a part of a year.
    ///
    /// The rate is at most 10^9 millionths of a percent. A period lies within 301 years, so that
    /// its fraction of a year is at most 301 * 365 * 366 / (365 * 366), or 12 * 301 / 12, or the
    /// like: the numerator stays below 10^9 * 301 * 365 * 366 < 2^56, the denominator below
    /// 10^8 * 365 * 366 < 2^44.
    pub(crate) fn new(rate: Percent, fraction: YearFraction) -> Self {
        let numerator = u64::from(rate.millionths()) * fraction.numerator;
        let denominator = Percent::MILLIONTHS_OF_ONE * fraction.denominator;
        let common = gcd(numerator, denominator);
        Self { numerator: numerator / common, denominator: denominator / common }
    }

    /// The rate that makes `part` of `whole`. Both are whole numbers below 2^63, and `whole` is not
    /// zero.
    pub(crate) fn of_whole(part: i128, whole: i128) -> Self {
        let part = u64::try_from(part).unwrap_or(u64::MAX >> 1);
        let whole = u64::try_from(whole).unwrap_or(1).max(1);
        let common = gcd(part, whole);
        Self { numerator: part / common, denominator: whole / common }
    }

    /// This part of `amount` times `times` over `parts`, as a multiple of `unit`, rounded once.
    /// `amount` times `times` is at most 10^15 times the days of 301 years (2^17), so that the
    /// product stays below 2^50 * 2^17 * 2^56 = 2^123; `parts` and `unit` keep the divisor below
    /// 2^44 * 2^17 * 2^50 = 2^111.
    pub(crate) fn of_parts(self, amount_times: i128, parts: i128, unit: i128, rounding: Rounding) -> i128 {
        let product = amount_times * i128::from(self.numerator);
        round_div(product, i128::from(self.denominator) * parts * unit, rounding) * unit
    }

    /// This part of `amount`, rounded once. The amount is at most 10^15, so that the product stays
    /// below 10^15 * 2^56 < 2^106.
    pub(crate) fn of(self, amount: i128, rounding: Rounding) -> i128 {
        let product = amount * i128::from(self.numerator);
        round_div(product, i128::from(self.denominator), rounding)
    }
}

pub(crate) fn gcd(a: u64, b: u64) -> u64 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

/// The instalment that repays `principal` in one payment at the end of each period:
///
/// ```text
/// principal / sum over k of 1 / ((1 + r_1) ... (1 + r_k))
/// ```
///
/// exactly, then rounded once. `rates` is not empty and has at most 600 rates; `principal` is
/// positive and at most 10^15.
pub(crate) fn level_instalment(principal: i128, rates: &[Ratio], rounding: Rounding) -> i128 {
    // The sum from its end, as sum / scale: s_k = (1 + s_(k+1)) / (1 + r_k).
    let (mut sum, mut scale) = (Natural::ZERO, Natural::ONE);
    for rate in rates.iter().rev() {
        sum.add(&scale);
        sum.multiply(rate.denominator);
        scale.multiply(rate.denominator + rate.numerator);
    }
    scale.multiply(u64::try_from(principal).unwrap_or(u64::MAX));
    scale.divide_rounded(&sum, rounding)
}

/// Limbs of a [`Natural`]. 600 factors below 2^57, a principal below 2^50 and a few bits more need
/// 538 of them.
const LIMBS: usize = 544;

/// A whole number of up to 64 * [`LIMBS`] bits, on the stack.
struct Natural {
    /// The least significant first; zero from `len` on.
    limbs: [u64; LIMBS],
    /// How many limbs count; the last of them is not zero.
    len: usize,
}

/// The low and the high half.
#[expect(clippy::cast_possible_truncation, reason = "the halves are what is wanted")]
const fn split(wide: u128) -> (u64, u64) {
    (wide as u64, (wide >> 64) as u64)
}

impl Natural {
    const ZERO: Self = Self { limbs: [0; LIMBS], len: 0 };
    const ONE: Self = {
        let mut one = Self::ZERO;
        one.limbs[0] = 1;
        one.len = 1;
        one
    };

    fn push(&mut self, limb: u64) {
        if limb != 0 {
            self.limbs[self.len] = limb;
            self.len += 1;
        }
    }

    fn multiply(&mut self, factor: u64) {
        let mut carry = 0;
        for limb in &mut self.limbs[..self.len] {
            (*limb, carry) = split(u128::from(*limb) * u128::from(factor) + u128::from(carry));
        }
        self.push(carry);
    }

    fn add(&mut self, other: &Self) {
        let len = self.len.max(other.len);
        let mut carry = 0;
        for (limb, more) in self.limbs[..len].iter_mut().zip(&other.limbs[..len]) {
            (*limb, carry) = split(u128::from(*limb) + u128::from(*more) + u128::from(carry));
        }
        self.len = len;
        self.push(carry);
    }

    /// Takes away `other` times `factor`, which is not more than there is.
    fn subtract_multiple(&mut self, other: &Self, factor: u64) {
        let (mut carry, mut borrow) = (0, false);
        for (limb, part) in self.limbs[..self.len].iter_mut().zip(&other.limbs[..self.len]) {
            let product;
            (product, carry) = split(u128::from(*part) * u128::from(factor) + u128::from(carry));
            let (once, first) = limb.overflowing_sub(product);
            let (twice, second) = once.overflowing_sub(u64::from(borrow));
            *limb = twice;
            borrow = first || second;
        }
        while self.len > 0 && self.limbs[self.len - 1] == 0 {
            self.len -= 1;
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.len.cmp(&other.len).then_with(|| {
            let (ours, theirs) = (&self.limbs[..self.len], &other.limbs[..other.len]);
            ours.iter().rev().cmp(theirs.iter().rev())
        })
    }

    fn bits(&self) -> usize {
        match self.len {
            0 => 0,
            len => len * 64 - self.limbs[len - 1].leading_zeros() as usize,
        }
    }

    /// The number without its last `shift` bits. What is left has at most 128.
    fn without_last_bits(&self, shift: usize) -> u128 {
        let (skipped, shift) = (shift / 64, shift % 64);
        let limb = |index: usize| u128::from(self.limbs.get(skipped + index).copied().unwrap_or(0));
        let low = limb(0) | (limb(1) << 64);
        if shift == 0 { low } else { (low >> shift) | (limb(2) << (128 - shift)) }
    }

    /// Divides by `divisor`, which is not zero, and rounds. The quotient has at most 63 bits.
    fn divide_rounded(mut self, divisor: &Self, rounding: Rounding) -> i128 {
        // A quotient of the leading bits, never too high and too low by very little: the divisor
        // is taken to 64 bits and rounded up, the number is cut at the same place.
        let shift = divisor.bits().saturating_sub(64);
        let cut = u128::from(shift > 0);
        let estimate = self.without_last_bits(shift) / (divisor.without_last_bits(shift) + cut);
        let (mut quotient, _) = split(estimate);
        self.subtract_multiple(divisor, quotient);
        while self.compare(divisor).is_ge() {
            self.subtract_multiple(divisor, 1);
            quotient += 1;
        }
        let rest = (self.len > 0).then(|| {
            self.multiply(2);
            self.compare(divisor)
        });
        i128::from(quotient) + i128::from(is_raised(rounding, rest, quotient % 2 == 1))
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use num_integer::Integer;
    use proptest::prelude::*;

    use super::*;

    const ALL: [Rounding; 4] = [Rounding::HalfEven, Rounding::HalfUp, Rounding::Up, Rounding::Down];

    fn big(number: &Natural) -> BigUint {
        number.limbs[..number.len].iter().rev().fold(BigUint::ZERO, |sum, limb| (sum << 64u32) + BigUint::from(*limb))
    }

    /// The product of the factors; zero has none.
    fn product(factors: &[u64]) -> Natural {
        let mut number = Natural::ONE;
        for factor in factors {
            number.multiply(*factor);
        }
        number
    }

    fn rate(numerator: u64, denominator: u64) -> Ratio {
        Ratio { numerator, denominator }
    }

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

    #[test]
    fn ratios_are_in_lowest_terms() {
        let ratio = |text: &str, numerator, denominator| {
            Ratio::new(Percent::parse(text).unwrap(), YearFraction { numerator, denominator })
        };
        assert_eq!(ratio("24", 1, 12), rate(1, 50));
        assert_eq!(ratio("0", 1, 12), Ratio::ZERO);
        assert_eq!(ratio("1000", 301 * 12, 12), rate(3010, 1));
        assert_eq!(ratio("0.000001", 1, 365 * 366), rate(1, 100_000_000 * 365 * 366));
        // The largest numerator: everything at its bound, prime to the denominator.
        let largest = ratio("999.999999", 301 * 365 * 366 - 1, 365 * 366);
        assert!(largest.numerator < 1 << 56 && largest.denominator < 1 << 44);
    }

    #[test]
    fn instalments_by_hand_with_their_ties() {
        for (principal, rates, expected) in [
            // No interest: 5/2.
            (5, vec![Ratio::ZERO; 2], [2, 3, 3, 2]),
            // One period: 3 * 1.5 and 5 * 1.1.
            (3, vec![rate(1, 2)], [4, 5, 5, 4]),
            (5, vec![rate(1, 10)], [6, 6, 6, 5]),
            // Two at 200 %: P * 9/4.
            (2, vec![rate(2, 1); 2], [4, 5, 5, 4]),
            (6, vec![rate(2, 1); 2], [14, 14, 14, 13]),
            // An interest-free one first: P / (1 + 1/3) = 3P/4.
            (2, vec![Ratio::ZERO, rate(2, 1)], [2, 2, 2, 1]),
            (6, vec![Ratio::ZERO, rate(2, 1)], [4, 5, 5, 4]),
            // Fewer units than periods.
            (1, vec![Ratio::ZERO; 12], [0, 0, 1, 0]),
        ] {
            let got = ALL.map(|rounding| level_instalment(principal, &rates, rounding));
            assert_eq!(got, expected, "{principal} {rates:?}");
        }
        // 15000 at 8 % over 60 months, in millionths: numpy-financial's pmt, 304.1459143262...
        let payment = level_instalment(15_000_000_000, &[rate(1, 150); 60], Rounding::HalfEven);
        assert_eq!(payment, 304_145_914);
    }

    #[test]
    fn the_longest_numbers_fit() {
        // Far beyond what dates allow: 600 periods of 301 years at 1000 %.
        let longest = rate(999_999_999 * (301 * 365 * 366 - 1), 100_000_000 * 365 * 366);
        let amount = 10i128.pow(15);
        let instalment = level_instalment(amount, &[longest; 600], Rounding::HalfEven);
        // After so long, all but nothing of the principal is left to the later instalments.
        assert_eq!(instalment, longest.of(amount, Rounding::HalfEven));
    }

    proptest! {
        #[test]
        fn naturals_are_numbers(
            ours in prop::collection::vec(1u64.., 0..40),
            theirs in prop::collection::vec(1u64.., 0..40),
            factor in 0u64..,
        ) {
            let (mut sum, other) = (product(&ours), product(&theirs));
            let (wanted, addend) = (big(&sum), big(&other));
            prop_assert_eq!(&wanted, &ours.iter().map(|it| BigUint::from(*it)).product());
            prop_assert_eq!(sum.compare(&other), wanted.cmp(&addend));
            prop_assert_eq!(sum.bits() as u64, wanted.bits());
            sum.add(&other);
            prop_assert_eq!(big(&sum), &wanted + &addend);
            // (a + b + b * factor) - b * factor is what it was.
            let mut multiple = product(&theirs);
            if factor > 0 {
                multiple.multiply(factor);
                sum.add(&multiple);
            }
            sum.subtract_multiple(&other, factor);
            prop_assert_eq!(big(&sum), wanted + addend);
            prop_assert!(sum.len == 0 || sum.limbs[sum.len - 1] != 0);
        }

        /// Quotients up to 63 bits, exact ones, halves and their neighbours among them.
        #[test]
        fn quotients_are_rounded_from_the_exact_value(
            divisor in prop::collection::vec(1u64.., 1..20),
            quotient in prop_oneof![0u64..100, 0u64..(1 << 62)],
            rest in prop_oneof![Just(0u8), Just(1), Just(2), Just(3), Just(4)],
        ) {
            // Twice the divisor has a whole half.
            let mut half = product(&divisor);
            let half_value = big(&half);
            half.multiply(2);
            let divisor = half;
            let whole = big(&divisor);
            let rest = match rest {
                0 => BigUint::ZERO,
                1 => half_value.clone() - 1u32,
                2 => half_value.clone(),
                3 => half_value.clone() + 1u32,
                _ => &whole - 1u32,
            };
            let rest = rest % &whole;
            let value = &whole * quotient + &rest;
            let mut number = Natural::ZERO;
            for limb in value.iter_u64_digits() {
                number.limbs[number.len] = limb;
                number.len += 1;
            }
            let is_odd = quotient.is_odd();
            for rounding in ALL {
                let raised = match rounding {
                    Rounding::Down => false,
                    Rounding::Up => rest > BigUint::ZERO,
                    Rounding::HalfUp => rest >= half_value,
                    Rounding::HalfEven => rest > half_value || (rest == half_value && is_odd),
                };
                let number = Natural { limbs: number.limbs, len: number.len };
                prop_assert_eq!(
                    number.divide_rounded(&divisor, rounding),
                    i128::from(quotient) + i128::from(raised)
                );
            }
        }
    }
}
