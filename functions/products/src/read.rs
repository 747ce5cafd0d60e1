//! Reading products: open to anyone.

use axum::{Json, extract::State};
use backend::{
    app::App,
    domain::products::Product,
    http::{answer::Answer, pagination::Page, path::PathParameter, problem::Problem, query::QueryString},
    store::products,
    values::page::{Limit, Position},
};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::edit::answer;

/// The query of a list of products.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    limit: Option<Limit>,
    cursor: Option<String>,
}

/// List products.
///
/// Newest first.
#[utoipa::path(
    get, path = "/api/products", tag = "products", params(ListQuery),
    responses((status = 200, description = "A page of products", body = Page<Product>))
)]
pub(crate) async fn list_products(State(app): State<App>, query: QueryString) -> Result<Json<Page<Product>>, Problem> {
    let binding = query.binding(app.tokens.cursor_keys().await?, Uuid::nil());
    let ListQuery { limit, cursor } = query.read()?;
    let limit = limit.unwrap_or_default();
    let after = cursor.map(|cursor| Position::from_cursor(&cursor, &binding)).transpose()?;
    let products = app.db.read(&products::list(after, limit)).await?;
    Ok(Json(Page::new(products, limit, &binding, |last| Position(last.created_at.0, last.code.clone()))))
}

/// Get a product.
///
/// Its newest version.
#[utoipa::path(
    get, path = "/api/products/{code}", tag = "products",
    responses((status = 200, description = "The product", body = Product))
)]
pub(crate) async fn get_product(
    State(app): State<App>,
    path: PathParameter,
    query: QueryString,
) -> Result<Answer, Problem> {
    let product = app.db.read(&products::by_code(path.product_code()?.into_string())).await?;
    let product = product.ok_or_else(Problem::not_found)?;
    query.none()?;
    answer(&product)
}
