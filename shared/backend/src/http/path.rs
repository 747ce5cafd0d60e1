//! Path parameters: read late, so that a bad id is told only to those who may ask.

use std::{convert::Infallible, str::FromStr};

use axum::{extract::FromRequestParts, http::request::Parts};
use uuid::Uuid;

use super::problem::Problem;
use crate::fields::ProductCode;

/// The one parameter of the path, not looked at yet.
pub struct PathParameter(String);

impl<S: Send + Sync> FromRequestParts<S> for PathParameter {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let path = axum::extract::Path::<String>::from_request_parts(parts, state).await;
        // What is not UTF-8 names nothing, as no text does.
        Ok(Self(path.map_or_else(|_| String::new(), |path| path.0)))
    }
}

impl PathParameter {
    /// The parameter as a UUID.
    ///
    /// # Errors
    ///
    /// 400 if it is none.
    pub fn uuid(&self) -> Result<Uuid, Problem> {
        self.parse("bad_id", "The id in the path is not a UUID.")
    }

    /// The parameter as `T`.
    ///
    /// # Errors
    ///
    /// 400 with this code if it is none.
    pub fn parse<T: FromStr>(&self, code: &'static str, detail: &'static str) -> Result<T, Problem> {
        self.0.parse().map_err(|_| Problem::bad_request(code, detail))
    }

    /// The parameter as a product's code.
    ///
    /// # Errors
    ///
    /// 404 if it is none: there is no product of such a code.
    pub fn product_code(&self) -> Result<ProductCode, Problem> {
        ProductCode::parse(&self.0).ok_or_else(Problem::not_found)
    }

    /// The parameter as it stands.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}
