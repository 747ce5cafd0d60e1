//! The dashboard: a page that logs in with the interface and shows the portfolio. It is carried in the binary, asks no
//! other host for anything, and its CSP forbids it. It has no data of its own: it is a client like any other.

use std::{fmt::Write as _, sync::LazyLock};

use axum::{
    extract::{Path, RawQuery, State},
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};
use backend::{app::App, http::problem::Problem};
use sha2::{Digest as _, Sha256};

/// A file of the page: its name, its type and its content.
type File = (&'static str, &'static str, &'static str);

const FILES: [File; 6] = [
    ("dashboard.css", "text/css; charset=utf-8", include_str!("dashboard/dashboard.css")),
    ("dashboard.js", "text/javascript; charset=utf-8", include_str!("dashboard/dashboard.js")),
    ("icon.svg", "image/svg+xml", include_str!("dashboard/icon.svg")),
    ("uPlot.iife.min.js", "text/javascript; charset=utf-8", include_str!("dashboard/uplot/uPlot.iife.min.js")),
    ("uPlot.min.css", "text/css; charset=utf-8", include_str!("dashboard/uplot/uPlot.min.css")),
    ("uPlot-LICENSE.txt", "text/plain; charset=utf-8", include_str!("dashboard/uplot/LICENSE")),
];

/// The version that browsers store a file by: the page requests each as `name?v=` and this digest of them all, so that
/// files can be kept for long and a new deployment's page never gets an old one's.
static DIGEST: LazyLock<String> = LazyLock::new(|| digest(FILES.map(|(.., text)| text)));

/// Distinguishes contents: part of their digest, in hexadecimal digits.
pub(crate) fn digest<const N: usize>(texts: [&str; N]) -> String {
    let mut all = Sha256::new();
    for text in texts {
        all.update(text);
    }
    all.finalize().iter().take(8).fold(String::new(), |mut hex, byte| {
        let _infallible = write!(hex, "{byte:02x}");
        hex
    })
}

static PAGE: LazyLock<String> = LazyLock::new(|| include_str!("dashboard/dashboard.html").replace("{digest}", &DIGEST));

/// Nothing inline, nothing from elsewhere, no form that the browser itself would send, no frame around the page, and no
/// way to make markup of text.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
);

/// Get the dashboard.
///
/// A page that shows the portfolio to staff, who log in there.
#[utoipa::path(
    get, path = "/dashboard", tag = "service",
    responses((status = 200, description = "The dashboard", body = String, content_type = "text/html"))
)]
pub(crate) async fn get_dashboard_page(State(app): State<App>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    ];
    // Names of time zones hold nothing that ends an attribute.
    let zone = app.zone.iana_name().unwrap_or("UTC");
    (headers, PAGE.replace("{zone}", zone)).into_response()
}

/// Leads whoever names no page to this one.
pub(crate) async fn lead_to_dashboard() -> Redirect {
    Redirect::temporary("/dashboard")
}

/// The icon, for browsers that ask for the default path.
pub(crate) async fn get_favicon() -> Response {
    const ICON: &[u8] = include_bytes!("dashboard/favicon.ico");
    let headers = [(header::CONTENT_TYPE, "image/x-icon"), (header::CACHE_CONTROL, "public, max-age=86400")];
    (headers, ICON).into_response()
}

/// A part of the page. While a new version is being deployed a page may ask a function of the other version: that
/// answer is not one to keep.
pub(crate) async fn get_dashboard_file(
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (_, content_type, text) = FILES.into_iter().find(|(file, ..)| *file == name).ok_or_else(Problem::not_found)?;
    let asked_for = query.as_deref().and_then(|query| query.strip_prefix("v="));
    let cache = if asked_for == Some(&DIGEST) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
    ];
    Ok((headers, text).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_asks_for_files_that_there_are_and_by_their_digest() {
        let asked: Vec<_> = PAGE.split("\"/dashboard/").skip(1).collect();
        assert!(!asked.is_empty());
        for asked in asked {
            let known = FILES.iter().any(|(name, ..)| asked.starts_with(&format!("{name}?v={}\"", *DIGEST)));
            assert!(known, "{asked}");
        }
    }
}
