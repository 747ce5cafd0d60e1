//! The layers around every handler: the request's id, one log line, the body's limit, a deadline, panics to 500, and
//! the rendering of problems. Whatever happens inside, the answer has our form.

use std::{
    any::Any,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{MatchedPath, Request},
    http::{Extensions, HeaderName, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Redirect, Response},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use lambda_http::Context;
use tower_http::catch_panic::CatchPanicLayer;
use uuid::Uuid;

use crate::{
    app::App,
    http::{
        body::{BATCH, BATCH_LIMIT, BODY_LIMIT, FILE_LIMIT, STATEMENTS},
        compression::compress,
        credentials, origin,
        problem::Problem,
    },
    telemetry,
};

/// Names the request in the answer, in problems and in the log.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How long a request may take: less than the functions' timeout of 15 s, so that the answer is ours.
const DEADLINE: Duration = Duration::from_secs(12);

/// As [`DEADLINE`], for the operations of [`LONG`], whose functions have 29 s: the gateway waits for 30.
const LONG_DEADLINE: Duration = Duration::from_secs(27);

/// Operations whose work grows with what they are about.
const LONG: [&str; 1] = ["/api/agents/{id}/reassign"];

/// The caller, for the log line: a place in the request's extensions for the caller's id, filled once it is known,
/// whatever the answer.
#[derive(Clone, Default)]
pub struct CallerId(Arc<OnceLock<Uuid>>);

/// The id of the request, in its extensions.
#[derive(Clone)]
pub struct RequestId(pub String);

impl CallerId {
    /// The place of a request.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get().cloned().unwrap_or_default()
    }

    /// Notes the caller of a request.
    pub fn note(&self, id: Uuid) {
        // A request has one caller: an id noted before is the same.
        let _ = self.0.set(id);
    }
}

/// A route group as a service: its routes, our own 404 and 405, and all layers.
pub fn serve(router: Router<App>, app: App) -> Router {
    let router = router
        .route_layer(from_fn(limit_body))
        .fallback(not_there)
        // After the layer above, so that 405 wins over 413.
        .method_not_allowed_fallback(method_not_allowed);
    // Around everything, 404 and 405 too: a request that bypasses the network in front learns nothing more.
    let origin = app.origin.clone();
    let router = router.with_state(app);
    around(match origin {
        None => router,
        Some(secret) => router.layer(from_fn_with_state(secret, origin::require)),
    })
}

/// The layers that every answer passes.
pub fn around(router: Router) -> Router {
    router
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(deadline))
        .layer(from_fn(envelope))
        .layer(from_fn(compress))
}

/// 404; where the path has slashes at its end, 308 to the one without them, which keeps the method and the query.
async fn not_there(uri: Uri) -> Response {
    let path = uri.path().trim_end_matches('/');
    // To a browser, what begins with two slashes is another host, and a backslash is a slash.
    if path.is_empty() || path == uri.path() || path.contains("//") || path.contains('\\') {
        return Problem::not_found().into_response();
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    Redirect::permanent(&format!("{path}{query}")).into_response()
}

async fn method_not_allowed(method: Method) -> Problem {
    let detail = format!("This path does not support {method}; the Allow header lists its methods.");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}

/// How long a body may take to arrive. Functions get theirs whole; this is for the local server.
const ARRIVAL: Duration = Duration::from_secs(5);

/// Reads the body whole, before anyone looks at it.
async fn limit_body(request: Request, next: Next) -> Response {
    let limit = match request.extensions().get::<MatchedPath>().map(MatchedPath::as_str) {
        Some(BATCH) => BATCH_LIMIT,
        Some(STATEMENTS) => FILE_LIMIT,
        _ => BODY_LIMIT,
    };
    let (parts, body) = request.into_parts();
    let too_large = || {
        let detail = format!("The body is larger than {limit} bytes.");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail).into_response()
    };
    let declared = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if declared.is_some_and(|declared: u64| declared > limit as u64) {
        return too_large();
    }
    match tokio::time::timeout(ARRIVAL, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => twice_if_stale(parts, body.to_bytes(), next).await,
        Ok(Err(error)) if error.is::<LengthLimitError>() => too_large(),
        Ok(Err(_)) | Err(_) => {
            Problem::bad_request("unreadable_body", "The body did not arrive whole.").into_response()
        }
    }
}

