//! Positive numbers with 128 significant bits (38 decimal digits) and logarithms to 120 binary
//! places: what present values are summed up in. Whole-number arithmetic throughout, the same on
//! every machine.
//!
//! Every operation drops what lies beyond its last bit, so that its result is too low by less than
//! one part in 2^126; [`exp`] and [`Real::ln`] are wrong by less than 2^-117 of the growth of money
//! that becomes a hundredfold in a step at most. A present value is a product of some of these, raised
//! to the power of at most 2^17 days: it is right to one part in 2^100, sums of positive ones too,
//! and [`Real::compare`] takes numbers within one part in 2^96 (28 decimal digits) for equal.

use std::cmp::Ordering;

/// `bits * 2^exponent`. The first of the 128 bits is set, unless the number is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Real {
    bits: u128,
    exponent: i64,
}

/// A natural logarithm in units of 2^-120. Those of the growth of money in a period stay within
/// -128 and 128.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Log(i128);

/// Binary places of a [`Log`].
const LOG_PLACES: u32 = 120;
/// Binary places while a series is summed up: four more, for what its terms lose.
const SERIES_PLACES: u32 = 124;
/// The natural logarithm of 2 in units of 2^-120, rounded to the nearest.
const LN_2: i128 = 0xb1_7217_f7d1_cf79_abc9_e3b3_9803_f2f7;

/// The coefficients of e^r: one over the factorials up to the 31st, in units of 2^-124. The next
/// term is below the last place for every r up to ln 2.
const EXPONENTIAL: [u128; 32] = {
    let mut terms = [1 << SERIES_PLACES; 32];
    let mut n = 1;
    while n < terms.len() {
        terms[n] = terms[n - 1] / n as u128;
        n += 1;
    }
    terms
};

/// The coefficients of artanh(z) / z in powers of z^2: one over the odd numbers, in units of 2^-124.
/// The next term is below the last place for every z up to 1/5.
const ARTANH: [u128; 28] = {
    let mut terms = [1 << SERIES_PLACES; 28];
    let mut n = 1;
    while n < terms.len() {
        terms[n] /= 2 * n as u128 + 1;
        n += 1;
    }
    terms
};

/// The sum of a series of positive terms at `x`, below 1: in units of 2^-124.
fn series(coefficients: &[u128], x: u128) -> u128 {
    coefficients.iter().rev().fold(0, |sum, coefficient| coefficient + series_product(sum, x))
}

/// The low and the high half.
#[expect(clippy::cast_possible_truncation, reason = "the halves are what is wanted")]
const fn split(wide: u128) -> (u128, u128) {
    (wide as u64 as u128, wide >> 64)
}

