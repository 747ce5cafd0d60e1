//! The expectations of browsers and other clients of the web: a way to the pages, paths without a slash at their end,
//! HTTPS, compression, entity tags.

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, Method, Request, StatusCode, header, request},
};
use backend::{
    domain::loan::LoanStatus,
    http::{compression::gunzip, layers},
};
use http_body_util::BodyExt;
use serde_json::{Map, Value, json};
use tests::{
    Api, PASSWORD,
    document::{operations, resolve},
};
use tower::ServiceExt;
use url::Url;

use crate::world::World;

/// An answer as it is sent.
async fn raw(api: &Api, request: Request<Body>) -> (StatusCode, HeaderMap, Bytes) {
    let router = layers::serve(local::api::router(), api.app.clone());
    let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
    (parts.status, parts.headers, body.collect().await.unwrap().to_bytes())
}

/// A request of a client that takes gzip.
fn asked(method: Method, path: &str, token: &str) -> request::Builder {
    let request = Request::builder().method(method).uri(path).header(header::ACCEPT_ENCODING, "br, gzip;q=0.9");
    if token.is_empty() { request } else { request.header(header::AUTHORIZATION, format!("Bearer {token}")) }
}

async fn get(api: &Api, path: &str, token: &str) -> (StatusCode, HeaderMap, Bytes) {
    raw(api, asked(Method::GET, path, token).body(Body::empty()).unwrap()).await
}

/// The address of a file of the pages, in no version.
fn asset(name: &str) -> String {
    format!("/desk/assets/any/{name}")
}

fn unzipped(bytes: &[u8]) -> String {
    String::from_utf8(gunzip(bytes).unwrap()).unwrap()
}

