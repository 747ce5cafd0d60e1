//! The rate that solves an equation of value.
//!
//! Sums of present values are compared to 28 significant digits; the rate is rounded to a
//! ten-thousandth of a percent by the sign of the equation halfway between two of them. There is
//! no loop without a bound, and nothing that can overflow or panic.

use std::cmp::Ordering;

use super::value::{Equation, HALVES_OF_ONE, PresentValues, StepsPerYear, Unknown, side_of};
use crate::number::log::{Log, exp};
use crate::number::real::Real;

/// The highest rate that is answered, in ten-thousandths of a percent: 10^24 percent.
const HIGHEST: i128 = 10i128.pow(28);

/// Most evaluations of an equation that may have several solutions.
const MOST_EVALUATIONS: u32 = 1000;

/// Most steps of the search from a starting point. Halving alone would take 134 to the last place.
const MOST_STEPS: u32 = 200;

impl Equation {
    /// The nominal and the effective rate of flows with one advance, the first flow, both as
    /// [`Self::rate`] gives them: the answer to the first question serves the second.
    pub(crate) fn nominal_and_effective(mut self) -> (Option<i128>, Option<i128>) {
        if self.sign_changes() != 1 {
            return (None, None);
        }
        self.unknown = Unknown::Nominal;
        let Some(log) = self.estimate() else { return (None, None) };
        let nominal = self.round(exp(log));
        self.unknown = Unknown::Effective;
        (nominal, self.round(exp(log.scaled(self.steps.numerator, self.steps.denominator))))
    }

    /// How often money changes its direction, in the order of time.
    fn sign_changes(&self) -> usize {
        self.flows.windows(2).filter(|pair| pair[0].is_advance != pair[1].is_advance).count()
    }

    /// The rate in ten-thousandths of a percent a year, rounded to the nearest, halfway to the
    /// even one.
    ///
    /// Money that changes its direction once has exactly one such rate above -100 %. Otherwise
    /// there may be none or several: the answer is the lowest that is not negative, or else the
    /// highest negative one; two that are closer than 0.0001 % are not seen. `None` without a
    /// solution, beyond 10^24 %, and where 1000 evaluations do not find one.
    pub(crate) fn rate(&self) -> Option<i128> {
        match self.sign_changes() {
            0 => None,
            1 => self.round(exp(self.estimate()?)),
            _ => self.nearest_solution(),
        }
    }

    /// The growth of a step (nominal) or of a year (effective) at the solution that [`Self::rate`]
    /// rounds, to 28 digits.
    pub(crate) fn growth(&self) -> Option<Real> {
        let rate = self.rate()?;
        let log = |halves| self.growth_at(halves).map_or(Log::LEAST, Real::ln);
        let (low, high) = (log(2 * rate - 1), log(2 * rate + 1));
        let right = match self.compare_at(2 * rate + 1) {
            Ordering::Equal => return self.growth_at(2 * rate + 1),
            side @ (Ordering::Less | Ordering::Greater) => side,
        };
        Some(exp(self.search(low, high, log(2 * rate), right, Log::TINY)))
    }

    /// The rate of a growth in ten-thousandths of a percent, to the nearest.
    fn rate_of(&self, growth: Real) -> i128 {
        let one = HALVES_OF_ONE / 2;
        let (numerator, denominator) = match self.unknown {
            Unknown::Nominal => (u128::from(self.steps.numerator), u128::from(self.steps.denominator)),
            Unknown::Effective => (1, 1),
        };
        let scale = Real::ratio(numerator * one.unsigned_abs(), denominator);
        growth.times(scale).to_whole().min(HIGHEST) - scale.to_whole()
    }

    /// The logarithm of a growth near the only solution.
    fn estimate(&self) -> Option<Log> {
        let right = side_of(self.flows.first()?);
        Some(self.search(Log::LEAST, Log::MOST, Log::ZERO, right, Log::SMALL))
    }

