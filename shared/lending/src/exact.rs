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
