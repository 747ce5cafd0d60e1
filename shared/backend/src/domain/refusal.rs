//! The reasons of refusals: a stable code and the rule in words. [`http::problem`](crate::http::problem) turns them
//! into answers, at the edge.

use std::{borrow::Cow, error::Error, fmt, sync::Arc};

use lending::Reason;
use uuid::Uuid;

use crate::values::refusal::FieldError;

/// Why a rule refuses.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// There is no such thing, or this caller may not learn of it.
    NotFound,
    /// This caller may never do this.
    Forbidden {
        /// Stable code of the rule.
        code: &'static str,
        /// The rule in words.
        detail: Cow<'static, str>,
    },
    /// The state does not allow it.
    Conflict {
        /// Stable code of the rule.
        code: &'static str,
        /// The rule in words.
        detail: Cow<'static, str>,
        /// The transaction that could no longer stand, if the conflict is with one.
        transaction: Option<Uuid>,
    },
    /// Fields that break a rule.
    Invalid(Vec<FieldError>),
    /// A field that breaks a rule which clients know by its code.
    Rule(&'static str, FieldError),
    /// A defect: an impossible state, if the program is right.
    Defect(Arc<dyn Error + Send + Sync>),
}

impl Refusal {
    /// The state does not allow it.
    pub fn conflict(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Conflict { code, detail: detail.into(), transaction: None }
    }

    /// The state does not allow it, because a transaction could no longer stand.
    pub fn conflict_with(transaction: Uuid, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Conflict { code, detail: detail.into(), transaction: Some(transaction) }
    }

    /// This caller may never do this.
    pub fn forbidden(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Forbidden { code, detail: detail.into() }
    }

    /// One field that breaks a rule.
    pub fn field(pointer: impl Into<String>, code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        FieldError::new(pointer, code, detail).into()
    }

    /// One field that breaks a rule which clients know by its code.
    pub fn rule(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Rule(code, FieldError::new(pointer, code, detail))
    }

    /// A refusal of a field by the engine. That a loan would never be repaid is a rule that clients know by its code.
    pub fn of_engine(pointer: impl Into<String>, refusal: &lending::Refusal) -> Self {
        if refusal.reason() == Reason::DoesNotAmortise {
            return Self::rule(pointer, refusal.code(), refusal.to_string());
        }
        Self::field(pointer, refusal.code(), refusal.to_string())
    }

    /// A defect, with its cause.
    pub fn defect(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Defect(Arc::from(cause.into()))
    }

    /// Nobody decides on their own application.
    #[must_use]
    pub fn own_application() -> Self {
        let detail =
            "Nobody may approve, reject, pay out or reverse their own work, or that of a user whose password they set.";
        Self::forbidden("own_application", detail)
    }

    /// Another user has this username.
    #[must_use]
    pub fn username_taken() -> Self {
        Self::conflict("username_taken", "This username is taken.")
    }

    /// Another user has this e-mail address.
    #[must_use]
    pub fn email_taken() -> Self {
        Self::conflict("email_taken", "This e-mail address is taken.")
    }

    /// An erased user stays as it is.
    #[must_use]
    pub fn user_erased() -> Self {
        Self::conflict("user_erased", "This user is erased and cannot be changed.")
    }
}

impl From<FieldError> for Refusal {
    fn from(error: FieldError) -> Self {
        Self::Invalid(vec![error])
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("not found"),
            Self::Forbidden { code, detail } | Self::Conflict { code, detail, .. } => write!(f, "{code}: {detail}"),
            Self::Invalid(errors) => {
                let mut errors = errors.iter();
                errors.try_for_each(|error| write!(f, "{} {}: {}; ", error.pointer, error.code, error.detail))
            }
            Self::Rule(code, field) => write!(f, "{} {code}: {}", field.pointer, field.detail),
            Self::Defect(_) => f.write_str("a defect"),
        }
    }
}

impl Error for Refusal {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Defect(cause) => Some(cause.as_ref()),
            Self::NotFound | Self::Forbidden { .. } | Self::Conflict { .. } | Self::Invalid(_) | Self::Rule(..) => None,
        }
    }
}
