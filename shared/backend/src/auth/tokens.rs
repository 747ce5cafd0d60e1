//! Access tokens: JWT, HS256, one hour, with `kid` naming the key. Two keys may be valid at once, so that they can be
//! rotated without logging anyone out ([`keys`](super::keys)).

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::keys::{KeysError, LEEWAY_S, LIFETIME, SigningKeys};
use crate::{
    domain::users::Role,
    http::{problem::Problem, seal::CursorKeys},
    secrets::{SecretError, SecretSource},
};

const ISSUER: &str = "microloans";

/// The content of a token. The role is fixed when the user is created, so the token may carry it; the status is not in
/// it, since that changes.
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

/// Why tokens can be neither issued nor checked.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    /// The secret could not be read.
    #[error("the signing keys could not be read")]
    Secret(#[from] SecretError),
    /// The secret is unusable.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The token could not be made.
    #[error("a token could not be signed")]
    Sign(#[source] jsonwebtoken::errors::Error),
}

impl From<TokensError> for Problem {
    fn from(error: TokensError) -> Self {
        match error {
            TokensError::Secret(_) => Self::unavailable().caused_by(error),
            TokensError::Keys(_) | TokensError::Sign(_) => Self::internal(error),
        }
    }
}

impl Tokens {
    /// With the keys of this secret, read on first use.
    #[must_use]
    pub fn new(keys: SecretSource) -> Self {
        Self { keys }
    }

    async fn keys(&self) -> Result<SigningKeys, TokensError> {
        Ok(SigningKeys::from_secret(self.keys.get().await?.expose_secret())?)
    }

    async fn newer_keys(&self) -> Result<SigningKeys, TokensError> {
        Ok(SigningKeys::from_secret(self.keys.get_newer().await?.expose_secret())?)
    }

    /// Reads the keys.
    ///
    /// # Errors
    ///
    /// When they cannot be read or are malformed.
    pub async fn warm_up(&self) -> Result<(), TokensError> {
        self.keys().await.map(|_| ())
    }

    /// The keys that seal cursors.
    ///
    /// # Errors
    ///
    /// When they cannot be read or are malformed.
    pub async fn cursor_keys(&self) -> Result<CursorKeys, TokensError> {
        Ok(self.keys().await?.cursor_keys(Timestamp::now())?)
    }

    /// A token for a session that starts now, and when it expires.
    ///
    /// # Errors
    ///
    /// When the keys cannot be read.
    pub async fn issue(&self, user: Uuid, role: Role, session: Uuid) -> Result<(String, Timestamp), TokensError> {
        let keys = self.keys().await?;
        let now = Timestamp::now();
        let kid = keys.signing(now);
        let key = keys.key(kid).ok_or(KeysError::Malformed)?;
        let issued = now.as_second();
        let expires = issued + LIFETIME.as_secs().cast_signed();
        let claims = Claims { sub: user, sid: session, role, iat: issued, exp: expires };
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(kid.to_owned());
        let payload = Payload { iss: ISSUER.into(), claims };
        let token = encode(&header, &payload, &EncodingKey::from_secret(&key)).map_err(TokensError::Sign)?;
        Ok((token, Timestamp::from_second(expires).unwrap_or(Timestamp::MAX)))
    }

    /// The content of a token, if we signed it and it has not expired.
    ///
    /// # Errors
    ///
    /// 401 for any other token, without a reason: a client can do nothing with one.
    pub async fn check(&self, token: &str) -> Result<Claims, Problem> {
        let refuse = |error: jsonwebtoken::errors::Error| Problem::unauthenticated().caused_by(error);
        let kid = decode_header(token).map_err(refuse)?.kid;
        let kid = kid.ok_or_else(Problem::unauthenticated)?;
        let key = match self.keys().await?.key(&kid) {
            Some(key) => Some(key),
            // Keys replaced since they were read here, as after a theft.
            None => self.newer_keys().await?.key(&kid),
        };
        let key = key.ok_or_else(Problem::unauthenticated)?;
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
