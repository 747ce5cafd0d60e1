//! Agents, for admins; an agent's requests, for the agent too.

use axum::{Json, extract::State, response::Response};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::lists::page;
use backend::{
    app::App,
    auth::callers::{Admin, Staff},
    domain::{
        loan::Scope,
        users::{Role, UserStatus},
    },
    http::{
        csv,
        format::Format,
        pagination::{ExportPageQuery, Page, PageQuery, bad_cursor},
        path::PathParameter,
        problem::Problem,
        query::{QueryString, unless_empty},
    },
    store::{
        loans::{self, Sort},
        users::{self, Filter},
    },
    values::{
        search::{SearchText, SearchWords},
        user_ref::UserRef,
    },
    views::{loan::LoanView, user::UserView},
};

/// The query of a list of agents.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AgentsQuery {
    /// Agents of this status: `pending` wait for approval, `active` are approved.
    #[serde(default, deserialize_with = "unless_empty")]
    status: Option<UserStatus>,
    #[serde(default, deserialize_with = "unless_empty")]
    q: Option<SearchWords>,
    /// The agent that another system of the lender's has under this id.
    #[serde(default, deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>, example = "crm-20417")]
    external_id: Option<SearchText>,
}

/// List agents.
///
/// Newest first.
#[utoipa::path(
    get, path = "/api/agents", tag = "agents", params(AgentsQuery, PageQuery),
    responses((status = 200, description = "A page of agents", body = Page<UserView>))
)]
pub(crate) async fn list_agents(admin: Admin, query: QueryString) -> Result<Json<Page<UserView>>, Problem> {
    let (AgentsQuery { status, q, external_id }, asked) = admin.check(query.read_with()).await?;
    let external_id = external_id.map(SearchText::into_string);
    let filter = Filter { role: Some(Role::Agent), status, q, external_id, ..Filter::default() };
    page(&admin, &query, filter, asked).await
}

/// Get an agent.
///
/// In whatever status: pending, approved, rejected or suspended.
#[utoipa::path(
    get, path = "/api/agents/{id}", tag = "agents",
    responses((status = 200, description = "The agent", body = UserView))
)]
pub(crate) async fn get_agent(
    admin: Admin,
    path: PathParameter,
    query: QueryString,
) -> Result<Json<UserView>, Problem> {
    let id = admin.check(path.uuid()).await?;
    let (_, user) = admin.read(users::by_id(id)).await?;
    let agent = user.filter(|user| user.role == Role::Agent).ok_or_else(Problem::not_found)?;
    query.none()?;
    Ok(Json(agent.view(admin.role())))
}

/// List the requests of an agent.
///
/// Loans that the agent created or forwarded for customers, newest first. Agents list their own.
#[utoipa::path(
    get, path = "/api/agents/{id}/requests", tag = "agents", params(ExportPageQuery),
    responses(
        (status = 200, description = "A page of loans", content(
        (Page<LoanView> = "application/json"), (String = "text/csv"))),
        (status = 403, description = "An agent named another one (`forbidden`)"))
)]
pub(crate) async fn list_agent_requests(
    State(app): State<App>,
    staff: Staff,
    path: PathParameter,
    format: Format,
    query: QueryString,
) -> Result<Response, Problem> {
    let id = if path.text() == "me" { staff.id() } else { staff.check(path.uuid()).await? };
    if staff.role() == Role::Agent && id != staff.id() {
        return staff.check(Err(Problem::forbidden("forbidden", "An agent sees its own requests alone."))).await;
    }
    let binding = staff.binding(&query).await?;
    let read = || -> Result<_, Problem> {
        let (limit, after) = query.read::<ExportPageQuery>()?.page(&binding, format)?;
        let filter = loans::Filter { agent: Some(UserRef::Id(id)), ..loans::Filter::default() };
        let list = loans::list(filter, Scope::All, Sort::CreatedDescending, after, limit);
        Ok((list.ok_or_else(bad_cursor)?, limit))
    };
    // Errors of the query are only for callers who name an existing agent.
    let (list, limit) = match read() {
        Ok((list, limit)) => (Some(list), Ok(limit)),
        Err(problem) => (None, Err(problem)),
    };
    let (caller, (agent, loans)) = staff.read((users::by_id(id), list)).await?;
    agent.filter(|user| user.role == Role::Agent).ok_or_else(Problem::not_found)?;
    let (limit, today) = (limit?, app.date_of(caller.now));
    let loans = loans.unwrap_or_default().iter().map(|loan| loan.view(today, caller.role)).collect();
    csv::page(loans, limit, format, (&query, &binding), |last| Sort::CreatedDescending.position(last))
}
