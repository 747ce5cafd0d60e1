//! Natural logarithms to 120 binary places, and what leads to them and back.

use super::real::{Real, split, wide_product};

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

/// The product of two fractions in units of 2^-124, below 16 together.
const fn series_product(a: u128, b: u128) -> u128 {
    let (high, low) = wide_product(a, b);
    (high << (128 - SERIES_PLACES)) | (low >> SERIES_PLACES)
}

impl Real {
    const FOUR_THIRDS: Self = Self::ratio(4, 3);

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

    /// The size, whatever its sign.
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
    use proptest::prelude::*;

    use super::*;

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

    proptest! {
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
