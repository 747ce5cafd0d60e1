//! The terms of a loan: what a request may leave open ([`TermsPatch`]) and what a loan is computed
//! with ([`Terms`]), which cannot be made from an impossible combination.
//!
//! The JSON form is the one of products, quotes and loans. Rates and amounts are taken as strings
//! or numbers, digit by digit, and written as strings.

mod patch;
mod words;

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize};

pub use patch::{FeePatch, Given, GracePatch, LateFeePatch, TermsPatch};
pub(crate) use words::words;
pub use words::{
    Allocation, Amortization, DayCount, FeeWhen, InterestMethod, InterestPeriod, LateFeeKind, MonthEnd, Prepayment,
    RepayUnit, Rounding,
};

use crate::calendar::{Frequency, is_taken};
use crate::number::Number;
use crate::refusal::{Reason, Refusal};
use crate::text::{is_blank, is_one_line};
use crate::{AnnualRate, Currency, Money, MoneyError, Percent};

/// An instalment bears at most so many late fees: far in the future, an unpaid loan would have millions otherwise.
pub const MAX_LATE_FEES: u32 = 600;
/// The most late fees of a loan, instalments times [`LateFee::max_times`], under terms that are new.
pub const MAX_LATE_FEES_OF_A_LOAN: u32 = 3_600;

/// The most instalments a loan may have.
pub const MAX_INSTALMENTS: u32 = 600;

/// The most fees that terms may have.
pub const MAX_FEES: usize = 50;

/// The most days a late fee may wait: ten years.
pub const MAX_GRACE_DAYS: u32 = 3650;

/// The longest code of a fee, in characters.
const LONGEST_CODE: usize = 64;

/// Periods in which less than everything is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Grace {
    /// So many first rows repay no principal.
    pub principal: u32,
    /// The interest of so many first periods is paid with the first period after them.
    pub interest_payment: u32,
    /// So many first periods bear no interest.
    pub interest_free: u32,
}

/// A fee that is part of the terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fee {
    /// The lender's name for it.
    pub code: String,
    /// When it is charged.
    pub when: FeeWhen,
    /// How much it is, each time.
    #[serde(flatten)]
    pub value: FeeValue,
}

/// How much a fee is, each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeValue {
    /// Money of the loan's currency.
    Amount(Number),
    /// Percent of the loan's amount.
    Percent(Percent),
}

/// What an instalment bears that is paid late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LateFee {
    /// So many days after the due date nothing happens: up to [`MAX_GRACE_DAYS`].
    pub grace_days: u32,
    /// What `value` counts.
    pub kind: LateFeeKind,
    /// Money of the loan's currency, or percent.
    pub value: Number,
    /// How often one instalment bears it at most: up to [`MAX_LATE_FEES`].
    pub max_times: u32,
}

/// Complete terms: every field has its value, and they go together.
///
/// Made by [`TermsPatch::complete`] or [`TermsPatch::over`], or read back from their own JSON
/// form. [`crate::schedule`] makes a schedule of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Terms {
    interest_rate_apr: AnnualRate,
    instalments: u32,
    repay_every: u32,
    repay_unit: RepayUnit,
    first_due_on: Option<Date>,
    interest_method: InterestMethod,
    amortization: Amortization,
    interest_period: InterestPeriod,
    day_count: DayCount,
    rounding: Rounding,
    smallest_amount: Option<Number>,
    instalment_multiple: Option<Number>,
    month_end: MonthEnd,
    grace: Grace,
    fees: Vec<Fee>,
    allocation: Allocation,
    late_fee: Option<LateFee>,
    prepayment: Prepayment,
}

/// Read back from the complete JSON form, and checked again; a field that is not there has its
/// default. What needs the currency is checked where a currency is at hand.
impl<'de> Deserialize<'de> for Terms {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let patch = <TermsPatch as Deserialize>::deserialize(deserializer)?;
        Self::make(&patch, None, None)
            .map_err(|refusal| serde::de::Error::custom(format_args!("{} {refusal}", refusal.pointer())))
    }
}

