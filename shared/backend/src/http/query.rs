//! Query strings: read late, like bodies, and refused with 422 naming the parameter.

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::request::Parts};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{body::field_error, problem::Problem};

/// A request's query string, not looked at yet.
pub struct QueryString {
    path: String,
    query: String,
}

impl<S: Send + Sync> FromRequestParts<S> for QueryString {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default().to_owned();
        Ok(Self { path: parts.uri.path().to_owned(), query })
    }
}

impl QueryString {
    /// The query as `T`, whose unknown fields are denied.
    ///
    /// # Errors
    ///
    /// 422 for an unknown or repeated parameter and for a value that is none, naming the parameter.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let deserializer = serde_urlencoded::Deserializer::new(form_urlencoded::parse(self.query.as_bytes()));
        serde_path_to_error::deserialize(deserializer)
            .map_err(|error| Problem::invalid(vec![field_error(error.path(), &error.inner().to_string())]))
    }

    /// What a cursor is bound to: the caller, the path, and every parameter but `cursor` and `limit`.
    #[must_use]
    pub fn binding(&self, caller: Uuid) -> [u8; 16] {
        let mut pairs: Vec<_> = form_urlencoded::parse(self.query.as_bytes())
            .filter(|(name, _)| name != "cursor" && name != "limit")
            .collect();
        pairs.sort();
        let mut digest = Sha256::new();
        digest.update(caller.as_bytes());
        for part in std::iter::once(self.path.as_str()).chain(pairs.iter().flat_map(|(k, v)| [k.as_ref(), v.as_ref()]))
        {
            // Lengths in front: no two lists of parts give the same bytes.
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        let digest: [u8; 32] = digest.finalize().into();
        let mut binding = [0; 16];
        binding.copy_from_slice(&digest[..16]);
        binding
    }
}
