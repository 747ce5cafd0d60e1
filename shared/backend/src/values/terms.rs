//! The terms of a loan as the OpenAPI document describes them: in answers, with every field, and in requests, where
//! every field may be left out. The crate `lending` decides their meaning and which are refused; a test checks this
//! description against real answers, and the words come from there.

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
            pub struct $name;

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
    RepayUnit: "The unit of a repayment period.",
    InterestMethod: "The base of interest.",
    Amortization: "The amount that is equal in every row.",
    InterestPeriod: "How a regular period becomes a part of a year.",
    DayCount: "How days become a part of a year.",
    Rounding: "How an exact value is rounded.",
    MonthEnd: "The due date in a month without that day.",
    FeeWhen: "When a fee is charged.",
    AllocationPreset: "The order in which a payment covers the debts: the name of a list.",
    Bucket: "The due date of an amount, seen from the day of the payment.",
    Component: "The component of an amount.",
    Prepayment: "The effect of paying more than is due.",
    CalendarRule: "The effect on a due date that is no working day.",
    WeekDay: "A day of the week.",
    LateFeeKind: "The meaning of the value of a late fee.",
}

/// The order in which a payment covers the debts: the name of a list, or the list itself. In a list each bucket comes
/// with each component exactly once.
#[derive(ToSchema)]
#[schema(example = "penalty_fee_interest_principal")]
#[serde(untagged)]
#[expect(dead_code, reason = "describes JSON; nothing is made of it")]
enum Allocation {
    Preset(AllocationPreset),
    Groups(AllocationGroups),
}

/// Groups of amounts in the order of payment.
#[derive(ToSchema)]
#[schema(min_items = 1, max_items = 12)]
#[expect(dead_code, reason = "describes JSON; nothing is made of it")]
struct AllocationGroups(Vec<AllocationGroup>);

/// Amounts that are paid instalment by instalment, the oldest first, in an instalment component by component.
#[derive(ToSchema)]
#[schema(example = json!({"buckets": ["past_due", "due"], "components": ["interest", "principal", "fee", "penalty"]}))]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes JSON; nothing is made of it")]
struct AllocationGroup {
    /// The amounts, by their own due dates.
    #[schema(min_items = 1, max_items = 3)]
    buckets: Vec<Bucket>,
    /// The components, in their order.
    #[schema(min_items = 1, max_items = 4)]
    components: Vec<Component>,
}

/// One form of the terms: in answers all fields are `required`, and numbers are strings.
macro_rules! form {
    ($(#[$about:meta])* $terms:ident as $terms_name:ident, $grace:ident as $grace_name:ident,
        $fee:ident as $fee_name:ident, $late_fee:ident as $late_fee_name:ident, $calendar:ident as $calendar_name:ident,
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
            /// The unit of a repayment period; default `month`.
            #[schema(required = $required)]
            repay_unit: RepayUnit,
            /// The first due date; null, the default: one repayment period after disbursement.
            #[schema(required = $required, format = Date, example = json!(null))]
            first_due_on: Option<String>,
            /// The base of interest; default `declining_balance`.
            #[schema(required = $required)]
            interest_method: InterestMethod,
            /// The amount that is equal in every row; default `equal_instalments`.
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
            /// Every amount of a row is a multiple of this; null, the default: the currency's smallest unit.
            #[schema(required = $required, example = json!(null))]
            smallest_amount: Option<$number>,
            /// An equal instalment is a multiple of this; null, the default: `smallest_amount`.
            #[schema(required = $required, example = json!(null))]
            instalment_multiple: Option<$number>,
            /// The due date in a month without that day; default `clamp`.
            #[schema(required = $required)]
            month_end: MonthEnd,
            /// Periods with reduced payments; default: none.
            #[schema(required = $required)]
            grace: $grace,
            /// Fees at disbursement or with each instalment; default: none.
            #[schema(required = $required, max_items = 50, example = json!([]))]
            fees: Vec<$fee>,
            /// The order in which a payment covers the debts; default `penalty_fee_interest_principal`.
            #[schema(required = $required)]
            allocation: Allocation,
            /// The fee for a late instalment; null, the default: no fee.
            #[schema(required = $required, example = json!(null))]
            late_fee: Option<$late_fee>,
            /// The calendar that moves due dates to working days; null, the default: none.
            #[schema(required = $required, example = json!(null))]
            calendar: Option<$calendar>,
            /// The effect of paying more than is due; default `next_instalments`.
            #[schema(required = $required)]
            prepayment: Prepayment,
        }

        /// Periods with reduced payments.
        #[derive(ToSchema)]
        #[schema(as = $grace_name)]
        $(#[$fields])*
        #[expect(dead_code, reason = "describes JSON; nothing is made of it")]
        struct $grace {
            /// Number of first rows that repay no principal; default 0.
            #[schema(required = $required, maximum = 599, example = 0)]
            principal: u32,
            /// Number of first periods whose interest is paid with the period after them; default 0.
            #[schema(required = $required, maximum = 599, example = 0)]
            interest_payment: u32,
            /// Number of first periods that bear no interest; default 0.
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

        /// The fee for a late instalment.
        #[derive(ToSchema)]
        #[schema(as = $late_fee_name)]
        $(#[$fields])*
        #[expect(dead_code, reason = "describes JSON; nothing is made of it")]
        struct $late_fee {
            /// Days between the due date and the fee; default 0.
            #[schema(required = $required, maximum = 3650, example = 5)]
            grace_days: u32,
            /// The meaning of `value`; default `flat`.
            #[schema(required = $required)]
            kind: LateFeeKind,
            /// Money of the loan's currency, or percent of the overdue amount.
            #[schema(example = "5.00")]
            value: $number,
            /// How often at most; default 1.
            #[schema(required = $required, minimum = 1, maximum = 600, example = 1)]
            max_times: u32,
        }

        /// A calendar, and the effect on a due date that is no working day.
        #[derive(ToSchema)]
        #[schema(as = $calendar_name)]
        $(#[$fields])*
        #[expect(dead_code, reason = "describes JSON; nothing is made of it")]
        struct $calendar {
            /// The calendar's code.
            #[schema(pattern = "^[a-z0-9-]{1,64}$", example = "ke")]
            code: String,
            /// The effect on the date; default `following`.
            #[schema(required = $required)]
            rule: CalendarRule,
        }
    };
}

form! {
    /// The complete terms of a loan.
    TermsSchema as Terms, GraceSchema as Grace, FeeSchema as Fee, LateFeeSchema as LateFee,
    CalendarUseSchema as CalendarUse,
    required = true, number = String,
}

form! {
    /// The terms in a request. A field that is left out has the product's value, or the default.
    TermsGivenSchema as TermsGiven, GraceGivenSchema as GraceGiven, FeeGivenSchema as FeeGiven,
        LateFeeGivenSchema as LateFeeGiven, CalendarUseGivenSchema as CalendarUseGiven,
    required = false, number = NumberText, #[serde(deny_unknown_fields)]
}
