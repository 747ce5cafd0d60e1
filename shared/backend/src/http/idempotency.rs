//! Idempotency-Key: the same command sent twice takes effect once, and both senders get the same answer.
//!
//! The key's row is written in the transaction of the command's effect: either both are there or neither. A second
//! request with the key waits on that row until the first has ended.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, StatusCode, request::Parts},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{answer::Answer, problem::Problem};
use crate::db::{DbError, FromRow, Sql, Statement, column};

/// The key a client chose, with the operation it was sent to; not looked at yet.
pub struct IdempotencyKey {
    header: Option<HeaderValue>,
    operation: String,
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let operation = format!("{} {}", parts.method, parts.uri.path());
        Ok(Self { header: parts.headers.get("idempotency-key").cloned(), operation })
    }
}

fn read(header: &HeaderValue) -> Result<String, Problem> {
    match header.to_str() {
        Ok(key) if (1..=255).contains(&key.len()) => Ok(key.to_owned()),
        _ => {
            let detail = "Idempotency-Key has 1 to 255 visible ASCII characters.";
            Err(Problem::bad_request("bad_idempotency_key", detail))
        }
    }
}

/// Takes the key, or finds the answer given under it. Waits for a transaction that has taken it already. A row whose
/// status is null was made by this very transaction, since none is committed without its answer; one older than seven
/// days counts as gone.
pub const CLAIM: &str = "\
INSERT INTO idempotency_keys AS k (caller_id, operation, key, fingerprint) VALUES ($1, $2, $3, $4)
ON CONFLICT (caller_id, operation, key) DO UPDATE SET
    fingerprint = CASE WHEN k.created_at < now() - interval '7 days' THEN excluded.fingerprint ELSE k.fingerprint END,
    status = CASE WHEN k.created_at < now() - interval '7 days' THEN NULL ELSE k.status END,
    created_at = CASE WHEN k.created_at < now() - interval '7 days' THEN now() ELSE k.created_at END
RETURNING fingerprint, status, body, etag, location";

/// Keeps the answer under the key.
pub const KEEP: &str = "\
UPDATE idempotency_keys SET status = $4, body = $5, etag = $6, location = $7
WHERE caller_id = $1 AND operation = $2 AND key = $3";

impl IdempotencyKey {
    /// The key, if the client sent one: looked at before the body is.
    ///
    /// # Errors
    ///
    /// 400 for a key that is none.
    pub fn read(self) -> Result<Key, Problem> {
        Ok(Key { key: self.header.as_ref().map(read).transpose()?, operation: self.operation })
    }
}

/// A readable key or none, with the operation it was sent to.
pub struct Key {
    key: Option<String>,
    operation: String,
}

impl Key {
    /// A key that came in a body, for an operation as if it had been sent there; `None` if it is none.
    #[must_use]
    pub fn parse(key: &str, operation: String) -> Option<Self> {
        let is_key = (1..=255).contains(&key.len()) && key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        is_key.then(|| Self { key: Some(key.to_owned()), operation })
    }

    /// The key, for an operation that asks for one.
    ///
    /// # Errors
    ///
    /// 400 without a key.
    pub fn required(self) -> Result<Self, Problem> {
        if self.key.is_some() {
            return Ok(self);
        }
        let detail = "An Idempotency-Key of your choice is required: it keeps a request that is sent twice from taking \
            effect twice.";
        Err(Problem::bad_request("idempotency_key_required", detail))
    }

    /// The key, as if it had been sent to this operation: for paths that can be written in several ways.
    #[must_use]
    pub fn of(self, operation: String) -> Self {
        Self { operation, ..self }
    }

    /// A claim on the key for this caller and body; nothing is sent yet. `body` is the command as it was understood, so
    /// that the order of its fields and blanks between them make no difference.
    ///
    /// # Errors
    ///
    /// 500 if the body does not serialise: a defect.
    pub fn claim(self, caller: Uuid, body: &impl Serialize) -> Result<Claim, Problem> {
        let json = serde_json::to_vec(body).map_err(Problem::internal)?;
        let fingerprint = Sha256::digest(json).to_vec();
        Ok(Claim { caller, operation: self.operation, key: self.key, fingerprint })
    }
}

/// A claim on a key, if the client sent one.
pub struct Claim {
    caller: Uuid,
    operation: String,
    key: Option<String>,
    fingerprint: Vec<u8>,
}

/// The row of a key, as the claim finds it.
pub struct Claimed {
    fingerprint: Vec<u8>,
    answer: Option<Answer>,
}

impl FromRow for Claimed {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let status: Option<i16> = column(row, "status")?;
        let answer = match status {
            None => None,
            Some(status) => Some(Answer {
                status: u16::try_from(status)
                    .ok()
                    .and_then(|status| StatusCode::from_u16(status).ok())
                    .ok_or_else(|| DbError::unexpected("a stored status is none"))?,
                body: column(row, "body")?,
                etag: column(row, "etag")?,
                location: column(row, "location")?,
                replayed: true,
            }),
        };
        Ok(Self { fingerprint: column(row, "fingerprint")?, answer })
    }
}

impl Claim {
    /// Takes the key in the transaction, if there is one.
    #[must_use]
    pub fn take(&self) -> Option<Statement<Claimed>> {
        let key = self.key.clone()?;
        let sql = Sql::new(CLAIM).bind(self.caller).bind(self.operation.clone()).bind(key);
        Some(sql.bind(self.fingerprint.clone()).one())
    }

    /// The answer to send again, if this command was carried out before.
    ///
    /// # Errors
    ///
    /// 422 if the key came with another body then.
    pub fn earlier_answer(&self, claimed: Option<Claimed>) -> Result<Option<Answer>, Problem> {
        let Some(Claimed { fingerprint, answer: Some(answer) }) = claimed else { return Ok(None) };
        if fingerprint == self.fingerprint {
            return Ok(Some(answer));
        }
        let detail = "This Idempotency-Key was used for another request. Choose a new key for a new request.";
        Err(Problem::unprocessable("idempotency_key_reused", detail))
    }

    /// Keeps the answer, as one of the transaction's writes.
    #[must_use]
    pub fn keep(self, answer: &Answer) -> Option<Statement<()>> {
        let sql = Sql::new(KEEP).bind(self.caller).bind(self.operation).bind(self.key?);
        // Every HTTP status fits.
        let status = i16::try_from(answer.status.as_u16()).unwrap_or(i16::MAX);
        let sql = sql.bind(status).bind(answer.body.clone()).bind(answer.etag.clone());
        Some(sql.bind(answer.location.clone()).execute())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A header has any bytes but control characters; a key in a body any characters at all.
        #[test]
        fn a_key_is_1_to_255_visible_ascii_characters_wherever_it_is_sent(
            bytes in prop_oneof![any::<Vec<u8>>(), "[ -~]{0,300}".prop_map(String::into_bytes)],
        ) {
            let is_key = (1..=255).contains(&bytes.len()) && bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
            if let Ok(text) = str::from_utf8(&bytes) {
                prop_assert_eq!(Key::parse(text, String::new()).is_some(), is_key);
            }
            if let Ok(header) = HeaderValue::from_bytes(&bytes) {
                match read(&header) {
                    // A header may have tabs too.
                    Ok(key) => prop_assert!(key.len() <= 255 && key.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte))),
                    Err(problem) => prop_assert!(!is_key && problem.status() == StatusCode::BAD_REQUEST),
                }
            }
        }
    }
}
