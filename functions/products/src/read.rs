//! Reading products: open to anyone.

use axum::{Json, extract::State};
use backend::{
    app::App,
    domain::products::Product,
    http::{
        answer::Answer,
        pagination::{Page, PageQuery},
        path::PathParameter,
        problem::Problem,
        query::QueryString,
    },
    store::products,
    values::page::Position,
};
use uuid::Uuid;

use crate::edit::answer;

/// List products.
///
/// Newest first.
#[utoipa::path(
    get, path = "/api/products", tag = "products", params(PageQuery),
    responses((status = 200, description = "A page of products", body = Page<Product>))
)]
pub(crate) async fn list_products(State(app): State<App>, query: QueryString) -> Result<Json<Page<Product>>, Problem> {
    let binding = query.binding(app.tokens.cursor_keys().await?, Uuid::nil());
    let (limit, after) = query.read::<PageQuery>()?.page(&binding)?;
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
