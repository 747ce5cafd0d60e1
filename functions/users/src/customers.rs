//! Customers: for agents and admins, and each customer for itself.

use axum::{Json, response::Response};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::lists::{position, rows};
use backend::{
    auth::callers::{AnyUser, Staff},
    domain::users::{Role, User},
    http::{
        csv,
        format::Format,
        pagination::{ExportLimit, Page},
        path::PathParameter,
        problem::Problem,
        query::{QueryString, unless_empty},
    },
    store::users::{self, Filter},
    values::search::SearchWords,
};

/// The query of a list of customers.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CustomersQuery {
    /// One to ten words. Each must be the beginning of the e-mail address, the telephone number, a part of the username
    /// or a word of the full name, without regard to case and accents. At least one word has two characters.
    #[serde(default, deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>, min_length = 2, max_length = 254, example = "usr_india")]
    q: Option<SearchWords>,
    /// How many on a page: up to 200, or 5,000 as CSV.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 5000, default = 50)]
    limit: Option<ExportLimit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Lists customers, newest first.
#[utoipa::path(
    get, path = "/api/customers", tag = "customers", params(CustomersQuery),
    responses((status = 200, description = "A page of customers", content(
        (Page<User> = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn list_customers(staff: Staff, format: Format, query: QueryString) -> Result<Response, Problem> {
    let CustomersQuery { q, limit, cursor } = staff.check(query.read()).await?;
    let limit = staff.check(ExportLimit::of(limit, format)).await?;
    let filter = Filter { role: Some(Role::Customer), status: None, q };
    let (users, binding) = rows(&staff, &query, filter, limit, cursor).await?;
    csv::page(users, limit, format, (&query, &binding), position)
}

/// Shows a customer. Customers see themselves alone.
#[utoipa::path(
    get, path = "/api/customers/{id}", tag = "customers", params(("id" = Uuid, Path,
        description = "The customer's id")),
    responses((status = 200, description = "The customer", body = User))
)]
pub(crate) async fn get_customer(
    user: AnyUser,
    path: PathParameter,
    query: QueryString,
) -> Result<Json<User>, Problem> {
    let id = user.check(path.uuid()).await?;
    let (caller, customer) = user.read(users::by_id(id)).await?;
    let customer = customer
        .filter(|customer| customer.role == Role::Customer)
        .filter(|customer| caller.role != Role::Customer || customer.id == caller.id)
        .ok_or_else(Problem::not_found)?;
    query.none()?;
    Ok(Json(customer))
}
