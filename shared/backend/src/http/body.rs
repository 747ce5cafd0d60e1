//! Request bodies: read late, so that who asks and whether the thing exists are settled first.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_path_to_error::{Path, Segment};

use super::{
    etag::{IfMatch, Version},
    problem::{FieldError, Problem},
    query::QueryString,
};

/// The largest body, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// The operation that takes many things at once.
pub const BATCH: &str = "/api/repayments/batch";

/// The largest body of [`BATCH`], in bytes.
pub const BATCH_LIMIT: usize = 1024 * 1024;

/// A request's body, not looked at yet.
pub struct Input {
    content_type: Option<String>,
    content_encoding: Option<String>,
    if_match: Option<IfMatch>,
    query: QueryString,
    bytes: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for Input {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let content_type = header_text(request.headers(), header::CONTENT_TYPE.as_str());
        let content_encoding = header_text(request.headers(), header::CONTENT_ENCODING.as_str());
        let query = QueryString::of(request.uri());
        let if_match = header_text(request.headers(), header::IF_MATCH.as_str()).map(|text| IfMatch::parse(&text));
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|_| Problem::bad_request("unreadable_body", "The body could not be read."))?;
        Ok(Self { content_type, content_encoding, if_match, query, bytes })
    }
}

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

impl Input {
    /// The body as `T`. No body and no `Content-Type` equals `{}`.
    ///
    /// # Errors
    ///
    /// 415 for another content type, 400 for what is not JSON, 422 for what is not a `T`, naming the field, and for a
    /// query parameter: operations that take a body have none.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let json = self.json()?;
        self.query.none()?;
        deserialize(json)
    }

    /// The version that `If-Match` asks for, and the body as `T`.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and 428 without `If-Match`: after 415 and 400, before 422.
    pub fn read_versioned<T: DeserializeOwned>(&self) -> Result<(IfMatch, T), Problem> {
        let json = self.json()?;
        let Some(if_match) = self.if_match.clone() else {
            let detail = "If-Match with the ETag of the version you have seen is required.";
            return Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, "if_match_required", detail));
        };
        self.query.none()?;
        Ok((if_match, deserialize(json)?))
    }

    /// A field of the body, if that is an object in which the field is a text, whatever else is wrong with it.
    #[must_use]
    pub fn text_field(&self, name: &str) -> Option<String> {
        let body: serde_json::Map<String, serde_json::Value> = serde_json::from_str(self.json().ok()?).ok()?;
        body.get(name)?.as_str().map(str::to_owned)
    }

    /// The body as text that is one JSON value.
    fn json(&self) -> Result<&str, Problem> {
        if self.bytes.is_empty() && self.content_type.is_none() {
            return Ok("{}");
        }
        if !self.content_type.as_deref().is_some_and(is_json) {
            let detail = "The body must be sent as Content-Type: application/json.";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
        }
        if self.content_encoding.as_deref().is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
            let detail = "The body must be sent as it is, without a Content-Encoding.";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
        }
        let not_json = |reason: String| Problem::bad_request("not_json", format!("The body is not JSON: {reason}."));
        let text = std::str::from_utf8(&self.bytes).map_err(|_| not_json("it is not UTF-8".into()))?;
        serde_json::from_str::<IgnoredAny>(text).map_err(|error| not_json(error.to_string()))?;
        Ok(text)
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// The text, which is JSON, as `T`: an object, although serde would also fill a struct from a list.
///
/// # Errors
///
/// 422 for what is not a `T`, naming the field.
pub fn deserialize<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    if !text.trim_start().starts_with('{') {
        return Err(Problem::field("", "wrong_type", "must be an object"));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let message = error.inner().to_string();
        // serde_json adds where it stopped; the pointer says it better.
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
        Problem::invalid(vec![field_error(error.path(), message)])
    })
}

/// What a value refuses with while it is deserialised: a stable code and the rule in words. serde's errors are text, so
/// the code travels in front of it.
pub fn refusal<E: serde::de::Error>(code: &str, detail: impl std::fmt::Display) -> E {
    E::custom(format_args!("[{code}] {detail}"))
}

/// Names the field that a deserialisation error is about, and says what is wrong in words for a client: serde's own speak
/// of Rust's types.
pub(super) fn field_error(path: &Path, message: &str) -> FieldError {
    let mut pointer = String::new();
    let mut last = "";
    for segment in path {
        match segment {
            Segment::Seq { index } => push_segment(&mut pointer, &index.to_string()),
            Segment::Map { key } => {
                push_segment(&mut pointer, key);
                last = key;
            }
            Segment::Enum { variant } => push_segment(&mut pointer, variant),
            Segment::Unknown => {}
        }
    }
    // serde tells these kinds only in words, which have been the same since 1.0. The path ends with the name of a field
    // that is unknown; the others are fields of ours, whose names need no escaping.
    if message.starts_with("unknown field ") {
        return FieldError::new(pointer, "unknown_field", format!("there is no field {last} here"));
    }
    let named = |prefix: &str| message.strip_prefix(prefix)?.strip_suffix('`');
    if let Some(name) = named("duplicate field `") {
        push_segment(&mut pointer, name);
        return FieldError::new(pointer, "repeated", format!("the field {name} is given more than once"));
    }
    if let Some(name) = named("missing field `") {
        push_segment(&mut pointer, name);
        return FieldError::new(pointer, "required", format!("the field {name} is required"));
    }
    if let Some((code, detail)) = message.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        return FieldError::new(pointer, code.to_owned(), detail);
    }
    let expected = message.rsplit_once("expected ").map(|(_, expected)| in_words(expected));
    if message.starts_with("unknown variant ") {
        let words = expected.unwrap_or_default().replace('`', "");
        return FieldError::new(pointer, "unknown_value", format!("must be {words}"));
    }
    if message.starts_with("invalid type") {
        return FieldError::new(pointer, "wrong_type", format!("must be {}", expected.unwrap_or_default()));
    }
    if message.starts_with("invalid value: integer") {
        return FieldError::new(pointer, "out_of_range", "is out of range");
    }
    FieldError::new(pointer, "invalid_value", "is not a value that this field can have")
}

