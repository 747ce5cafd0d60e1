//! Terms as a request has them. Unknown fields and wrong types are refused.

use jiff::civil::Date;
use serde::{Deserialize, Deserializer};

use super::MAX_INSTALMENTS;
use super::allocation::Allocation;
use super::calendar::CalendarPatch;
use super::fee::{Fee, MAX_FEES, MAX_GRACE_DAYS, MAX_LATE_FEES};
use super::number::Number;
use super::words::{Amortization, FeeWhen, InterestAccrual, InterestMethod, LateFeeKind, Prepayment};
use crate::calendar::{DayCount, InterestPeriod, JsonDate, MonthEnd, RepayUnit};
use crate::json::{objects_only, refused, whole_number};
use crate::number::rounding::Rounding;
#[cfg(feature = "openapi")]
use crate::openapi::{BusinessDate, NumberText};
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(as = TermsInput, description = "Terms as a request has them: every field may be left out.")
)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct TermsPatch {
    /// Percent a year. Must come from somewhere.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = NumberText))]
    pub interest_rate_apr: Option<AnnualRate>,
    /// 1 to 600. Must come from somewhere.
    #[serde(default, deserialize_with = "instalments")]
    #[cfg_attr(feature = "openapi", schema(value_type = u32, minimum = 1, maximum = 600, example = 6))]
    pub instalments: Option<u32>,
    /// The number of units in a repayment period; 1 by default.
    #[serde(default, deserialize_with = "positive")]
    #[cfg_attr(feature = "openapi", schema(value_type = u32, minimum = 1, example = 1))]
    pub repay_every: Option<u32>,
    /// The unit of `repay_every`; `month` by default.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = RepayUnit))]
    pub repay_unit: Option<RepayUnit>,
    /// The first due date; none by default: one repayment period after the disbursement.
    #[serde(default, deserialize_with = "given_date")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<BusinessDate>))]
    pub first_due_on: Given<Date>,
    /// The base of interest; `declining_balance` by default.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = InterestMethod))]
    pub interest_method: Option<InterestMethod>,
    /// The amount that is equal from row to row; `equal_instalments` by default.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Amortization))]
    pub amortization: Option<Amortization>,
    /// The conversion of a regular period to a part of a year; `repayment_period` by default.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = InterestPeriod))]
    pub interest_period: Option<InterestPeriod>,
    /// The interest of a period, `scheduled` by default. `daily` is that of the balance of each day: a late payment
    /// costs and an early one saves from its own day on, and the instalment stays.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = InterestAccrual))]
    pub interest_accrual: Option<InterestAccrual>,
    /// The conversion of days to a part of a year; `30/360` by default.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = DayCount))]
    pub day_count: Option<DayCount>,
    /// The rounding of amounts; `half_even` by default.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Rounding))]
    pub rounding: Option<Rounding>,
    /// The unit that every amount of a row is a multiple of; by default the currency's.
    #[serde(default, deserialize_with = "given_amount")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<NumberText>))]
    pub smallest_amount: Given<Number>,
    /// The unit that an equal instalment is a multiple of; by default `smallest_amount`.
    #[serde(default, deserialize_with = "given_amount")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<NumberText>))]
    pub instalment_multiple: Given<Number>,
    /// The due date in a month that lacks the seed day; `clamp` by default.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = MonthEnd))]
    pub month_end: Option<MonthEnd>,
    /// Grace periods: each that is left out comes from the product, then is 0.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = GracePatch))]
    pub grace: Option<GracePatch>,
    /// The fees, as a whole; none by default.
    #[serde(default, deserialize_with = "fees")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<FeePatch>, max_items = 50, example = json!([])))]
    pub fees: Option<Vec<FeePatch>>,
    /// The order in which payments are allocated; `penalty_fee_interest_principal` by default.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Allocation))]
    pub allocation: Option<Allocation>,
    /// The late fee, as a whole; none by default.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<LateFeePatch>))]
    pub late_fee: Given<LateFeePatch>,
    /// The calendar that moves due dates to working days, as a whole; none by default.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<CalendarPatch>))]
    pub calendar: Given<CalendarPatch>,
    /// The treatment of a payment of more than is due; `next_instalments` by default.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Prepayment))]
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

/// Grace periods as a request has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = GraceInput))]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct GracePatch {
    /// The number of first rows that repay no principal; 0 by default.
    #[serde(default, deserialize_with = "count")]
    #[cfg_attr(feature = "openapi", schema(value_type = u32, maximum = 599, example = 0))]
    pub principal: Option<u32>,
    /// The number of first periods whose interest is paid with the first period after them; 0 by default.
    #[serde(default, deserialize_with = "count")]
    #[cfg_attr(feature = "openapi", schema(value_type = u32, maximum = 599, example = 0))]
    pub interest_payment: Option<u32>,
    /// The number of first periods that bear no interest; 0 by default.
    #[serde(default, deserialize_with = "count")]
    #[cfg_attr(feature = "openapi", schema(value_type = u32, maximum = 600, example = 0))]
    pub interest_free: Option<u32>,
}

/// A fee as a request has it: with `amount` or with `percent`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(as = FeeInput, example = json!({"code": "processing", "when": "disbursement", "amount": "400.00"}))
)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct FeePatch {
    /// The lender's name for it.
    #[serde(default, deserialize_with = "fee_code")]
    #[cfg_attr(feature = "openapi", schema(required = true, min_length = 1, max_length = 64, example = "processing"))]
    pub code: String,
    /// When it is charged; `disbursement` by default.
    #[serde(default)]
    pub when: FeeWhen,
    /// Money of the loan's currency.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = NumberText))]
    pub amount: Option<Number>,
    /// Percent of the loan's amount.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = NumberText))]
    pub percent: Option<Percent>,
}

/// A late fee as a request has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LateFeeInput))]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct LateFeePatch {
    /// The days after the due date on which no fee arises; 0 by default.
    #[serde(default, deserialize_with = "grace_days")]
    #[cfg_attr(feature = "openapi", schema(maximum = 3650, example = 5))]
    pub grace_days: u32,
    /// The meaning of `value`; `flat` by default.
    #[serde(default)]
    pub kind: LateFeeKind,
    /// Money of the loan's currency, or percent. Must be given.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = NumberText, required = true))]
    pub value: Option<Number>,
    /// The most times one instalment bears it; 1 by default.
    #[serde(default, deserialize_with = "max_times")]
    #[cfg_attr(feature = "openapi", schema(value_type = u32, minimum = 1, maximum = 600, example = 1))]
    pub max_times: Option<u32>,
}

objects_only! {
    TermsPatch, "an object with the terms of a loan";
    GracePatch, "an object with the graces";
    FeePatch, "an object with a fee";
    LateFeePatch, "an object with a late fee";
}
