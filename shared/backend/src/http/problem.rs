//! The one error envelope: RFC 9457 problem details. The client's text and our log's text are kept apart by type. Each
//! code is described in [`codes`].

use std::{borrow::Cow, error::Error, sync::Arc};

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::codes;
use crate::{db::DbError, domain::refusal::Refusal, telemetry::chain, values::refusal::FieldError};

/// The code of a refusal whose fields carry the errors.
const VALIDATION_FAILED: &str = "validation_failed";

/// The most fields that one answer names.
pub const MOST_ERRORS: usize = 100;

/// A refusal as sent to the client, with its cause for the log.
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    // Boxed for its size: every answer may be a problem.
    named: Option<Box<Named>>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

/// A thing that a refusal names.
#[derive(Clone, Copy, Debug)]
enum Named {
    Transaction(Uuid),
    Payment(Uuid),
    Customer(Uuid),
}

/// The body of every refusal, `application/problem+json` (RFC 9457).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Always `about:blank`: the code says which problem it is.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    pub type_: Cow<'static, str>,
    /// The status in words.
    #[schema(example = "Unprocessable Entity")]
    pub title: Cow<'static, str>,
    /// The HTTP status.
    #[schema(example = 422)]
    pub status: u16,
    /// The error of this request, for a person.
    #[schema(example = "The request breaks a rule of validation.")]
    pub detail: Cow<'static, str>,
    /// The error, for a program; stable.
    #[schema(schema_with = codes::schema)]
    pub code: Cow<'static, str>,
    /// The id of this request, as in the `X-Request-Id` header and our logs.
    pub request_id: String,
    /// For 422: each field that breaks a rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// For `later_event_depends_on_it`: the transaction that could no longer stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Uuid, required = false)]
    pub transaction_id: Option<Uuid>,
    /// For `payment_exists`: the payment of that receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Uuid, required = false)]
    pub payment_id: Option<Uuid>,
    /// For `duplicate_identity`: the customer who has the identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Uuid, required = false)]
    pub customer_id: Option<Uuid>,
}

impl Problem {
    /// A refusal with a public message.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, detail: detail.into(), errors: Vec::new(), named: None, headers: Vec::new(), cause: None }
    }

    /// 400: the request cannot be read.
    pub fn bad_request(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 401: no token, or one that is no longer valid.
    #[must_use]
    pub fn unauthenticated() -> Self {
        let detail = "A valid access token is required: log in and send it as Authorization: Bearer.";
        Self::unauthorized("unauthenticated", detail)
    }

    /// 401: nothing proves who this is.
    pub fn unauthorized(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, detail)
            .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// 403: this caller may never do this.
    pub fn forbidden(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    /// 404: no such thing, or one that this caller may not see.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is no such thing here.")
    }

    /// 409: the state does not allow it.
    pub fn conflict(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 422: fields that break a rule.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = "The request breaks a rule of validation.";
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, VALIDATION_FAILED, detail) }
    }

    /// 422 for the request as a whole.
    #[must_use]
    pub fn unprocessable(code: &'static str, detail: &'static str) -> Self {
        let errors = vec![FieldError::new("", code, detail)];
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail) }
    }

    /// 422: one field that breaks a rule.
    pub fn field(pointer: impl Into<String>, code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(pointer, code, detail)])
    }

    /// 429: too many attempts; `seconds` until the next one is allowed.
    #[must_use]
    pub fn too_many(seconds: u64) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", "Too many attempts; wait before the next one.")
            .retry_after(seconds)
    }

    /// 503: the database, or the way to it, does not answer.
    #[must_use]
    pub fn unavailable() -> Self {
        let detail = "The service cannot do this at the moment. Try again soon.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(1)
    }

    /// 500: a defect of ours, logged with its cause.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::defect(Arc::from(cause.into()))
    }

    fn defect(cause: Arc<dyn Error + Send + Sync>) -> Self {
        let detail = "The server failed to do this. The failure has been logged under the request id.";
        Self { cause: Some(cause), ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", detail) }
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Adds `Retry-After`.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Names the customer that it is about.
    #[must_use]
    pub fn naming_customer(self, id: Uuid) -> Self {
        Self { named: Some(Box::new(Named::Customer(id))), ..self }
    }

    /// Names the payment that it is about.
    #[must_use]
    pub fn naming_payment(self, id: Uuid) -> Self {
        Self { named: Some(Box::new(Named::Payment(id))), ..self }
    }

    /// Keeps the cause for the log; it is never shown.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(Arc::from(cause.into()));
        self
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// The fields that break a rule.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// True if a prepared statement no longer fitted the schema: nothing was done, and the next try prepares it again.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        let cause = self.cause.as_deref().and_then(<dyn Error + Send + Sync>::downcast_ref);
        matches!(cause, Some(DbError::Stale(_)))
    }

    /// The chain of causes, outermost first, for the log.
    #[must_use]
    pub fn causes(&self) -> Option<String> {
        self.cause.as_deref().map(|cause| chain(cause))
    }

    /// The body of the answer, for the request that `request_id` names.
    #[must_use]
    pub fn body(&self, request_id: &str) -> ProblemBody {
        let (transaction_id, payment_id, customer_id) = match self.named.as_deref() {
            Some(Named::Transaction(id)) => (Some(*id), None, None),
            Some(Named::Payment(id)) => (None, Some(*id), None),
            Some(Named::Customer(id)) => (None, None, Some(*id)),
            None => (None, None, None),
        };
        ProblemBody {
            type_: "about:blank".into(),
            title: self.status.canonical_reason().unwrap_or("Error").into(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            code: self.code.into(),
            request_id: request_id.to_owned(),
            errors: self.errors.clone(),
            transaction_id,
            payment_id,
            customer_id,
        }
    }

    /// The answer with its body, for the request that `request_id` names.
    #[must_use]
    pub fn render(&self, request_id: &str) -> Response {
        let body = self.body(request_id);
        // A struct of strings and numbers always serialises.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.extend(self.headers.iter().cloned());
        response
    }
}

/// Both values, or the errors of either: the fields of both if both break a rule of validation.
///
/// # Errors
///
/// The first problem, with the fields of the second one.
pub fn both<A, B>(
    first: Result<A, impl Into<Problem>>,
    second: Result<B, impl Into<Problem>>,
) -> Result<(A, B), Problem> {
    match (first.map_err(Into::into), second.map_err(Into::into)) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (Err(mut first), Err(second)) if first.code == VALIDATION_FAILED && second.code == VALIDATION_FAILED => {
            for error in second.errors {
                if first.errors.len() < MOST_ERRORS && !first.errors.iter().any(|known| known.pointer == error.pointer)
                {
                    first.errors.push(error);
                }
            }
            Err(first)
        }
        (Err(problem), _) | (Ok(_), Err(problem)) => Err(problem),
    }
}

