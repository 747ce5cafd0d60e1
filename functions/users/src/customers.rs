//! Customers: for agents and admins, and each customer for itself.

use axum::{Json, response::Response};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::lists::position;
use backend::{
    auth::callers::{AnyUser, Staff},
    domain::{kyc::KycStatus, users::Role},
    http::{
        csv,
        format::Format,
        pagination::{ExportPageQuery, Page},
        path::PathParameter,
        problem::Problem,
        query::{QueryString, unless_empty},
    },
    store::users::{self, Filter},
    values::{
        search::{SearchText, SearchWords},
        user_ref::UserRef,
    },
    views::user::UserView,
};

/// The query of a list of customers.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CustomersQuery {
    #[serde(default, deserialize_with = "unless_empty")]
    q: Option<SearchWords>,
    /// The customer that another system of the lender's has under this id.
    #[serde(default, deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>, example = "crm-20417")]
    external_id: Option<SearchText>,
    /// Customers of this agent: an id or a username, or `me`.
    #[serde(default, deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>, example = "me")]
    agent_id: Option<UserRef>,
    /// Customers in this state of verification.
    #[serde(default, deserialize_with = "unless_empty")]
    kyc: Option<KycStatus>,
}

/// List customers.
///
/// Newest first.
#[utoipa::path(
    get, path = "/api/customers", tag = "customers", params(CustomersQuery, ExportPageQuery),
    responses((status = 200, description = "A page of customers", content(
        (Page<UserView> = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn list_customers(staff: Staff, format: Format, query: QueryString) -> Result<Response, Problem> {
    let (read, page) = staff.check(query.read_with::<CustomersQuery, ExportPageQuery>()).await?;
    let binding = staff.binding(&query).await?;
    let (limit, after) = staff.check(page.page(&binding, format)).await?;
    let CustomersQuery { q, external_id, agent_id, kyc } = read;
    let agent = agent_id.map(|agent| agent.or_me(staff.id()));
    let external_id = external_id.map(SearchText::into_string);
    let filter = Filter { role: Some(Role::Customer), status: None, q, external_id, agent, kyc };
    let (_, users) = staff.read(users::list(filter, after.as_ref(), limit)).await?;
    let users = users.iter().map(|user| user.view(staff.role())).collect();
    csv::page(users, limit, format, (&query, &binding), position)
}

/// Get a customer.
///
/// Customers see themselves alone.
#[utoipa::path(
    get, path = "/api/customers/{id}", tag = "customers",
    responses((status = 200, description = "The customer", body = UserView))
)]
pub(crate) async fn get_customer(
    user: AnyUser,
    path: PathParameter,
    query: QueryString,
) -> Result<Json<UserView>, Problem> {
    let id = user.check(path.uuid()).await?;
    let (caller, customer) = user.read(users::by_id(id)).await?;
    let customer = customer
        .filter(|customer| customer.role == Role::Customer)
        .filter(|customer| caller.role != Role::Customer || customer.id == caller.id)
        .ok_or_else(Problem::not_found)?;
    query.none()?;
    Ok(Json(customer.view_for(&caller)))
}
