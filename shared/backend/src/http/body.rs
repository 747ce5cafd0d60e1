//! Request bodies: read late, after the caller is known and the thing found.

use std::borrow::Cow;

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use serde::de::{DeserializeOwned, IgnoredAny};
use utoipa::ToSchema;

use super::{etag::IfMatch, problem::Problem, query::QueryString, shape};
use crate::values::version::Version;

/// The largest body, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// The operation that takes many things at once.
pub const BATCH: &str = "/api/repayments/batch";

/// The largest body of [`BATCH`], in bytes.
pub const BATCH_LIMIT: usize = 1024 * 1024;

/// The operation that takes a file.
pub const STATEMENTS: &str = "/api/payment-sources/{code}/statements";

/// The largest body of [`STATEMENTS`], in bytes.
pub const FILE_LIMIT: usize = 1024 * 1024;

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// `application/xml` or `text/xml`.
    Xml,
    /// `text/csv`.
    Csv,
}

/// A request's body, not read yet.
pub struct Input {
    content_type: Option<String>,
    content_encoding: Option<String>,
    if_match: Option<String>,
    query: QueryString,
    bytes: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for Input {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let content_type = header_text(request.headers(), header::CONTENT_TYPE.as_str());
        let content_encoding = header_text(request.headers(), header::CONTENT_ENCODING.as_str());
        let query = QueryString::of(request.uri());
        let if_match = list_text(request.headers(), header::IF_MATCH.as_str());
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|_| Problem::bad_request("unreadable_body", "The body could not be read."))?;
        Ok(Self { content_type, content_encoding, if_match, query, bytes })
    }
}

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// The values of a list header, joined: a client may send several lines, and a gateway joins them.
fn list_text(headers: &HeaderMap, name: &str) -> Option<String> {
    let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    values.map(Cow::into_owned).reduce(|list, value| format!("{list}, {value}"))
}

impl Input {
    /// The body as `T`. An empty body equals `{}`: always if `T` has no required field, whatever the `Content-Type`,
    /// since many clients send one with every request; otherwise only without a `Content-Type`.
    ///
    /// # Errors
    ///
    /// 415 for another content type, 400 for malformed JSON, 422 for a body that is not a `T`, naming every wrong
    /// field, and for a query parameter: operations with a body take none.
    pub fn read<T: DeserializeOwned + ToSchema>(&self) -> Result<T, Problem> {
        let json = self.json_of::<T>()?;
        self.query.none()?;
        shape::deserialize(json)
    }