impl Terms {
    fn make(patch: &TermsPatch, base: Option<&Self>, currency: Option<Currency>) -> Result<Self, Refusal> {
        let missing = |pointer| Refusal::terms(pointer, Reason::Required);
        let mut terms = Self {
            interest_rate_apr: patch
                .interest_rate_apr
                .or(base.map(|base| base.interest_rate_apr))
                .ok_or_else(|| missing("/interest_rate_apr"))?,
            instalments: patch
                .instalments
                .or(base.map(|base| base.instalments))
                .ok_or_else(|| missing("/instalments"))?,
            repay_every: patch.repay_every.or(base.map(|base| base.repay_every)).unwrap_or(1),
            repay_unit: pick(patch.repay_unit, base.map(|base| base.repay_unit)),
            first_due_on: patch.first_due_on.over(base.and_then(|base| base.first_due_on)),
            interest_method: pick(patch.interest_method, base.map(|base| base.interest_method)),
            amortization: pick(patch.amortization, base.map(|base| base.amortization)),
            interest_period: pick(patch.interest_period, base.map(|base| base.interest_period)),
            day_count: pick(patch.day_count, base.map(|base| base.day_count)),
            rounding: pick(patch.rounding, base.map(|base| base.rounding)),
            smallest_amount: patch.smallest_amount.over(base.and_then(|base| base.smallest_amount)),
            instalment_multiple: patch.instalment_multiple.over(base.and_then(|base| base.instalment_multiple)),
            month_end: pick(patch.month_end, base.map(|base| base.month_end)),
            grace: Grace::make(patch.grace, base.map(|base| base.grace)),
            fees: match &patch.fees {
                Some(fees) => Fee::make_all(fees)?,
                None => base.map(|base| base.fees.clone()).unwrap_or_default(),
            },
            allocation: pick(patch.allocation, base.map(|base| base.allocation)),
            late_fee: match patch.late_fee {
                Given::Absent => base.and_then(|base| base.late_fee),
                Given::Null => None,
                Given::Value(late_fee) => Some(LateFee::make(late_fee)?),
            },
            prepayment: pick(patch.prepayment, base.map(|base| base.prepayment)),
        };
        terms.check()?;
        if let Some(currency) = currency {
            Fee::check_new_codes(patch.fees.as_deref().unwrap_or_default())?;
            terms.settle_currency(currency)?;
        }
        Ok(terms)
    }

    /// Whether so many new instalments may be made on these terms; loans that have more late fees keep them.
    ///
    /// # Errors
    /// A [`Refusal`] of `/late_fee/max_times` where the instalments could bear more late fees together than
    /// [`MAX_LATE_FEES_OF_A_LOAN`].
    pub fn check_late_fees(&self, instalments: u32) -> Result<(), Refusal> {
        let times = self.late_fee.map_or(0, |late_fee| late_fee.max_times);
        if instalments.saturating_mul(times) > MAX_LATE_FEES_OF_A_LOAN {
            let reason = Reason::TooManyLateFees { most: MAX_LATE_FEES_OF_A_LOAN };
            return Err(Refusal::terms("/late_fee/max_times", reason));
        }
        Ok(())
    }

    /// What must hold in every currency.
    fn check(&self) -> Result<(), Refusal> {
        let refuse = |pointer, reason| Err(Refusal::terms(pointer, reason));
        if !(1..=MAX_INSTALMENTS).contains(&self.instalments) {
            let range = Reason::OutOfRange { least: 1, most: MAX_INSTALMENTS };
            return refuse("/instalments", range);
        }
        if self.repay_every == 0 {
            return refuse("/repay_every", Reason::NotPositive);
        }
        if self.first_due_on.is_some_and(|date| !is_taken(date)) {
            return refuse("/first_due_on", Reason::DateOutOfRange);
        }
        if self.grace.principal >= self.instalments {
            return refuse("/grace/principal", Reason::NotBelowInstalments);
        }
        if self.grace.interest_payment >= self.instalments {
            return refuse("/grace/interest_payment", Reason::NotBelowInstalments);
        }
        if self.grace.interest_free > self.instalments {
            return refuse("/grace/interest_free", Reason::AboveInstalments);
        }
        if self.smallest_amount.is_some_and(|amount| amount.get().is_zero()) {
            return refuse("/smallest_amount", Reason::NotPositive);
        }
        if self.instalment_multiple.is_some_and(|amount| amount.get().is_zero()) {
            return refuse("/instalment_multiple", Reason::NotPositive);
        }
        Ok(())
    }

    /// Checks every amount against the currency, and writes it with the currency's decimals.
    fn settle_currency(&mut self, currency: Currency) -> Result<(), Refusal> {
        let units = self.units(currency)?;
        let amount =
            |number, pointer: &str| units.amount(number).map_err(|reason| Refusal::terms(pointer.to_owned(), reason));
        if let Some(number) = &mut self.smallest_amount {
            *number = amount(*number, "/smallest_amount")?.into();
        }
        if let Some(number) = &mut self.instalment_multiple {
            *number = amount(*number, "/instalment_multiple")?.into();
        }
        for (index, fee) in self.fees.iter_mut().enumerate() {
            if let FeeValue::Amount(number) = &mut fee.value {
                *number = amount(*number, &format!("/fees/{index}/amount"))?.into();
            }
        }
        if let Some(late_fee) = &mut self.late_fee
            && late_fee.kind == LateFeeKind::Flat
        {
            late_fee.value = amount(late_fee.value, "/late_fee/value")?.into();
        }
        Ok(())
    }

