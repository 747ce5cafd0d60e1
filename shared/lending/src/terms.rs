//! The terms of a loan: what a request may leave open ([`TermsPatch`]) and what a loan is computed
//! with ([`Terms`]), which cannot be made from an impossible combination.
//!
//! The JSON form is the one of products, quotes and loans. Rates and amounts are taken as strings
//! or numbers, digit by digit, and written as strings.

use std::fmt;

use jiff::civil::Date;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::calendar::{Frequency, JsonDate, is_taken};
use crate::number::Number;
use crate::refusal::{Reason, Refusal};
use crate::{AnnualRate, Currency, Money, MoneyError, Percent};

/// The most instalments a loan may have.
pub const MAX_INSTALMENTS: u32 = 600;

/// The longest code of a fee, in characters.
const LONGEST_CODE: usize = 64;

/// Makes an enum whose variants are the fixed words of one field; the first is the default.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$meaning:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$meaning])* $variant,)+
        }

        impl $name {
            /// Every value, the default first.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word of the JSON form.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::ALL[0]
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        /// From a string alone: what serde derives would take `{"month": null}` too.
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                match String::deserialize(deserializer)?.as_str() {
                    $($word => Ok(Self::$variant),)+
                    other => Err(serde::de::Error::unknown_variant(other, &[$($word,)+])),
                }
            }
        }
    };
}

words! {
    /// What a repayment period is counted in.
    RepayUnit {
        /// Calendar months.
        Month = "month",
        /// Seven days.
        Week = "week",
        /// Calendar days.
        Day = "day",
    }
}

words! {
    /// What interest is charged on.
    InterestMethod {
        /// On what is still owed.
        DecliningBalance = "declining_balance",
        /// On the whole principal for the whole term.
        Flat = "flat",
    }
}

words! {
    /// What is equal from row to row.
    Amortization {
        /// Principal and interest together.
        EqualInstalments = "equal_instalments",
        /// The principal alone.
        EqualPrincipal = "equal_principal",
    }
}

words! {
    /// How a regular period becomes a part of a year.
    InterestPeriod {
        /// One of 12 months or 52 weeks, whatever the calendar says.
        RepaymentPeriod = "repayment_period",
        /// By the day count.
        Daily = "daily",
    }
}

words! {
    /// How days become a part of a year.
    DayCount {
        /// Months of 30 days, years of 360.
        Thirty360 = "30/360",
        /// Calendar days over 360.
        Actual360 = "actual/360",
        /// Calendar days over 364.
        Actual364 = "actual/364",
        /// Calendar days over 365.
        Actual365 = "actual/365",
        /// Calendar days of each year over that year's own length (ISDA).
        ActualActual = "actual/actual",
    }
}

words! {
    /// How an exact value becomes a whole number of units.
    Rounding {
        /// To the nearest; halfway, to the even one.
        HalfEven = "half_even",
        /// To the nearest; halfway, away from zero.
        HalfUp = "half_up",
        /// Away from zero.
        Up = "up",
        /// Towards zero.
        Down = "down",
    }
}

words! {
    /// What becomes of a due date on a day that its month does not have.
    MonthEnd {
        /// The last day of that month.
        Clamp = "clamp",
        /// The first day of the next.
        Roll = "roll",
    }
}

words! {
    /// When a fee is charged.
    FeeWhen {
        /// Once, taken from what is paid out.
        Disbursement = "disbursement",
        /// With each instalment.
        Instalment = "instalment",
    }
}

words! {
    /// In which order a payment pays what is owed.
    Allocation {
        /// Past due, then due, then in advance; in each: penalty, fee, interest, principal.
        PenaltyFeeInterestPrincipal = "penalty_fee_interest_principal",
        /// Past due and due together: penalty, fee, interest, principal; then in advance:
        /// principal, penalty, fee, interest.
        DuePenaltyFeeInterestPrincipalInAdvancePrincipalPenaltyFeeInterest =
            "due_penalty_fee_interest_principal_in_advance_principal_penalty_fee_interest",
        /// Past due and due together: penalty, interest, principal, fee; then in advance:
        /// penalty, interest, principal, fee.
        DuePenaltyInterestPrincipalFeeInAdvancePenaltyInterestPrincipalFee =
            "due_penalty_interest_principal_fee_in_advance_penalty_interest_principal_fee",
        /// Interest past due, interest due, principal past due, principal due, then penalties and
        /// fees past due and due, then in advance: interest, principal, fee, penalty.
        OverdueInterestFirst = "overdue_interest_first",
    }
}

words! {
    /// What a payment of more than is due does.
    Prepayment {
        /// It pays the next rows as scheduled.
        NextInstalments = "next_instalments",
        /// It pays from the last row backwards.
        LastInstalments = "last_instalments",
        /// It reduces principal; as many rows remain, with a lower instalment.
        ReduceInstalment = "reduce_instalment",
        /// It reduces principal; the instalment remains, for fewer rows.
        ReduceTerm = "reduce_term",
    }
}

