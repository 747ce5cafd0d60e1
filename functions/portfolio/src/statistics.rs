//! The figures of the whole book.

use axum::{Json, extract::State};
use backend::{
    app::App,
    auth::callers::Staff,
    http::{problem::Problem, query::QueryString},
    models::stats::{self, Statistics},
};

/// Shows the figures of the whole book as they are now: loans by state, money by currency.
#[utoipa::path(
    get, path = "/api/stats", tag = "portfolio",
    responses((status = 200, description = "The figures", body = Statistics))
)]
pub(crate) async fn get_statistics(
    staff: Staff,
    State(app): State<App>,
    query: QueryString,
) -> Result<Json<Statistics>, Problem> {
    staff.check(query.none()).await?;
    // What falls due at midnight may be told a moment late.
    let today = app.today();
    let (_, (totals, past_due)) = staff.read(stats::totals(today)).await?;
    Ok(Json(Statistics::new(today, &totals, &past_due)))
}
