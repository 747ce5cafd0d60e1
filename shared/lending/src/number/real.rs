//! Positive numbers with 128 significant bits (38 decimal digits): what present values are summed up in. Whole-number
//! arithmetic throughout, the same on every machine.
//!
//! Every operation drops what lies beyond its last bit, so that its result is too low by less than
//! one part in 2^126; [`exp`](super::log::exp) and [`Real::ln`] are wrong by less than 2^-117 of the growth of money
//! that becomes a hundredfold in a step at most. A present value is a product of some of these, raised
//! to the power of at most 2^17 days: it is right to one part in 2^100, sums of positive ones too,
//! and [`Real::compare`] takes numbers within one part in 2^96 (28 decimal digits) for equal.

use std::cmp::Ordering;

/// `bits * 2^exponent`. The first of the 128 bits is set, unless the number is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Real {
    pub(super) bits: u128,
    pub(super) exponent: i64,
}

/// The low and the high half.
#[expect(clippy::cast_possible_truncation, reason = "the halves are what is wanted")]
pub(super) const fn split(wide: u128) -> (u128, u128) {
    (wide as u64 as u128, wide >> 64)
}

/// The product of two numbers of 128 bits: its high and its low half.
pub(super) const fn wide_product(a: u128, b: u128) -> (u128, u128) {
    let ((a_low, a_high), (b_low, b_high)) = (split(a), split(b));
    let low = a_low * b_low;
    // Neither sum overflows: (2^64 - 1)^2 + 2^64 - 1 is below 2^128.
    let middle = a_high * b_low + (low >> 64);
    let (middle_low, middle_high) = split(middle);
    let other = a_low * b_high + middle_low;
    (a_high * b_high + middle_high + (other >> 64), (other << 64) | split(low).0)
}

/// One digit of 64 bits of a long division, and the rest: of `number * 2^64 + next` by a divisor
/// whose first bit is set and which is above `number` (Knuth, The Art of Computer Programming, 4.3.1,
/// algorithm D).
const fn quotient_digit(number: u128, next: u128, divisor: u128) -> (u128, u128) {
    let (low, high) = split(divisor);
    // An estimate from the divisor's first half, too high by two at most.
    let mut digit = number / high;
    let mut rest = number % high;
    while digit >> 64 > 0 || digit * low > (rest << 64) + next {
        digit -= 1;
        rest += high;
        if rest >> 64 > 0 {
            break;
        }
    }
    let taken = digit.wrapping_mul(divisor);
    (digit, (number << 64).wrapping_add(next).wrapping_sub(taken))
}

impl Real {
    pub(crate) const ZERO: Self = Self { bits: 0, exponent: 0 };
    pub(crate) const ONE: Self = Self { bits: 1 << 127, exponent: -127 };

    /// `bits * 2^exponent` with any bits.
    pub(super) const fn normal(bits: u128, exponent: i64) -> Self {
        if bits == 0 {
            return Self::ZERO;
        }
        let shift = bits.leading_zeros();
        Self { bits: bits << shift, exponent: exponent - shift as i64 }
    }

    pub(crate) const fn whole(number: u128) -> Self {
        Self::normal(number, 0)
    }

    /// `numerator / denominator`; the latter is not zero.
    pub(crate) const fn ratio(numerator: u128, denominator: u128) -> Self {
        Self::whole(numerator).over(Self::whole(denominator))
    }

    pub(crate) const fn is_zero(self) -> bool {
        self.bits == 0
    }

    pub(crate) const fn times(self, other: Self) -> Self {
        let (high, low) = wide_product(self.bits, other.bits);
        if high == 0 {
            return Self::ZERO;
        }
        // Each factor has its first bit, so that the product has its first or its second.
        let exponent = self.exponent + other.exponent + 128;
        if high >> 127 == 1 {
            Self { bits: high, exponent }
        } else {
            Self { bits: (high << 1) | (low >> 127), exponent: exponent - 1 }
        }
    }

    /// The quotient; the divisor is not zero.
    pub(crate) const fn over(self, divisor: Self) -> Self {
        if self.bits == 0 {
            return Self::ZERO;
        }
        // Halved where it must be, so that the quotient has 128 bits and the first of them is set.
        let exponent = self.exponent - divisor.exponent;
        let (number, next, exponent) = if self.bits >= divisor.bits {
            (self.bits >> 1, self.bits << 127, exponent - 127)
        } else {
            (self.bits, 0, exponent - 128)
        };
        let (high, rest) = quotient_digit(number, next >> 64, divisor.bits);
        let (low, _) = quotient_digit(rest, split(next).0, divisor.bits);
        Self { bits: (high << 64) | low, exponent }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        let (large, small) = if self.is_below(other) { (other, self) } else { (self, other) };
        if small.bits == 0 {
            return large;
        }
        let Some(bits) = shifted(small.bits, large.exponent - small.exponent) else {
            return large;
        };
        match large.bits.overflowing_add(bits) {
            (sum, false) => Self { bits: sum, ..large },
            (sum, true) => Self { bits: (sum >> 1) | (1 << 127), exponent: large.exponent + 1 },
        }
    }

