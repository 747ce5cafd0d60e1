//! The rows of a schedule as the OpenAPI document describes them; the crate `lending` makes them.

use utoipa::ToSchema;

use crate::values::time::BusinessDate;

/// One instalment.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the rows of the engine in the OpenAPI document")]
pub struct ScheduleRow {
    /// Counted from 1.
    #[schema(example = 1)]
    n: u32,
    /// When it is due.
    due_on: BusinessDate,
    /// Days since the due date before, or since the disbursement.
    #[schema(example = 31)]
    days: u32,
    /// Principal repaid.
    #[schema(example = "1902.39")]
    principal: String,
    /// Interest paid.
    #[schema(example = "240.01")]
    interest: String,
    /// Fees paid.
    #[schema(example = "0.00")]
    fees: String,
    /// All three together.
    #[schema(example = "2142.40")]
    due: String,
    /// Principal left afterwards.
    #[schema(example = "10098.11")]
    balance: String,
}
