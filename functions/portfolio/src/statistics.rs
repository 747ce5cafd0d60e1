//! The figures of the whole book.

use axum::{Json, extract::State};
use backend::{
    app::App,
    auth::callers::Staff,
    http::{problem::Problem, query::QueryString, time::BusinessDate},
    models::stats::{self, Statistics},
};
use serde::Deserialize;
use utoipa::IntoParams;

/// The query of the statistics.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatisticsQuery {
    /// The business date asked about; default: today. A later one brings no further transactions.
    #[param(value_type = Option<BusinessDate>)]
    as_of: Option<BusinessDate>,
}

/// Shows the figures of the whole book at the end of a day: loans by state, money by currency.
#[utoipa::path(
    get, path = "/api/stats", tag = "portfolio", params(StatisticsQuery),
    responses((status = 200, description = "The figures", body = Statistics))
)]
pub(crate) async fn get_statistics(
    staff: Staff,
    State(app): State<App>,
    query: QueryString,
) -> Result<Json<Statistics>, Problem> {
    let asked = staff.check(query.read::<StatisticsQuery>()).await?;
    // What falls due at midnight may be told a moment late.
    let as_of = asked.as_of.map_or_else(|| app.today(), |BusinessDate(date)| date);
    let (_, totals) = staff.read(stats::book(as_of)).await?;
    Ok(Json(Statistics::new(as_of, &totals)))
}
