//! The terms of a loan: as a request has them, with fields left open ([`TermsPatch`]), and complete
//! ([`Terms`]), which cannot be made from an impossible combination.
//!
//! The JSON form is the one of products, quotes and loans. Rates and amounts are taken as strings
//! or numbers, digit by digit, and written as strings.

mod allocation;
mod calendar;
mod complete;
mod fee;
mod number;
mod patch;
mod units;
mod words;

use std::sync::Arc;

use jiff::civil::Date;
use serde::Serialize;

pub use allocation::{
    Allocation, AllocationError, AllocationGroup, AllocationGroups, AllocationPreset, Bucket, Component,
};
pub use calendar::{CalendarPatch, CalendarUse};
pub use fee::{Fee, FeeValue, Grace, LateFee, MAX_FEES, MAX_GRACE_DAYS, MAX_LATE_FEES, MAX_LATE_FEES_OF_A_LOAN};
pub use number::Number;
pub use patch::{FeePatch, Given, GracePatch, LateFeePatch, TermsPatch};
pub(crate) use units::Units;
pub use words::{Amortization, FeeWhen, InterestAccrual, InterestMethod, LateFeeKind, Prepayment};

use crate::calendar::{Calendar, CalendarRule, DayCount, Frequency, InterestPeriod, MonthEnd, RepayUnit, is_taken};
use crate::number::rounding::Rounding;
use crate::refusal::{Reason, Refusal};
use crate::{AnnualRate, Currency};
#[cfg(feature = "openapi")]
use crate::{Money, openapi::BusinessDate};

/// The most instalments a loan may have.
pub const MAX_INSTALMENTS: u32 = 600;

/// Complete terms: every field has its value, and they go together.
///
/// Made by [`TermsPatch::complete`] or [`TermsPatch::over`], or read back from their own JSON
/// form. [`crate::schedule`] makes a schedule of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(description = "Complete terms: every field has its value."))]
pub struct Terms {
    /// Percent a year.
    interest_rate_apr: AnnualRate,
    /// The number of instalments.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 600, example = 6))]
    instalments: u32,
    /// The number of units in a repayment period.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, example = 1))]
    repay_every: u32,
    /// The unit of a repayment period.
    repay_unit: RepayUnit,
    /// The first due date; null: one repayment period after the disbursement.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<BusinessDate>))]
    first_due_on: Option<Date>,
    /// The base of interest.
    interest_method: InterestMethod,
    /// The amount that is equal from row to row.
    amortization: Amortization,
    /// The conversion of a regular period to a part of a year.
    interest_period: InterestPeriod,
    /// The interest of a period: that of the schedule, or that of each day's balance.
    interest_accrual: InterestAccrual,
    /// The conversion of days to a part of a year.
    day_count: DayCount,
    /// The rounding of amounts.
    rounding: Rounding,
    /// The unit that every amount of a row is a multiple of; null: the currency's smallest.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Money>))]
    smallest_amount: Option<Number>,
    /// The unit that an equal instalment is a multiple of; null: `smallest_amount`.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Money>))]
    instalment_multiple: Option<Number>,
    /// The due date in a month that lacks the seed day.
    month_end: MonthEnd,
    /// Grace periods.
    grace: Grace,
    /// Fees at disbursement or with each instalment.
    #[cfg_attr(feature = "openapi", schema(max_items = 50, example = json!([])))]
    fees: Vec<Fee>,
    /// The order in which payments are allocated.
    allocation: Allocation,
    /// The late fee of an instalment; null: none.
    late_fee: Option<LateFee>,
    /// The calendar that moves due dates to working days; null: none.
    calendar: Option<CalendarUse>,
    /// The treatment of a payment of more than is due.
    prepayment: Prepayment,
}

impl Terms {
    /// Checks the late fees of new instalments; loans that have more keep them.
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

