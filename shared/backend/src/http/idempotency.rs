//! Idempotency-Key: the same command sent twice takes effect once, and both senders get the same answer.
//!
//! The key's row is written in the transaction of the command's effect: either both are there or neither. A second
//! request with the key waits on that row until the first has ended.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, StatusCode, request::Parts},
};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    db::{DbError, FromRow, Sql, Statement, column},
    domain::products::Product,
    http::{answer::Answer, problem::Problem},
    values::{number::NumberText, refusal::refusal},
};

/// The key a client chose, with the operation it was sent to; not read yet.
pub struct IdempotencyKey {
    headers: Vec<HeaderValue>,
    operation: String,
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let operation = format!("{} {}", parts.method, parts.uri.path());
        Ok(Self { headers: parts.headers.get_all("idempotency-key").iter().cloned().collect(), operation })
    }
}

/// The rule of a key, wherever it is sent.
const RULE: &str = "has 1 to 255 visible ASCII characters, no comma, and blanks between them only";

/// The key in a text. Outer blanks do not count: a header's value has none. A gateway joins the values of a repeated
/// header with a comma.
fn key(text: &str) -> Option<&str> {
    let key = text.trim_matches(' ');
    let is_key =
        (1..=255).contains(&key.len()) && key.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b',');
    is_key.then_some(key)
}

/// The key in the values of the header.
fn read(headers: &[HeaderValue]) -> Result<Option<String>, Problem> {
    let bad = |detail| Problem::bad_request("bad_idempotency_key", detail);
    match headers {
        [] => Ok(None),
        [header] => {
            let key = header.to_str().ok().and_then(key);
            key.map(|key| Some(key.to_owned())).ok_or_else(|| bad(format!("Idempotency-Key {RULE}.")))
        }
        _ => Err(bad("Idempotency-Key is given more than once.".into())),
    }
}

/// A key in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyText(String);

impl<'de> Deserialize<'de> for KeyText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        key(&text).map(|key| Self(key.to_owned())).ok_or_else(|| refusal("bad_idempotency_key", RULE))
    }
}

/// A command as its body gives it; the fingerprint recognises a repetition.
pub trait Fingerprinted: Serialize + Clone {
    /// The other side's name of the money, where it may be the receipt of a payment.
    fn receipt(&self) -> Option<&str> {
        None
    }

    /// Other loans that it settles.
    fn settles(&self) -> &[Uuid] {
        &[]
    }

    /// Its amount, which can be written in several ways.
    fn amount(&mut self) -> Option<&mut NumberText> {
        None
    }
}

/// The fingerprint of a command, by its format.
struct Fingerprints {
    /// 1, of releases before: of the amount as it was written.
    first: Vec<u8>,
    /// 2: of the amount in its shortest form, without empty fields.
    second: Vec<u8>,
}

impl Fingerprints {
    fn of(command: &impl Fingerprinted) -> Result<Self, serde_json::Error> {
        let first = serde_json::to_vec(command)?;
        let mut understood = command.clone();
        if let Some(amount) = understood.amount() {
            *amount = amount.shortest();
        }
        let mut fields = serde_json::to_value(understood)?;
        if let Some(fields) = fields.as_object_mut() {
            fields.retain(|_, value| !value.is_null());
        }
        let digest = |json: Vec<u8>| Sha256::digest(json).to_vec();
        Ok(Self { first: digest(first), second: digest(serde_json::to_vec(&fields)?) })
    }
}

/// Takes the key, or finds the answer given under it. Waits for a transaction that has taken it already. A row whose
/// status is null was made by this very transaction, since none is committed without its answer; one older than seven
/// days counts as gone.
pub const CLAIM: &str = "\
INSERT INTO idempotency_keys AS k (caller_id, operation, key, fingerprint, format) VALUES ($1, $2, $3, $4, 2)
ON CONFLICT (caller_id, operation, key) DO UPDATE SET
    fingerprint = CASE WHEN k.created_at < now() - interval '7 days' THEN excluded.fingerprint ELSE k.fingerprint END,
    format = CASE WHEN k.created_at < now() - interval '7 days' THEN excluded.format ELSE k.format END,
    status = CASE WHEN k.created_at < now() - interval '7 days' THEN NULL ELSE k.status END,
    created_at = CASE WHEN k.created_at < now() - interval '7 days' THEN now() ELSE k.created_at END
RETURNING fingerprint, format, status, body, etag, location";

/// Keeps the answer under the key.
pub const KEEP: &str = "\
UPDATE idempotency_keys SET status = $4, body = $5, etag = $6, location = $7
WHERE caller_id = $1 AND operation = $2 AND key = $3";