    /// The logarithm of the growth at which both sides are worth the same, between two others at
    /// which they are not; `right` is the side that is worth more at the higher one.
    ///
    /// Newton's method on the logarithm of the ratio of both sides, which is close to a straight
    /// line: its slope is the difference of their mean times. A step that leaves the bracket goes
    /// to its middle instead. It ends with a step below `small`.
    fn search(&self, low: Log, high: Log, start: Log, right: Ordering, small: Log) -> Log {
        let (mut low, mut high, mut at) = (low, high, start);
        for _ in 0..MOST_STEPS {
            let sums = self.sums::<true>(&self.point_at(at));
            let side = sums.compare();
            if side.is_eq() {
                return at;
            }
            *(if side == right { &mut high } else { &mut low }) = at;
            let next = self.newton(at, &sums).filter(|next| low < *next && *next < high);
            let next = next.unwrap_or_else(|| low.between(high));
            let step = next.plus(at.negated()).size();
            at = next;
            if step < small {
                return at;
            }
        }
        at
    }

    /// Newton's next point; `None` where there is no slope.
    fn newton(&self, at: Log, sums: &PresentValues) -> Option<Log> {
        if sums.advances.is_zero() || sums.payments.is_zero() {
            return None;
        }
        let payments_time = sums.payment_moments.over(sums.payments);
        let advances_time = sums.advance_moments.over(sums.advances);
        let mut slope = payments_time.distance(advances_time).over(Real::whole(1 << 32));
        if self.unknown == Unknown::Effective {
            let StepsPerYear { numerator, denominator } = self.steps;
            slope = slope.times(Real::ratio(u128::from(denominator), u128::from(numerator)));
        }
        if slope.is_zero() {
            return None;
        }
        let height = sums.payments.over(sums.advances).ln();
        let step = Log::from_real(height.size_as_real().over(slope));
        let is_back = height.is_negative() != payments_time.is_below(advances_time);
        Some(at.plus(if is_back { step.negated() } else { step }))
    }

    /// The only solution, rounded; `guess` is near it, but need not be.
    fn round(&self, guess: Real) -> Option<i128> {
        let right = side_of(self.flows.first()?);
        // True if the solution lies above the middle between `rate` and the next.
        let is_above = |rate: i128| match self.compare_at(2 * rate + 1) {
            Ordering::Equal => None,
            side @ (Ordering::Less | Ordering::Greater) => Some(side != right),
        };
        let even = |rate: i128| Some(if rate % 2 == 0 { rate } else { rate + 1 });
        // The answer is above `low` and at most `high`: found by doubling the distance, then by
        // halving it. Both take at most as many steps as a rate has bits.
        let guess = self.rate_of(guess).clamp(self.lowest(), HIGHEST);
        let (mut low, mut high, mut distance) = (guess, guess, 1);
        loop {
            match is_above(high) {
                None => return even(high),
                Some(false) => break,
                Some(true) if high >= HIGHEST => return None,
                Some(true) => {
                    low = high;
                    high = (high + distance).min(HIGHEST);
                    distance *= 2;
                }
            }
        }
        if low == high {
            distance = 1;
            loop {
                low = high - distance;
                match is_above(low) {
                    None => return even(low),
                    Some(true) => break,
                    Some(false) => {
                        high = low;
                        distance *= 2;
                    }
                }
            }
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match is_above(middle) {
                None => return even(middle),
                Some(true) => low = middle,
                Some(false) => high = middle,
            }
        }
        Some(high)
    }

    /// The lowest rate above -100 % a step or a year, as the unknown is.
    fn lowest(&self) -> i128 {
        let one = HALVES_OF_ONE / 2;
        match self.unknown {
            Unknown::Nominal => -((one * i128::from(self.steps.numerator) - 1) / i128::from(self.steps.denominator)),
            Unknown::Effective => 1 - one,
        }
    }

