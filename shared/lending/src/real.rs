//! Positive numbers with 128 significant bits (38 decimal digits) and logarithms to 120 binary
//! places: what present values are summed up in. Whole-number arithmetic throughout, the same on
//! every machine.
//!
//! Every operation drops what lies beyond its last bit, so that its result is too low by less than
//! one part in 2^127, and [`exp`] is wrong by less than one part in 2^117. A present value is a
//! product of at most some thousand of these, raised to the power of at most 2^17 days, and a sum
//! of positive terms: it is right to one part in 2^98, and [`Real::compare`] takes numbers within
//! one part in 2^96 (28 decimal digits) for equal.

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

    /// The quotient by long division; the divisor is not zero.
    pub(crate) const fn over(self, divisor: Self) -> Self {
        if self.bits == 0 {
            return Self::ZERO;
        }
        let exponent = self.exponent - divisor.exponent;
        // The first bit of the quotient is 1 or 1/2.
        let (mut rest, mut bits, mut missing) =
            if self.bits >= divisor.bits { (self.bits - divisor.bits, 1, 127) } else { (self.bits, 0, 128) };
        let exponent = exponent - missing;
        while missing > 0 {
            let overflows = rest >> 127 == 1;
            rest <<= 1;
            bits <<= 1;
            if overflows || rest >= divisor.bits {
                rest = rest.wrapping_sub(divisor.bits);
                bits |= 1;
            }
            missing -= 1;
        }
        Self { bits, exponent }
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
    /// 2^-40.
    pub(crate) const SMALL: Self = Self(1 << (LOG_PLACES - 40));
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
