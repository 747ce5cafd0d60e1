//! The figures of the whole book.

use axum::{Json, extract::State};
use backend::{
    app::App,
    auth::callers::Staff,
    http::{
        pagination::{Page, PageQuery},
        problem::Problem,
        query::QueryString,
    },
    store::stats::{self, Interval, SnapshotRow, Statistics},
    values::{page::Position, time::BusinessDate},
};
use jiff::civil::{Date, date};
use serde::Deserialize;
use utoipa::IntoParams;

/// The query of the statistics.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatisticsQuery {
    as_of: Option<BusinessDate>,
}

/// Get the statistics of the portfolio.
///
/// Loans by status and money by currency, at the end of a day.
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
    // An amount due at midnight may appear a moment late.
    let as_of = asked.as_of.map_or_else(|| app.today(), |BusinessDate(date)| date);
    let (_, totals) = staff.read(stats::book(as_of)).await?;
    Ok(Json(Statistics::new(as_of, &totals)))
}

/// The query of the series.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    /// From this business date on; default: from the first that is kept.
    from: Option<BusinessDate>,
    /// Up to this business date; default: the last that is kept.
    to: Option<BusinessDate>,
    /// How far apart; of a week and a month the last day that is kept.
    #[param(inline)]
    interval: Option<Interval>,
}

/// The days that can be asked about.
const DAYS: (Date, Date) = (date(lending::FIRST_YEAR, 1, 1), date(lending::LAST_YEAR, 12, 31));

/// List the statistics of past days.
///
/// As they were known at the end of each day, latest first. The scheduled function keeps them.
#[utoipa::path(
    get, path = "/api/stats/history", tag = "portfolio", params(HistoryQuery, PageQuery),
    responses((status = 200, description = "A page of figures", body = Page<Statistics>))
)]
pub(crate) async fn list_statistics(staff: Staff, query: QueryString) -> Result<Json<Page<Statistics>>, Problem> {
    let binding = staff.binding(&query).await?;
    let read = || -> Result<_, Problem> {
        let (list, page) = query.read_with::<HistoryQuery, PageQuery>()?;
        let from = list.from.map_or(DAYS.0, |from| from.0);
        let to = list.to.map_or(DAYS.1, |to| to.0);
        if from > to {
            return Err(Problem::field("/from", "after_end", format!("must not be after {to}")));
        }
        let (limit, before) = page.page(&binding)?;
        let before = before.map(|Position(day, ())| day);
        Ok((stats::history(list.interval.unwrap_or_default(), from, to, before, limit), limit))
    };
    let (list, limit) = staff.check(read()).await?;
    let (_, kept) = staff.read(list).await?;
    let kept = kept.into_iter().map(|SnapshotRow(statistics)| statistics).collect();
    Ok(Json(Page::new(kept, limit, &binding, |last: &Statistics| Position(last.as_of.0, ()))))
}