/// The body is written by the outermost layer, which knows the request's id: see [`layers`](super::layers).
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => Self::not_found(),
            Refusal::Forbidden { code, detail } => Self::forbidden(code, detail),
            Refusal::Conflict { code, detail, transaction } => {
                let named = transaction.map(|id| Box::new(Named::Transaction(id)));
                Self { named, ..Self::conflict(code, detail) }
            }
            Refusal::Invalid(errors) => Self::invalid(errors),
            Refusal::Rule(code, field) => Self { code, ..field.into() },
            Refusal::Defect(cause) => Self::defect(cause),
        }
    }
}

impl From<FieldError> for Problem {
    fn from(error: FieldError) -> Self {
        Self::invalid(vec![error])
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Lost(_) | DbError::Unavailable(_) | DbError::Stale(_) => Self::unavailable().caused_by(error),
            DbError::Busy(_) => {
                let detail = "Another request is changing the same thing. Try again.";
                Self::conflict("busy", detail).retry_after(1).caused_by(error)
            }
            DbError::Refused { ref constraint, .. } => match known_constraint(constraint) {
                Some(problem) => problem,
                None => Self::internal(error),
            },
            DbError::Unexpected(_) => Self::internal(error),
        }
    }
}

/// Another customer has an identity.
#[must_use]
pub fn duplicate_identity() -> Problem {
    Problem::conflict("duplicate_identity", "Another customer has this identity.")
}

/// Constraints that a well-formed request can run into, because another request came first.
fn known_constraint(constraint: &str) -> Option<Problem> {
    Some(match constraint {
        // The key is claimed in the same round trip as the session's check: a token may name a user who never existed.
        "idempotency_keys_caller_id_fkey" | "api_keys_good" => Problem::unauthenticated(),
        "loans_separation_of_duties" | "transactions_separation_of_duties" => Refusal::own_application().into(),
        "users_username_key" => Refusal::username_taken().into(),
        "users_email_key" => Refusal::email_taken().into(),
        "calendars_pkey" => Problem::conflict("calendar_code_taken", "A calendar with this code was made meanwhile."),
        "identities_key" => duplicate_identity(),
        "users_external_id_key" | "products_external_id_key" | "loans_external_id_key" => {
            Problem::conflict("external_id_taken", "Another one has this external_id.")
        }
        "products_pkey" => Problem::conflict("product_code_taken", "A product with this code exists."),
        "products_one_default" => {
            Problem::conflict("default_product_exists", "This currency has a default product; change that one first.")
        }
        "erase_loans_open" => {
            let detail = "A loan of this person is pending, approved or disbursed, or money is held for one.";
            Problem::conflict("loans_open", detail)
        }
        "payments_receipt" => Problem::conflict("busy", "Another request is recording the same receipt. Try again."),
        "payment_sources_pkey" => Problem::conflict("source_code_taken", "A source with this code exists."),
        "payment_sources_account" => Problem::conflict("source_exists", "This account of the provider has a source."),
        "transactions_of_source" => {
            Problem::field("/source", "unknown_source", "must be the code of a source of the loan's currency")
        }
        "erase_once" | "users_erased_stay" => Refusal::user_erased().into(),
        "erase_last_admin" => Problem::conflict("last_admin", "The last active admin cannot be removed."),
        "loans_borrower_erased" => {
            let detail = "The borrower is erased, so no loan of theirs can be opened.";
            Problem::conflict("borrower_erased", detail)
        }
        _ => return None,
    })
}