/// The product of two numbers of 128 bits: its high and its low half.
const fn wide_product(a: u128, b: u128) -> (u128, u128) {
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

/// The product of two fractions in units of 2^-124, below 16 together.
const fn series_product(a: u128, b: u128) -> u128 {
    let (high, low) = wide_product(a, b);
    (high << (128 - SERIES_PLACES)) | (low >> SERIES_PLACES)
}

impl Real {
    pub(crate) const ZERO: Self = Self { bits: 0, exponent: 0 };
    pub(crate) const ONE: Self = Self { bits: 1 << 127, exponent: -127 };
    const FOUR_THIRDS: Self = Self::ratio(4, 3);

    /// `bits * 2^exponent` with any bits.
    const fn normal(bits: u128, exponent: i64) -> Self {
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

    /// How far apart the two are.
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

    /// Whether it is certainly the smaller one, to the last bit.
    pub(crate) fn is_below(self, other: Self) -> bool {
        if self.bits == 0 || other.bits == 0 {
            return self.bits < other.bits;
        }
        (self.exponent, self.bits) < (other.exponent, other.bits)
    }

    /// Which of two is the larger one; equal if they are the same to 28 decimal digits, which is
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
    fn at_places(self, places: u32) -> i128 {
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

    /// The natural logarithm; beyond -128 and 128, that.
    ///
    /// With x = 2^n * m, m from 2/3 to 4/3, it is n * ln 2 + 2 * artanh z, z = (m - 1) / (m + 1):
    /// at most 1/5 in size.
    pub(crate) fn ln(self) -> Log {
        if self.bits == 0 {
            return Log::LEAST;
        }
        let mut m = Self { bits: self.bits, exponent: -127 };
        let mut n = self.exponent + 127;
        if Self::FOUR_THIRDS.is_below(m) {
            m.exponent -= 1;
            n += 1;
        }
        if n.abs() > 184 {
            return if n < 0 { Log::LEAST } else { Log::MOST };
        }
        let z = m.distance(Self::ONE).over(m.plus(Self::ONE)).at_places(SERIES_PLACES).unsigned_abs();
        let sum = series_product(z, series(&ARTANH, series_product(z, z)));
        // Twice the sum, in fewer places. Below 2^121.
        let part = i128::try_from(sum >> (SERIES_PLACES - LOG_PLACES - 1)).unwrap_or(0);
        let part = if m.is_below(Self::ONE) { -part } else { part };
        Log(i128::from(n) * LN_2 + part)
    }
}

/// `bits` without the last `places` of them; `None` if nothing is left.
fn shifted(bits: u128, places: i64) -> Option<u128> {
    bits.checked_shr(u32::try_from(places).ok()?)
}

/// e to the power of a logarithm.
///
/// With x = n * ln 2 + r, r from 0 to ln 2, it is 2^n times the series of e^r.
pub(crate) fn exp(log: Log) -> Real {
    let n = log.0.div_euclid(LN_2);
    let r = log.0.rem_euclid(LN_2).unsigned_abs() << (SERIES_PLACES - LOG_PLACES);
    // Logarithms below 128 have at most 184 of those of 2.
    let n = i64::try_from(n).unwrap_or(0);
    Real::normal(series(&EXPONENTIAL, r), n - i64::from(SERIES_PLACES))
}

impl Log {
    pub(crate) const ZERO: Self = Self(0);
    /// -127: nothing, for every purpose here.
    pub(crate) const LEAST: Self = Self(-Self::MOST.0);
    /// 127.
    pub(crate) const MOST: Self = Self(127 << LOG_PLACES);
    /// 2^-22: what a step of Newton's method leaves of such a one is a millionth of it, or so.
    pub(crate) const SMALL: Self = Self(1 << (LOG_PLACES - 22));
    /// 2^-100: 30 decimal places.
    pub(crate) const TINY: Self = Self(1 << (LOG_PLACES - 100));

    /// The logarithm `-log`.
    pub(crate) const fn negated(self) -> Self {
        Self(-self.0)
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0)).clamp(Self::LEAST, Self::MOST)
    }

    /// In the middle of two.
    pub(crate) const fn between(self, other: Self) -> Self {
        Self(self.0 / 2 + other.0 / 2)
    }

    pub(crate) const fn over(self, divisor: u64) -> Self {
        Self(self.0 / divisor as i128)
    }

    /// The logarithm times `numerator / denominator`, both below 2^62 and the latter not zero;
    /// beyond -127 and 127, that.
    pub(crate) fn scaled(self, numerator: u64, denominator: u64) -> Self {
        let (low, high) = split(self.0.unsigned_abs());
        let (numerator, denominator) = (u128::from(numerator), u128::from(denominator));
        let high = high * numerator;
        let low = ((high % denominator) << 64) + low * numerator;
        let size = (high / denominator).checked_mul(1 << 64).and_then(|high| high.checked_add(low / denominator));
        let size = size.and_then(|size| i128::try_from(size).ok()).unwrap_or(i128::MAX);
        Self(if self.0 < 0 { -size } else { size }).clamp(Self::LEAST, Self::MOST)
    }

    /// How large it is, whatever its sign.
    pub(crate) const fn size(self) -> Self {
        Self(self.0.abs())
    }

    pub(crate) const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Its size as a number.
    pub(crate) fn size_as_real(self) -> Real {
        Real::normal(self.0.unsigned_abs(), -i64::from(LOG_PLACES))
    }

    /// A number as a logarithm; beyond 127, that.
    pub(crate) fn from_real(number: Real) -> Self {
        Self(number.at_places(LOG_PLACES)).min(Self::MOST)
    }
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

    /// Whether `got` is `wanted`, or less by under one part in 2^`places`.
    fn is_just_below(got: Real, wanted: &BigRational, places: u32) -> bool {
        let gap = wanted - exact(got);
        !gap.is_negative() && gap * BigRational::from(BigInt::one() << places) <= *wanted
    }

    /// Whether `got` is `wanted` without what lies beyond its last bit.
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

    fn log(numerator: i128, denominator: i128) -> Log {
        Log((numerator << LOG_PLACES) / denominator)
    }

    fn reals() -> impl Strategy<Value = Real> {
        let bits = prop_oneof![any::<u128>(), (0u128..1000), Just(u128::MAX), Just(1 << 127), Just((1 << 64) - 1)];
        (bits, -200i64..200).prop_map(|(bits, exponent)| Real::normal(bits, exponent))
    }

    #[test]
    fn constants_to_the_last_place() {
        // e, from a table; ln 10, from a table.
        let e = Real::ratio(271_828_182_845_904_523_536_028_747_135_266_249_775, 10u128.pow(38));
        assert!(is_near(exp(log(1, 1)), e, 118), "{:?}", exp(log(1, 1)));
        let ln_10 = Real::ratio(230_258_509_299_404_568_401_799_145_468_436_420_760, 10u128.pow(38));
        assert!(is_near(Real::whole(10).ln().size_as_real(), ln_10, 118));
        assert_eq!(Real::ONE.ln(), Log::ZERO);
        assert_eq!(exp(Log::ZERO), Real::ONE);
        assert_eq!(Real::whole(2).ln(), Log(LN_2));
        assert!(is_near(exp(Log(LN_2)), Real::whole(2), 118));
    }

    #[test]
    fn logarithms_end_at_their_bounds() {
        assert_eq!(Real::ZERO.ln(), Log::LEAST);
        assert_eq!(Real::normal(1, 185).ln(), Log::MOST);
        assert_eq!(Real::normal(1, -185).ln(), Log::LEAST);
        assert_eq!(Real::normal(1, 100).ln(), Log(100 * LN_2));
        assert_eq!(Real::normal(1, 184).ln(), Log(184 * LN_2));
        assert_eq!(Real::normal(1, -184).ln(), Log(-184 * LN_2));
        assert_eq!(Log::MOST.plus(Log::MOST), Log::MOST);
        assert_eq!(Log::LEAST.plus(Log::LEAST), Log::LEAST);
        assert_eq!(Log::MOST.scaled(3, 2), Log::MOST);
        assert_eq!(Log::LEAST.scaled(u64::from(u32::MAX), 1), Log::LEAST);
        assert_eq!(log(-3, 1).scaled(7, 3), log(-7, 1));
        assert_eq!(log(1, 1 << 60).scaled(1 << 61, 1 << 61), log(1, 1 << 60));
        assert_eq!(Log::from_real(Real::normal(1, 7)), Log::MOST);
        assert_eq!(Log::from_real(Real::ratio(5, 2)), log(5, 2));
        assert_eq!(log(-5, 2).over(5), log(-1, 2));
        assert_eq!(log(-5, 1).between(log(2, 1)), log(-3, 2));
        assert!(log(-1, 3).is_negative() && !Log::ZERO.is_negative() && !log(1, 3).is_negative());
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

        #[test]
        fn logarithms_and_powers_undo_each_other(number in reals()) {
            prop_assume!(!number.is_zero());
            let log = number.ln();
            if Log::LEAST < log && log < Log::MOST {
                prop_assert!(is_near(exp(log), number, 111));
                prop_assert!(is_near(exp(log.negated()).times(number), Real::ONE, 110));
            }
        }

        /// The third of a logarithm is the cube root, and the like.
        #[test]
        fn parts_of_logarithms_are_roots(number in 1u128..1_000_000, parts in 1u64..400) {
            let root = exp(Real::ratio(number, 1000).ln().scaled(1, parts));
            prop_assert!(is_near(root.power(parts), Real::ratio(number, 1000), 104));
            let other = exp(Real::ratio(number, 1000).ln().over(parts));
            prop_assert!(is_near(root, other, 116));
        }
    }
}
