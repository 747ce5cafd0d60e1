//! Headers that operations ask for, to be named in `params(...)` of an operation's description. What they mean stands
//! in the OpenAPI document once, beside the other shared parameters.

use utoipa::IntoParams;

/// `Idempotency-Key` where money moves: a request without it is refused.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a header in the OpenAPI document")]
pub struct RequiredKey {
    #[param(rename = "Idempotency-Key")]
    key: String,
}

/// `Idempotency-Key` where it may be left out.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a header in the OpenAPI document")]
pub struct OptionalKey {
    #[param(rename = "Idempotency-Key")]
    key: Option<String>,
}

/// `If-Match` with the version that the caller has seen: a request without it is refused.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a header in the OpenAPI document")]
pub struct SeenVersion {
    #[param(rename = "If-Match")]
    version: String,
}