fn encoding(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn the_root_leads_to_the_pages_and_browsers_find_an_icon() {
    let api = Api::new().await;
    let root = api.anyone().get("/").expect(307).await;
    let page = api.anyone().get(root.header("location")).expect(200).await;
    assert!(page.header("content-type").starts_with("text/html"), "{}", page.header("content-type"));
    let (status, headers, icon) = get(&api, "/favicon.ico", "").await;
    assert_eq!((status, headers[header::CONTENT_TYPE].as_bytes()), (StatusCode::OK, &b"image/x-icon"[..]));
    assert!(icon.starts_with(&[0, 0, 1, 0]) && encoding(&headers).is_none());
}

#[tokio::test]
async fn every_address_of_the_desk_is_the_page_and_the_dashboard_leads_there() {
    let api = Api::new().await;
    assert_eq!(api.anyone().get("/dashboard").expect(307).await.header("location"), "/desk");
    let page = api.anyone().get("/desk").expect(200).await.text;
    for path in ["/desk/loans", "/desk/loans/", "/desk/loans/some/schedule", "/desk/no/such/page"] {
        assert!(api.anyone().get(path).expect(200).await.text == page, "{path}");
    }
    for path in [asset("no.js"), asset("../desk.rs"), asset("desk.html"), "/desk/assets/any".into()] {
        let reply = api.anyone().get(&path).send().await;
        assert!(reply.status == 404 || reply.text == page, "{path}: {reply}");
    }
    api.anyone().get(&asset("no.js")).refused(404, "not_found").await;
}

#[tokio::test]
async fn a_slash_at_the_end_is_a_308_that_keeps_method_and_query() {
    let world = World::new().await;
    for (path, location) in [
        ("/api/loans/", "/api/loans"),
        ("/api/loans/?status=new&q=a%20b", "/api/loans?status=new&q=a%20b"),
        ("/api/loans///", "/api/loans"),
        ("/health/", "/health"),
        ("/openapi.json/", "/openapi.json"),
        ("/docs/", "/docs"),
        ("/desk/", "/desk"),
        ("/dashboard/", "/dashboard"),
    ] {
        for method in [Method::GET, Method::HEAD, Method::POST, Method::PATCH, Method::DELETE] {
            let reply = world.agent.call(method, path).json(json!({"amount": "1"})).expect(308).await;
            assert_eq!(reply.header("location"), location, "{path}");
        }
    }
    world.agent.get("/nothing").refused(404, "not_found").await;
}

#[tokio::test]
async fn a_slash_at_the_end_leads_to_no_other_host() {
    let api = Api::new().await;
    let parts =
        ["/", "\\", "%2F", "%5C", "%5c", "evil.example", "https:", ".", "..", "%09", "%0d%0a", "@", "%00", ";", "|"];
    let here = Url::parse("https://api.example/api/loans/").unwrap();
    let (mut led, mut refused) = (0, 0);
    for first in parts {
        for second in parts {
            for third in ["", "/", "evil.example", "\\evil.example", "/evil.example/", "%2Fevil.example"] {
                let reply = api.anyone().get(&format!("/{first}{second}{third}/")).send().await;
                if reply.status == 404 {
                    refused += 1;
                    continue;
                }
                assert_eq!(reply.status, 308, "{reply}");
                let location = here.join(reply.header("location")).unwrap();
                assert_eq!(location.origin(), here.origin(), "{}: {location}", reply.what);
                led += 1;
            }
        }
    }
    assert!(led > 300 && refused > 300, "{led}, {refused}");
    for path in ["//", "///", "//evil.example/", "//evil.example//", "/\\evil.example/", "/a//b/"] {
        api.anyone().get(path).refused(404, "not_found").await;
    }
}

#[tokio::test]
async fn every_answer_asks_for_https_and_says_what_it_depends_on() {
    let world = World::new().await;
    for (path, status) in [
        ("/", 307),
        ("/docs/", 308),
        ("/health", 200),
        ("/openapi.json", 200),
        ("/desk", 200),
        ("/dashboard", 307),
        ("/api/loans", 200),
        ("/api/auth/me", 200),
        ("/api/users?no=1", 422),
        ("/nothing", 404),
    ] {
        let reply = world.admin.get(path).expect(status).await;
        assert_eq!(reply.header("strict-transport-security"), "max-age=63072000", "{path}");
        assert_eq!(reply.header("vary"), "Accept, Accept-Encoding", "{path}");
    }
}

#[tokio::test]
async fn answers_over_a_kibibyte_are_compressed_where_the_client_takes_it() {
    let world = World::new().await;
    for _ in 0..3 {
        world.loan(LoanStatus::Pending).await;
    }
    let (api, token) = (&world.api, world.admin.token());
    let files = ["desk.css", "icon.svg", "vendor/preact.mjs", "vendor/preact.LICENSE"].map(asset);
    let files: Vec<_> = ["/desk", "/docs"].into_iter().map(str::to_owned).chain(files).collect();
    for path in files.iter().map(String::as_str).chain(["/api/loans", "/openapi.json", "/health"]) {
        let plain = world.admin.get(path).expect(200).await;
        assert_eq!(plain.optional_header("content-encoding"), None, "{path}");
        let (_, headers, bytes) = get(api, path, token).await;
        let is_long = plain.text.len() > 1024;
        assert_eq!(encoding(&headers), is_long.then_some("gzip"), "{path}");
        let text = if is_long { unzipped(&bytes) } else { String::from_utf8(bytes.to_vec()).unwrap() };
        assert!(text == plain.text && (!is_long || bytes.len() < text.len()), "{path}");

        let head = asked(Method::HEAD, path, token).body(Body::empty()).unwrap();
        let (_, head, nothing) = raw(api, head).await;
        for name in [header::CONTENT_ENCODING, header::CONTENT_LENGTH, header::CONTENT_TYPE] {
            assert_eq!(head.get(&name), headers.get(&name), "{path}: {name}");
        }
        assert_eq!((&head[header::CONTENT_LENGTH], nothing.len()), (&bytes.len().into(), 0), "{path}");
    }
    let table = asked(Method::GET, "/api/loans", token).header(header::ACCEPT, "text/csv").body(Body::empty()).unwrap();
    let (_, headers, bytes) = raw(api, table).await;
    assert_eq!((encoding(&headers), headers[header::VARY].as_bytes()), (Some("gzip"), &b"Accept, Accept-Encoding"[..]));
    assert!(unzipped(&bytes).starts_with("id,"));
    let many: Map<String, Value> = (0..50).map(|n| (format!("unknown_{n}"), n.into())).collect();
    let quote = asked(Method::POST, "/api/quotes", token).header(header::CONTENT_TYPE, "application/json");
    let (status, headers, bytes) = raw(api, quote.body(Value::from(many).to_string().into()).unwrap()).await;
    assert_eq!((status, encoding(&headers)), (StatusCode::UNPROCESSABLE_ENTITY, Some("gzip")));
    assert!(unzipped(&bytes).contains("/unknown_49"));
}

#[tokio::test]
async fn accept_encoding_is_read_with_its_weights() {
    let api = Api::new().await;
    let document = api.anyone().get("/openapi.json").expect(200).await.text.len();
    for (accept, long, short) in [
        ("gzip", Some("gzip"), None),
        ("*", Some("gzip"), None),
        ("identity;q=0.5, gzip;q=0.5", Some("gzip"), None),
        ("identity;q=0, gzip", Some("gzip"), Some("gzip")),
        ("identity;q=0, *;q=0.1", Some("gzip"), Some("gzip")),
        ("gzip;q=0", None, None),
        ("gzip;q=0, *", None, None),
        ("identity, gzip;q=0.5", None, None),
        ("identity;q=0", None, None),
        ("br, zstd", None, None),
        ("", None, None),
    ] {
        for (path, expected) in
            [("/openapi.json", long), ("/docs", long), (&asset("icon.svg"), short), ("/health", short)]
        {
            let request = Request::get(path).header(header::ACCEPT_ENCODING, accept).body(Body::empty()).unwrap();
            let (status, headers, bytes) = raw(&api, request).await;
            assert_eq!((status, encoding(&headers)), (StatusCode::OK, expected), "{path}: {accept}");
            assert!(path != "/openapi.json" || (bytes.len() == document) == expected.is_none(), "{accept}");
        }
    }
}

#[tokio::test]
async fn an_answer_with_a_token_in_it_is_never_compressed() {
    let api = Api::new().await;
    let user = api.customer("customer").await;
    api.owner.execute("UPDATE users SET full_name = repeat(U&'\\+01F600', 200)", &[]).await.unwrap();
    let body = json!({"username": "customer", "password": PASSWORD}).to_string();
    for accept in ["gzip", "identity;q=0, gzip"] {
        let login = Request::post("/api/auth/login").header(header::CONTENT_TYPE, "application/json");
        let login = login.header(header::ACCEPT_ENCODING, accept).body(Body::from(body.clone())).unwrap();
        let me = Request::get("/api/auth/me").header(header::AUTHORIZATION, format!("Bearer {}", user.token()));
        let me = me.header(header::ACCEPT_ENCODING, accept).body(Body::empty()).unwrap();
        for request in [login, me] {
            let (status, headers, bytes) = raw(&api, request).await;
            assert!(status == StatusCode::OK && bytes.len() > 1024, "{status}, {} bytes", bytes.len());
            assert_eq!(encoding(&headers), None);
        }
    }
}

/// Of the answers that may be compressed none has a field that would have to stay secret.
#[test]
fn tokens_and_passwords_are_answered_where_nothing_is_compressed_alone() {
    let mut secret = Vec::new();
    for (method, path, operation) in operations() {
        for (_, response) in operation["responses"].as_object().unwrap() {
            for (_, content) in resolve(response)["content"].as_object().into_iter().flatten() {
                let mut words = String::new();
                names(&content["schema"], &mut Vec::new(), &mut words);
                if ["token", "password", "secret", "activation", "recovery"].iter().any(|word| words.contains(word)) {
                    secret.push(format!("{method} {path}"));
                }
            }
        }
    }
    assert!(secret.contains(&"POST /api/auth/login".to_owned()), "{secret:?}");
    let never = |operation: &String| [" /api/auth/", " /api/payment-sources"].iter().any(|it| operation.contains(it));
    let compressed: Vec<_> = secret.iter().filter(|operation| !never(operation)).collect();
    assert_eq!(compressed, [""; 0]);
}

/// The names of a schema's fields, and of those within.
fn names(schema: &'static Value, seen: &mut Vec<&'static str>, words: &mut String) {
    if let Some(reference) = schema["$ref"].as_str() {
        if !seen.contains(&reference) {
            seen.push(reference);
            names(resolve(schema), seen, words);
        }
        return;
    }
    match schema {
        Value::Object(members) => {
            for name in members.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name)
            {
                *words += name;
                *words += " ";
            }
            members.values().for_each(|member| names(member, seen, words));
        }
        Value::Array(members) => members.iter().for_each(|member| names(member, seen, words)),
        _ => {}
    }
}

