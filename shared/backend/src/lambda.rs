//! Serving a router on Lambda: what is the same in every HTTP function's `main`.

use axum::{Router, http::uri::PathAndQuery};
use lambda_http::{
    Adapter, Error, LambdaEvent,
    lambda_runtime::{self, tower::ServiceExt},
    request::LambdaRequest,
    service_fn,
};

use crate::{
    app::App,
    http::{layers, problem::Problem},
    telemetry,
};

/// Serves a route group until the environment ends.
///
/// Secrets and the connection are prepared in the background: the first poll for work does not wait for them.
///
/// # Errors
///
/// When the configuration is unusable or the runtime API goes away.
pub async fn run(routes: Router<App>) -> Result<(), Error> {
    telemetry::init();
    let app = App::from_env()?;
    let background = app.clone();
    tokio::spawn(async move { Box::pin(background.warm_up()).await });
    let handlers = Adapter::from(layers::serve(routes, app));
    let refuser = Adapter::from(layers::around(Router::new().fallback(unreadable_query)));

    lambda_runtime::run(service_fn(move |mut event: LambdaEvent<LambdaRequest>| {
        let service = if query_is_readable(&mut event.payload) { handlers.clone() } else { refuser.clone() };
        Box::pin(async move { service.oneshot(event).await })
    }))
    .await
}

async fn unreadable_query() -> Problem {
    Problem::bad_request("bad_query_string", "The query string cannot be part of a URI.")
}

/// Whether the query string can be part of a URI. `lambda_http` panics on one that cannot, so that it is taken away.
fn query_is_readable(request: &mut LambdaRequest) -> bool {
    let LambdaRequest::ApiGatewayV2(request) = request else { return true };
    let readable =
        request.raw_query_string.as_ref().is_none_or(|query| PathAndQuery::try_from(format!("/?{query}")).is_ok());
    if !readable {
        request.raw_query_string = None;
        request.query_string_parameters = lambda_http::aws_lambda_events::query_map::QueryMap::default();
    }
    readable
}