    /// The units that amounts are multiples of, in this currency.
    pub(crate) fn units(&self, currency: Currency) -> Result<Units, Refusal> {
        let mut units = Units { currency, smallest: 1, multiple: 1 };
        if let Some(number) = self.smallest_amount {
            units.smallest = units.amount(number).map_err(|reason| Refusal::terms("/smallest_amount", reason))?.units();
        }
        units.multiple = match self.instalment_multiple {
            Some(number) => {
                units.amount(number).map_err(|reason| Refusal::terms("/instalment_multiple", reason))?.units()
            }
            None => units.smallest,
        };
        Ok(units)
    }

    /// How often an instalment falls due.
    pub(crate) const fn frequency(&self) -> Frequency {
        Frequency { every: self.repay_every, unit: self.repay_unit, month_end: self.month_end }
    }

    /// Whether a period between these dates is one repayment period, neither longer nor shorter: a
    /// first one need not be, because of `first_due_on`.
    pub(crate) fn is_regular_period(&self, start: Date, end: Date) -> bool {
        self.frequency().after(start, 1) == Some(end)
    }

    /// Percent a year.
    #[must_use]
    pub const fn interest_rate_apr(&self) -> AnnualRate {
        self.interest_rate_apr
    }

    /// The number of rows, 1 to [`MAX_INSTALMENTS`].
    #[must_use]
    pub const fn instalments(&self) -> u32 {
        self.instalments
    }

    /// How many units a repayment period has, at least 1.
    #[must_use]
    pub const fn repay_every(&self) -> u32 {
        self.repay_every
    }

    /// What a repayment period is counted in.
    #[must_use]
    pub const fn repay_unit(&self) -> RepayUnit {
        self.repay_unit
    }

    /// The first due date, where it is not one period after the disbursement.
    #[must_use]
    pub const fn first_due_on(&self) -> Option<Date> {
        self.first_due_on
    }

    /// The same for a disbursement on a day: a first due date that is not after it is left out.
    #[must_use]
    pub fn disbursed_on(mut self, date: Date) -> Self {
        self.first_due_on = self.first_due_on.filter(|first| *first > date);
        self
    }

    /// What interest is charged on.
    #[must_use]
    pub const fn interest_method(&self) -> InterestMethod {
        self.interest_method
    }

    /// What is equal from row to row.
    #[must_use]
    pub const fn amortization(&self) -> Amortization {
        self.amortization
    }

    /// How a regular period becomes a part of a year.
    #[must_use]
    pub const fn interest_period(&self) -> InterestPeriod {
        self.interest_period
    }

    /// How days become a part of a year.
    #[must_use]
    pub const fn day_count(&self) -> DayCount {
        self.day_count
    }

    /// How amounts are rounded.
    #[must_use]
    pub const fn rounding(&self) -> Rounding {
        self.rounding
    }

    /// What every amount of a row is a multiple of, where it is not the currency's unit.
    #[must_use]
    pub const fn smallest_amount(&self) -> Option<Number> {
        self.smallest_amount
    }

    /// What an equal instalment is a multiple of, where it is not the smallest amount.
    #[must_use]
    pub const fn instalment_multiple(&self) -> Option<Number> {
        self.instalment_multiple
    }

    /// What becomes of a due date on a day that its month does not have.
    #[must_use]
    pub const fn month_end(&self) -> MonthEnd {
        self.month_end
    }

    /// Periods in which less than everything is asked for.
    #[must_use]
    pub const fn grace(&self) -> Grace {
        self.grace
    }

    /// The fees.
    #[must_use]
    pub fn fees(&self) -> &[Fee] {
        &self.fees
    }

    /// In which order a payment pays what is owed.
    #[must_use]
    pub const fn allocation(&self) -> Allocation {
        self.allocation
    }

    /// What an instalment bears that is paid late.
    #[must_use]
    pub const fn late_fee(&self) -> Option<LateFee> {
        self.late_fee
    }

    /// What a payment of more than is due does.
    #[must_use]
    pub const fn prepayment(&self) -> Prepayment {
        self.prepayment
    }

    /// The term in months; `None` unless repayment is monthly.
    #[must_use]
    pub fn term_months(&self) -> Option<u32> {
        term_months(self.instalments, self.repay_every, self.repay_unit)
    }
}

/// The term of a loan in months, instalments times the months between them; `None` unless
/// repayment is monthly.
///
/// ```
/// use lending::{RepayUnit, term_months};
///
/// assert_eq!(term_months(6, 2, RepayUnit::Month), Some(12));
/// assert_eq!(term_months(26, 2, RepayUnit::Week), None);
/// ```
#[must_use]
pub fn term_months(instalments: u32, repay_every: u32, repay_unit: RepayUnit) -> Option<u32> {
    match repay_unit {
        RepayUnit::Month => instalments.checked_mul(repay_every),
        RepayUnit::Week | RepayUnit::Day => None,
    }
}

