//! The OpenAPI document, and a page that shows it: Swagger UI, carried in the binary. The page asks no other host for
//! anything, and its CSP forbids it.

use std::sync::{Arc, LazyLock};

use axum::{
    extract::Path,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use backend::http::{
    compression::{Coding, gunzip, gzip},
    problem::Problem,
};
use serde_json::Value;
use utoipa_swagger_ui::Config;

use crate::dashboard::digest;

/// The document, generated from the code and checked in; a test compares them.
const DOCUMENT: &str = include_str!("../../../openapi.json");

/// The document without blanks between its parts, made when it is first asked for.
static MINIFIED: LazyLock<String> = LazyLock::new(|| {
    let document: Result<Value, _> = serde_json::from_str(DOCUMENT);
    document.map_or_else(|_| DOCUMENT.to_owned(), |document| document.to_string())
});

/// The same as gzip.
static COMPRESSED: LazyLock<Option<Vec<u8>>> = LazyLock::new(|| gzip(MINIFIED.as_bytes()).ok());

static DIGEST: LazyLock<String> = LazyLock::new(|| digest([MINIFIED.as_str()]));

const PAGE: &str = include_str!("docs.html");

/// Swagger UI sets styles on elements and has icons in data URIs; everything else comes from here.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

const START: &str = "\
window.addEventListener('load', () => {
  SwaggerUIBundle({
    url: '/openapi.json', dom_id: '#document', deepLinking: true, docExpansion: 'list', defaultModelsExpandDepth: 0,
    validatorUrl: null, persistAuthorization: false,
  })
})
";

/// Get this document.
///
/// The OpenAPI 3.1 description of the interface, minified.
#[utoipa::path(
    get, path = "/openapi.json", tag = "service",
    responses(
        (status = 200, description = "The document", body = Value, content_type = "application/json",
            headers(("ETag" = String, description = "Names the document in this encoding, for `If-None-Match`"))),
        (status = 304, description = "`If-None-Match` names the document in this encoding",
            headers(("ETag" = String, description = "As with 200"))))
)]
pub(crate) async fn get_openapi_document(asked: HeaderMap) -> Response {
    let compressed = COMPRESSED.as_deref().filter(|_| Coding::wanted(&asked).is_gzip());
    let tag = format!("\"{}{}\"", *DIGEST, if compressed.is_some() { "-gzip" } else { "" });
    let headers = [(header::ETAG, tag.as_str()), (header::CACHE_CONTROL, "no-cache")];
    let known = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    let mut known = known.flat_map(|line| line.split(',')).map(str::trim);
    // Compared weakly: RFC 9110, 13.1.2.
    if known.any(|known| known == "*" || known.trim_start_matches("W/") == tag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let content_type = [(header::CONTENT_TYPE, "application/json")];
    match compressed {
        Some(bytes) => (headers, content_type, [(header::CONTENT_ENCODING, "gzip")], bytes).into_response(),
        None => (headers, content_type, MINIFIED.as_str()).into_response(),
    }
}

/// Get the documentation page.
///
/// A page to read this document and to try the operations.
#[utoipa::path(
    get, path = "/docs", tag = "service",
    responses((status = 200, description = "The page", body = String, content_type = "text/html"))
)]
pub(crate) async fn get_docs_page() -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (headers, PAGE).into_response()
}

/// A part of the page.
pub(crate) async fn get_docs_file(Path(name): Path<String>, asked: HeaderMap) -> Result<Response, Problem> {
    if name == "start.js" {
        return Ok(file("text/javascript", START.into(), None));
    }
    let found = utoipa_swagger_ui::serve(&name, Arc::new(Config::from("/openapi.json")));
    // An error here is a defect of the crate's own files.
    let found = found.map_err(|error| Problem::internal(error.to_string()))?.ok_or_else(Problem::not_found)?;
    let (bytes, encoding) = match found.gzpipped {
        true if Coding::wanted(&asked).is_gzip() => (found.bytes.into_owned(), Some(HeaderValue::from_static("gzip"))),
        true => (gunzip(&found.bytes).map_err(Problem::internal)?, None),
        false => (found.bytes.into_owned(), None),
    };
    Ok(file(&found.content_type, bytes, encoding))
}

fn file(content_type: &str, bytes: Vec<u8>, encoding: Option<HeaderValue>) -> Response {
    const CACHE: (HeaderName, HeaderValue) = (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    let mut response = (StatusCode::OK, [CACHE], bytes).into_response();
    if let Ok(content_type) = HeaderValue::try_from(content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    }
    if let Some(encoding) = encoding {
        response.headers_mut().insert(header::CONTENT_ENCODING, encoding);
    }
    response
}
