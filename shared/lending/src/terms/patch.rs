//! Terms as a request has them. Unknown fields and wrong types are refused.

use jiff::civil::Date;
use serde::{Deserialize, Deserializer};

use super::MAX_INSTALMENTS;
use super::allocation::Allocation;
use super::calendar::CalendarPatch;
use super::fee::{Fee, MAX_FEES, MAX_GRACE_DAYS, MAX_LATE_FEES};
#[cfg(doc)]
use super::fee::{Grace, LateFee};
use super::number::Number;
use super::words::{Amortization, FeeWhen, InterestMethod, LateFeeKind, Prepayment};
use crate::calendar::{DayCount, InterestPeriod, JsonDate, MonthEnd, RepayUnit};
use crate::json::{objects_only, refused, whole_number};
use crate::number::rounding::Rounding;
use crate::refusal::Reason;
use crate::{AnnualRate, Percent};

/// A field that may be left out, be `null`, or have a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Given<T> {
    /// Left out: the base or the default holds.
    #[default]
    Absent,
    /// `null`: none, whatever the base says.
    Null,
    /// This value.
    Value(T),
}

impl<T> Given<T> {
    pub(super) fn over(self, base: Option<T>) -> Option<T> {
        match self {
            Self::Absent => base,
            Self::Null => None,
            Self::Value(value) => Some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

/// For fields that have no `null`: left out is `None`, and `null` is refused like any wrong type.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Terms as a request has them: every field may be left out.
///
/// ```
/// use lending::{Currency, TermsPatch};
///
/// let patch: TermsPatch =
///     serde_json::from_str(r#"{"interest_rate_apr": 24.0, "instalments": 6}"#)?;
/// let terms = patch.complete(Currency::from_code("INR")?)?;
/// assert_eq!(terms.interest_rate_apr().to_string(), "24.00");
/// assert_eq!(terms.repay_unit().as_str(), "month");
///
/// // What a request leaves out comes from the product's terms.
/// let longer = TermsPatch { instalments: Some(12), ..TermsPatch::default() };
/// let longer = longer.over(&terms, Currency::from_code("INR")?)?;
/// assert_eq!((longer.instalments(), longer.interest_rate_apr()), (12, terms.interest_rate_apr()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default, remote = "Self")]
pub struct TermsPatch {
    /// Percent a year. Must come from somewhere.
    #[serde(deserialize_with = "present")]
    pub interest_rate_apr: Option<AnnualRate>,
    /// 1 to 600. Must come from somewhere.
    #[serde(deserialize_with = "instalments")]
    pub instalments: Option<u32>,
    /// The number of units in a repayment period; 1 by default.
    #[serde(deserialize_with = "positive")]
    pub repay_every: Option<u32>,
    /// The unit of `repay_every`.
    #[serde(deserialize_with = "present")]
    pub repay_unit: Option<RepayUnit>,
    /// The first due date; none by default.
    #[serde(deserialize_with = "given_date")]
    pub first_due_on: Given<Date>,
    /// The base of interest.
    #[serde(deserialize_with = "present")]
    pub interest_method: Option<InterestMethod>,
    /// The amount that is equal from row to row.
    #[serde(deserialize_with = "present")]
    pub amortization: Option<Amortization>,
    /// The conversion of a regular period to a part of a year.
    #[serde(deserialize_with = "present")]
    pub interest_period: Option<InterestPeriod>,
    /// The conversion of days to a part of a year.
    #[serde(deserialize_with = "present")]
    pub day_count: Option<DayCount>,
    /// The rounding of amounts.
    #[serde(deserialize_with = "present")]
    pub rounding: Option<Rounding>,
    /// The unit that every amount of a row is a multiple of; by default the currency's.
    #[serde(deserialize_with = "given_amount")]
    pub smallest_amount: Given<Number>,
    /// The unit that an equal instalment is a multiple of; by default `smallest_amount`.
    #[serde(deserialize_with = "given_amount")]
    pub instalment_multiple: Given<Number>,
    /// The due date in a month that lacks the seed day.
    #[serde(deserialize_with = "present")]
    pub month_end: Option<MonthEnd>,
    /// Each of its fields that is left out comes from the base, then is 0.
    #[serde(deserialize_with = "present")]
    pub grace: Option<GracePatch>,
    /// The whole list; none by default.
    #[serde(deserialize_with = "fees")]
    pub fees: Option<Vec<FeePatch>>,
    /// The order in which payments are allocated.
    #[serde(deserialize_with = "present")]
    pub allocation: Option<Allocation>,
    /// The whole of it; none by default.
    pub late_fee: Given<LateFeePatch>,
    /// The whole of it; none by default.
    pub calendar: Given<CalendarPatch>,
    /// The treatment of a payment of more than is due.
    #[serde(deserialize_with = "present")]
    pub prepayment: Option<Prepayment>,
}

fn given_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Given<Date>, D::Error> {
    let date: Option<JsonDate> = Option::deserialize(deserializer)?;
    Ok(date.map_or(Given::Null, |JsonDate(date)| Given::Value(date)))
}

/// Applies a field's own rule where the field is read, so that a reader can collect its refusal with the rest.
fn held<T, E: serde::de::Error>(value: T, rule: impl FnOnce(&T) -> Result<(), Reason>) -> Result<T, E> {
    rule(&value).map_err(|reason| refused(reason.code(), reason))?;
    Ok(value)
}

fn given_amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Given<Number>, D::Error> {
    held(Given::<Number>::deserialize(deserializer)?, |amount| match amount {
        Given::Value(number) if number.get().is_zero() => Err(Reason::NotPositive),
        Given::Absent | Given::Null | Given::Value(_) => Ok(()),
    })
}

fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    whole_number(deserializer, 0..=u32::MAX).map(Some)
}

fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    held(count(deserializer)?, |number| if *number == Some(0) { Err(Reason::NotPositive) } else { Ok(()) })
}

fn instalments<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    whole_number(deserializer, 1..=MAX_INSTALMENTS).map(Some)
}

