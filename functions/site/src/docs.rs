//! The OpenAPI document, and a page that shows it: Swagger UI, carried in the binary. The page asks no other host for
//! anything, and its policy lets it not.

use std::sync::Arc;

use axum::{
    extract::Path,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use backend::http::problem::Problem;
use utoipa_swagger_ui::Config;

/// The document, as it is generated from the code and checked in; a test holds one against the other.
const DOCUMENT: &str = include_str!("../../../openapi.json");

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

/// Shows this document: the OpenAPI 3.1 description of the interface.
#[utoipa::path(
    get, path = "/openapi.json", tag = "service",
    responses((status = 200, description = "The document", body = serde_json::Value, content_type = "application/json"))
)]
pub(crate) async fn get_openapi_document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}

/// Shows the OpenAPI document as a page to read.
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
pub(crate) async fn get_docs_file(Path(name): Path<String>) -> Result<Response, Problem> {
    if name == "start.js" {
        return Ok(file("text/javascript", START.into(), None));
    }
    let found = utoipa_swagger_ui::serve(&name, Arc::new(Config::from("/openapi.json")));
    // An error here is a defect of the crate's own files.
    let found = found.map_err(|error| Problem::internal(error.to_string()))?.ok_or_else(Problem::not_found)?;
    Ok(file(&found.content_type, found.bytes.into_owned(), Some(HeaderValue::from_static("gzip"))))
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