    /// The lowest solution that is not negative, or else the highest negative one, rounded.
    fn nearest_solution(&self) -> Option<i128> {
        let mut left = MOST_EVALUATIONS;
        match self.first_solution(0, HIGHEST, &mut left) {
            Found::Rate(rate) => Some(rate),
            Found::Nothing => match self.first_solution(0, self.lowest(), &mut left) {
                Found::Rate(rate) => Some(rate),
                Found::Nothing | Found::TooHard => None,
            },
            Found::TooHard => None,
        }
    }

    /// The solution nearest to `from` on the way to `to`, rounded.
    ///
    /// Both sides fall as the rate rises. So where one side at the higher end of an interval is
    /// worth more than the other at its lower end, it is so in between, and there is no solution;
    /// any other interval is halved, and the nearer half is looked at first.
    fn first_solution(&self, from: i128, to: i128, left: &mut u32) -> Found {
        let mut at = |rate: i128| {
            *left = left.checked_sub(1)?;
            let growth = self.growth_at(2 * rate)?;
            let sums = self.sums::<false>(&self.point(growth));
            Some((rate, sums.advances, sums.payments))
        };
        let (Some(near), Some(far)) = (at(from), at(to)) else { return Found::TooHard };
        if near.1.compare(near.2).is_eq() {
            return Found::Rate(from);
        }
        // The intervals still to be looked at, the nearest last. Each halving adds one, and there
        // are 94 at most.
        let mut intervals = vec![(near, far)];
        while let Some((near, far)) = intervals.pop() {
            let (low, high) = if near.0 < far.0 { (near, far) } else { (far, near) };
            let is_free = high.1.compare(low.2).is_gt() || high.2.compare(low.1).is_gt();
            if is_free {
                continue;
            }
            if high.0 - low.0 > 1 {
                let Some(middle) = at(low.0 + (high.0 - low.0) / 2) else { return Found::TooHard };
                intervals.push((middle, far));
                intervals.push((near, middle));
                continue;
            }
            let side = |end: (i128, Real, Real)| end.1.compare(end.2);
            let middle = match (side(near), side(far)) {
                (Ordering::Equal, _) => return Found::Rate(near.0),
                (_, Ordering::Equal) => return Found::Rate(far.0),
                (near, far) if near == far => continue,
                _ => self.compare_at(low.0 + high.0),
            };
            let is_even = |rate: i128| rate % 2 == 0;
            let is_near = if middle.is_eq() { is_even(near.0) } else { middle == side(far) };
            return Found::Rate(if is_near { near.0 } else { far.0 });
        }
        Found::Nothing
    }
}

/// The outcome of a search.
enum Found {
    Rate(i128),
    Nothing,
    TooHard,
}

#[cfg(test)]
mod tests {
    use super::super::value::{OddPart, Time};
    use super::*;

    /// A period of a year: one amount now, another at its end.
    fn one_year(advance: i128, payment: i128) -> Equation {
        let at = |whole| Time { whole, odd: 0, of: 1 };
        let flows = [(at(0), advance), (at(1), -payment)];
        let yearly = StepsPerYear { numerator: 1, denominator: 1 };
        Equation::new(flows.into_iter(), yearly, Unknown::Nominal, OddPart::Nothing)
    }

    #[test]
    fn a_rate_is_found_from_any_guess() {
        let guesses = [
            Real::ZERO,
            Real::ratio(1, 10u128.pow(20)),
            Real::ratio(1, 2),
            Real::ONE,
            Real::ratio(1_099_999, 1_000_000),
            Real::ratio(11, 10),
            Real::whole(7),
            Real::whole(10u128.pow(16)),
            Real::whole(10u128.pow(30)),
        ];
        for (advance, payment, rate) in [
            (1000, 1100, Some(100_000)),
            (1000, 1000, Some(0)),
            (1000, 500, Some(-500_000)),
            (2_000_000, 2_000_003, Some(2)),
            (1, 10i128.pow(15), Some((10i128.pow(15) - 1) * 1_000_000)),
            (1, 10i128.pow(30), None),
        ] {
            for guess in guesses {
                assert_eq!(one_year(advance, payment).round(guess), rate, "{advance} {payment} {guess:?}");
            }
        }
    }
}
