//! What surrounds every handler: the request's id, one log line, the body's limit, a deadline, panics to 500, and the
//! rendering of problems. Whatever happens inside, the answer is one of ours.

use std::{
    any::Any,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use lambda_http::Context;
use tower_http::catch_panic::CatchPanicLayer;
use uuid::Uuid;

use super::{body::BODY_LIMIT, problem::Problem};
use crate::app::App;

/// Names the request in the answer, in problems and in the log.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How long a request may take: below the timeout of 15 s that the functions have, so that the answer is ours.
const DEADLINE: Duration = Duration::from_secs(12);

/// Who asked, for the log line: the caller's id, put into the answer's extensions by those who know it.
#[derive(Clone, Copy)]
pub struct CallerId(pub Uuid);

/// A route group as a service: its routes, our own 404 and 405, and all layers.
pub fn serve(router: Router<App>, app: App) -> Router {
    let router = router
        .route_layer(from_fn(limit_body))
        .fallback(|| async { Problem::not_found() })
        // After the layer above, so that 405 wins over 413.
        .method_not_allowed_fallback(method_not_allowed);
    around(router.with_state(app))
}

/// The layers that every answer passes.
pub fn around(router: Router) -> Router {
    router.layer(CatchPanicLayer::custom(panicked)).layer(from_fn(deadline)).layer(from_fn(envelope))
}

async fn method_not_allowed(method: Method) -> Problem {
    let detail = format!("{method} is not among the methods of this path; the Allow header lists them.");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}

/// Reads the body whole, before anyone looks at it.
async fn limit_body(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, BODY_LIMIT).await else {
        let detail = format!("The body is larger than {BODY_LIMIT} bytes.");
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail).into_response();
    };
    next.run(Request::from_parts(parts, Body::from(bytes))).await
}

async fn deadline(request: Request, next: Next) -> Response {
    match tokio::time::timeout(DEADLINE, next.run(request)).await {
        Ok(response) => response,
        Err(elapsed) => Problem::unavailable().caused_by(elapsed).into_response(),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over")]
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let message = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    Problem::internal(format!("panic: {message}")).into_response()
}

/// Whether this process has answered a request before.
static WARM: AtomicBool = AtomicBool::new(false);

/// The outermost layer: the request's id, headers that every answer has, problems as JSON, one log line.
async fn envelope(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let cold_start = !WARM.swap(true, Ordering::Relaxed);
    let request_id = match request.extensions().get::<Context>() {
        Some(context) => context.request_id.clone(),
        None => Uuid::now_v7().to_string(),
    };
    let method = request.method().clone();
    let private = request.uri().path().starts_with("/api/");
    // The route's pattern, never the path itself: paths hold ids.
    let matched = request.extensions().get::<MatchedPath>().cloned();

    let mut response = next.run(request).await;

    let problem = response.extensions_mut().remove::<Problem>();
    if let Some(problem) = &problem {
        let mut rendered = problem.render(&request_id);
        // `Allow`, which the router adds to 405.
        for (name, value) in response.headers() {
            if !rendered.headers().contains_key(name) && name != header::CONTENT_LENGTH {
                rendered.headers_mut().insert(name, value.clone());
            }
        }
        *rendered.extensions_mut() = std::mem::take(response.extensions_mut());
        response = rendered;
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::try_from(&request_id) {
        headers.insert(X_REQUEST_ID, value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if private {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }

    let status = response.status();
    let operation = matched.as_ref().map_or("-", MatchedPath::as_str);
    let caller = response.extensions().get::<CallerId>().map(|caller| tracing::field::display(caller.0));
    let code = problem.as_ref().map(Problem::code);
    let cause = problem.as_ref().and_then(Problem::causes);
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status_number = status.as_u16();
    if status.is_server_error() {
        tracing::error!(
            request_id, %method, operation, caller, status = status_number, milliseconds, cold_start, code, cause, "request"
        );
    } else {
        tracing::info!(
            request_id, %method, operation, caller, status = status_number, milliseconds, cold_start, code, cause, "request"
        );
    }
    response
}