#[tokio::test]
async fn the_document_has_a_tag_for_each_encoding_and_is_sent_once() {
    let api = Api::new().await;
    let plain = api.anyone().get("/openapi.json").expect(200).await;
    let plain = plain.header("etag");
    let (_, headers, _) = get(&api, "/openapi.json", "").await;
    let zipped = headers[header::ETAG].to_str().unwrap();
    assert_ne!(plain, zipped);
    for (known, status) in [(plain, 304), ("*", 304), ("\"x\"", 200), (zipped, 200)] {
        for method in [Method::GET, Method::HEAD] {
            let call = api.anyone().call(method.clone(), "/openapi.json").header("if-none-match", known);
            let reply = call.expect(status).await;
            let is_empty = status == 304 || method == Method::HEAD;
            assert_eq!((reply.header("etag"), reply.text.is_empty()), (plain, is_empty), "{known}");
        }
    }
    for (known, status) in
        [(format!("\"x\", W/{zipped}"), StatusCode::NOT_MODIFIED), (plain.to_owned(), StatusCode::OK)]
    {
        let again = asked(Method::GET, "/openapi.json", "").header(header::IF_NONE_MATCH, known);
        let (answered, headers, body) = raw(&api, again.body(Body::empty()).unwrap()).await;
        assert_eq!((answered, headers[header::ETAG].to_str().unwrap()), (status, zipped));
        assert_eq!(
            (body.is_empty(), encoding(&headers).is_none()),
            (answered != StatusCode::OK, answered != StatusCode::OK)
        );
    }
}
