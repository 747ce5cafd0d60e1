//! Errors of a field: a stable code, and the rule in words.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One field that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) to the field in the request body; for a query parameter, `/` and its name.
    #[schema(example = "/amount")]
    pub pointer: String,
    /// Stable code of the rule.
    #[schema(example = "too_many_decimals")]
    pub code: Cow<'static, str>,
    /// The rule in words.
    #[schema(example = "INR has 2 decimals")]
    pub detail: String,
}

impl FieldError {
    /// An error of the field that `pointer` names.
    pub fn new(pointer: impl Into<String>, code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code: code.into(), detail: detail.into() }
    }
}

/// The error of a value while it is deserialised: a stable code and the rule in words. serde's errors are text, so the
/// code stands in front of it.
pub fn refusal<E: serde::de::Error>(code: &str, detail: impl std::fmt::Display) -> E {
    E::custom(format_args!("[{code}] {detail}"))
}
