//! Complete terms from a patch, the terms it is laid over and the defaults.

use serde::{Deserialize, Deserializer};

use super::Terms;
use super::calendar::CalendarUse;
use super::fee::{Fee, FeeValue, Grace, LONGEST_CODE, LateFee, MAX_FEES, MAX_GRACE_DAYS, MAX_LATE_FEES};
use super::patch::{FeePatch, Given, GracePatch, LateFeePatch, TermsPatch};
use super::words::LateFeeKind;
use crate::refusal::{Reason, Refusal};
use crate::text::{is_blank, is_one_line};
use crate::{Currency, Percent};

impl TermsPatch {
    /// The complete terms of a loan in `currency`, with the default for what is left out.
    ///
    /// # Errors
    /// A [`Refusal`] naming the field, as listed in the lending rules: a missing or impossible
    /// value, or a combination that cannot be.
    pub fn complete(&self, currency: Currency) -> Result<Terms, Refusal> {
        Terms::make(self, None, Some(currency))
    }

    /// The same, with the value of `base` for what is left out.
    ///
    /// # Errors
    /// As [`Self::complete`].
    pub fn over(&self, base: &Terms, currency: Currency) -> Result<Terms, Refusal> {
        Terms::make(self, Some(base), Some(currency))
    }
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
            interest_accrual: pick(patch.interest_accrual, base.map(|base| base.interest_accrual)),
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
            allocation: pick(patch.allocation.clone(), base.map(|base| base.allocation.clone())),
            late_fee: match patch.late_fee {
                Given::Absent => base.and_then(|base| base.late_fee),
                Given::Null => None,
                Given::Value(late_fee) => Some(LateFee::make(late_fee)?),
            },
            calendar: match &patch.calendar {
                Given::Absent => base.and_then(|base| base.calendar.clone()),
                Given::Null => None,
                Given::Value(calendar) => Some(CalendarUse::make(calendar)?),
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
}

fn pick<T: Default>(given: Option<T>, base: Option<T>) -> T {
    given.or(base).unwrap_or_default()
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

    /// Checks codes of a request: beyond [`check_code`](Self::check_code) they must be visible and on one line. Stored
    /// terms from before this rule stay readable.
    fn check_new_codes(patches: &[FeePatch]) -> Result<(), Refusal> {
        match patches.iter().position(|patch| is_blank(&patch.code) || !is_one_line(&patch.code)) {
            None => Ok(()),
            Some(index) => {
                let reason = Reason::NotAName { longest: LONGEST_CODE };
                Err(Refusal::terms(format!("/fees/{index}/code"), reason))
            }
        }
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