    /// The distance between the two.
    pub(crate) fn distance(self, other: Self) -> Self {
        let (large, small) = if self.is_below(other) { (other, self) } else { (self, other) };
        if small.bits == 0 {
            return large;
        }
        match shifted(small.bits, large.exponent - small.exponent) {
            Some(bits) => Self::normal(large.bits - bits, large.exponent),
            None => large,
        }
    }

    pub(crate) fn power(self, times: u64) -> Self {
        let (mut product, mut square, mut left) = (Self::ONE, self, times);
        while left > 1 {
            if left % 2 == 1 {
                product = product.times(square);
            }
            square = square.times(square);
            left /= 2;
        }
        if left == 1 { product.times(square) } else { product }
    }

    /// True if it is certainly the smaller one, to the last bit.
    pub(crate) fn is_below(self, other: Self) -> bool {
        if self.bits == 0 || other.bits == 0 {
            return self.bits < other.bits;
        }
        (self.exponent, self.bits) < (other.exponent, other.bits)
    }

    /// The larger of two; equal if they are the same to 28 decimal digits, which is
    /// what computed numbers are right to.
    pub(crate) fn compare(self, other: Self) -> Ordering {
        let distance = self.distance(other);
        let is_below = self.is_below(other);
        let size = if is_below { other } else { self };
        if distance.bits == 0 || distance.exponent < size.exponent - 96 {
            Ordering::Equal
        } else if is_below {
            Ordering::Less
        } else {
            Ordering::Greater
        }
    }

    /// The whole number nearest to `self * 2^places`, or a number beyond all bounds.
    pub(crate) fn at_places(self, places: u32) -> i128 {
        let shift = self.exponent + i64::from(places);
        if self.bits == 0 || shift < -128 {
            return 0;
        }
        match u32::try_from(-shift) {
            // Below 2^127 and therefore an i128.
            Ok(128) => i128::from(self.bits >> 127 == 1),
            Ok(right @ 1..) => {
                i128::try_from((self.bits >> right) + (self.bits >> (right - 1)) % 2).unwrap_or(i128::MAX)
            }
            // The first of 128 bits is set, and more follow.
            _ => i128::MAX,
        }
    }

    /// The nearest whole number; `i128::MAX` for what is larger.
    pub(crate) fn to_whole(self) -> i128 {
        self.at_places(0)
    }
}

