//! States that a loan of a generated book cannot reach.

use backend::{domain::refusal::Refusal, telemetry};

use crate::Error;

/// Something of a book that cannot be: a defect of its plan.
#[derive(Debug)]
pub(super) struct Impossible(pub(super) String);

macro_rules! impossible {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for Impossible {
            fn from(error: $error) -> Self {
                Self(error.to_string())
            }
        })*
    };
}

impossible!(
    jiff::Error,
    lending::Conflict,
    lending::RateError,
    lending::Refusal,
    lending::UnknownCurrency,
    serde_json::Error,
);

impl From<Refusal> for Impossible {
    fn from(refusal: Refusal) -> Self {
        Self(telemetry::chain(&refusal))
    }
}

impl From<Impossible> for Error {
    fn from(Impossible(why): Impossible) -> Self {
        Self::Book(why)
    }
}