impl IdempotencyKey {
    /// The key, if the client sent one: read before the body is.
    ///
    /// # Errors
    ///
    /// 400 if malformed.
    pub fn read(self) -> Result<Key, Problem> {
        Ok(Key { key: read(&self.headers)?, operation: self.operation })
    }
}

/// A key, or none, with the operation it was sent to.
pub struct Key {
    key: Option<String>,
    operation: String,
}

impl Key {
    /// A key that came in a body, for an operation as if it had been sent there.
    #[must_use]
    pub fn sent_to(KeyText(key): KeyText, operation: String) -> Self {
        Self { key: Some(key), operation }
    }

    /// The key, for an operation that requires one.
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

    /// A claim on the key for this caller and command; nothing is sent yet. The fingerprint is of the command as
    /// understood: the order of its fields, blanks between them and zeros at the end of its amount make no difference.
    ///
    /// # Errors
    ///
    /// 500 if the body does not serialise: a defect.
    pub fn claim(self, caller: Uuid, command: &impl Fingerprinted) -> Result<Claim, Problem> {
        let fingerprints = Fingerprints::of(command).map_err(Problem::internal)?;
        Ok(Claim { caller, operation: self.operation, key: self.key, fingerprints })
    }
}

/// A claim on a key, if the client sent one.
pub struct Claim {
    caller: Uuid,
    operation: String,
    key: Option<String>,
    fingerprints: Fingerprints,
}

/// The row of a key, as the claim finds it.
pub struct Claimed {
    fingerprint: Vec<u8>,
    format: i16,
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
                    .ok_or_else(|| DbError::unexpected(format!("invalid idempotency_keys.status {status}")))?,
                body: column(row, "body")?,
                etag: column(row, "etag")?,
                location: column(row, "location")?,
                replayed: true,
            }),
        };
        Ok(Self { fingerprint: column(row, "fingerprint")?, format: column(row, "format")?, answer })
    }
}

impl Claim {
    /// Takes the key in the transaction, if there is one.
    #[must_use]
    pub fn take(&self) -> Option<Statement<Claimed>> {
        let key = self.key.clone()?;
        let sql = Sql::new(CLAIM).bind(self.caller).bind(self.operation.clone()).bind(key);
        Some(sql.bind(self.fingerprints.second.clone()).one())
    }

    /// The answer to send again, if this command was carried out before.
    ///
    /// # Errors
    ///
    /// 422 if the key came with another body before.
    pub fn earlier_answer(&self, claimed: Option<Claimed>) -> Result<Option<Answer>, Problem> {
        let Some(Claimed { fingerprint, format, answer: Some(answer) }) = claimed else { return Ok(None) };
        let Fingerprints { first, second } = &self.fingerprints;
        if fingerprint == *if format == 1 { first } else { second } {
            return Ok(Some(answer));
        }
        let detail = "This Idempotency-Key was used for another request. Choose a new key for a new request.";
        Err(Problem::unprocessable("idempotency_key_reused", detail))
    }

    /// Stores the answer, in one of the transaction's writes.
    #[must_use]
    pub fn keep(self, answer: &Answer) -> Option<Statement<()>> {
        let sql = Sql::new(KEEP).bind(self.caller).bind(self.operation).bind(self.key?);
        // Every HTTP status fits.
        let status = i16::try_from(answer.status.as_u16()).unwrap_or(i16::MAX);
        let sql = sql.bind(status).bind(answer.body.clone()).bind(answer.etag.clone());
        Some(sql.bind(answer.location.clone()).execute())
    }
}

/// A new product, whose amounts are parsed by then.
impl Fingerprinted for Product {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A header has any bytes but control characters; a key in a body any characters at all.
        #[test]
        fn a_key_is_1_to_255_visible_ascii_characters_wherever_it_is_sent(
            bytes in prop_oneof![
                any::<Vec<u8>>(),
                "[ -~]{0,300}".prop_map(String::into_bytes),
                " {0,3}[!-+]{0,260} {0,3}".prop_map(String::into_bytes),
            ],
        ) {
            let inner = bytes.trim_ascii();
            let is_key = (1..=255).contains(&inner.len())
                && bytes.iter().all(|byte| (b' '..=b'~').contains(byte) && *byte != b',');
            let expected = is_key.then(|| String::from_utf8_lossy(inner).into_owned());
            if let Ok(text) = str::from_utf8(&bytes) {
                let read = serde_json::from_value::<KeyText>(text.into()).ok();
                prop_assert_eq!(read.map(|KeyText(key)| key), expected.clone());
            }
            if let Ok(header) = HeaderValue::from_bytes(&bytes) {
                match read(&[header]) {
                    Ok(key) => prop_assert_eq!(key, expected),
                    Err(problem) => prop_assert!(!is_key && problem.status() == StatusCode::BAD_REQUEST),
                }
            }
        }
    }
}