fn pick<T: Default>(given: Option<T>, base: Option<T>) -> T {
    given.or(base).unwrap_or_default()
}

/// What amounts are multiples of, in smallest units of the currency.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Units {
    pub(crate) currency: Currency,
    /// Of every amount of a row.
    pub(crate) smallest: i128,
    /// Of an equal instalment; itself a multiple of `smallest`.
    pub(crate) multiple: i128,
}

impl Units {
    /// A number of the terms as money: within the currency's decimals, a multiple of the smallest
    /// amount.
    pub(crate) fn amount(&self, number: Number) -> Result<Money, Reason> {
        let allowed = self.currency.decimals();
        // As in every request, zeros beyond the currency's decimals are too many.
        if number.get().scale() > allowed {
            return Err(Reason::Money(MoneyError::TooManyDecimals { allowed }));
        }
        let money = Money::from_decimal(number.get(), self.currency).map_err(Reason::Money)?;
        if money.units() > Money::MAX_REQUEST_UNITS {
            return Err(Reason::Money(MoneyError::TooLarge));
        }
        if money.units() % self.smallest != 0 {
            return Err(Reason::NotAMultipleOfSmallestAmount);
        }
        Ok(money)
    }
}

impl Grace {
    fn make(patch: Option<GracePatch>, base: Option<Self>) -> Self {
        let (patch, base) = (patch.unwrap_or_default(), base.unwrap_or_default());
        Self {
            principal: patch.principal.unwrap_or(base.principal),
            interest_payment: patch.interest_payment.unwrap_or(base.interest_payment),
            interest_free: patch.interest_free.unwrap_or(base.interest_free),
        }
    }
}

impl Fee {
    fn make_all(patches: &[FeePatch]) -> Result<Vec<Self>, Refusal> {
        if patches.len() > MAX_FEES {
            return Err(Refusal::terms("/fees", Reason::TooMany { most: MAX_FEES }));
        }
        patches.iter().enumerate().map(|(index, patch)| Self::make(index, patch)).collect()
    }

    /// What a request's code must be, beside [`check_code`](Self::check_code): one that shows something, on one line. Terms
    /// that were stored before this was asked for stay readable.
    fn check_new_codes(patches: &[FeePatch]) -> Result<(), Refusal> {
        match patches.iter().position(|patch| is_blank(&patch.code) || !is_one_line(&patch.code)) {
            None => Ok(()),
            Some(index) => {
                let reason = Reason::NotAName { longest: LONGEST_CODE };
                Err(Refusal::terms(format!("/fees/{index}/code"), reason))
            }
        }
    }

    /// What every stored code keeps.
    fn check_code(code: &str) -> Result<(), Reason> {
        if code.trim().is_empty() || code.chars().count() > LONGEST_CODE || code.chars().any(char::is_control) {
            return Err(Reason::NotAName { longest: LONGEST_CODE });
        }
        Ok(())
    }

    fn make(index: usize, patch: &FeePatch) -> Result<Self, Refusal> {
        let code = &patch.code;
        Self::check_code(code).map_err(|reason| Refusal::terms(format!("/fees/{index}/code"), reason))?;
        let value = match (patch.amount, patch.percent) {
            (Some(amount), None) => FeeValue::Amount(amount),
            (None, Some(percent)) => FeeValue::Percent(percent),
            _ => {
                return Err(Refusal::terms(format!("/fees/{index}"), Reason::AmountOrPercent));
            }
        };
        Ok(Self { code: code.clone(), when: patch.when, value })
    }
}

impl LateFee {
    fn make(patch: LateFeePatch) -> Result<Self, Refusal> {
        let value = patch.value.ok_or_else(|| Refusal::terms("/late_fee/value", Reason::Required))?;
        let value = match patch.kind {
            LateFeeKind::Flat => value,
            LateFeeKind::PercentOfOverdue => Percent::from_decimal(value.get())
                .map_err(|error| Refusal::terms("/late_fee/value", Reason::Rate(error)))?
                .into(),
        };
        let max_times = patch.max_times.unwrap_or(1);
        if max_times == 0 {
            return Err(Refusal::terms("/late_fee/max_times", Reason::NotPositive));
        }
        if max_times > MAX_LATE_FEES {
            let range = Reason::OutOfRange { least: 1, most: MAX_LATE_FEES };
            return Err(Refusal::terms("/late_fee/max_times", range));
        }
        if patch.grace_days > MAX_GRACE_DAYS {
            let range = Reason::OutOfRange { least: 0, most: MAX_GRACE_DAYS };
            return Err(Refusal::terms("/late_fee/grace_days", range));
        }
        Ok(Self { grace_days: patch.grace_days, kind: patch.kind, value, max_times })
    }
}
