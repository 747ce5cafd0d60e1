//! The route group `site`: health, the OpenAPI document and the page that shows it, the desk. Every path that no other
//! group has comes here too, and gets our 404.

mod desk;
mod docs;
mod health;

backend::operations! {
    health::get_health,
    health::get_readiness,
    docs::get_openapi_document,
    desk::get_docs_page,
    desk::get_desk_page;
    // Pages and their parts, of no interest to a client of the interface.
    "/" => axum::routing::get(desk::lead_to_desk),
    "/dashboard" => axum::routing::get(desk::lead_to_desk),
    "/favicon.ico" => axum::routing::get(desk::get_favicon),
    "/desk/assets/{version}/{*file}" => axum::routing::get(desk::get_desk_file),
    "/desk/sw.js" => axum::routing::get(desk::get_service_worker),
    "/desk/manifest.webmanifest" => axum::routing::get(desk::get_manifest),
    "/desk/{*page}" => axum::routing::get(desk::get_desk_page),
}
