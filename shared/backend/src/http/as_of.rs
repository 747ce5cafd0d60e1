//! The business date and the instant that a query asks about.

use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    problem::Problem,
    query::{Shared, take},
};
use crate::{
    domain::loan_as_of::Reading,
    values::time::{BusinessDate, Instant},
};

/// The business date of an answer, and the instant by which its transactions were recorded.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AsOfQuery {
    as_of: Option<BusinessDate>,
    known_at: Option<Instant>,
}

impl AsOfQuery {
    /// The moment that it asks about.
    #[must_use]
    pub fn reading(&self) -> Reading {
        Reading { as_of: self.as_of.map(|date| date.0), known_at: self.known_at.map(|instant| instant.0) }
    }
}

impl Shared for AsOfQuery {
    fn take(query: &mut String) -> Result<Self, Problem> {
        take(query, &["as_of", "known_at"])
    }
}
