//! Answers of commands: what is sent, and kept to be sent again for the same Idempotency-Key.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::problem::Problem;
use crate::values::version::Version;

/// Marks an answer that was given before.
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A successful answer with a JSON body, or without any.
#[derive(Clone, Debug)]
pub struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: String,
    pub(super) etag: Option<String>,
    pub(super) location: Option<String>,
    pub(super) replayed: bool,
}

impl Answer {
    /// 200 with this body.
    ///
    /// # Errors
    ///
    /// 500 if the body does not serialise: a defect.
    pub fn ok(body: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_string(body).map_err(Problem::internal)?;
        Ok(Self { status: StatusCode::OK, body, etag: None, location: None, replayed: false })
    }

    /// 201 with this body, which can be read again at `location`.
    ///
    /// # Errors
    ///
    /// As [`ok`](Self::ok).
    pub fn created(location: String, body: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self { status: StatusCode::CREATED, location: Some(location), ..Self::ok(body)? })
    }

    /// 204, without a body.
    #[must_use]
    pub fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: String::new(), etag: None, location: None, replayed: false }
    }

    /// The status and the body, for use inside another answer.
    ///
    /// # Errors
    ///
    /// 500 if there is no body: a defect.
    pub fn into_parts(self) -> Result<(u16, Box<RawValue>), Problem> {
        let body = RawValue::from_string(self.body).map_err(Problem::internal)?;
        Ok((self.status.as_u16(), body))
    }

    /// Adds the version's entity tag.
    #[must_use]
    pub fn with_version(mut self, version: Version) -> Self {
        self.etag = Some(version.etag());
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let has_body = !self.body.is_empty();
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if has_body {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        // Both are ASCII by construction: a number in quotes, a path of ids and codes.
        let mut insert = |name: HeaderName, value: Option<String>| {
            if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
                headers.insert(name, value);
            }
        };
        insert(header::ETAG, self.etag);
        insert(header::LOCATION, self.location);
        if self.replayed {
            headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}
