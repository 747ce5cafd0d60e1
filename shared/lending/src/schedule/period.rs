//! Periods between due dates, and the rate of each.

use serde::{Deserialize, Serialize};

use super::due_dates::PeriodDates;
use crate::calendar::YearFraction;
use crate::number::real::Real;
use crate::number::rounding::{Rounding, gcd, round_div};
use crate::rate::Percent;
use crate::terms::{InterestMethod, Terms};

/// The period of a row, with its rate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Period {
    pub(crate) annual_rate: Percent,
    /// The period as a part of a year.
    pub(crate) fraction: YearFraction,
    /// The annual rate for that part; nothing where the period bears no interest.
    pub(crate) rate: PeriodRate,
}

/// The periods of rows, one after the other. The first ones may bear no interest: their rate is nothing.
pub(super) struct Periods<'a> {
    terms: &'a Terms,
    /// Periods of the same length follow each other: the fraction is reduced once for them.
    latest: Period,
}

impl<'a> Periods<'a> {
    pub(super) fn new(terms: &'a Terms) -> Self {
        let annual_rate = terms.interest_rate_apr().percent();
        Self { terms, latest: Period { annual_rate, fraction: YearFraction::ZERO, rate: PeriodRate::ZERO } }
    }

    /// The period of the row with this index, counted from 0.
    pub(super) fn of(&mut self, index: usize, dates: &PeriodDates) -> Period {
        let (annual_rate, fraction) = (self.latest.annual_rate, dates.fraction(self.terms));
        if index < self.terms.grace().interest_free as usize {
            return Period { annual_rate, fraction, rate: PeriodRate::ZERO };
        }
        if self.latest.fraction != fraction {
            self.latest = Period::new(annual_rate, fraction);
        }
        self.latest
    }
}

/// The sum of [`Period::flat_share`] over periods: at most 10^9 for 301 years. Nothing where interest is not flat.
pub(crate) fn whole_term(terms: &Terms, periods: &[Period]) -> YearFraction {
    if terms.interest_method() != InterestMethod::Flat {
        return YearFraction::ZERO;
    }
    periods.iter().fold(YearFraction::ZERO, |sum, period| sum.plus(period.flat_share()))
}

impl Period {
    pub(crate) fn new(annual_rate: Percent, fraction: YearFraction) -> Self {
        Self { annual_rate, fraction, rate: PeriodRate::new(annual_rate, fraction) }
    }

    /// The annual rate times the part of a year, in millionths of a percent; nothing where the period
    /// bears no interest.
    pub(super) fn flat_share(&self) -> YearFraction {
        if self.rate == PeriodRate::ZERO {
            return YearFraction::ZERO;
        }
        self.fraction.times(self.annual_rate.millionths())
    }
}

/// A rate for a period: an exact fraction in lowest terms. Below 2^57 both, see [`Self::new`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PeriodRate {
    pub(super) numerator: u64,
    pub(super) denominator: u64,
}

impl PeriodRate {
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

    /// The rate that makes `part` of `whole`. Both are whole numbers below 2^63, and `whole` is not
    /// zero.
    pub(crate) fn of_whole(part: i128, whole: i128) -> Self {
        let part = u64::try_from(part).unwrap_or(u64::MAX >> 1);
        let whole = u64::try_from(whole).unwrap_or(1).max(1);
        let common = gcd(part, whole);
        Self { numerator: part / common, denominator: whole / common }
    }

    /// The present value of one, a period later: one over one and the rate.
    pub(super) fn discount(self) -> Real {
        Real::ratio(u128::from(self.denominator), u128::from(self.denominator) + u128::from(self.numerator))
    }

    /// This part of `amount` times `times` over `parts`, as a multiple of `unit`, rounded once.
    /// `amount` times `times` is at most 10^15 times the days of 301 years (2^17), so that the
    /// product stays below 2^50 * 2^17 * 2^56 = 2^123; `parts` and `unit` keep the divisor below
    /// 2^44 * 2^17 * 2^50 = 2^111.
    pub(crate) fn of_parts(self, amount_times: i128, parts: i128, unit: i128, rounding: Rounding) -> i128 {
        let product = amount_times * i128::from(self.numerator);
        round_div(product, i128::from(self.denominator) * parts * unit, rounding) * unit
    }

    /// This part of `amount`, rounded once. The amount is at most 10^15, so that the product stays
    /// below 10^15 * 2^56 < 2^106.
    pub(crate) fn of(self, amount: i128, rounding: Rounding) -> i128 {
        let product = amount * i128::from(self.numerator);
        round_div(product, i128::from(self.denominator), rounding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(numerator: u64, denominator: u64) -> PeriodRate {
        PeriodRate { numerator, denominator }
    }

    #[test]
    fn ratios_are_in_lowest_terms() {
        let ratio = |text: &str, numerator, denominator| {
            PeriodRate::new(Percent::parse(text).unwrap(), YearFraction { numerator, denominator })
        };
        assert_eq!(ratio("24", 1, 12), rate(1, 50));
        assert_eq!(ratio("0", 1, 12), PeriodRate::ZERO);
        assert_eq!(ratio("1000", 301 * 12, 12), rate(3010, 1));
        assert_eq!(ratio("0.000001", 1, 365 * 366), rate(1, 100_000_000 * 365 * 366));
        // The largest numerator: everything at its bound, prime to the denominator.
        let largest = ratio("999.999999", 301 * 365 * 366 - 1, 365 * 366);
        assert!(largest.numerator < 1 << 56 && largest.denominator < 1 << 44);
    }
}
