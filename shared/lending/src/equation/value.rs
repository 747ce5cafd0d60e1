//! The equation of value: what advances and payments are worth at a rate.

use std::cmp::Ordering;

use crate::number::log::{Log, exp};
use crate::number::real::Real;
use crate::steps::steps;

/// The time of a flow: whole steps after the start, and `odd / of` more, which is less than a step unless
/// the series has no whole steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time {
    pub(crate) whole: u32,
    pub(crate) odd: u64,
    /// Not zero.
    pub(crate) of: u64,
}

/// The steps in a year, `numerator / denominator`, neither of them zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StepsPerYear {
    pub(crate) numerator: u64,
    pub(crate) denominator: u64,
}

/// The rate to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// The rate of a step times the steps a year.
    Nominal,
    /// The growth of a year less one.
    Effective,
}

/// How the odd part of a time is discounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OddPart {
    /// No time has an odd part.
    Nothing,
    /// A part of a step, with simple interest: `1 / (1 + odd/of * i)`.
    Simple,
    /// A part of a step, with compound interest.
    OfStep,
    /// A part of a year, with compound interest.
    OfYear,
}

/// A flow with its present value at no interest.
#[derive(Debug, Clone, Copy)]
pub(super) struct EquationFlow {
    time: Time,
    /// The time in units of 2^-32 of a step, for the slope alone.
    steps: Real,
    pub(super) is_advance: bool,
    amount: Real,
}

/// Flows, no two at the same time and none of them zero, in the order of their times.
#[derive(Debug, Clone)]
pub(crate) struct Equation {
    pub(super) flows: Vec<EquationFlow>,
    pub(super) steps: StepsPerYear,
    pub(super) unknown: Unknown,
    odd_part: OddPart,
}

/// Rates are counted in half ten-thousandths of a percent while they are looked for, so that
/// halfway between two of the result is a whole number.
pub(super) const HALVES_OF_ONE: i128 = 2_000_000;

/// The rate at which the equation is looked at.
pub(super) struct Point {
    /// Growth in a step; used for simple interest alone.
    growth: Real,
    /// One over it.
    discount: Real,
    /// The logarithm of the growth of what `of` counts parts of: a step, or a year.
    odd_log: Log,
}

/// Present values of the advances and of the payments, and their sums weighted with time.
pub(super) struct PresentValues {
    pub(super) advances: Real,
    pub(super) payments: Real,
    pub(super) advance_moments: Real,
    pub(super) payment_moments: Real,
}

impl PresentValues {
    pub(super) fn compare(&self) -> Ordering {
        self.advances.compare(self.payments)
    }
}

/// The discount of odd parts, one after the other: each new one from the one before, as far as
/// they count the same parts.
#[derive(Clone, Copy)]
struct OddDiscounts {
    of: u64,
    /// The discount of one part.
    one: Real,
    odd: u64,
    /// The discount of `odd` parts.
    product: Real,
}

impl OddDiscounts {
    const NONE: Self = Self { of: 1, one: Real::ONE, odd: 0, product: Real::ONE };

    fn start(of: u64, log: Log) -> Self {
        Self { of, one: exp(log.over(of).negated()), ..Self::NONE }
    }

    fn advance_to(&mut self, odd: u64) -> Real {
        if odd < self.odd {
            (self.odd, self.product) = (0, Real::ONE);
        }
        self.product = self.product.times(self.one.power(odd - self.odd));
        self.odd = odd;
        self.product
    }
}

impl Equation {
    /// The equation of these flows: positive amounts were advanced, negative ones paid. Flows at
    /// the same time are one.
    pub(crate) fn new(
        flows: impl Iterator<Item = (Time, i128)>,
        steps: StepsPerYear,
        unknown: Unknown,
        odd_part: OddPart,
    ) -> Self {
        // The time in steps, as numerator and denominator.
        let in_steps = |time: Time| {
            let (whole, odd, of) = (u128::from(time.whole), u128::from(time.odd), u128::from(time.of));
            match odd_part {
                OddPart::Nothing | OddPart::Simple | OddPart::OfStep => (whole * of + odd, of),
                OddPart::OfYear => {
                    let of = of * u128::from(steps.denominator);
                    (whole * of + odd * u128::from(steps.numerator), of)
                }
            }
        };
        let compare = |a: Time, b: Time| {
            let ((a, of_a), (b, of_b)) = (in_steps(a), in_steps(b));
            (a * of_b).cmp(&(b * of_a))
        };
        let mut all: Vec<(Time, i128)> = flows.filter(|(_, amount)| *amount != 0).collect();
        if !all.is_sorted_by(|(a, _), (b, _)| compare(*a, *b).is_lt()) {
            all.sort_by(|(a, _), (b, _)| compare(*a, *b));
            all.dedup_by(|(time, amount), (kept_time, kept)| {
                let is_same = compare(*time, *kept_time).is_eq();
                if is_same {
                    *kept += *amount;
                }
                is_same
            });
        }
        let steps_of = |time: Time| {
            let (numerator, denominator) = in_steps(time);
            Real::whole((numerator << 32) / denominator)
        };
        // Without odd parts there is nothing to take logarithms for.
        let odd_part = if all.iter().all(|(time, _)| time.odd == 0) { OddPart::Nothing } else { odd_part };
        let flows = all
            .into_iter()
            .filter(|(_, amount)| *amount != 0)
            .map(|(time, amount)| EquationFlow {
                time,
                steps: steps_of(time),
                is_advance: amount > 0,
                amount: Real::whole(amount.unsigned_abs()),
            })
            .collect();
        Self { flows, steps, unknown, odd_part }
    }