    /// Checks that hold in every currency.
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
        if self.skips_dates() && self.repay_unit == RepayUnit::Month {
            return refuse("/calendar/rule", Reason::ExtendNeedsDaysOrWeeks);
        }
        if let Some(pointer) = self.not_with_daily_interest() {
            return refuse(pointer, Reason::NotWithDailyInterest);
        }
        if self.smallest_amount.is_some_and(|amount| amount.get().is_zero()) {
            return refuse("/smallest_amount", Reason::NotPositive);
        }
        if self.instalment_multiple.is_some_and(|amount| amount.get().is_zero()) {
            return refuse("/instalment_multiple", Reason::NotPositive);
        }
        Ok(())
    }

    /// The first field whose value does not go with interest by the balance of each day, where that is asked for.
    fn not_with_daily_interest(&self) -> Option<&'static str> {
        if !self.accrues_daily() {
            return None;
        }
        let fields = [
            ("/interest_method", self.interest_method == InterestMethod::DecliningBalance),
            ("/amortization", self.amortization == Amortization::EqualInstalments),
            ("/interest_period", self.interest_period == InterestPeriod::Daily),
            ("/grace/interest_payment", self.grace.interest_payment == 0),
            ("/grace/interest_free", self.grace.interest_free == 0),
            ("/prepayment", matches!(self.prepayment, Prepayment::NextInstalments | Prepayment::LastInstalments)),
        ];
        fields.into_iter().find(|(_, goes)| !goes).map(|(pointer, _)| pointer)
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

    /// The interval between due dates.
    pub(crate) const fn frequency(&self) -> Frequency {
        Frequency { every: self.repay_every, unit: self.repay_unit, month_end: self.month_end }
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

    /// The number of units in a repayment period, at least 1.
    #[must_use]
    pub const fn repay_every(&self) -> u32 {
        self.repay_every
    }

    /// The unit of a repayment period.
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

    /// The base of interest.
    #[must_use]
    pub const fn interest_method(&self) -> InterestMethod {
        self.interest_method
    }

    /// The amount that is equal from row to row.
    #[must_use]
    pub const fn amortization(&self) -> Amortization {
        self.amortization
    }

    /// The conversion of a regular period to a part of a year.
    #[must_use]
    pub const fn interest_period(&self) -> InterestPeriod {
        self.interest_period
    }

    /// The interest of a period: that of the schedule, or that of each day's balance.
    #[must_use]
    pub const fn interest_accrual(&self) -> InterestAccrual {
        self.interest_accrual
    }

    /// True if interest follows the balance of each day.
    pub(crate) fn accrues_daily(&self) -> bool {
        self.interest_accrual == InterestAccrual::Daily
    }

    /// The conversion of days to a part of a year.
    #[must_use]
    pub const fn day_count(&self) -> DayCount {
        self.day_count
    }

    /// The rounding of amounts.
    #[must_use]
    pub const fn rounding(&self) -> Rounding {
        self.rounding
    }

    /// The unit that every amount of a row is a multiple of, where it is not the currency's.
    #[must_use]
    pub const fn smallest_amount(&self) -> Option<Number> {
        self.smallest_amount
    }

    /// The unit that an equal instalment is a multiple of, where it is not the smallest amount.
    #[must_use]
    pub const fn instalment_multiple(&self) -> Option<Number> {
        self.instalment_multiple
    }

    /// The due date in a month that lacks the seed day.
    #[must_use]
    pub const fn month_end(&self) -> MonthEnd {
        self.month_end
    }

    /// Grace periods.
    #[must_use]
    pub const fn grace(&self) -> Grace {
        self.grace
    }

    /// The fees.
    #[must_use]
    pub fn fees(&self) -> &[Fee] {
        &self.fees
    }

    /// The order in which payments are allocated.
    #[must_use]
    pub const fn allocation(&self) -> &Allocation {
        &self.allocation
    }

    /// The late fee of an instalment.
    #[must_use]
    pub const fn late_fee(&self) -> Option<LateFee> {
        self.late_fee
    }

    /// The calendar that moves due dates.
    #[must_use]
    pub const fn calendar(&self) -> Option<&CalendarUse> {
        self.calendar.as_ref()
    }

    /// The same with a version of the calendar that they name. Until then every day is a working day.
    #[must_use]
    pub fn with_calendar(mut self, calendar: Option<Arc<Calendar>>) -> Self {
        if let Some(used) = &mut self.calendar {
            used.days = calendar;
        }
        self
    }

    /// The version of the calendar that they have, if any: see [`Self::with_calendar`].
    #[must_use]
    pub fn known_calendar(&self) -> Option<&Arc<Calendar>> {
        self.calendar.as_ref()?.days.as_ref()
    }

    /// The rule and the days of the calendar, if both are known; `calendar` takes the place of the terms' own version.
    pub(crate) fn moves_by<'a>(&'a self, calendar: Option<&'a Calendar>) -> Option<(CalendarRule, &'a Calendar)> {
        let used = self.calendar.as_ref()?;
        Some((used.rule, calendar.or(used.days.as_deref())?))
    }

    /// True if due dates that are no working days are skipped.
    pub(crate) fn skips_dates(&self) -> bool {
        self.calendar.as_ref().is_some_and(|calendar| calendar.rule == CalendarRule::Extend)
    }

    /// True if interest is counted by the days between due dates as a calendar moves them, false if by those of the
    /// rhythm.
    pub(crate) fn counts_moved_days(&self) -> bool {
        self.interest_period == InterestPeriod::Daily && self.day_count != DayCount::Thirty360
    }

    /// The treatment of a payment of more than is due.
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
