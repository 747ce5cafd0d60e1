//! The outstanding principal at risk.

use axum::{extract::State, response::Response};
use serde::Deserialize;
use utoipa::IntoParams;

use backend::{
    app::App,
    auth::callers::Staff,
    domain::portfolio::Grouping,
    http::{csv, format::Format, pagination::ExportLimit, problem::Problem, query::QueryString},
    store::portfolio,
    values::page::{Limit, Position},
    views::arrears::{Arrears, ArrearsPage},
};

/// The query of the arrears.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ArrearsQuery {
    /// The grouping; currencies are never mixed.
    #[param(inline)]
    group_by: Option<Grouping>,
    /// How many groups a page holds, each with all its currencies: 1 to 200, as CSV to 5,000; default 200.
    #[param(inline, value_type = Option<u16>, minimum = 1, maximum = 5000, default = 200)]
    limit: Option<ExportLimit>,
    cursor: Option<String>,
}

/// Get the arrears of the portfolio.
///
/// The outstanding principal today, and its parts 1, 30, 60 and 90 days past due, by currency, product or agent. In the
/// order of the groups; loans without an agent come last. Where there are more groups, `Link` leads to the next page.
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
    let binding = staff.binding(&query).await?;
    let read = || {
        let ArrearsQuery { group_by, limit, cursor } = query.read()?;
        let after = cursor.map(|cursor| Position::from_cursor(&cursor, &binding)).transpose()?;
        let limit = if limit.is_some() { ExportLimit::of(limit, format)? } else { Limit::MOST };
        Ok::<_, Problem>((portfolio::arrears(group_by.unwrap_or_default(), app.today(), after, limit), limit))
    };
    let (arrears, limit) = staff.check(read()).await?;
    let (_, aged) = staff.read(arrears).await?;
    let ArrearsPage { arrears, more_after } = ArrearsPage::of(aged, limit)?;
    csv::bare_page(arrears, more_after, format, (&query, &binding))
}
