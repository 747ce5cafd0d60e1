//! The spreading of principal over rows, and the interest that each of them bears.

use super::level_instalment::level_instalment;
use super::period::PeriodRate;
use crate::calendar::YearFraction;
use crate::number::rounding::{Rounding, round_div, round_to_multiple};
use crate::rate::Percent;
use crate::refusal::{Reason, Refusal};
use crate::steps::steps;
use crate::terms::{Amortization, InterestMethod, Terms, Units};

/// The treatment of an instalment below its row's interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shortfall {
    /// There is no such schedule.
    Refuse,
    /// The row consists of its interest alone.
    InterestOnly,
}

/// Principal to be spread over rows, in whole numbers of the smallest amount, at most 10^15 of
/// them.
pub(crate) struct Amortisation<'a> {
    /// For the method, the amortisation and the rounding alone.
    pub(crate) terms: &'a Terms,
    pub(crate) units: Units,
    /// The amount in smallest amounts, positive.
    pub(crate) principal: i128,
    /// The base of flat interest, in smallest amounts.
    pub(crate) flat_base: i128,
    /// The rate of each period, one for each row; at least one.
    pub(crate) rates: &'a [PeriodRate],
    /// The [`whole_term`](super::period::whole_term) of the periods that bear flat interest by their rate.
    pub(crate) flat_term: YearFraction,
    /// The interest of the first row where it is known already. Its rate is then that of
    /// [`PeriodRate::of_whole`], and its period is not in `flat_term`.
    pub(crate) first_interest: Option<i128>,
    /// The first row that repays principal, counted from 0; below the number of rows.
    pub(crate) first_repaying: usize,
    pub(crate) shortfall: Shortfall,
}