    /// The version that `If-Match` asks for, and the body as `T`.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), 400 for an `If-Match` that cannot be read, and 428 without one: after 415 and 400,
    /// before 422.
    pub fn read_versioned<T: DeserializeOwned + ToSchema>(&self) -> Result<(IfMatch, T), Problem> {
        let json = self.json_of::<T>()?;
        let if_match = self.if_match.as_deref().map(IfMatch::parse).transpose()?;
        let Some(if_match) = if_match else {
            let detail = "Send If-Match with the ETag of the version you have seen.";
            return Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, "if_match_required", detail));
        };
        self.query.none()?;
        Ok((if_match, shape::deserialize(json)?))
    }

    /// True if the request names the version that it is about, in `If-Match`.
    #[must_use]
    pub const fn names_version(&self) -> bool {
        self.if_match.is_some()
    }

    /// The version that `If-Match` asks for, if it is sent, and the body as `T`.
    ///
    /// # Errors
    ///
    /// As [`read_versioned`](Self::read_versioned), but for 428.
    pub fn read_perhaps_versioned<T: DeserializeOwned + ToSchema>(&self) -> Result<(Option<IfMatch>, T), Problem> {
        let json = self.json_of::<T>()?;
        let if_match = self.if_match.as_deref().map(IfMatch::parse).transpose()?;
        self.query.none()?;
        Ok((if_match, shape::deserialize(json)?))
    }

    /// A text field of the body, if the body is an object, whatever else is wrong with it.
    #[must_use]
    pub fn text_field(&self, name: &str) -> Option<String> {
        let body: serde_json::Map<String, serde_json::Value> = serde_json::from_str(self.json().ok()?).ok()?;
        body.get(name)?.as_str().map(str::to_owned)
    }

    /// True if the body is an object with this field, whatever else is wrong with it.
    #[must_use]
    pub fn has_field(&self, name: &str) -> bool {
        let body = self.json().ok().and_then(|json| serde_json::from_str(json).ok());
        body.is_some_and(|body: serde_json::Map<String, serde_json::Value>| body.contains_key(name))
    }

    /// The body as the text of one JSON value; for an empty body, its meaning as a `T`.
    fn json_of<T: DeserializeOwned>(&self) -> Result<&str, Problem> {
        let is_optional = || serde_json::from_str::<T>("{}").is_ok();
        if self.bytes.is_empty() && is_optional() { Ok("{}") } else { self.json() }
    }

    /// The body as the text of one JSON value.
    fn json(&self) -> Result<&str, Problem> {
        if self.bytes.is_empty() && self.content_type.is_none() {
            return Ok("{}");
        }
        if !self.content_type.as_deref().is_some_and(is_json) {
            let detail = "The body must be sent as Content-Type: application/json.";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
        }
        self.is_not_encoded()?;
        json_of_bytes(&self.bytes)
    }

    /// The body as a file of text.
    ///
    /// # Errors
    ///
    /// 415 for another content type or an encoding, 400 for text that is not UTF-8, 422 for a query parameter.
    pub fn file(&self) -> Result<(FileKind, &str), Problem> {
        let content_type = self.content_type.as_deref().map(essence).unwrap_or_default();
        let kind = match content_type.as_str() {
            "application/xml" | "text/xml" => FileKind::Xml,
            "text/csv" => FileKind::Csv,
            _ => {
                let detail = "The body must be sent as Content-Type: application/xml or text/csv.";
                return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
            }
        };
        self.is_not_encoded()?;
        let text = std::str::from_utf8(&self.bytes);
        let text = text.map_err(|_| Problem::bad_request("not_utf8", "The body is not text in UTF-8."))?;
        self.query.none()?;
        Ok((kind, text))
    }

    fn is_not_encoded(&self) -> Result<(), Problem> {
        if self.content_encoding.as_deref().is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
            let detail = "The body must be sent as it is, without a Content-Encoding.";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
        }
        Ok(())
    }

    /// The body as text that is one JSON value, whatever the `Content-Type`: callers of hooks often send none.
    ///
    /// # Errors
    ///
    /// 400 for what is not JSON.
    pub fn json_text(&self) -> Result<&str, Problem> {
        json_of_bytes(&self.bytes)
    }
}

fn json_of_bytes(bytes: &[u8]) -> Result<&str, Problem> {
    let not_json = |reason: String| Problem::bad_request("not_json", format!("The body is not JSON: {reason}."));
    let text = std::str::from_utf8(bytes).map_err(|_| not_json("it is not UTF-8".into()))?;
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| not_json(error.to_string()))?;
    Ok(text)
}

