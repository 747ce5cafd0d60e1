//! Whole numbers as long as a schedule of 600 instalments needs, without allocation.

use std::cmp::Ordering;

use super::rounding::{Rounding, is_raised};
use crate::steps::steps;

/// Limbs of a [`Natural`]. 600 factors below 2^57, a principal below 2^50 and a few bits more need
/// 538 of them.
const LIMBS: usize = 544;

/// A whole number of up to 64 * [`LIMBS`] bits, on the stack.
pub(crate) struct Natural {
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
    pub(crate) const ZERO: Self = Self { limbs: [0; LIMBS], len: 0 };
    pub(crate) const ONE: Self = {
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

    pub(crate) fn multiply(&mut self, factor: u64) {
        steps(self.len);
        let mut carry = 0;
        for limb in &mut self.limbs[..self.len] {
            (*limb, carry) = split(u128::from(*limb) * u128::from(factor) + u128::from(carry));
        }
        self.push(carry);
    }

    pub(crate) fn add(&mut self, other: &Self) {
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
    pub(crate) fn divide_rounded(mut self, divisor: &Self, rounding: Rounding) -> i128 {
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
