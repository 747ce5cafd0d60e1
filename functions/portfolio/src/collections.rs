//! The amounts to collect on a day.

use axum::{extract::State, response::Response};
use jiff::civil::Date;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use backend::{
    app::App,
    auth::callers::Staff,
    domain::{collection::Collection, users::Role},
    http::{
        csv,
        format::Format,
        pagination::{ExportPageQuery, Page},
        problem::Problem,
        query::QueryString,
    },
    store::loans::{self, Bucket},
    values::{page::Position, time::BusinessDate},
};

/// The query of collections.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CollectionsQuery {
    /// The business date; default: today.
    on: Option<BusinessDate>,
    /// Of this agent's loans alone. An agent has its own, and no others.
    agent_id: Option<Uuid>,
    /// Those alone that are due, or overdue.
    #[param(inline)]
    bucket: Option<Bucket>,
}

/// List what to collect on a day.
///
/// Loans with an unpaid amount due that day or before. Loans with nothing due before that day come first, then the
/// others, the longest overdue first.
#[utoipa::path(
    get, path = "/api/collections", tag = "portfolio", params(CollectionsQuery, ExportPageQuery),
    responses(
        (status = 200, description = "A page of loans", content(
        (Page<Collection> = "application/json"), (String = "text/csv"))),
        (status = 403, description = "An agent named another one (`forbidden`)"))
)]
pub(crate) async fn list_collections(
    staff: Staff,
    State(app): State<App>,
    format: Format,
    query: QueryString,
) -> Result<Response, Problem> {
    let binding = staff.binding(&query).await?;
    let read = || -> Result<_, Problem> {
        let (CollectionsQuery { on, agent_id, bucket }, page) = query.read_with::<_, ExportPageQuery>()?;
        let agent = match (staff.role(), agent_id) {
            (Role::Agent, Some(id)) if id != staff.id() => {
                return Err(Problem::forbidden("forbidden", "An agent sees its own collections alone."));
            }
            (Role::Agent, _) => Some(staff.id()),
            (_, named) => named,
        };
        let (limit, after) = page.page::<(Date, Date), _>(&binding, format)?;
        // The day that the first page was of, also where the next one is asked for when that is over.
        let first_on = after.as_ref().map(|Position((on, _), _)| *on);
        let on = on.map(|on| on.0).or(first_on).unwrap_or_else(|| app.today());
        let after = after.map(|Position((_, due_since), id)| Position(due_since, id));
        Ok((loans::to_collect(on, bucket, agent, after.as_ref(), limit), on, limit))
    };
    let (list, on, limit) = staff.check(read()).await?;
    let (_, (due, overdue)) = staff.read(list).await?;
    let collections = due.into_iter().chain(overdue).flatten().collect();
    let position = |last: &Collection| Position((on, last.due_since.0), last.loan_id);
    csv::page(collections, limit, format, (&query, &binding), position)
}
