//! Path parameters: read late, so that only permitted callers learn that an id is malformed.

use std::{convert::Infallible, str::FromStr};

use axum::{extract::FromRequestParts, http::request::Parts};
use uuid::Uuid;

use super::problem::Problem;
use crate::values::text::ProductCode;

/// The parameters of the path, not read yet. Most paths have one.
pub struct PathParameter(Vec<String>);

impl<S: Send + Sync> FromRequestParts<S> for PathParameter {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let path = axum::extract::Path::<Vec<String>>::from_request_parts(parts, state).await;
        // A path that is not UTF-8 names nothing.
        Ok(Self(path.map_or_else(|_| Vec::new(), |path| path.0)))
    }
}

impl PathParameter {
    /// The first parameter as a UUID.
    ///
    /// # Errors
    ///
    /// 400 if it is not a UUID.
    pub fn uuid(&self) -> Result<Uuid, Problem> {
        self.parse("bad_id", "The id in the path is not a UUID.")
    }

    /// The first and the second parameter as UUIDs.
    ///
    /// # Errors
    ///
    /// 400 if either is not a UUID.
    pub fn uuids(&self) -> Result<(Uuid, Uuid), Problem> {
        let second = self.0.get(1).and_then(|text| text.parse().ok());
        let second = second.ok_or_else(|| Problem::bad_request("bad_id", "An id in the path is not a UUID."));
        Ok((self.uuid()?, second?))
    }

    /// The first parameter as `T`.
    ///
    /// # Errors
    ///
    /// 400 with this code if it does not parse.
    pub fn parse<T: FromStr>(&self, code: &'static str, detail: &'static str) -> Result<T, Problem> {
        self.text().parse().map_err(|_| Problem::bad_request(code, detail))
    }

    /// The first parameter as a product's code.
    ///
    /// # Errors
    ///
    /// 404 if it is not a valid code: no product has it.
    pub fn product_code(&self) -> Result<ProductCode, Problem> {
        ProductCode::parse(self.text()).ok_or_else(Problem::not_found)
    }

    /// The first parameter as a calendar's code.
    ///
    /// # Errors
    ///
    /// 404 if it is not a valid code: no calendar has it.
    pub fn calendar_code(&self) -> Result<String, Problem> {
        let code = self.text().parse::<lending::CalendarCode>().map_err(|_| Problem::not_found())?;
        Ok(code.as_str().to_owned())
    }

    /// A parameter as it stands, counted from 0.
    #[must_use]
    pub fn nth(&self, place: usize) -> &str {
        self.0.get(place).map_or("", String::as_str)
    }

    /// The first parameter as it stands.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }
}
