//! The route group `products`: loan products and their versions.

mod edit;
mod read;

use backend::app::App;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this group.
#[must_use]
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read::list_products, edit::create_product))
        .routes(routes!(read::get_product, edit::update_product))
}
