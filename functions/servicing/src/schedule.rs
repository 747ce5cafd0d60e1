//! The due dates of a loan, and its payments.

use axum::{Json, extract::State};
use backend::{
    app::App,
    auth::callers::AnyUser,
    domain::loan_as_of::LoanAsOf,
    http::{as_of::AsOfQuery, path::PathParameter, problem::Problem, query::QueryString},
    values::time::{BusinessDate, Instant},
};
use lending::{Currency, Instalment, InstalmentTotals, Money, ScheduledInstalment};
use serde::Serialize;
use utoipa::ToSchema;

use crate::read;

/// The due dates and payments of a loan. Before disbursement a projection.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoanSchedule {
    /// True before disbursement: as if disbursed on `disbursed_on`, the day of the loan's version.
    #[schema(example = false)]
    projection: bool,
    /// The day that interest counts from.
    disbursed_on: BusinessDate,
    /// The business date asked about.
    as_of: BusinessDate,
    /// Only transactions recorded by then count.
    known_at: Instant,
    /// ISO 4217.
    currency: Currency,
    /// One for each instalment.
    rows: Vec<Instalment>,
    /// The sums of the rows.
    totals: InstalmentTotals,
}

/// Get the schedule of a loan.
///
/// Every instalment, with the payments of it. Before disbursement it is a projection, and says so.
#[utoipa::path(
    get, path = "/api/loans/{id}/schedule", tag = "servicing", params(AsOfQuery),
    responses((status = 200, description = "The schedule", body = LoanSchedule))
)]
pub(crate) async fn get_loan_schedule(
    user: AnyUser,
    State(app): State<App>,
    path: PathParameter,
    query: QueryString,
) -> Result<Json<LoanSchedule>, Problem> {
    let id = user.check(path.uuid()).await?;
    let (file, _) = read::file(&user, &app, id, query.read::<AsOfQuery>(), AsOfQuery::reading).await?;
    let LoanAsOf { loan, state, as_of, known_at, .. } = &file;
    let (rows, totals) = match state.disbursed_on {
        Some(_) => (state.rows.clone(), state.totals),
        None => projection(&file)?,
    };
    Ok(Json(LoanSchedule {
        projection: state.disbursed_on.is_none(),
        disbursed_on: BusinessDate(state.disbursed_on.unwrap_or(loan.version_on)),
        as_of: BusinessDate(*as_of),
        known_at: Instant(*known_at),
        currency: loan.amount.currency(),
        rows,
        totals,
    }))
}

/// The rows as if the loan were disbursed on the day of its version, and nothing paid.
fn projection(file: &LoanAsOf) -> Result<(Vec<Instalment>, InstalmentTotals), Problem> {
    let schedule = file.loan.schedule().map_err(Problem::internal)?;
    let zero = Money::zero(file.loan.amount.currency());
    let fees = schedule.rows.iter().try_fold(zero, |sum, row| sum.checked_add(row.fees));
    let totals = InstalmentTotals {
        principal: file.loan.amount,
        interest: schedule.total_interest,
        fees: fees.ok_or_else(|| Problem::internal("the fees of a schedule do not add up"))?,
        penalties: zero,
        due: schedule.total_due,
        paid: zero,
        outstanding: schedule.total_due,
        written_off: zero,
    };
    let instalment = |row: &ScheduledInstalment| Instalment {
        n: row.n,
        due_on: row.due_on,
        days: row.days,
        principal: row.principal,
        interest: row.interest,
        fees: row.fees,
        penalties: zero,
        due: row.due,
        paid: zero,
        outstanding: row.due,
        written_off: zero,
        paid_on: None,
        balance: row.balance,
    };
    Ok((schedule.rows.iter().map(instalment).collect(), totals))
}