/// What serde expected, in words that are not Rust's.
fn in_words(expected: &str) -> String {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "i16" | "i32" | "i64" | "a nonzero u32" => "a whole number".into(),
        "a sequence" => "a list".into(),
        "a map" | "string or map" | "map" => "a word".into(),
        expected if expected.starts_with("struct ") => "an object".into(),
        expected => expected.into(),
    }
}

/// Appends one escaped segment (RFC 6901).
fn push_segment(pointer: &mut String, name: &str) {
    pointer.push('/');
    pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
}

/// Whether `If-Match` names this version.
///
/// # Errors
///
/// 412 if it names another.
pub fn require_version(if_match: &IfMatch, version: Version) -> Result<(), Problem> {
    if if_match.matches(version) {
        return Ok(());
    }
    let detail = "It has been changed since the version in If-Match. Read it again and decide anew.";
    Err(Problem::new(StatusCode::PRECONDITION_FAILED, "stale_version", detail))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, dead_code, reason = "the fields are there to be refused")]

    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    /// What becomes of a body that is sent as JSON.
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
            // No field is as deep as this: what is deeper than its field is of another type.
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
                "\\{\"name\": (\"[a-z]{0,3}\"|1|null|\\[\\])(, \"(list|name|lost)\": (\\[(\\{\"(count|colour)\": (1|-1|\"red\"|\"blue\"|\\{\\})\\})?\\]|0))?\\}"
                    .prop_map(String::into_bytes),
            ],
        ) {
            if let Err(problem) = read(&bytes) {
                let told = (problem.status().as_u16(), problem.code(), problem.errors().len());
                prop_assert!(matches!(told, (400, "not_json", 0) | (422, "validation_failed", 1)), "{:?}", told);
                prop_assert!(problem.errors().iter().all(|it| it.pointer.is_empty() || it.pointer.starts_with('/')));
            }
        }
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Colour {
        Red,
        Green,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        count: Option<u32>,
        colour: Option<Colour>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        name: String,
        list: Option<Vec<Inner>>,
    }

    fn refused(text: &str) -> (u16, String, String, String) {
        let problem = deserialize::<Outer>(text).unwrap_err();
        let error = problem.errors().first().unwrap().clone();
        (problem.status().as_u16(), error.pointer, error.code.into_owned(), error.detail)
    }

    #[test]
    fn what_is_wrong_is_told_at_its_field_in_words_that_are_not_rusts() {
        for (text, pointer, code, detail) in [
            ("[]", "", "wrong_type", "must be an object"),
            ("[\"name\"]", "", "wrong_type", "must be an object"),
            ("{}", "/name", "required", "the field name is required"),
            ("{\"name\": null}", "/name", "wrong_type", "must be a string"),
            ("{\"name\": \"\", \"name\": \"\"}", "/name", "repeated", "the field name is given more than once"),
            ("{\"a/b\": 1}", "/a~1b", "unknown_field", "there is no field a/b here"),
            ("{\"a~b\": 1}", "/a~0b", "unknown_field", "there is no field a~b here"),
            ("{\"a`b\": 1}", "/a`b", "unknown_field", "there is no field a`b here"),
            ("{\"name\": \"\", \"list\": {}}", "/list", "wrong_type", "must be a list"),
            ("{\"name\": \"\", \"list\": [{}, 1]}", "/list/1", "wrong_type", "must be an object"),
            ("{\"name\": \"\", \"list\": [{\"count\": -1}]}", "/list/0/count", "out_of_range", "is out of range"),
            (
                "{\"name\": \"\", \"list\": [{\"count\": \"1\"}]}",
                "/list/0/count",
                "wrong_type",
                "must be a whole number",
            ),
            (
                "{\"name\": \"\", \"list\": [{\"colour\": \"blue\"}]}",
                "/list/0/colour",
                "unknown_value",
                "must be red or green",
            ),
        ] {
            let expected = (422, pointer.to_owned(), code.to_owned(), detail.to_owned());
            assert_eq!(refused(text), expected, "{text}");
        }
    }

    /// `serde_json` stops at these as if they were no JSON at all.
    #[test]
    fn a_word_of_another_type_and_a_lone_surrogate_are_refused_values_not_bad_json() {
        for value in ["1", "[]", "{}", "true"] {
            let text = format!("{{\"name\": \"\", \"list\": [{{\"colour\": {value}}}]}}");
            let (status, pointer, ..) = refused(&text);
            assert_eq!((status, pointer.as_str()), (422, "/list/0/colour"), "{text}");
        }
        let (status, pointer, code, _) = refused("{\"name\": \"\\ud800\"}");
        assert_eq!((status, pointer.as_str(), code.as_str()), (422, "/name", "invalid_value"));
    }
}
