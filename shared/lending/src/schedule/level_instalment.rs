//! The formula of an equal instalment, exactly.

use super::period::PeriodRate;
use crate::number::natural::Natural;
use crate::number::real::Real;
use crate::number::rounding::{Rounding, is_raised};
use crate::steps::steps;

/// The instalment that repays `principal` in one payment at the end of each period:
///
/// ```text
/// principal / sum over k of 1 / ((1 + r_1) ... (1 + r_k))
/// ```
///
/// exactly, then rounded once. `rates` is not empty and has at most 600 rates; `principal` is
/// positive and at most 10^15.
pub(crate) fn level_instalment(principal: i128, rates: &[PeriodRate], rounding: Rounding) -> i128 {
    certain_instalment(principal, rates, rounding).unwrap_or_else(|| exact_instalment(principal, rates, rounding))
}

/// The same from 128 bits of each number, which takes a hundredth of the time for 600 long rates; `None` where the
/// value is so close to a whole number, or to the middle between two, that they cannot tell on which side it is.
///
/// A [`Real`] is too low by less than one part in 2^126 for each operation: 600 times three of them leave the sum, and
/// so the instalment, within one part in 2^115. That is below 2^63, so it is known within 2^-52.
fn certain_instalment(principal: i128, rates: &[PeriodRate], rounding: Rounding) -> Option<i128> {
    const PLACES: u32 = 40;
    const ONE: i128 = 1 << PLACES;
    const HALF: i128 = ONE / 2;

    steps(rates.len());
    // Periods of a few lengths follow each other: the discounts of the last four rates are kept.
    let mut kept = [(PeriodRate::ZERO, Real::ONE); 4];
    let mut oldest = 0;
    let mut sum = Real::ZERO;
    for rate in rates.iter().rev() {
        let discount = if let Some((_, discount)) = kept.iter().find(|(of, _)| of == rate) {
            *discount
        } else {
            let discount = rate.discount();
            kept[oldest] = (*rate, discount);
            oldest = (oldest + 1) % kept.len();
            discount
        };
        sum = sum.plus(Real::ONE).times(discount);
    }
    let value = Real::whole(u128::try_from(principal).ok()?).over(sum).at_places(PLACES);
    let (whole, rest) = (value >> PLACES, value % ONE);
    let is_near = |place: i128| (rest - place).abs() <= 2;
    if is_near(0) || is_near(HALF) || is_near(ONE) {
        return None;
    }
    Some(whole + i128::from(is_raised(rounding, Some(rest.cmp(&HALF)), whole % 2 == 1)))
}

/// The same from whole numbers of every length.
fn exact_instalment(principal: i128, rates: &[PeriodRate], rounding: Rounding) -> i128 {
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

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Rounding; 4] = [Rounding::HalfEven, Rounding::HalfUp, Rounding::Up, Rounding::Down];

    fn rate(numerator: u64, denominator: u64) -> PeriodRate {
        PeriodRate::of_whole(numerator.into(), denominator.into())
    }

    #[test]
    fn instalments_by_hand_with_their_ties() {
        for (principal, rates, expected) in [
            // No interest: 5/2.
            (5, vec![PeriodRate::ZERO; 2], [2, 3, 3, 2]),
            // One period: 3 * 1.5 and 5 * 1.1.
            (3, vec![rate(1, 2)], [4, 5, 5, 4]),
            (5, vec![rate(1, 10)], [6, 6, 6, 5]),
            // Two at 200 %: P * 9/4.
            (2, vec![rate(2, 1); 2], [4, 5, 5, 4]),
            (6, vec![rate(2, 1); 2], [14, 14, 14, 13]),
            // An interest-free one first: P / (1 + 1/3) = 3P/4.
            (2, vec![PeriodRate::ZERO, rate(2, 1)], [2, 2, 2, 1]),
            (6, vec![PeriodRate::ZERO, rate(2, 1)], [4, 5, 5, 4]),
            // Fewer units than periods.
            (1, vec![PeriodRate::ZERO; 12], [0, 0, 1, 0]),
        ] {
            let got = ALL.map(|rounding| level_instalment(principal, &rates, rounding));
            assert_eq!(got, expected, "{principal} {rates:?}");
        }
        // 15000 at 8 % over 60 months, in millionths: numpy-financial's pmt, 304.1459143262...
        let payment = level_instalment(15_000_000_000, &[rate(1, 150); 60], Rounding::HalfEven);
        assert_eq!(payment, 304_145_914);
    }

    #[test]
    fn an_instalment_that_128_bits_cannot_tell_is_left_to_whole_numbers() {
        // 3 in two payments, and 3 in three, without interest; 100 after one period of 1 %.
        for (principal, rates) in
            [(3, vec![PeriodRate::ZERO; 2]), (3, vec![PeriodRate::ZERO; 3]), (100, vec![rate(1, 100)])]
        {
            for rounding in ALL {
                assert_eq!(certain_instalment(principal, &rates, rounding), None, "{principal} {rates:?}");
            }
        }
        let rates = [rate(1, 100); 3];
        assert_eq!(
            ALL.map(|it| certain_instalment(1_000_000, &rates, it)),
            [340_022, 340_022, 340_023, 340_022].map(Some)
        );
    }

    #[test]
    fn the_longest_numbers_fit() {
        // Far beyond what dates allow: 600 periods of 301 years at 1000 %.
        let longest = rate(999_999_999 * (301 * 365 * 366 - 1), 100_000_000 * 365 * 366);
        let amount = 10i128.pow(15);
        for instalment in [level_instalment, exact_instalment] {
            let instalment = instalment(amount, &[longest; 600], Rounding::HalfEven);
            // After so long, all but nothing of the principal is left to the later instalments.
            assert_eq!(instalment, longest.of(amount, Rounding::HalfEven));
        }
    }
}
