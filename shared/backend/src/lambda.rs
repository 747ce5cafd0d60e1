//! Serving a router on Lambda: the code common to every HTTP function's `main`. Input on which `lambda_http` would
//! panic never reaches it: whatever a client sends, the answer has our form.

use std::{convert::Infallible, time::Duration};

use axum::{
    Router,
    http::{header, uri::PathAndQuery},
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use lambda_http::{
    Adapter, Error, LambdaEvent,
    aws_lambda_events::{apigw::ApiGatewayV2httpRequest, query_map::QueryMap},
    lambda_runtime::{self, tower::Service},
    request::LambdaRequest,
    service_fn,
};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::{runtime, time::sleep};

use crate::{
    app::App,
    config,
    http::{layers, problem::Problem},
    telemetry,
};

/// How long sending the first poll for work takes: background preparation begins after it.
const FIRST_POLL: Duration = Duration::from_millis(1);

/// Serves a route group until the environment ends: one request at a time, or as many as the runtime gives an
/// environment (Lambda managed instances), on a thread for each core then.
///
/// Secrets and the connection are prepared in the background: the first poll for work does not wait for them.
///
/// # Errors
///
/// When the configuration is unusable or the runtime API goes away.
pub fn serve(routes: Router<App>) -> Result<(), Error> {
    let mut threads = match config::concurrency()? {
        ..=1 => runtime::Builder::new_current_thread(),
        2.. => runtime::Builder::new_multi_thread(),
    };
    threads.enable_all().build()?.block_on(run(routes))
}

async fn run(routes: Router<App>) -> Result<(), Error> {
    telemetry::init();
    let app = App::from_env()?;
    let background = app.clone();
    tokio::spawn(async move {
        sleep(FIRST_POLL).await;
        Box::pin(background.warm_up()).await;
    });
    let events = Events::to(layers::serve(routes, app));
    lambda_runtime::run_concurrent(service_fn(move |event| Box::pin(events.clone().answer(event)))).await
}

/// Answers the gateway's events (payload format 2.0) with a router.
#[derive(Clone)]
pub struct Events(Router);

impl Events {
    /// To a router with its [`layers`].
    #[must_use]
    pub const fn to(router: Router) -> Self {
        Self(router)
    }

    /// The gateway's answer to an event: the router's, or 400 if it is not a request.
    ///
    /// # Errors
    ///
    /// Never.
    pub async fn answer(self, event: LambdaEvent<Box<RawValue>>) -> Result<impl Serialize + Send + use<>, Infallible> {
        let (request, refusal) = read(event.payload.get());
        let router = match refusal {
            None => self.0,
            Some(problem) => layers::around(Router::new().fallback(async move || problem)),
        };
        // A router is always ready. Without the adapter, which is not `Sync`, the answer can go from thread to thread.
        let answer = {
            let mut adapter: Adapter<'static, Response, Router> = Adapter::from(router);
            adapter.call(LambdaEvent::new(LambdaRequest::ApiGatewayV2(request), event.context))
        };
        answer.await
    }
}

/// The longest path and query together, in bytes: more than the gateway passes on, and less than a third of the longest
/// URI, since every byte of the path may become an escape of three.
const LONGEST: usize = 16 * 1024;

/// The request of an event, without its unreadable parts, and a refusal if any.
fn read(event: &str) -> (ApiGatewayV2httpRequest, Option<Problem>) {
    if let Ok(mut request) = serde_json::from_str(event) {
        let refusal = take_away_unreadable(&mut request);
        (request, refusal)
    } else {
        let refusal = Problem::bad_request("unreadable_request", "The request cannot be read.");
        (ApiGatewayV2httpRequest::default(), Some(refusal))
    }
}

/// Removes the parts on which `lambda_http` would panic. Returns the refusal, if the request's target was among them.
fn take_away_unreadable(request: &mut ApiGatewayV2httpRequest) -> Option<Problem> {
    // It makes a URI of host and scheme, and panics if they do not form one. No handler needs them.
    request.headers.remove(header::HOST);
    request.request_context.domain_name = None;
    let body_is_readable =
        !request.is_base64_encoded || request.body.as_deref().is_none_or(|body| STANDARD.decode(body).is_ok());
    if !body_is_readable {
        request.body = None;
    }
    let path = request.raw_path.take().unwrap_or_default();
    let query = request.raw_query_string.take().unwrap_or_default();
    if !(path.is_empty() || path.starts_with('/')) || path.len() + query.len() > LONGEST {
        let detail = "The path cannot be part of a URI, or is too long with its query string.";
        return Some(Problem::bad_request("bad_path", detail));
    }
    // These may be in a path that the gateway has decoded, and must not end it.
    request.raw_path = Some(path.replace('?', "%3F").replace('#', "%23"));
    if PathAndQuery::try_from(format!("/?{query}")).is_err() {
        // The gateway's decoded parameters are not read either.
        request.query_string_parameters = QueryMap::default();
        return Some(Problem::bad_request("bad_query_string", "The query string cannot be part of a URI."));
    }
    request.raw_query_string = Some(query);
    (!body_is_readable).then(|| Problem::bad_request("unreadable_body", "The body did not arrive whole."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use axum::{
        body::Bytes,
        http::{Method, Uri},
    };
    use lambda_http::Context;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use tokio::runtime::Runtime;

    use super::*;
    use crate::http::compression::gunzip;

    /// A function that answers with the request it got.
    fn events() -> Events {
        let tell = async |method: Method, uri: Uri, body: Bytes| format!("{method} {uri} {}", body.len());
        Events::to(layers::around(Router::new().fallback(tell)))
    }

    /// The status and the body of the answer to an event.
    async fn answer(event: &Value) -> (u64, String) {
        let payload = RawValue::from_string(event.to_string()).unwrap();
        let answer = events().answer(LambdaEvent::new(payload, Context::default())).await.unwrap();
        let answer = serde_json::to_value(answer).unwrap();
        (answer["statusCode"].as_u64().unwrap(), answer["body"].as_str().unwrap_or_default().to_owned())
    }

    /// The gateway's event for `GET /api/loans?limit=1`.
    fn event() -> Value {
        json!({
            "version": "2.0", "routeKey": "$default", "rawPath": "/api/loans", "rawQueryString": "limit=1",
            "headers": {"host": "api.example.com", "x-forwarded-proto": "https", "accept": "*/*"},
            "queryStringParameters": {"limit": "1"},
            "requestContext": {
                "accountId": "123456789012", "apiId": "a", "domainName": "api.example.com", "domainPrefix": "api",
                "http": {"method": "GET", "path": "/api/loans", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.1",
                    "userAgent": "curl"},
                "requestId": "r", "routeKey": "$default", "stage": "$default", "time": "06/May/2020:22:36:55 +0000",
                "timeEpoch": 1_588_804_615_616_u64},
            "isBase64Encoded": false})
    }

    /// The event with one part of it, named by its pointer, replaced.
    fn with(pointer: &str, value: impl Into<Value>) -> Value {
        let mut event = event();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        event.pointer_mut(parent).unwrap()[name] = value.into();
        event
    }

    #[tokio::test]
    async fn an_answer_is_compressed_before_it_becomes_base64() {
        let text = "text ".repeat(1000);
        let told = text.clone();
        let events = Events::to(layers::around(Router::new().fallback(async move || told)));
        for (accept, is_compressed) in [("gzip", true), ("identity", false)] {
            let payload = RawValue::from_string(with("/headers/accept-encoding", accept).to_string()).unwrap();
            let answer = events.clone().answer(LambdaEvent::new(payload, Context::default())).await.unwrap();
            let answer = serde_json::to_value(answer).unwrap();
            assert_eq!(answer["isBase64Encoded"], is_compressed);
            assert_eq!(answer["headers"]["content-encoding"] == "gzip", is_compressed);
            let body = answer["body"].as_str().unwrap();
            if is_compressed {
                assert_eq!(gunzip(&STANDARD.decode(body).unwrap()).unwrap(), text.as_bytes());
            } else {
                assert_eq!(body, text);
            }
        }
    }

    async fn expect_the_next_is_served() {
        assert_eq!(answer(&event()).await, (200, "GET /api/loans?limit=1 0".to_owned()));
    }

    #[tokio::test]
    async fn an_event_that_is_no_request_is_refused_and_the_next_one_served() {
        for (pointer, value, code) in [
            ("/rawQueryString", json!("q=a b"), "bad_query_string"),
            ("/rawQueryString", json!("q=\0"), "bad_query_string"),
            ("/rawQueryString", json!("q=\u{7f}"), "bad_query_string"),
            ("/rawQueryString", json!("q=<a>"), "bad_query_string"),
            ("/rawQueryString", json!("q=1\r\nx: y"), "bad_query_string"),
            ("/rawQueryString", json!("q".repeat(LONGEST)), "bad_path"),
            ("/rawQueryString", json!(["q"]), "unreadable_request"),
            ("/rawPath", json!("api/loans"), "bad_path"),
            ("/rawPath", json!(":99999999/"), "bad_path"),
            ("/rawPath", json!("@[::"), "bad_path"),
            ("/rawPath", json!("\u{e9}".repeat(LONGEST)), "bad_path"),
            ("/rawPath", json!({}), "unreadable_request"),
            ("/headers/accept", json!("a\0b"), "unreadable_request"),
            ("/headers/accept", json!("a\r\nb: c"), "unreadable_request"),
            ("/headers/a b", json!("c"), "unreadable_request"),
            ("/headers/", json!("c"), "unreadable_request"),
            ("/headers", json!("none"), "unreadable_request"),
            ("/requestContext/http/method", json!("GET /"), "unreadable_request"),
            ("/requestContext/http", Value::Null, "unreadable_request"),
            ("/requestContext", Value::Null, "unreadable_request"),
        ] {
            let (status, body) = answer(&with(pointer, value.clone())).await;
            let problem: Value = serde_json::from_str(&body).unwrap_or_else(|_| panic!("{pointer}, {value}: {body}"));
            assert_eq!((status, problem["code"].as_str()), (400, Some(code)), "{pointer}, {value}: {body}");
            expect_the_next_is_served().await;
        }
        for event in [json!(null), json!({}), json!([]), json!("GET /"), json!({"Records": []})] {
            let (status, body) = answer(&event).await;
            assert!(status == 400 && body.contains("unreadable_request"), "{event}: {body}");
            expect_the_next_is_served().await;
        }
    }

    #[tokio::test]
    async fn a_body_that_is_not_the_base64_it_is_said_to_be_is_refused() {
        let mut event = with("/isBase64Encoded", true);
        for (body, expected) in [("e30=", "GET /api/loans?limit=1 2"), ("", "GET /api/loans?limit=1 0")] {
            event["body"] = body.into();
            assert_eq!(answer(&event).await, (200, expected.to_owned()));
        }
        for body in ["e30", "{}", "\u{e9}", "e30=\n"] {
            event["body"] = body.into();
            let (status, text) = answer(&event).await;
            assert!(status == 400 && text.contains("unreadable_body"), "{body:?}: {text}");
        }
    }

    /// `lambda_http` panics if these form no URI; they do not matter to the request.
    #[tokio::test]
    async fn host_and_scheme_may_be_anything() {
        for host in ["", "a b", "[", "1.2.3.999", "a:99999", "xn--a", "?", "a/../..", "\u{e9}", "%"] {
            for pointer in ["/headers/host", "/requestContext/domainName"] {
                let mut event = with(pointer, host);
                event["headers"]["x-forwarded-proto"] = "https, http".into();
                assert_eq!(answer(&event).await, (200, "GET /api/loans?limit=1 0".to_owned()), "{pointer}: {host}");
            }
        }
    }

    #[tokio::test]
    async fn a_path_that_the_gateway_has_decoded_stays_a_path() {
        for (path, asked) in [
            ("/api/loans/a?b#c", "/api/loans/a%3Fb%23c"),
            ("/api/loans/\u{e9}", "/api/loans/%C3%A9"),
            ("/api/loans/a b\0\"", "/api/loans/a%20b%00%22"),
            ("/api/loans/%zz", "/api/loans/%zz"),
            ("//", "//"),
            ("", "/"),
        ] {
            let (status, body) = answer(&with("/rawPath", path)).await;
            assert_eq!((status, body), (200, format!("GET {asked}?limit=1 0")), "{path}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        /// Nothing that a client can choose makes a function fail.
        #[test]
        fn any_event_has_an_answer(
            path in any::<String>(),
            slash in any::<bool>(),
            query in prop_oneof!["[ -~]*", any::<String>()],
            host in any::<Option<String>>(),
            scheme in "[ -~]*",
            name in "[a-zA-Z-]{1,20}",
            value in prop_oneof!["[ -~]*", any::<String>()],
            method in prop_oneof!["[A-Z]{1,10}", any::<String>()],
            body in any::<Option<String>>(),
            base64 in any::<bool>(),
        ) {
            let mut event = event();
            event["rawPath"] = format!("{}{path}", if slash { "/" } else { "" }).into();
            event["rawQueryString"] = query.into();
            event["requestContext"]["domainName"] = host.clone().into();
            event["requestContext"]["http"]["method"] = method.into();
            event["headers"] = json!({"x-forwarded-proto": scheme, name: value});
            event["body"] = body.into();
            event["isBase64Encoded"] = base64.into();
            let (status, body) = Runtime::new().unwrap().block_on(answer(&event));
            prop_assert!(status == 200 || status == 400, "{}: {}", status, body);
        }
    }
}
