//! The outstanding principal at risk.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;

use backend::{
    app::App,
    auth::callers::Staff,
    domain::portfolio::Grouping,
    http::{csv, format::Format, problem::Problem, query::QueryString},
    store::portfolio,
    views::arrears::Arrears,
};

/// The query of the arrears.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ArrearsQuery {
    /// The grouping; currencies are never mixed.
    #[param(inline)]
    group_by: Option<Grouping>,
}

/// Get the arrears of the portfolio.
///
/// The outstanding principal today, and its parts 1, 30, 60 and 90 days past due, by currency, product or agent.
#[utoipa::path(
    get, path = "/api/portfolio/arrears", tag = "portfolio", params(ArrearsQuery),
    responses((status = 200, description = "One for each group and currency", content(
        (Vec<Arrears> = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn get_arrears(
    staff: Staff,
    State(app): State<App>,
    format: Format,
    query: QueryString,
) -> Result<Response, Problem> {
    let ArrearsQuery { group_by } = staff.check(query.read()).await?;
    let (_, arrears) = staff.read(portfolio::arrears(group_by.unwrap_or_default(), app.today())).await?;
    let arrears = Arrears::of(arrears)?;
    match format {
        Format::Csv => csv::answer(&arrears),
        Format::Json => Ok(Json(arrears).into_response()),
    }
}
