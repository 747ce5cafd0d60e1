//! The terms of a loan as the OpenAPI document describes them. What they mean and which are refused is decided by the
//! crate `lending`; a test holds this description against it.

use utoipa::ToSchema;

/// The terms of a loan. Every field may be left out of a request: it then has the product's value or the default.
/// Answers have them all.
#[derive(ToSchema)]
#[schema(as = Terms, example = json!({
    "interest_rate_apr": "24.00", "instalments": 6, "repay_every": 1, "repay_unit": "month", "first_due_on": null,
    "interest_method": "declining_balance", "amortization": "equal_instalments", "interest_period": "repayment_period",
    "day_count": "30/360", "rounding": "half_even", "smallest_amount": null, "instalment_multiple": null,
    "month_end": "clamp", "grace": {"principal": 0, "interest_payment": 0, "interest_free": 0}, "fees": [],
    "allocation": "penalty_fee_interest_principal", "late_fee": null, "prepayment": "next_instalments"}))]
#[expect(dead_code, reason = "describes JSON; nothing is made of it")]
pub struct TermsSchema {
    /// Percent a year, 0 to 1000, up to six decimals; a string or a number in requests, a string in answers.
    #[schema(example = "24.00", pattern = r"^[0-9]+(\.[0-9]{1,6})?$")]
    interest_rate_apr: Option<String>,
    /// Number of instalments.
    #[schema(minimum = 1, maximum = 600, example = 6)]
    instalments: Option<u32>,
    /// How many units a repayment period has; default 1.
    #[schema(minimum = 1, example = 1)]
    repay_every: Option<u32>,
    /// What a repayment period is counted in; default `month`.
    #[schema(pattern = "^(month|week|day)$", example = "month")]
    repay_unit: Option<String>,
    /// The first due date; default: one repayment period after disbursement.
    #[schema(format = "date", example = json!(null))]
    first_due_on: Option<String>,
    /// What interest is charged on; default `declining_balance`.
    #[schema(pattern = "^(declining_balance|flat)$", example = "declining_balance")]
    interest_method: Option<String>,
    /// What is equal from row to row; default `equal_instalments`.
    #[schema(pattern = "^(equal_instalments|equal_principal)$", example = "equal_instalments")]
    amortization: Option<String>,
    /// How a regular period becomes a part of a year; default `repayment_period`.
    #[schema(pattern = "^(repayment_period|daily)$", example = "repayment_period")]
    interest_period: Option<String>,
    /// How days become a part of a year; default `30/360`.
    #[schema(pattern = "^(30/360|actual/360|actual/364|actual/365|actual/actual)$", example = "30/360")]
    day_count: Option<String>,
    /// How amounts are rounded; default `half_even`.
    #[schema(pattern = "^(half_even|half_up|up|down)$", example = "half_even")]
    rounding: Option<String>,
    /// What every amount of a row is a multiple of; default: the currency's smallest unit.
    #[schema(example = json!(null))]
    smallest_amount: Option<String>,
    /// What an equal instalment is a multiple of; default: `smallest_amount`.
    #[schema(example = json!(null))]
    instalment_multiple: Option<String>,
    /// What becomes of a due date on a day that its month does not have; default `clamp`.
    #[schema(pattern = "^(clamp|roll)$", example = "clamp")]
    month_end: Option<String>,
    /// Periods in which less than everything is asked for.
    grace: Option<GraceSchema>,
    /// Fees at disbursement or with each instalment.
    fees: Option<Vec<FeeSchema>>,
    /// In which order a payment pays what is owed; default `penalty_fee_interest_principal`.
    #[schema(example = "penalty_fee_interest_principal")]
    allocation: Option<String>,
    /// What a late instalment costs; default: nothing.
    late_fee: Option<LateFeeSchema>,
    /// What a payment of more than is due does; default `next_instalments`.
    #[schema(
        pattern = "^(next_instalments|last_instalments|reduce_instalment|reduce_term)$",
        example = "next_instalments"
    )]
    prepayment: Option<String>,
}

/// Periods in which less than everything is asked for.
#[derive(ToSchema)]
#[schema(as = Grace)]
#[expect(dead_code, reason = "describes JSON; nothing is made of it")]
struct GraceSchema {
    /// So many first rows repay no principal.
    #[schema(example = 0)]
    principal: Option<u32>,
    /// The interest of so many first periods is paid with the first period after them.
    #[schema(example = 0)]
    interest_payment: Option<u32>,
    /// So many first periods bear no interest.
    #[schema(example = 0)]
    interest_free: Option<u32>,
}

/// A fee: either `amount` or `percent`.
#[derive(ToSchema)]
#[schema(as = Fee)]
#[expect(dead_code, reason = "describes JSON; nothing is made of it")]
struct FeeSchema {
    /// The lender's name for it.
    #[schema(example = "processing")]
    code: String,
    /// When it is charged; default `disbursement`.
    #[schema(pattern = "^(disbursement|instalment)$", example = "disbursement")]
    when: Option<String>,
    /// Money of the loan's currency.
    #[schema(example = "400.00")]
    amount: Option<String>,
    /// Percent of the loan's amount.
    percent: Option<String>,
}

/// What a late instalment costs.
#[derive(ToSchema)]
#[schema(as = LateFee)]
#[expect(dead_code, reason = "describes JSON; nothing is made of it")]
struct LateFeeSchema {
    /// Days after the due date before it arises; default 0.
    #[schema(example = 5)]
    grace_days: Option<u32>,
    /// What `value` counts; default `flat`.
    #[schema(pattern = "^(flat|percent_of_overdue)$", example = "flat")]
    kind: Option<String>,
    /// Money, or percent of what is overdue.
    #[schema(example = "5.00")]
    value: String,
    /// How often at most; default 1.
    #[schema(example = 1)]
    max_times: Option<u32>,
}