impl Amortisation<'_> {
    fn rounding(&self) -> Rounding {
        self.terms.rounding()
    }

    /// The number of rows that repay principal; at least one.
    fn repaying(&self) -> i128 {
        (self.rates.len() - self.first_repaying) as i128
    }

    fn to_instalment_multiple(&self, value: i128) -> i128 {
        let multiple = self.units.multiple / self.units.smallest;
        round_to_multiple(value, multiple, self.rounding())
    }

    /// Puts principal and interest of each row, interest where it arises. Returns the
    /// instalment.
    pub(crate) fn fill(&self, put: &mut impl FnMut(usize, i128, i128)) -> Result<i128, Refusal> {
        match (self.terms.interest_method(), self.terms.amortization()) {
            (InterestMethod::DecliningBalance, Amortization::EqualInstalments) => self.smoothed_instalments(put),
            (InterestMethod::DecliningBalance, Amortization::EqualPrincipal) => {
                let share = round_div(self.principal, self.repaying(), self.rounding());
                Ok(self.equal_principal(share, put))
            }
            (InterestMethod::Flat, Amortization::EqualInstalments | Amortization::EqualPrincipal) => {
                self.flat(None, put)
            }
        }
    }

    /// The same where the instalment is given (under equal principal: the principal of a row); the
    /// last row still takes all that is left.
    pub(crate) fn fill_with(&self, instalment: i128, put: &mut impl FnMut(usize, i128, i128)) -> Result<(), Refusal> {
        match (self.terms.interest_method(), self.terms.amortization()) {
            (InterestMethod::DecliningBalance, Amortization::EqualInstalments) => {
                self.equal_instalments(instalment, put)?;
            }
            (InterestMethod::DecliningBalance, Amortization::EqualPrincipal) => {
                self.equal_principal(instalment, put);
            }
            (InterestMethod::Flat, Amortization::EqualInstalments | Amortization::EqualPrincipal) => {
                self.flat(Some(instalment), put)?;
            }
        }
        Ok(())
    }

    /// The principal of a row with this interest.
    fn principal_within(&self, instalment: i128, interest: i128) -> Result<i128, Refusal> {
        match self.shortfall {
            Shortfall::Refuse if instalment < interest => Err(does_not_amortise()),
            Shortfall::Refuse | Shortfall::InterestOnly => Ok((instalment - interest).max(0)),
        }
    }

    /// Declining balance, equal instalments: what the row's interest leaves of the instalment is
    /// principal; the last row takes the whole balance. Returns the amount of the last row.
    fn equal_instalments(&self, instalment: i128, put: &mut impl FnMut(usize, i128, i128)) -> Result<i128, Refusal> {
        steps(self.rates.len());
        let mut balance = self.principal;
        let mut due = 0;
        for (index, rate) in self.rates.iter().enumerate() {
            let interest = rate.of(balance, self.rounding());
            let principal = if index < self.first_repaying {
                0
            } else if index + 1 == self.rates.len() {
                balance
            } else {
                balance.min(self.principal_within(instalment, interest)?)
            };
            put(index, principal, interest);
            balance -= principal;
            due = principal + interest;
        }
        Ok(due)
    }

    /// The instalment of the formula, moved until the last row is close to it: while they differ
    /// by more than half a smallest amount a row, and at most three times, the difference is
    /// shared among the rows; a move that does not bring them closer is not made. Rows are put again at each
    /// move: the last time counts.
    fn smoothed_instalments(&self, put: &mut impl FnMut(usize, i128, i128)) -> Result<i128, Refusal> {
        let rates = &self.rates[self.first_repaying..];
        let exact = level_instalment(self.principal, rates, self.rounding());
        let mut instalment = self.to_instalment_multiple(exact);
        let mut gap = self.equal_instalments(instalment, put)? - instalment;
        let mut latest = instalment;
        for _ in 0..3 {
            if gap.abs() <= self.repaying() / 2 {
                break;
            }
            let moved = instalment + round_div(gap, self.repaying(), self.rounding());
            let moved = self.to_instalment_multiple(moved);
            latest = moved;
            // Too low an instalment is no reason to refuse here: the one before it amortises.
            let Ok(last) = self.equal_instalments(moved, put) else {
                break;
            };
            if (last - moved).abs() >= gap.abs() {
                break;
            }
            (instalment, gap) = (moved, last - moved);
        }
        if latest != instalment {
            self.equal_instalments(instalment, put)?;
        }
        Ok(instalment)
    }

    /// Declining balance, equal principal: the last row takes the rest. Returns the amount of the
    /// first row that repays principal.
    fn equal_principal(&self, share: i128, put: &mut impl FnMut(usize, i128, i128)) -> i128 {
        steps(self.rates.len());
        let mut balance = self.principal;
        let mut instalment = 0;
        for (index, rate) in self.rates.iter().enumerate() {
            let interest = rate.of(balance, self.rounding());
            let principal = if index < self.first_repaying {
                0
            } else if index + 1 == self.rates.len() {
                balance
            } else {
                balance.min(share)
            };
            if index == self.first_repaying {
                instalment = principal + interest;
            }
            put(index, principal, interest);
            balance -= principal;
        }
        instalment
    }

    /// Flat: every row's interest is on the whole principal, and the last row takes what is left
    /// of the total. A row's principal is, under equal principal, an equal share; else what its
    /// interest leaves of the instalment: an equal share of principal with the row's interest, to the
    /// multiple. The share or the instalment may be given. Returns the amount of the first row that
    /// repays principal, up to rounding.
    fn flat(&self, given: Option<i128>, put: &mut impl FnMut(usize, i128, i128)) -> Result<i128, Refusal> {
        steps(self.rates.len());
        let mut balance = self.principal;
        let mut interest_left = self.total_flat_interest();
        let mut first_instalment = 0;
        for (index, rate) in self.rates.iter().enumerate() {
            let is_last = index + 1 == self.rates.len();
            let own = match self.first_interest {
                Some(interest) if index == 0 => interest,
                _ => rate.of(self.flat_base, self.rounding()),
            };
            let interest = if is_last { interest_left } else { interest_left.min(own) };
            let mut principal = 0;
            if index >= self.first_repaying {
                let (instalment, share) = self.flat_row(given, interest);
                principal = match share {
                    _ if is_last => balance,
                    Some(share) => balance.min(share),
                    None => balance.min(self.principal_within(instalment, interest)?),
                };
                if index == self.first_repaying {
                    first_instalment = if share.is_some() { principal + interest } else { instalment };
                }
            }
            put(index, principal, interest);
            balance -= principal;
            interest_left -= interest;
        }
        Ok(first_instalment)
    }

    /// The instalment of a flat row with this interest; under equal principal its principal as well.
    fn flat_row(&self, given: Option<i128>, interest: i128) -> (i128, Option<i128>) {
        match self.terms.amortization() {
            Amortization::EqualPrincipal => {
                let share = given.unwrap_or_else(|| round_div(self.principal, self.repaying(), self.rounding()));
                (share + interest, Some(share))
            }
            Amortization::EqualInstalments => {
                let instalment = given.unwrap_or_else(|| {
                    let exact = self.principal + interest * self.repaying();
                    self.to_instalment_multiple(round_div(exact, self.repaying(), self.rounding()))
                });
                (instalment, None)
            }
        }
    }

    /// The flat base times the rates of all the periods that bear interest, rounded once.
    /// Fractions of two kinds have a common denominator below 2^22 and lie within 301 years, so
    /// that the numerator stays below 10^15 * 10^9 * 301 * 2^22 < 2^110.
    fn total_flat_interest(&self) -> i128 {
        let numerator = self.flat_base * i128::from(self.flat_term.numerator);
        let denominator = i128::from(Percent::MILLIONTHS_OF_ONE) * i128::from(self.flat_term.denominator);
        self.first_interest.unwrap_or(0) + round_div(numerator, denominator, self.rounding())
    }
}

fn does_not_amortise() -> Refusal {
    Refusal::terms("/interest_rate_apr", Reason::DoesNotAmortise)
}
