//! Fees, late fees and graces, with their limits.

use serde::Serialize;

use super::number::Number;
use super::words::{FeeWhen, LateFeeKind};
use crate::Percent;
use crate::refusal::Reason;

/// The most late fees of an instalment: far in the future, an unpaid loan would have millions otherwise.
pub const MAX_LATE_FEES: u32 = 600;
/// The most late fees of a loan, instalments times [`LateFee::max_times`], under terms that are new.
pub const MAX_LATE_FEES_OF_A_LOAN: u32 = 3_600;

/// The most fees that terms may have.
pub const MAX_FEES: usize = 50;

/// The most days a late fee may wait: ten years.
pub const MAX_GRACE_DAYS: u32 = 3650;

/// The longest code of a fee, in characters.
pub(super) const LONGEST_CODE: usize = 64;

/// Grace periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Grace {
    /// The number of first rows that repay no principal.
    #[cfg_attr(feature = "openapi", schema(maximum = 599, example = 0))]
    pub principal: u32,
    /// The number of first periods whose interest is paid with the first period after them.
    #[cfg_attr(feature = "openapi", schema(maximum = 599, example = 0))]
    pub interest_payment: u32,
    /// The number of first periods that bear no interest.
    #[cfg_attr(feature = "openapi", schema(maximum = 600, example = 0))]
    pub interest_free: u32,
}

/// A fee that is part of the terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fee {
    /// The lender's name for it.
    pub code: String,
    /// When it is charged.
    pub when: FeeWhen,
    /// Its amount, each time.
    #[serde(flatten)]
    pub value: FeeValue,
}

/// The amount of a fee, each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeValue {
    /// Money of the loan's currency.
    Amount(Number),
    /// Percent of the loan's amount.
    Percent(Percent),
}

/// The late fee of an instalment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LateFee {
    /// The days after the due date on which no fee arises.
    #[cfg_attr(feature = "openapi", schema(maximum = 3650, example = 5))]
    pub grace_days: u32,
    /// The meaning of `value`.
    pub kind: LateFeeKind,
    /// Money of the loan's currency, or percent.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "5.00"))]
    pub value: Number,
    /// The most times one instalment bears it.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 600, example = 1))]
    pub max_times: u32,
}

impl Fee {
    /// Checks that hold for every stored code.
    pub(super) fn check_code(code: &str) -> Result<(), Reason> {
        if code.trim().is_empty() || code.chars().count() > LONGEST_CODE || code.chars().any(char::is_control) {
            return Err(Reason::NotAName { longest: LONGEST_CODE });
        }
        Ok(())
    }
}

#[cfg(feature = "openapi")]
mod openapi {
    use std::borrow::Cow;

    use serde_json::json;
    use utoipa::openapi::schema::RefBuilder;
    use utoipa::openapi::{ObjectBuilder, Ref, RefOr, Schema};
    use utoipa::{PartialSchema, ToSchema};

    use super::{Fee, FeeWhen};
    use crate::openapi::text;
    use crate::{AnnualRate, Money};

    /// As in JSON: flat, with one of the two values.
    impl PartialSchema for Fee {
        fn schema() -> RefOr<Schema> {
            let of = |name: Cow<'_, str>, about: &str| {
                RefBuilder::new().ref_location_from_schema_name(name).description(Some(about)).build()
            };
            ObjectBuilder::new()
                .description(Some("A fee that is part of the terms: either `amount` or `percent`."))
                .property("code", text("The lender's name for it.").min_length(Some(1)).max_length(Some(64)))
                .property("when", Ref::from_schema_name(FeeWhen::name()))
                .property("amount", of(Money::name(), "Money of the loan's currency."))
                .property("percent", of(AnnualRate::name(), "Percent of the loan's amount."))
                .required("code")
                .required("when")
                .examples([json!({"code": "processing", "when": "disbursement", "amount": "400.00"})])
                .into()
        }
    }

    impl ToSchema for Fee {
        fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
            schemas.push((FeeWhen::name().into(), FeeWhen::schema()));
        }
    }
}
