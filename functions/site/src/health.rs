//! If the service runs, and if it can work.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use backend::app::App;
use serde::Serialize;
use utoipa::ToSchema;

/// That the service runs.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
    /// The version of the service.
    #[schema(example = "0.1.0")]
    version: &'static str,
}

/// If the service can work.
#[derive(Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// `ok`, or `unavailable` if any check is.
    #[schema(example = "ok")]
    status: &'static str,
    /// The service's dependencies: `ok` or `unavailable`.
    #[schema(example = json!({"database": "ok", "signing_keys": "ok"}))]
    checks: BTreeMap<&'static str, &'static str>,
}

/// Check that the service runs.
///
/// Asks no database.
#[utoipa::path(
    get, path = "/health", tag = "service",
    responses((status = 200, description = "The service runs", body = Health))
)]
pub(crate) async fn get_health() -> Json<Health> {
    Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// Check that the service can work.
///
/// Reports on the database connection and the signing keys.
#[utoipa::path(
    get, path = "/health/ready", tag = "service",
    responses(
        (status = 200, description = "Everything works", body = Readiness),
        (status = 503, description = "Something is missing; the body says what", body = Readiness))
)]
pub(crate) async fn get_readiness(State(app): State<App>) -> Response {
    let (database, keys) = tokio::join!(app.db.ping(), app.tokens.warm_up());
    let word = |ok| if ok { "ok" } else { "unavailable" };
    let ok = database.is_ok() && keys.is_ok();
    let checks = BTreeMap::from([("database", word(database.is_ok())), ("signing_keys", word(keys.is_ok()))]);
    let body = Json(Readiness { status: word(ok), checks });
    if ok {
        body.into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], body).into_response()
    }
}