/// Runs the request; a command once more where a migration has changed what is prepared, which broke its transaction.
/// Reads are repeated closer to the database.
async fn twice_if_stale(parts: Parts, body: Bytes, next: Next) -> Response {
    let again = (!parts.method.is_safe()).then(|| (next.clone(), parts.clone(), body.clone()));
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    match again {
        Some((next, parts, body)) if response.extensions().get().is_some_and(Problem::is_stale) => {
            next.run(Request::from_parts(parts, Body::from(body))).await
        }
        _ => response,
    }
}

async fn deadline(request: Request, next: Next) -> Response {
    let is_long = request.extensions().get::<MatchedPath>().is_some_and(|path| LONG.contains(&path.as_str()));
    let deadline = if is_long { LONG_DEADLINE } else { DEADLINE };
    match tokio::time::timeout(deadline, next.run(request)).await {
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

/// Browsers that were answered over HTTPS use nothing else for so long; over HTTP they ignore it.
const TWO_YEARS: HeaderValue = HeaderValue::from_static("max-age=63072000");

/// The challenges of a 401 after Basic credentials. Others get Bearer alone, or browsers would open a dialog.
const WITH_BASIC: HeaderValue = HeaderValue::from_static("Bearer, Basic realm=\"microloans\", charset=\"UTF-8\"");

/// True once this process has answered a request.
static WARM: AtomicBool = AtomicBool::new(false);

/// The outermost layer: the request's id, headers that every answer has, problems as JSON, one log line.
async fn envelope(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let cold_start = !WARM.swap(true, Ordering::Relaxed);
    let context = request.extensions().get::<Context>();
    let request_id = context.map_or_else(|| Uuid::now_v7().to_string(), |context| context.request_id.clone());
    let trace_id = context.and_then(|context| context.xray_trace_id.as_deref()).and_then(trace_root);
    let method = request.method().clone();
    let private = request.uri().path().starts_with("/api/");
    // The route's pattern, never the path itself: paths hold ids.
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let with_basic = credentials::basic(request.headers()).is_some();
    let caller = CallerId::default();
    request.extensions_mut().insert(caller.clone());
    request.extensions_mut().insert(RequestId(request_id.clone()));

    let (mut response, measured) = telemetry::measured(next.run(request)).await;

    let problem = response.extensions_mut().remove::<Problem>();
    if let Some(problem) = &problem {
        let mut rendered = problem.render(&request_id);
        // `Allow`, which the router adds to 405.
        for (name, value) in response.headers() {
            if !rendered.headers().contains_key(name) && name != header::CONTENT_LENGTH {
                rendered.headers_mut().insert(name, value.clone());
            }
        }
        if with_basic && rendered.status() == StatusCode::UNAUTHORIZED {
            rendered.headers_mut().insert(header::WWW_AUTHENTICATE, WITH_BASIC);
        }
        *rendered.extensions_mut() = std::mem::take(response.extensions_mut());
        response = rendered;
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::try_from(&request_id) {
        headers.insert(X_REQUEST_ID, value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::STRICT_TRANSPORT_SECURITY, TWO_YEARS);
    if private {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }

    let status = response.status();
    let operation = matched.as_ref().map_or("-", MatchedPath::as_str);
    let caller = caller.0.get().map(tracing::field::display);
    let code = problem.as_ref().map(Problem::code);
    let cause = problem.as_ref().and_then(Problem::causes);
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let members = measured.members(milliseconds, cold_start, status.is_success());
    let status_number = status.as_u16();
    if status.is_server_error() {
        tracing::error!(
            request_id, trace_id, %method, operation, caller, status = status_number, cold_start, code, cause, %members,
            "request"
        );
    } else {
        tracing::info!(
            request_id, trace_id, %method, operation, caller, status = status_number, cold_start, code, cause, %members,
            "request"
        );
    }
    response
}

/// The trace of a header like `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`, under which
/// X-Ray shows what the gateway and the function did for a request.
fn trace_root(header: &str) -> Option<String> {
    header.split(';').find_map(|part| part.trim().strip_prefix("Root=")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{
        cell::RefCell,
        convert::Infallible,
        io::{self, Write},
        sync::atomic::AtomicU32,
    };

    use axum::routing::{get, post};
    use futures_util::{StreamExt, stream};
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;
    use crate::{db::DbError, telemetry::JsonLines};

    #[tokio::test]
    async fn a_command_whose_statements_a_migration_changed_is_run_once_more() {
        for (stale, status) in [(0, 200), (1, 200), (2, 503), (9, 503)] {
            let runs = Arc::new(AtomicU32::new(0));
            let counted = runs.clone();
            let handler = async move |body: String| {
                assert_eq!(body, "the body");
                if counted.fetch_add(1, Ordering::Relaxed) < stale {
                    Err(DbError::Stale("changed".into()))
                } else {
                    Ok(())
                }
                .map_err(Problem::from)
            };
            let router = around(Router::new().route("/", post(handler)).route_layer(from_fn(limit_body)));
            let answer = router.oneshot(Request::post("/").body(Body::from("the body")).unwrap()).await.unwrap();
            assert_eq!((answer.status().as_u16(), runs.load(Ordering::Relaxed)), (status, stale.min(1) + 1), "{stale}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_is_given_up_before_its_function_is() {
        for (path, seconds) in [("/api/loans", 12), ("/api/agents/{id}/reassign", 27)] {
            let router = around(Router::new().route(path, post(async || std::future::pending::<()>().await)));
            let started = tokio::time::Instant::now();
            let answer = router.oneshot(Request::post(path.replace("{id}", "7")).body(Body::empty()).unwrap()).await;
            assert_eq!(answer.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(started.elapsed().as_secs(), seconds, "{path}");
        }
    }

    /// The status that the body's limit gives a request.
    async fn limited(request: Request) -> StatusCode {
        let router = Router::new().route("/", post(async |_: Bytes| "whole")).route_layer(from_fn(limit_body));
        around(router).oneshot(request).await.unwrap().status()
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stalls_is_not_waited_for() {
        let started = tokio::time::Instant::now();
        let stalled = Body::from_stream(stream::iter([Ok::<_, Infallible>("{")]).chain(stream::pending()));
        assert_eq!(limited(Request::post("/").body(stalled).unwrap()).await, StatusCode::BAD_REQUEST);
        assert!(started.elapsed() < ARRIVAL * 2);
    }

    #[tokio::test]
    async fn a_body_is_refused_by_what_it_declares_or_by_what_arrives() {
        let nothing_yet = || Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        let declared = |length: usize| Request::post("/").header(header::CONTENT_LENGTH, length);
        let too_large = declared(BODY_LIMIT + 1).body(nothing_yet()).unwrap();
        assert_eq!(limited(too_large).await, StatusCode::PAYLOAD_TOO_LARGE);
        let more_than_declared = declared(2).body(Body::from(vec![b' '; BODY_LIMIT + 1])).unwrap();
        assert_eq!(limited(more_than_declared).await, StatusCode::PAYLOAD_TOO_LARGE);
        let largest = declared(BODY_LIMIT).body(Body::from(vec![b' '; BODY_LIMIT])).unwrap();
        assert_eq!(limited(largest).await, StatusCode::OK);
    }

    thread_local! {
        /// The log of this thread, which is the test's, since it began to keep it.
        static KEPT: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
    }

    /// Writes to what the thread keeps, if it does.
    struct Keeper;

    impl Write for Keeper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            KEPT.with_borrow_mut(|kept| kept.as_mut().map_or(Ok(bytes.len()), |kept| kept.write(bytes)))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_request_leaves_one_line_that_names_its_caller_and_route_but_no_id_of_the_path() {
        // For the whole process: with one per thread, an event that one of them ignores may count as ignored by all.
        let format = tracing_subscriber::fmt().event_format(JsonLines).with_writer(|| Keeper);
        tracing::subscriber::set_global_default(format.finish()).unwrap();
        KEPT.set(Some(Vec::new()));
        let caller = Uuid::from_u128(7);
        let refuse = async move |request: Request| {
            CallerId::of(request.extensions()).note(caller);
            Problem::not_found()
        };
        let router = around(Router::new().route("/things/{id}", get(refuse)));
        let mut request = Request::get("/things/secret-42").body(Body::empty()).unwrap();
        let mut context = Context::default();
        context.request_id = "the-request".into();
        context.xray_trace_id = Some("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8".into());
        request.extensions_mut().insert(context);
        let request_id = router.oneshot(request).await.unwrap().headers()[X_REQUEST_ID].clone();

        let text = String::from_utf8(KEPT.take().unwrap()).unwrap();
        let line: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(line["caller"], caller.to_string());
        assert_eq!(line["request_id"], request_id.to_str().unwrap());
        assert_eq!((&line["method"], &line["operation"]), (&"GET".into(), &"/things/{id}".into()));
        assert_eq!((&line["status"], &line["code"]), (&404.into(), &"not_found".into()));
        assert_eq!(line["trace_id"], "1-5759e988-bd862e3fe1be46a994272793");
        assert_eq!((&line["message"], &line["level"]), (&"request".into(), &"INFO".into()));
        assert!(line["milliseconds"].is_u64() && line["_aws"].is_object(), "{text}");
        assert!(!text.contains("secret-42"), "{text}");
    }
}
