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
};

/// The largest body, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// A request's body, not looked at yet.
pub struct Input {
    content_type: Option<String>,
    if_match: Option<IfMatch>,
    bytes: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for Input {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let content_type = header_text(request.headers(), header::CONTENT_TYPE.as_str());
        let if_match = header_text(request.headers(), header::IF_MATCH.as_str()).map(|text| IfMatch::parse(&text));
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|_| Problem::bad_request("unreadable_body", "The body could not be read."))?;
        Ok(Self { content_type, if_match, bytes })
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
    /// 415 for another content type, 400 for what is not JSON, 422 for what is not a `T`, naming the field.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        deserialize(self.json()?)
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
        Ok((if_match, deserialize(json)?))
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

fn deserialize<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let message = error.inner().to_string();
        if !error.inner().is_data() {
            return Problem::bad_request("not_json", format!("The body is not JSON: {message}."));
        }
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

/// Names the field that a deserialisation error is about.
pub(super) fn field_error(path: &Path, message: &str) -> FieldError {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => push_segment(&mut pointer, &index.to_string()),
            Segment::Map { key } => push_segment(&mut pointer, key),
            Segment::Enum { variant } => push_segment(&mut pointer, variant),
            Segment::Unknown => {}
        }
    }
    // serde tells these three only in words, which have been the same since 1.0.
    let named = |prefix: &str| Some(message.strip_prefix(prefix)?.split('`').nth(1)?.to_owned());
    if let Some(name) = named("unknown field ") {
        // The path may end with the unknown name already.
        if !pointer.ends_with(&format!("/{name}")) {
            push_segment(&mut pointer, &name);
        }
        return FieldError::new(pointer, "unknown_field", format!("There is no field {name} here."));
    }
    if let Some(name) = named("missing field ") {
        push_segment(&mut pointer, &name);
        return FieldError::new(pointer, "required", format!("The field {name} is required."));
    }
    if let Some(name) = named("duplicate field ") {
        if !pointer.ends_with(&format!("/{name}")) {
            push_segment(&mut pointer, &name);
        }
        return FieldError::new(pointer, "repeated", format!("The field {name} is given more than once."));
    }
    if let Some((code, detail)) = message.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        return FieldError::new(pointer, code.to_owned(), detail);
    }
    let code = match message {
        message if message.starts_with("unknown variant") => "unknown_value",
        message if message.starts_with("invalid type") => "wrong_type",
        _ => "invalid_value",
    };
    FieldError::new(pointer, code, message)
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
