//! Access tokens: JWT, HS256, one hour, with `kid` naming the key. Two keys may be valid at once, so that they can be
//! rotated without logging anyone out.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    http::problem::Problem,
    models::users::Role,
    secrets::{SecretError, SecretSource},
};

/// How long a token is valid.
pub const LIFETIME: Duration = Duration::from_hours(1);
/// How far the clocks of two environments may differ.
const LEEWAY_S: i64 = 30;
/// The shortest key, in bytes: the output of the hash (RFC 7518, 3.2).
const KEY_MIN: usize = 32;
const ISSUER: &str = "microloans";

/// What a token says. The role is fixed when the user is created, so the token may carry it; the status is not in it,
/// since that changes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// The user.
    pub sub: Uuid,
    /// The session, which ends on logout.
    pub sid: Uuid,
    /// The user's role.
    pub role: Role,
    /// When it was issued, seconds since 1970.
    pub iat: i64,
    /// When it expires, seconds since 1970.
    pub exp: i64,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    iss: String,
    #[serde(flatten)]
    claims: Claims,
}

/// Issues and checks tokens.
#[derive(Clone, Debug)]
pub struct Tokens {
    keys: SecretSource,
}

/// The secret: `{"current": "<kid>", "keys": {"<kid>": "<base64url>", ...}}`, one or two keys.
#[derive(Deserialize)]
struct Keys {
    current: String,
    keys: BTreeMap<String, SecretString>,
}

impl Keys {
    fn key(&self, kid: &str) -> Option<Vec<u8>> {
        let key = URL_SAFE_NO_PAD.decode(self.keys.get(kid)?.expose_secret()).ok()?;
        (key.len() >= KEY_MIN).then_some(key)
    }
}

/// Why tokens can be neither issued nor checked.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The secret could not be read.
    #[error("the signing keys could not be read")]
    Secret(#[from] SecretError),
    /// The secret has another form. Its text is not repeated here.
    #[error("the signing keys are not {{\"current\": kid, \"keys\": {{kid: base64url of 32 bytes or more}}}}")]
    Malformed,
    /// The token could not be made.
    #[error("a token could not be signed")]
    Sign(#[source] jsonwebtoken::errors::Error),
}

impl From<KeysError> for Problem {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Secret(_) => Self::unavailable().caused_by(error),
            KeysError::Malformed | KeysError::Sign(_) => Self::internal(error),
        }
    }
}

impl Tokens {
    /// With the keys of this secret, read on first use.
    #[must_use]
    pub fn new(keys: SecretSource) -> Self {
        Self { keys }
    }

    async fn keys(&self) -> Result<Keys, KeysError> {
        let secret = self.keys.get().await?;
        serde_json::from_str(secret.expose_secret()).map_err(|_| KeysError::Malformed)
    }

    /// Reads the keys.
    ///
    /// # Errors
    ///
    /// When they cannot be read or are malformed.
    pub async fn warm_up(&self) -> Result<(), KeysError> {
        self.keys().await.map(|_| ())
    }

    /// A token for a session that starts now, and when it expires.
    ///
    /// # Errors
    ///
    /// When the keys cannot be read.
    pub async fn issue(&self, user: Uuid, role: Role, session: Uuid) -> Result<(String, Timestamp), KeysError> {
        let keys = self.keys().await?;
        let key = keys.key(&keys.current).ok_or(KeysError::Malformed)?;
        let issued = Timestamp::now().as_second();
        let expires = issued + LIFETIME.as_secs().cast_signed();
        let claims = Claims { sub: user, sid: session, role, iat: issued, exp: expires };
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(keys.current);
        let payload = Payload { iss: ISSUER.into(), claims };
        let token = encode(&header, &payload, &EncodingKey::from_secret(&key)).map_err(KeysError::Sign)?;
        Ok((token, Timestamp::from_second(expires).unwrap_or(Timestamp::MAX)))
    }

    /// What a token says, if we signed it and it has not expired.
    ///
    /// # Errors
    ///
    /// 401 for any other token, without a reason: there is nothing a client could do with one.
    pub async fn check(&self, token: &str) -> Result<Claims, Problem> {
        let refuse = |error: jsonwebtoken::errors::Error| Problem::unauthenticated().caused_by(error);
        let kid = decode_header(token).map_err(refuse)?.kid;
        let keys = self.keys().await?;
        let Some(key) = kid.and_then(|kid| keys.key(&kid)) else { return Err(Problem::unauthenticated()) };
        // One algorithm, whatever the header says: `none` and others are refused.
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = LEEWAY_S.cast_unsigned();
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss"]);
        let claims =
            decode::<Payload>(token, &DecodingKey::from_secret(&key), &validation).map_err(refuse)?.claims.claims;
        if claims.iat > Timestamp::now().as_second() + LEEWAY_S {
            return Err(Problem::unauthenticated());
        }
        Ok(claims)
    }
}
