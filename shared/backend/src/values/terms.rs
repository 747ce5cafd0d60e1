//! The terms of a loan as the OpenAPI document describes them: in answers, where every field is there, and in requests,
//! where every field may be left out. What they mean and which are refused is decided by the crate `lending`; a test
//! holds this description against real answers, and the words come from there.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

use super::number::NumberText;

/// Types for fields that are one of a few fixed words: those of the type of the same name in `lending`.
macro_rules! words {
    ($($name:ident: $about:literal,)+) => {
        $(
            #[doc = $about]
            struct $name;

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    let words = lending::$name::ALL.iter().map(|word| word.as_str());
                    let schema = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words));
                    schema.description(Some($about)).into()
                }
            }

            impl ToSchema for $name {}
        )+
    };
}

words! {
    RepayUnit: "What a repayment period is counted in.",
    InterestMethod: "What interest is charged on.",
    Amortization: "What is equal from row to row.",
    InterestPeriod: "How a regular period becomes a part of a year.",
    DayCount: "How days become a part of a year.",
    Rounding: "How an exact value is rounded.",
    MonthEnd: "What becomes of a due date on a day that its month does not have.",
    FeeWhen: "When a fee is charged.",
    Allocation: "In which order a payment pays what is owed.",
    Prepayment: "What a payment of more than is due does.",
    LateFeeKind: "What the value of a late fee counts.",
}

/// One form of the terms: in answers all fields are `required`, and numbers are strings.
macro_rules! form {
    ($(#[$about:meta])* $terms:ident as $terms_name:ident, $grace:ident as $grace_name:ident,
        $fee:ident as $fee_name:ident, $late_fee:ident as $late_fee_name:ident,
        required = $required:tt, number = $number:ident, $(#[$fields:meta])*) => {
        $(#[$about])*
        #[derive(ToSchema)]
        #[schema(as = $terms_name)]
        $(#[$fields])*
        #[expect(dead_code, reason = "describes JSON; nothing is made of it")]
        pub struct $terms {
            /// Percent a year, 0 to 1000, up to six decimals.
            #[schema(required = $required, example = "24.00")]
            interest_rate_apr: $number,
            /// Number of instalments.
            #[schema(required = $required, minimum = 1, maximum = 600, example = 6)]
            instalments: u32,
            /// How many units a repayment period has; default 1.
            #[schema(required = $required, minimum = 1, example = 1)]
            repay_every: u32,
            /// What a repayment period is counted in; default `month`.
            #[schema(required = $required)]
            repay_unit: RepayUnit,
            /// The first due date; null, the default: one repayment period after disbursement.
            #[schema(required = $required, format = Date, example = json!(null))]
            first_due_on: Option<String>,
            /// What interest is charged on; default `declining_balance`.
            #[schema(required = $required)]
            interest_method: InterestMethod,
            /// What is equal from row to row; default `equal_instalments`.
            #[schema(required = $required)]
            amortization: Amortization,
            /// How a regular period becomes a part of a year; default `repayment_period`.
            #[schema(required = $required)]
            interest_period: InterestPeriod,
            /// How days become a part of a year; default `30/360`.
            #[schema(required = $required)]
            day_count: DayCount,
            /// How amounts are rounded; default `half_even`.
            #[schema(required = $required)]
            rounding: Rounding,
            /// What every amount of a row is a multiple of; null, the default: the currency's smallest unit.
            #[schema(required = $required, example = json!(null))]
            smallest_amount: Option<$number>,
            /// What an equal instalment is a multiple of; null, the default: `smallest_amount`.
            #[schema(required = $required, example = json!(null))]
            instalment_multiple: Option<$number>,
            /// What becomes of a due date on a day that its month does not have; default `clamp`.
            #[schema(required = $required)]
            month_end: MonthEnd,
            /// Periods in which less than everything is asked for; default: none.
            #[schema(required = $required)]
            grace: $grace,
            /// Fees at disbursement or with each instalment; default: none.
            #[schema(required = $required, max_items = 50, example = json!([]))]
            fees: Vec<$fee>,
            /// In which order a payment pays what is owed; default `penalty_fee_interest_principal`.
            #[schema(required = $required)]
            allocation: Allocation,
            /// What a late instalment costs; null, the default: nothing.
            #[schema(required = $required, example = json!(null))]
            late_fee: Option<$late_fee>,
            /// What a payment of more than is due does; default `next_instalments`.
            #[schema(required = $required)]
            prepayment: Prepayment,
        }

        /// Periods in which less than everything is asked for.
        #[derive(ToSchema)]
        #[schema(as = $grace_name)]
        $(#[$fields])*
        #[expect(dead_code, reason = "describes JSON; nothing is made of it")]
        struct $grace {
            /// So many first rows repay no principal; default 0.
            #[schema(required = $required, maximum = 599, example = 0)]
            principal: u32,
            /// The interest of so many first periods is paid with the first period after them; default 0.
            #[schema(required = $required, maximum = 599, example = 0)]
            interest_payment: u32,
            /// So many first periods bear no interest; default 0.
            #[schema(required = $required, maximum = 600, example = 0)]
            interest_free: u32,
        }

        /// A fee: either `amount` or `percent`.
        #[derive(ToSchema)]
        #[schema(as = $fee_name, example = json!({"code": "processing", "when": "disbursement", "amount": "400.00"}))]
        $(#[$fields])*
        #[expect(dead_code, reason = "describes JSON; nothing is made of it")]
        struct $fee {
            /// The lender's name for it.
            #[schema(min_length = 1, max_length = 64, example = "processing")]
            code: String,
            /// When it is charged; default `disbursement`.
            #[schema(required = $required)]
            when: FeeWhen,
            /// Money of the loan's currency.
            #[schema(required = false, example = "400.00")]
            amount: $number,
            /// Percent of the loan's amount.
            #[schema(required = false, example = "2.00")]
            percent: $number,
        }

        /// What a late instalment costs.
        #[derive(ToSchema)]
        #[schema(as = $late_fee_name)]
        $(#[$fields])*
        #[expect(dead_code, reason = "describes JSON; nothing is made of it")]
        struct $late_fee {
            /// Days after the due date before it arises; default 0.
            #[schema(required = $required, maximum = 3650, example = 5)]
            grace_days: u32,
            /// What `value` counts; default `flat`.
            #[schema(required = $required)]
            kind: LateFeeKind,
            /// Money of the loan's currency, or percent of what is overdue.
            #[schema(example = "5.00")]
            value: $number,
            /// How often at most; default 1.
            #[schema(required = $required, minimum = 1, maximum = 600, example = 1)]
            max_times: u32,
        }
    };
}

form! {
    /// The complete terms of a loan.
    TermsSchema as Terms, GraceSchema as Grace, FeeSchema as Fee, LateFeeSchema as LateFee,
    required = true, number = String,
}

form! {
    /// The terms that a request gives. What it leaves out has the product's value, or the default.
    TermsGivenSchema as TermsGiven, GraceGivenSchema as GraceGiven, FeeGivenSchema as FeeGiven,
        LateFeeGivenSchema as LateFeeGiven,
    required = false, number = NumberText, #[serde(deny_unknown_fields)]
}
