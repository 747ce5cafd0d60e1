//! The formula of an equal instalment, exactly.

use super::period::PeriodRate;
use crate::number::natural::Natural;
use crate::number::rounding::Rounding;

/// The instalment that repays `principal` in one payment at the end of each period:
///
/// ```text
/// principal / sum over k of 1 / ((1 + r_1) ... (1 + r_k))
/// ```
///
/// exactly, then rounded once. `rates` is not empty and has at most 600 rates; `principal` is
/// positive and at most 10^15.
pub(crate) fn level_instalment(principal: i128, rates: &[PeriodRate], rounding: Rounding) -> i128 {
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
    fn the_longest_numbers_fit() {
        // Far beyond what dates allow: 600 periods of 301 years at 1000 %.
        let longest = rate(999_999_999 * (301 * 365 * 366 - 1), 100_000_000 * 365 * 366);
        let amount = 10i128.pow(15);
        let instalment = level_instalment(amount, &[longest; 600], Rounding::HalfEven);
        // After so long, all but nothing of the principal is left to the later instalments.
        assert_eq!(instalment, longest.of(amount, Rounding::HalfEven));
    }
}
