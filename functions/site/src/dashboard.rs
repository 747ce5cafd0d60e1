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

const FILES: [File; 5] = [
    ("dashboard.css", "text/css; charset=utf-8", include_str!("dashboard/dashboard.css")),
    ("icon.svg", "image/svg+xml", include_str!("dashboard/icon.svg")),
    ("uPlot.iife.min.js", SCRIPT, include_str!("dashboard/uplot/uPlot.iife.min.js")),
    ("uPlot.min.css", "text/css; charset=utf-8", include_str!("dashboard/uplot/uPlot.min.css")),
    ("uPlot-LICENSE.txt", "text/plain; charset=utf-8", include_str!("dashboard/uplot/LICENSE")),
];

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Names of modules, each with its text.
macro_rules! modules {
    ($($name:literal),+ $(,)?) => { [$(($name, include_str!(concat!("dashboard/", $name)))),+] };
}

/// The modules of the page. It runs the first, which imports the others.
const MODULES: [(&str, &str); 15] = modules![
    "dashboard.js",
    "agents.js",
    "arrears.js",
    "collections.js",
    "decisions.js",
    "elements.js",
    "format.js",
    "history.js",
    "interface.js",
    "overview.js",
    "performance.js",
    "plot.js",
    "queues.js",
    "sections.js",
    "session.js",
];

/// The version that browsers store a file by: the page requests each as `name?v=` and this digest of them all, so that
/// files can be kept for long and a new deployment's page never gets an old one's.
static DIGEST: LazyLock<String> =
    LazyLock::new(|| digest(FILES.map(|(.., text)| text).into_iter().chain(MODULES.map(|(_, text)| text))));

/// The modules as they are served: each imports others in their version, as the page requests them.
static SERVED_MODULES: LazyLock<[String; MODULES.len()]> =
    LazyLock::new(|| MODULES.map(|(_, text)| text.replace(".js\";", &format!(".js?v={}\";", *DIGEST))));

/// Distinguishes contents: part of their digest, in hexadecimal digits.
pub(crate) fn digest(texts: impl IntoIterator<Item = &'static str>) -> String {
    let mut all = Sha256::new();
    for text in texts {
        all.update(text);
    }
    all.finalize().iter().take(8).fold(String::new(), |mut hex, byte| {
        let _infallible = write!(hex, "{byte:02x}");
        hex
    })
}

/// Browsers fetch all modules at once, rather than each when another that they have read imports it.
static PAGE: LazyLock<String> = LazyLock::new(|| {
    let preload = |(name, _)| format!("<link rel=\"modulepreload\" href=\"/dashboard/{name}?v={{digest}}\">");
    let preloads = MODULES.map(preload).join("\n    ");
    include_str!("dashboard/dashboard.html").replace("{modules}", &preloads).replace("{digest}", &DIGEST)
});

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
    let file = FILES.into_iter().find(|(file, ..)| *file == name).map(|(_, content_type, text)| (content_type, text));
    let modules = MODULES.iter().zip(SERVED_MODULES.iter());
    let module = || modules.into_iter().find(|((file, _), _)| *file == name).map(|(_, text)| (SCRIPT, text.as_str()));
    let (content_type, text) = file.or_else(module).ok_or_else(Problem::not_found)?;
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

    /// The text behind each of these words, up to the quotation mark.
    fn quoted<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
        text.split(before).skip(1).map(|rest| rest.split('"').next().unwrap_or_default())
    }

    fn is_served(address: &str) -> bool {
        let names = FILES.map(|(name, ..)| name).into_iter().chain(MODULES.map(|(name, _)| name));
        names.map(|name| format!("{name}?v={}", *DIGEST)).any(|served| served == address)
    }

    #[test]
    fn the_page_requests_existing_files_by_their_digest() {
        let requested: Vec<_> = quoted(&PAGE, "\"/dashboard/").collect();
        assert!(requested.len() > MODULES.len());
        for address in requested {
            assert!(is_served(address), "{address}");
        }
        assert!(!PAGE.contains("{modules}") && !PAGE.contains("{digest}"));
    }

    #[test]
    fn modules_import_existing_ones_by_their_digest_and_leave_none_out() {
        let mut imported: Vec<_> = SERVED_MODULES.iter().flat_map(|text| quoted(text, " from \"./")).collect();
        for address in &imported {
            assert!(is_served(address), "{address}");
        }
        imported.sort_unstable();
        imported.dedup();
        assert_eq!(imported.len(), MODULES.len() - 1, "all but the first: {imported:?}");
    }
}