/// `bits` without the last `places` of them; `None` if nothing is left.
fn shifted(bits: u128, places: i64) -> Option<u128> {
    bits.checked_shr(u32::try_from(places).ok()?)
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;
    use num_rational::BigRational;
    use num_traits::{One, Signed};
    use proptest::prelude::*;

    use super::*;

    fn exact(number: Real) -> BigRational {
        let bits = BigRational::from(BigInt::from(number.bits));
        let power = BigRational::from(BigInt::one() << number.exponent.unsigned_abs());
        if number.exponent < 0 { bits / power } else { bits * power }
    }

    /// True if `got` is `wanted`, or less by under one part in 2^`places`.
    fn is_just_below(got: Real, wanted: &BigRational, places: u32) -> bool {
        let gap = wanted - exact(got);
        !gap.is_negative() && gap * BigRational::from(BigInt::one() << places) <= *wanted
    }

    /// True if `got` is `wanted` cut after its last bit.
    fn is_cut(got: Real, wanted: &BigRational) -> bool {
        let gap = wanted - exact(got);
        !gap.is_negative() && gap < exact(Real { bits: 1, ..got })
    }

    /// Halves of 64 bits, those at which estimates are wrong among them.
    fn halves() -> impl Strategy<Value = u64> {
        let edges = prop::sample::select(vec![0, 1, 2, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, u64::MAX - 1, u64::MAX]);
        prop_oneof![2 => edges, 1 => any::<u64>()]
    }

    fn wide() -> impl Strategy<Value = u128> {
        (halves(), halves()).prop_map(|(high, low)| (u128::from(high) << 64) | u128::from(low))
    }

    fn is_near(got: Real, wanted: Real, places: i64) -> bool {
        let gap = got.distance(wanted);
        gap.is_zero() || gap.exponent < wanted.exponent - places
    }

    fn reals() -> impl Strategy<Value = Real> {
        let bits = prop_oneof![any::<u128>(), (0u128..1000), Just(u128::MAX), Just(1 << 127), Just((1 << 64) - 1)];
        (bits, -200i64..200).prop_map(|(bits, exponent)| Real::normal(bits, exponent))
    }

    #[test]
    fn whole_numbers_are_the_nearest() {
        for (numerator, denominator, wanted) in
            [(0, 1, 0), (1, 3, 0), (1, 2, 1), (2, 3, 1), (3, 2, 2), (7, 5, 1), (10u128.pow(38), 1, 10i128.pow(38))]
        {
            assert_eq!(Real::ratio(numerator, denominator).to_whole(), wanted, "{numerator}/{denominator}");
        }
        assert_eq!(Real::normal(1, 126).to_whole(), 1 << 126);
        assert_eq!(Real::normal(1, 127).to_whole(), i128::MAX);
        assert_eq!(Real::normal(1, 500).to_whole(), i128::MAX);
        assert_eq!(Real::normal(u128::MAX, -1).to_whole(), i128::MAX);
        assert_eq!(Real::normal(u128::MAX, -129).to_whole(), 0);
        assert_eq!(Real::normal(u128::MAX, -500).to_whole(), 0);
    }

    #[test]
    fn equal_is_the_same_to_28_digits() {
        let third = Real::ratio(1, 3);
        assert_eq!(third.times(Real::whole(3)).compare(Real::ONE), Ordering::Equal);
        let step = |places: i64| Real::ONE.plus(Real::normal(1, -places));
        assert_eq!(step(97).compare(Real::ONE), Ordering::Equal);
        assert_eq!(step(95).compare(Real::ONE), Ordering::Greater);
        assert_eq!(Real::ONE.compare(step(95)), Ordering::Less);
        assert_eq!(Real::ZERO.compare(Real::ZERO), Ordering::Equal);
        assert_eq!(Real::ZERO.compare(Real::normal(1, -1000)), Ordering::Less);
        assert_eq!(step(96).compare(Real::ONE), Ordering::Greater);
        // To the last bit, none is below itself.
        assert!(!Real::ZERO.is_below(Real::ZERO) && !third.is_below(third));
        assert!(Real::ZERO.is_below(third) && !third.is_below(Real::ZERO));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn products_of_128_bits_are_whole(a in wide(), b in wide()) {
            let (high, low) = wide_product(a, b);
            let product = (BigInt::from(high) << 128u32) + BigInt::from(low);
            prop_assert_eq!(product, BigInt::from(a) * BigInt::from(b));
        }

        #[test]
        fn digits_of_quotients_are_exact(number in wide(), next in halves(), divisor in wide()) {
            let divisor = divisor | (1 << 127);
            let number = number % divisor;
            let (digit, rest) = quotient_digit(number, u128::from(next), divisor);
            let whole = (BigInt::from(number) << 64u32) + BigInt::from(next);
            prop_assert!(rest < divisor);
            prop_assert_eq!(BigInt::from(digit) * BigInt::from(divisor) + BigInt::from(rest), whole);
        }
    }

    proptest! {
        #[test]
        fn results_lose_less_than_one_part_in_2_to_the_126(ours in reals(), theirs in reals()) {
            let (a, b) = (exact(ours), exact(theirs));
            prop_assert!(is_cut(ours.times(theirs), &(&a * &b)));
            prop_assert!(is_just_below(ours.plus(theirs), &(&a + &b), 126));
            prop_assert_eq!(ours.is_below(theirs), a < b);
            let gap = (&a - &b).abs();
            let lost = (exact(ours.distance(theirs)) - &gap).abs();
            prop_assert!(lost * BigRational::from(BigInt::one() << 126u32) <= a.clone() + &b);
            if !theirs.is_zero() {
                prop_assert!(is_cut(ours.over(theirs), &(&a / &b)));
            }
            for result in [ours.times(theirs), ours.plus(theirs), ours.distance(theirs)] {
                prop_assert!(result == Real::ZERO || result.bits >> 127 == 1);
            }
        }

        #[test]
        fn powers_are_products(base in reals(), times in 0u64..40) {
            let product = (0..times).fold(Real::ONE, |product, _| product.times(base));
            prop_assert!(base.is_zero() || is_near(base.power(times), product, 119));
        }
    }
}
