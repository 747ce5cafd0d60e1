//! The route group `site`: health, the OpenAPI document and the page that shows it. Every path that no other group has
//! comes here too, and gets our 404.

mod docs;
mod health;

use axum::routing::get;
use backend::app::App;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this group.
#[must_use]
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(docs::openapi_document))
        .routes(routes!(docs::docs_page))
        // Parts of the page, of no interest to a client of the interface.
        .route("/docs/{file}", get(docs::docs_file))
}
