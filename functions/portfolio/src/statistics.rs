//! The figures of the whole book.

use axum::{Json, extract::State};
use backend::{
    app::App,
    auth::callers::Staff,
    http::{pagination::Page, problem::Problem, query::QueryString},
    store::stats::{self, Interval, SnapshotRow, Statistics},
    values::{
        page::{Limit, Position},
        time::BusinessDate,
    },
};
use jiff::civil::{Date, date};
use serde::Deserialize;
use utoipa::IntoParams;

/// The query of the statistics.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatisticsQuery {
    /// The business date of the answer; default: today. A later one brings no further transactions.
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
    #[param(value_type = Option<BusinessDate>)]
    from: Option<BusinessDate>,
    /// Up to this business date; default: the last that is kept.
    #[param(value_type = Option<BusinessDate>)]
    to: Option<BusinessDate>,
    /// How far apart; of a week and a month the last day that is kept.
    #[param(inline)]
    interval: Option<Interval>,
    /// How many on a page.
    #[param(value_type = Option<u8>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The days that can be asked about.
const DAYS: (Date, Date) = (date(lending::FIRST_YEAR, 1, 1), date(lending::LAST_YEAR, 12, 31));

/// Lists the figures that the scheduled function keeps of each day, as they were known at its end; the latest first.
#[utoipa::path(
    get, path = "/api/stats/history", tag = "portfolio", params(HistoryQuery),
    responses((status = 200, description = "A page of figures", body = Page<Statistics>))
)]
pub(crate) async fn list_statistics(staff: Staff, query: QueryString) -> Result<Json<Page<Statistics>>, Problem> {
    let binding = staff.binding(&query).await?;
    let read = || -> Result<_, Problem> {
        let list: HistoryQuery = query.read()?;
        let from = list.from.map_or(DAYS.0, |from| from.0);
        let to = list.to.map_or(DAYS.1, |to| to.0);
        if from > to {
            return Err(Problem::field("/from", "after_end", format!("must not be after {to}")));
        }
        let before =
            list.cursor.as_deref().map(|cursor| Position::<Date, ()>::from_cursor(cursor, &binding)).transpose()?;
        let limit = list.limit.unwrap_or_default();
        let before = before.map(|Position(day, ())| day);
        Ok((stats::history(list.interval.unwrap_or_default(), from, to, before, limit), limit))
    };
    let (list, limit) = staff.check(read()).await?;
    let (_, kept) = staff.read(list).await?;
    let kept = kept.into_iter().map(|SnapshotRow(statistics)| statistics).collect();
    Ok(Json(Page::new(kept, limit, &binding, |last: &Statistics| Position(last.as_of.0, ()))))
}