/// A content type without its parameters.
fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_json(content_type: &str) -> bool {
    let essence = essence(content_type);
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Requires that `If-Match` names this version.
///
/// # Errors
///
/// 412 if it names another.
pub fn require_version(if_match: &IfMatch, version: Version) -> Result<(), Problem> {
    if if_match.matches(version) {
        return Ok(());
    }
    let detail = "It has changed since the version in If-Match. Read it again, then decide.";
    Err(Problem::new(StatusCode::PRECONDITION_FAILED, "stale_version", detail))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, dead_code, reason = "the fields are there to be refused")]

    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    /// The result of a body sent as JSON.
    fn read(bytes: &[u8]) -> Result<Outer, Problem> {
        let input = Input {
            content_type: Some("application/json".into()),
            content_encoding: None,
            if_match: None,
            query: QueryString::of(&"/".parse().unwrap()),
            bytes: Bytes::copy_from_slice(bytes),
        };
        input.read()
    }

    #[test]
    fn text_that_json_readers_stumble_over_is_a_400_or_a_422() {
        let deep = |open: &str, inner: &str, close: &str| open.repeat(30_000) + inner + &close.repeat(30_000);
        let deep_list = format!("{{\"name\": \"\", \"list\": {}}}", deep("[", "", "]"));
        let blank = " ".repeat(10 << 20);
        let digits = "9".repeat(400);
        let count = |number: &str| format!("{{\"name\": \"\", \"list\": [{{\"count\": {number}}}]}}");
        for (status, text) in [
            (400, ""),
            (400, "{"),
            (400, "{} {}"),
            (400, "{\"name\": \"a\"} x"),
            (400, "\u{feff}{\"name\": \"a\"}"),
            (400, "{\"name\": \"a\0b\"}"),
            (400, "{\"name\": \"a\nb\"}"),
            (400, "{\"name\": NaN}"),
            (400, "{\"name\": 'a'}"),
            (400, "{\"name\": \"a\",}"),
            (400, "{\"name\": \"\\x41\"}"),
            (400, &blank),
            (400, &deep("[", "", "")),
            (422, "null"),
            // No field is as deep as this: anything deeper than its field has the wrong type.
            (422, &deep("[", "", "]")),
            (422, &deep("{\"name\":", "1", "}")),
            (422, &deep("{\"\":", "1", "}")),
            (422, &deep_list),
            (422, "{\"name\": \"\\ud800\"}"),
            (422, "{\"name\": \"\\udc00\\ud800\"}"),
            (422, "{\"\\ud800\": 1}"),
            (422, "{\"name\": \"a\", \"name\": \"b\"}"),
            (422, "{\"name\": \"a\", \"n\\u0061me\": \"b\"}"),
            (422, "{\"name\": \"a\", \"\\u0000\": 1}"),
            (422, &count("1e400")),
            (422, &count("-1e-400")),
            (422, &count("4294967296")),
            (422, &count("1.0")),
            (422, &count(&digits)),
        ] {
            let shown = &text[..text.len().min(60)];
            assert_eq!(read(text.as_bytes()).map(|_| ()).unwrap_err().status().as_u16(), status, "{shown}");
        }
        assert_eq!(read(b"{\"name\": \"\xff\"}").unwrap_err().code(), "not_json");
        assert_eq!(read("{\"name\": \"\\u0000\\ud83d\\ude00\"}".as_bytes()).unwrap().name, "\0\u{1f600}");
    }

    proptest! {
        /// Any bytes: read, or refused as unreadable or at a field.
        #[test]
        fn any_body_is_read_or_refused(
            bytes in prop_oneof![
                any::<Vec<u8>>(),
                any::<String>().prop_map(String::into_bytes),
                "(\\{|\\}|\\[|\\]|,|:|\"name\"|\"list\"|\"count\"|\"colour\"|\"red\"|1|-|e9|null|\"\\\\ud800\"){0,20}"
                    .prop_map(String::into_bytes),
                "\\{\"name\": (\"[a-z]{0,3}\"|1|null|\\[\\])(, \"(list|name|lost)\": \
                    (\\[(\\{\"(count|colour)\": (1|-1|\"red\"|\"blue\"|\\{\\})\\})?\\]|0))?\\}"
                    .prop_map(String::into_bytes),
            ],
        ) {
            if let Err(problem) = read(&bytes) {
                let told = (problem.status().as_u16(), problem.code(), problem.errors().len());
                prop_assert!(matches!(told, (400, "not_json", 0) | (422, "validation_failed", 1..)), "{:?}", told);
                prop_assert!(problem.errors().iter().all(|it| it.pointer.is_empty() || it.pointer.starts_with('/')));
            }
        }
    }

    #[derive(Debug, Deserialize, ToSchema)]
    #[serde(rename_all = "lowercase")]
    enum Colour {
        Red,
        Green,
    }

    #[derive(Debug, Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        count: Option<u32>,
        colour: Option<Colour>,
    }

    #[derive(Debug, Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        name: String,
        list: Option<Vec<Inner>>,
    }
}
