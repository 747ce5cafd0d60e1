//! What to collect on a day.

use axum::{Json, extract::State};
use backend::{
    app::App,
    auth::callers::Staff,
    http::{
        pagination::{Limit, Page, Position},
        problem::{Problem, ProblemBody},
        query::QueryString,
        time::BusinessDate,
    },
    models::{
        loans::{self, Collection},
        users::Role,
    },
};
use jiff::civil::Date;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

/// The query of what to collect.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CollectionsQuery {
    /// The business date; default: today.
    #[param(value_type = Option<BusinessDate>)]
    on: Option<BusinessDate>,
    /// Of this agent's loans alone. An agent has its own, and no others.
    agent_id: Option<Uuid>,
    /// How many on a page.
    #[param(value_type = Option<u8>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Lists what to collect on a day: loans of which something is due then or was before and is unpaid, the longest due first.
#[utoipa::path(
    get, path = "/api/collections", tag = "portfolio", params(CollectionsQuery),
    responses(
        (status = 200, description = "A page of loans", body = Page<Collection>),
        (status = 403, description = "An agent named another one (`forbidden`)", body = ProblemBody))
)]
pub(crate) async fn list_collections(
    staff: Staff,
    State(app): State<App>,
    query: QueryString,
) -> Result<Json<Page<Collection>>, Problem> {
    let binding = staff.binding(&query).await?;
    let read = || -> Result<_, Problem> {
        let CollectionsQuery { on, agent_id, limit, cursor } = query.read()?;
        let agent = match (staff.role(), agent_id) {
            (Role::Agent, Some(id)) if id != staff.id() => {
                return Err(Problem::forbidden("forbidden", "An agent sees its own collections alone."));
            }
            (Role::Agent, _) => Some(staff.id()),
            (_, named) => named,
        };
        let on = on.map_or_else(|| app.today(), |on| on.0);
        let after = cursor.as_deref().map(|cursor| Position::<Date>::from_cursor(cursor, &binding)).transpose()?;
        let limit = limit.unwrap_or_default();
        Ok((loans::to_collect(on, agent, after.as_ref(), limit), limit))
    };
    let (list, limit) = staff.check(read()).await?;
    let (_, collections) = staff.read(list).await?;
    Ok(Json(Page::new(collections, limit, &binding, |last: &Collection| Position(last.due_since.0, last.loan_id))))
}
