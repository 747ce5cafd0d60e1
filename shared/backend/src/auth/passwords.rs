//! Passwords: PBKDF2-HMAC-SHA256, stored with salt and parameters (PHC string format), hashed off the async thread.
//!
//! Hashes in the form that Flask applications hold (`pbkdf2:sha256:ROUNDS$SALT$HEX`, Werkzeug's) verify too. A failed
//! check always costs the current number of rounds, whoever the user is and however old the hash.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use pbkdf2::{Algorithm, Params, PasswordHasher, PasswordVerifier, Pbkdf2, phc::PasswordHash};
use secrecy::{ExposeSecret, SecretString};

use crate::http::problem::Problem;

/// The current number of rounds: OWASP's recommendation for PBKDF2-HMAC-SHA256.
pub const ROUNDS: u32 = Params::RECOMMENDED_ROUNDS;

/// What checking a password brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// It is another password, or there is no such user.
    Wrong,
    /// It is the password, and its hash has the current form.
    Right,
    /// It is the password, but its hash has an older form: hash it anew.
    RightButOutdated,
}

/// Hashes a password with a fresh salt of 16 random bytes.
///
/// # Errors
///
/// When the system gives no random bytes: a defect.
pub async fn hash(password: SecretString) -> Result<String, Problem> {
    off_thread(move || {
        let hash: PasswordHash = Pbkdf2::default().hash_password(password.expose_secret().as_bytes())?;
        Ok(hash.to_string())
    })
    .await
}

/// Checks a password against a stored hash; `None` stands for a user who does not exist.
///
/// # Errors
///
/// When the stored hash has no form we know: a defect.
pub async fn check(password: SecretString, stored: Option<String>) -> Result<Check, Problem> {
    off_thread(move || {
        let password = password.expose_secret().as_bytes();
        let Some(stored) = stored else {
            burn(password, ROUNDS);
            return Ok(Check::Wrong);
        };
        let converted = from_flask(&stored);
        let hash = PasswordHash::new(converted.as_deref().unwrap_or(&stored))?;
        let rounds = Params::try_from(&hash)?.rounds();
        if Pbkdf2::default().verify_password(password, &hash).is_err() {
            burn(password, ROUNDS.saturating_sub(rounds));
            return Ok(Check::Wrong);
        }
        let outdated = converted.is_some() || rounds < ROUNDS;
        Ok(if outdated { Check::RightButOutdated } else { Check::Right })
    })
    .await
}

/// Spends the time of `rounds` rounds, by the same code as a real check.
fn burn(password: &[u8], rounds: u32) {
    if rounds > 0 {
        // The crate refuses fewer than a thousand, which take less than a millisecond.
        let params = Params::new(rounds.max(Params::MIN_ROUNDS)).unwrap_or_default();
        let mut output = [0; Params::RECOMMENDED_OUTPUT_LENGTH];
        Pbkdf2::new(Algorithm::Pbkdf2Sha256, params).hash_password_into(password, b"no such user....", &mut output);
        std::hint::black_box(output);
    }
}

/// The PHC form of a Werkzeug hash, if it is one. The salt there is text, used as its bytes.
fn from_flask(stored: &str) -> Option<String> {
    let (rounds, rest) = stored.strip_prefix("pbkdf2:sha256:")?.split_once('$')?;
    let (salt, hex) = rest.split_once('$')?;
    let rounds: u32 = rounds.parse().ok()?;
    if !hex.is_ascii() || hex.len() % 2 != 0 {
        return None;
    }
    let bytes: Option<Vec<u8>> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect();
    let bytes = bytes?;
    let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(&bytes));
    Some(format!("$pbkdf2-sha256$i={rounds},l={}${salt}${hash}", bytes.len()))
}

/// A stored hash that no form fits, or no random bytes. Says nothing of the hash.
#[derive(Debug, thiserror::Error)]
enum Malformed {
    #[error("a stored password hash is malformed")]
    Stored(#[from] pbkdf2::password_hash::phc::Error),
    #[error("a password could not be hashed")]
    Hash(#[from] pbkdf2::password_hash::Error),
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Malformed> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(Problem::internal),
        Err(error) => Err(Problem::internal(error)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[tokio::test]
    async fn a_hash_carries_its_salt_and_rounds_and_verifies() {
        let stored = hash(secret("correct horse battery")).await.unwrap();
        assert!(stored.starts_with("$pbkdf2-sha256$i=600000,l=32$"), "{stored}");
        let salt = STANDARD_NO_PAD.decode(stored.split('$').nth(3).unwrap()).unwrap();
        assert_eq!(salt.len(), 16);
        assert_eq!(check(secret("correct horse battery"), Some(stored.clone())).await.unwrap(), Check::Right);
        assert_eq!(check(secret("correct horse batterz"), Some(stored)).await.unwrap(), Check::Wrong);
    }

    /// The form and the number are those of Werkzeug's `generate_password_hash`; the value was computed with Python's
    /// `hashlib.pbkdf2_hmac('sha256', b'flask-password', b'Zt3mPq8sLw0xYb1C', 260000)`.
    #[tokio::test]
    async fn a_hash_of_a_flask_application_verifies_and_asks_to_be_upgraded() {
        let stored = FLASK.to_owned();
        assert_eq!(check(secret("flask-password"), Some(stored.clone())).await.unwrap(), Check::RightButOutdated);
        assert_eq!(check(secret("flask-passwore"), Some(stored)).await.unwrap(), Check::Wrong);
    }

    const FLASK: &str =
        "pbkdf2:sha256:260000$Zt3mPq8sLw0xYb1C$1ed368eeeb8b916ea0a3dfdcd751deca5aa222164f966c2567cc91b394e12857";

    #[tokio::test]
    async fn nobody_has_no_password() {
        assert_eq!(check(secret(""), None).await.unwrap(), Check::Wrong);
    }
}
