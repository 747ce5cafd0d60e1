//! An answer, checked for what every answer has.

use std::{fmt, ops::Index};

use axum::http::HeaderMap;
use serde_json::Value;

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// The request, and where it was sent from, for messages.
    pub what: String,
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
    /// The body as JSON; null if it is not JSON.
    pub body: Value,
}

impl Reply {
    /// Checks common to all answers.
    pub(crate) fn check(&self, path: &str) {
        let request_id = self.header("x-request-id");
        assert!(!request_id.is_empty(), "{self}");
        if path.starts_with("/api/") {
            assert_eq!(self.header("cache-control"), "no-store", "{self}");
        }
        // The readiness check answers 503 with its checks.
        if self.status < 400 || path == "/health/ready" {
            return;
        }
        assert_eq!(self.header("content-type"), "application/problem+json", "{self}");
        assert_eq!(self["status"], self.status, "{self}");
        assert_eq!(self["request_id"], request_id, "{self}");
        for member in ["type", "title", "detail", "code"] {
            assert!(self[member].as_str().is_some_and(|text| !text.is_empty()), "no {member}: {self}");
        }
        // Fields are named by 422 alone, and always by this one.
        let names_fields = self.body.get("errors").is_some();
        assert!(!names_fields || self.status == 422, "{self}");
        assert!(names_fields || self.code() != "validation_failed", "{self}");
        assert_eq!(self.status == 401, self.headers.contains_key("www-authenticate"), "{self}");
        if matches!(self.status, 429 | 503) {
            assert!(self.header("retry-after").parse::<u64>().unwrap() >= 1, "{self}");
        }
    }

    /// A header, which must be there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.optional_header(name).unwrap_or_else(|| panic!("no {name}: {self}"))
    }

    /// A header, if it is there.
    #[must_use]
    pub fn optional_header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// A problem's code; empty for any other answer.
    #[must_use]
    pub fn code(&self) -> &str {
        self["code"].as_str().unwrap_or_default()
    }

    /// The fields a problem names: pointer and code of each.
    #[must_use]
    pub fn errors(&self) -> Vec<(&str, &str)> {
        let errors = self["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().map(|error| (error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap())).collect()
    }

    /// The things on a page.
    #[must_use]
    pub fn list(&self) -> &[Value] {
        self["data"].as_array().unwrap_or_else(|| panic!("no page: {self}"))
    }

    /// A text of the body, which must be there.
    #[must_use]
    pub fn text_of(&self, name: &str) -> String {
        self[name].as_str().unwrap_or_else(|| panic!("no text {name}: {self}")).to_owned()
    }

    /// The version of a loan or a product, which its entity tag must repeat.
    #[must_use]
    pub fn version(&self) -> i64 {
        let version = self["version"].as_i64().unwrap_or_else(|| panic!("no version: {self}"));
        assert_eq!(self.header("etag"), format!("\"{version}\""), "{self}");
        version
    }
}

impl Index<&str> for Reply {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        &self.body[name]
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.what, self.status, self.text)
    }
}
