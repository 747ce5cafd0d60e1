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
        .routes(routes!(health::get_health))
        .routes(routes!(health::get_readiness))
        .routes(routes!(docs::get_openapi_document))
        .routes(routes!(docs::get_docs_page))
        // Parts of the page, of no interest to a client of the interface.
        .route("/docs/{file}", get(docs::get_docs_file))
}
