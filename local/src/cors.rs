//! Calls from web pages of other origins, as the gateway allows them where this is deployed: see `AllowedOrigins` and
//! `CorsConfiguration` in `template.yaml`.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};
use url::Url;

use crate::Error;

/// The variable with the origins.
const ALLOWED_ORIGINS: &str = "ALLOWED_ORIGINS";

const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// The headers that a page of another origin may send.
const SENT: &[&str] = &["Authorization", "Content-Type", "If-Match", "Idempotency-Key"];

/// The headers that such a page may read.
const READ: &[&str] = &["ETag", "Location", "Link", "X-Request-Id", "Idempotency-Replayed", "Retry-After"];

/// How long a browser may keep the answer.
const KEPT: Duration = Duration::from_hours(1);

/// The layer for the origins that `ALLOWED_ORIGINS` names; `None` if it names none.
pub(crate) fn from_environment() -> Result<Option<CorsLayer>, Error> {
    let text = std::env::var_os(ALLOWED_ORIGINS).unwrap_or_default();
    layer(&text.to_string_lossy()).map_err(|reason| Error::Setting(format!("{ALLOWED_ORIGINS}: {reason}")))
}

/// The layer for these origins, separated by commas; `None` for an empty list.
///
/// # Errors
///
/// When one of them is no origin.
pub fn layer(text: &str) -> Result<Option<CorsLayer>, String> {
    let names: Vec<&str> = text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let origins = match names[..] {
        [] => return Ok(None),
        ["*"] => Any.into(),
        _ => AllowOrigin::list(names.into_iter().map(origin).collect::<Result<Vec<_>, _>>()?),
    };
    let headers = |names: &[&str]| names.iter().filter_map(|name| name.parse::<HeaderName>().ok()).collect::<Vec<_>>();
    let layer = CorsLayer::new().allow_origin(origins).allow_methods(METHODS).max_age(KEPT);
    Ok(Some(layer.allow_headers(headers(SENT)).expose_headers(headers(READ))))
}

/// An origin as browsers write it: no path, not even a slash, and no port that the scheme has anyway.
fn origin(text: &str) -> Result<HeaderValue, String> {
    let refusal = || format!("{text:?} is no origin such as https://app.example.com or http://localhost:5173");
    let origin = Url::parse(text).map_err(|_| refusal())?.origin();
    if !origin.is_tuple() || origin.ascii_serialization() != text {
        return Err(refusal());
    }
    text.parse().map_err(|_| refusal())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_a_list_or_all_or_none() {
        for none in ["", " , "] {
            assert!(layer(none).unwrap().is_none());
        }
        for some in ["*", "http://localhost:5173", "https://app.example.com, http://[::1]:3000"] {
            assert!(layer(some).unwrap().is_some(), "{some}");
        }
    }

    #[test]
    fn what_no_browser_sends_as_an_origin_is_named() {
        for wrong in
            ["localhost:5173", "http://localhost/", "https://a.example:443", "HTTP://a", "a\u{7}", "null", "*,*"]
        {
            assert!(layer(wrong).is_err(), "{wrong}");
        }
        assert!(layer("http://a,b").unwrap_err().contains("\"b\""));
    }

    #[test]
    fn what_is_allowed_here_is_what_the_gateway_allows() {
        let template = include_str!("../../template.yaml");
        let methods: Vec<&str> = METHODS.iter().map(Method::as_str).collect();
        for (name, values) in [("AllowMethods", &methods[..]), ("AllowHeaders", SENT), ("ExposeHeaders", READ)] {
            let line = format!("{name}: [{}]\n", values.join(", "));
            assert!(template.contains(&line), "{line}");
        }
        assert!(template.contains(&format!("MaxAge: {}\n", KEPT.as_secs())));
    }
}