    /// The growth at a rate, of a step or of a year as the unknown is; `None` at -100 % and below.
    pub(super) fn growth_at(&self, halves: i128) -> Option<Real> {
        let (one, share) = match self.unknown {
            Unknown::Nominal => (HALVES_OF_ONE * i128::from(self.steps.numerator), i128::from(self.steps.denominator)),
            Unknown::Effective => (HALVES_OF_ONE, 1),
        };
        // At most 2 * 10^28 * 2^32 beside 2 * 10^6 * 2^32.
        let whole = one + halves * share;
        u128::try_from(whole).ok().filter(|whole| *whole > 0).map(|whole| Real::ratio(whole, one.unsigned_abs()))
    }

    /// The point of a growth, of a step or of a year as the unknown is.
    pub(super) fn point(&self, growth: Real) -> Point {
        match (self.unknown, self.odd_part) {
            (Unknown::Nominal, OddPart::Nothing | OddPart::Simple) => {
                Point { growth, discount: Real::ONE.over(growth), odd_log: Log::ZERO }
            }
            (Unknown::Nominal, OddPart::OfStep | OddPart::OfYear) | (Unknown::Effective, _) => {
                self.point_at(growth.ln())
            }
        }
    }

    /// The same, of the growth's logarithm.
    pub(super) fn point_at(&self, log: Log) -> Point {
        let StepsPerYear { numerator, denominator } = self.steps;
        let (step_log, year_log) = match self.unknown {
            Unknown::Nominal => (log, log.scaled(numerator, denominator)),
            Unknown::Effective => (log.scaled(denominator, numerator), log),
        };
        let odd_log = match self.odd_part {
            OddPart::Nothing | OddPart::Simple | OddPart::OfStep => step_log,
            OddPart::OfYear => year_log,
        };
        let discount = exp(step_log.negated());
        let growth = if self.odd_part == OddPart::Simple { Real::ONE.over(discount) } else { Real::ONE };
        Point { growth, discount, odd_log }
    }

    /// Both sides of the equation. The moments are summed up for `SLOPE` alone.
    pub(super) fn sums<const SLOPE: bool>(&self, point: &Point) -> PresentValues {
        steps(self.flows.len());
        let zero = Real::ZERO;
        let mut sums = PresentValues { advances: zero, payments: zero, advance_moments: zero, payment_moments: zero };
        // The discount of whole steps goes along with the time.
        let (mut at, mut whole) = (0, Real::ONE);
        let (mut gap, mut gap_discount) = (1, point.discount);
        let (mut latest, mut simple) = ((0, 1), Real::ONE);
        let mut compound = [OddDiscounts::NONE; 2];
        for flow in &self.flows {
            let Time { whole: steps, odd, of } = flow.time;
            if steps < at {
                // An odd part of a whole step may come after the step.
                (at, whole) = (0, Real::ONE);
            }
            if steps > at {
                if steps - at != gap {
                    gap = steps - at;
                    gap_discount = point.discount.power(u64::from(gap));
                }
                whole = whole.times(gap_discount);
                at = steps;
            }
            let mut value = flow.amount.times(whole);
            if odd > 0 {
                let discount = match self.odd_part {
                    OddPart::Nothing => Real::ONE,
                    OddPart::Simple => {
                        if latest != (odd, of) {
                            // 1 + odd/of * i = (of - odd + odd * (1 + i)) / of; odd is below of.
                            let growth = Real::whole(u128::from(of - odd.min(of)))
                                .plus(point.growth.times(Real::whole(u128::from(odd))));
                            (latest, simple) = ((odd, of), Real::whole(u128::from(of)).over(growth));
                        }
                        simple
                    }
                    OddPart::OfStep | OddPart::OfYear => {
                        if compound[0].of != of {
                            compound.swap(0, 1);
                        }
                        if compound[0].of != of {
                            compound[0] = OddDiscounts::start(of, point.odd_log);
                        }
                        compound[0].advance_to(odd)
                    }
                };
                value = value.times(discount);
            }
            let (sum, moments) = if flow.is_advance {
                (&mut sums.advances, &mut sums.advance_moments)
            } else {
                (&mut sums.payments, &mut sums.payment_moments)
            };
            *sum = sum.plus(value);
            if SLOPE {
                *moments = moments.plus(value.times(flow.steps));
            }
        }
        sums
    }

    /// The side that is worth more at a rate. Rates of -100 % and below lie left of every solution:
    /// the side is that just above -100 %.
    pub(super) fn compare_at(&self, halves: i128) -> Ordering {
        match self.growth_at(halves) {
            Some(growth) => self.sums::<false>(&self.point(growth)).compare(),
            None => self.flows.last().map_or(Ordering::Equal, side_of),
        }
    }
}

/// The side that a flow adds to.
pub(super) fn side_of(flow: &EquationFlow) -> Ordering {
    if flow.is_advance { Ordering::Greater } else { Ordering::Less }
}
