//! The OpenAPI document.

use std::sync::LazyLock;

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use backend::http::compression::{Coding, gzip};
use serde_json::Value;

use crate::desk::digest;

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