fn grace_days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    whole_number(deserializer, 0..=MAX_GRACE_DAYS)
}

fn max_times<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    held(positive(deserializer)?, |times| {
        let range = Reason::OutOfRange { least: 1, most: MAX_LATE_FEES };
        if times.is_some_and(|times| times > MAX_LATE_FEES) { Err(range) } else { Ok(()) }
    })
}

fn fees<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<FeePatch>>, D::Error> {
    let fees = Vec::deserialize(deserializer)?;
    let rule = |fees: &Vec<_>| if fees.len() > MAX_FEES { Err(Reason::TooMany { most: MAX_FEES }) } else { Ok(()) };
    held(fees, rule).map(Some)
}

fn fee_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    held(String::deserialize(deserializer)?, |code| Fee::check_code(code))
}

/// [`Grace`] as a request has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default, remote = "Self")]
pub struct GracePatch {
    /// See [`Grace::principal`].
    #[serde(deserialize_with = "count")]
    pub principal: Option<u32>,
    /// See [`Grace::interest_payment`].
    #[serde(deserialize_with = "count")]
    pub interest_payment: Option<u32>,
    /// See [`Grace::interest_free`].
    #[serde(deserialize_with = "count")]
    pub interest_free: Option<u32>,
}

/// [`Fee`] as a request has it: with `amount` or with `percent`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default, remote = "Self")]
pub struct FeePatch {
    /// See [`Fee::code`].
    #[serde(deserialize_with = "fee_code")]
    pub code: String,
    /// See [`Fee::when`].
    pub when: FeeWhen,
    /// Money of the loan's currency.
    #[serde(deserialize_with = "present")]
    pub amount: Option<Number>,
    /// Percent of the loan's amount.
    #[serde(deserialize_with = "present")]
    pub percent: Option<Percent>,
}

/// [`LateFee`] as a request has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default, remote = "Self")]
pub struct LateFeePatch {
    /// See [`LateFee::grace_days`]; 0 by default.
    #[serde(deserialize_with = "grace_days")]
    pub grace_days: u32,
    /// See [`LateFee::kind`].
    pub kind: LateFeeKind,
    /// See [`LateFee::value`]. Must be given.
    #[serde(deserialize_with = "present")]
    pub value: Option<Number>,
    /// See [`LateFee::max_times`]; 1 by default.
    #[serde(deserialize_with = "max_times")]
    pub max_times: Option<u32>,
}

objects_only! {
    TermsPatch, "an object with the terms of a loan";
    GracePatch, "an object with the graces";
    FeePatch, "an object with a fee";
    LateFeePatch, "an object with a late fee";
}
