//! Reading products: open to anyone. Staff who send their token see the names that other systems have for them.

use axum::{Json, extract::State};
use backend::{
    app::App,
    auth::callers::Visitor,
    http::{
        answer::Answer,
        pagination::{Page, PageQuery},
        path::PathParameter,
        problem::Problem,
        query::{QueryString, unless_empty},
    },
    store::products,
    values::{page::Position, search::SearchText},
    views::product::ProductView,
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
    /// The product that another system of the lender's has under this id; for staff, who send their token.
    #[serde(default, deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>, example = "core-product-7")]
    external_id: Option<SearchText>,
}

/// List products.
///
/// Newest first.
#[utoipa::path(
    get, path = "/api/products", tag = "products", params(ListQuery, PageQuery),
    responses((status = 200, description = "A page of products", body = Page<ProductView>))
)]
pub(crate) async fn list_products(
    State(app): State<App>,
    visitor: Visitor,
    query: QueryString,
) -> Result<Json<Page<ProductView>>, Problem> {
    let binding = query.binding(app.tokens.cursor_keys().await?, Uuid::nil());
    let (ListQuery { external_id }, page) = query.read_with::<_, PageQuery>()?;
    let for_staff = || Problem::field("/external_id", "not_allowed", "staff alone see the names of other systems");
    if external_id.is_some() && !visitor.is_staff() {
        return Err(for_staff());
    }
    let (limit, after) = page.page(&binding)?;
    let is_asked = external_id.is_some();
    let list = products::list(external_id.map(SearchText::into_string), after, limit);
    let (viewer, products) = visitor.read(&app.db, list).await?;
    if is_asked && viewer.is_none() {
        return Err(for_staff());
    }
    let products = products.iter().map(|product| product.view(viewer)).collect();
    Ok(Json(Page::new(products, limit, &binding, |last| Position(last.created_at.0, last.code.clone()))))
}

/// Get a product.
///
/// Its newest version.
#[utoipa::path(
    get, path = "/api/products/{code}", tag = "products",
    responses((status = 200, description = "The product", body = ProductView))
)]
pub(crate) async fn get_product(
    State(app): State<App>,
    visitor: Visitor,
    path: PathParameter,
    query: QueryString,
) -> Result<Answer, Problem> {
    let (viewer, product) = visitor.read(&app.db, products::by_code(path.product_code()?.into_string())).await?;
    let product = product.ok_or_else(Problem::not_found)?;
    query.none()?;
    answer(&product, viewer)
}
