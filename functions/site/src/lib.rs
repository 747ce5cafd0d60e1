//! The route group `site`: health, the OpenAPI document and the page that shows it. Every path that no other group has
//! comes here too, and gets our 404.

mod docs;
mod health;

backend::operations! {
    health::get_health,
    health::get_readiness,
    docs::get_openapi_document,
    docs::get_docs_page;
    // Parts of the page, of no interest to a client of the interface.
    "/docs/{file}" => axum::routing::get(docs::get_docs_file),
}