words! {
    /// What the value of a late fee counts.
    LateFeeKind {
        /// Money.
        Flat = "flat",
        /// Percent of the instalment's unpaid principal, interest and fees.
        PercentOfOverdue = "percent_of_overdue",
    }
}

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
    /// So many days after the due date nothing happens.
    pub grace_days: u32,
    /// What `value` counts.
    pub kind: LateFeeKind,
    /// Money of the loan's currency, or percent.
    pub value: Number,
    /// How often one instalment bears it at most.
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
    fn over(self, base: Option<T>) -> Option<T> {
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
    #[serde(deserialize_with = "present")]
    pub instalments: Option<u32>,
    /// How many units a repayment period has; 1 by default.
    #[serde(deserialize_with = "present")]
    pub repay_every: Option<u32>,
    /// What it is counted in.
    #[serde(deserialize_with = "present")]
    pub repay_unit: Option<RepayUnit>,
    /// The first due date; none by default.
    #[serde(deserialize_with = "given_date")]
    pub first_due_on: Given<Date>,
    /// What interest is charged on.
    #[serde(deserialize_with = "present")]
    pub interest_method: Option<InterestMethod>,
    /// What is equal from row to row.
    #[serde(deserialize_with = "present")]
    pub amortization: Option<Amortization>,
    /// How a regular period becomes a part of a year.
    #[serde(deserialize_with = "present")]
    pub interest_period: Option<InterestPeriod>,
    /// How days become a part of a year.
    #[serde(deserialize_with = "present")]
    pub day_count: Option<DayCount>,
    /// How amounts are rounded.
    #[serde(deserialize_with = "present")]
    pub rounding: Option<Rounding>,
    /// What every amount of a row is a multiple of; none by default, which is the currency's unit.
    pub smallest_amount: Given<Number>,
    /// What an equal instalment is a multiple of; none by default, which is `smallest_amount`.
    pub instalment_multiple: Given<Number>,
    /// What becomes of a due date on a day that its month does not have.
    #[serde(deserialize_with = "present")]
    pub month_end: Option<MonthEnd>,
    /// Each of its fields that is left out comes from the base, then is 0.
    #[serde(deserialize_with = "present")]
    pub grace: Option<GracePatch>,
    /// The whole list; none by default.
    #[serde(deserialize_with = "present")]
    pub fees: Option<Vec<FeePatch>>,
    /// In which order a payment pays what is owed.
    #[serde(deserialize_with = "present")]
    pub allocation: Option<Allocation>,
    /// The whole of it; none by default.
    pub late_fee: Given<LateFeePatch>,
    /// What a payment of more than is due does.
    #[serde(deserialize_with = "present")]
    pub prepayment: Option<Prepayment>,
}

fn given_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Given<Date>, D::Error> {
    let date: Option<JsonDate> = Option::deserialize(deserializer)?;
    Ok(date.map_or(Given::Null, |JsonDate(date)| Given::Value(date)))
}

/// [`Grace`] as a request has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default, remote = "Self")]
pub struct GracePatch {
    /// See [`Grace::principal`].
    #[serde(deserialize_with = "present")]
    pub principal: Option<u32>,
    /// See [`Grace::interest_payment`].
    #[serde(deserialize_with = "present")]
    pub interest_payment: Option<u32>,
    /// See [`Grace::interest_free`].
    #[serde(deserialize_with = "present")]
    pub interest_free: Option<u32>,
}

/// [`Fee`] as a request has it: with `amount` or with `percent`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default, remote = "Self")]
pub struct FeePatch {
    /// See [`Fee::code`].
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
    pub grace_days: u32,
    /// See [`LateFee::kind`].
    pub kind: LateFeeKind,
    /// See [`LateFee::value`]. Must be given.
    #[serde(deserialize_with = "present")]
    pub value: Option<Number>,
    /// See [`LateFee::max_times`]; 1 by default.
    #[serde(deserialize_with = "present")]
    pub max_times: Option<u32>,
}

/// What serde derives for a struct takes a JSON array too, as its fields in order. These types are
/// written as objects and nothing else: `"terms": []` is a wrong type.
macro_rules! objects_only {
    ($($name:ident, $expecting:literal;)+) => { $(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Object;

                impl<'de> Visitor<'de> for Object {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expecting)
                    }

                    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<$name, A::Error> {
                        // The derived function, which `remote = "Self"` puts beside the trait's.
                        $name::deserialize(MapAccessDeserializer::new(map))
                    }
                }

                deserializer.deserialize_map(Object)
            }
        }
    )+ };
}

objects_only! {
    TermsPatch, "an object with the terms of a loan";
    GracePatch, "an object with the graces";
    FeePatch, "an object with a fee";
    LateFeePatch, "an object with a late fee";
}

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
            terms.settle_currency(currency)?;
        }
        Ok(terms)
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
        patches.iter().enumerate().map(|(index, patch)| Self::make(index, patch)).collect()
    }

    fn make(index: usize, patch: &FeePatch) -> Result<Self, Refusal> {
        let code = &patch.code;
        if code.trim().is_empty() || code.chars().count() > LONGEST_CODE || code.chars().any(char::is_control) {
            let reason = Reason::NotAName { longest: LONGEST_CODE };
            return Err(Refusal::terms(format!("/fees/{index}/code"), reason));
        }
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
        Ok(Self { grace_days: patch.grace_days, kind: patch.kind, value, max_times })
    }
}
