//! Agents, for admins.

use axum::Json;
use backend::{
    auth::callers::Admin,
    http::{
        pagination::{Limit, Page},
        path::PathParameter,
        problem::Problem,
        query::{Needle, QueryString, unless_empty},
    },
    models::users::{self, Filter, Role, User, UserStatus},
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::lists::page;

/// The query of a list of agents.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AgentsQuery {
    /// Agents of this status: `pending` wait for approval, `active` are approved.
    #[serde(default, deserialize_with = "unless_empty")]
    status: Option<UserStatus>,
    /// What the username, the e-mail address or the telephone number starts with, in any case.
    #[serde(default, deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>, max_length = 254, example = "agent.")]
    q: Option<Needle>,
    /// How many on a page.
    #[param(value_type = Option<u8>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Lists agents, newest first.
#[utoipa::path(
    get, path = "/api/agents", tag = "agents", params(AgentsQuery),
    responses((status = 200, description = "A page of agents", body = Page<User>))
)]
pub(crate) async fn list_agents(admin: Admin, query: QueryString) -> Result<Json<Page<User>>, Problem> {
    let AgentsQuery { status, q, limit, cursor } = admin.check(query.read()).await?;
    page(&admin, &query, &Filter { role: Some(Role::Agent), status, q }, limit, cursor).await
}

/// Shows an agent.
#[utoipa::path(
    get, path = "/api/agents/{id}", tag = "agents", params(("id" = Uuid, Path, description = "The agent's id")),
    responses((status = 200, description = "The agent", body = User))
)]
pub(crate) async fn get_agent(admin: Admin, path: PathParameter) -> Result<Json<User>, Problem> {
    let id = admin.check(path.uuid()).await?;
    let (_, user) = admin.read(users::by_id(id)).await?;
    user.filter(|user| user.role == Role::Agent).map(Json).ok_or_else(Problem::not_found)
}
