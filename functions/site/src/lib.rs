//! The route group `site`: health, the OpenAPI document and the page that shows it, the dashboard. Every path that no
//! other group has comes here too, and gets our 404.

mod dashboard;
mod docs;
mod health;

backend::operations! {
    health::get_health,
    health::get_readiness,
    docs::get_openapi_document,
    docs::get_docs_page,
    dashboard::get_dashboard_page;
    // Parts of the pages, of no interest to a client of the interface.
    "/" => axum::routing::get(dashboard::lead_to_dashboard),
    "/favicon.ico" => axum::routing::get(dashboard::get_favicon),
    "/docs/{file}" => axum::routing::get(docs::get_docs_file),
    "/dashboard/{file}" => axum::routing::get(dashboard::get_dashboard_file),
}
