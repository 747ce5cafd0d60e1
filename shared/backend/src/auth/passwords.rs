//! Passwords: PBKDF2-HMAC-SHA256, stored with salt and parameters (PHC string format), hashed off the async thread.
//!
//! Hashes in the form that Flask applications hold (`pbkdf2:sha256:ROUNDS$SALT$HEX`, Werkzeug's) verify too. A failed
//! check always costs the current number of rounds, whoever the user is and however old the hash.
//!
//! A password is hashed in its [`form`]. Older hashes are of the text as typed, so a password that differs from its
//! form is checked in both. The typed text alone decides the number of hashes, whether or not the user exists.
//!
//! A process hashes at most as many passwords at once as it has cores: each hash takes a [`Turn`].

use std::{
    sync::{Arc, LazyLock},
    thread,
    time::Duration,
};

use pbkdf2::{
    Algorithm, Params, PasswordHasher, PasswordVerifier, Pbkdf2, password_hash::phc::Output, pbkdf2_hmac,
    phc::PasswordHash, sha2::Sha256,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use crate::{http::problem::Problem, values::opaque};

/// The current number of rounds: OWASP's recommendation for PBKDF2-HMAC-SHA256.
pub const ROUNDS: u32 = Params::RECOMMENDED_ROUNDS;

/// The result of checking a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// It is another password, or there is no such user.
    Wrong,
    /// It is the password, and its hash has the current form.
    Right,
    /// It is the password, but its hash has an older format or is of the text as typed: hash it again.
    RightButOutdated,
}

/// How long a request waits until it may hash.
pub const PATIENCE: Duration = Duration::from_secs(5);

static TURNS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    Arc::new(Semaphore::new(cores))
});

/// A place among those who may hash now. It is kept by a hash that goes on when its request has been given up.
#[derive(Clone)]
pub struct Turn {
    _permit: Arc<OwnedSemaphorePermit>,
}

impl Turn {
    /// Waits for a turn, first come, first served.
    ///
    /// # Errors
    ///
    /// 429 if no turn is free by `deadline`.
    pub async fn by(deadline: Instant) -> Result<Self, Problem> {
        match timeout_at(deadline, TURNS.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Self { _permit: Arc::new(permit) }),
            Ok(Err(closed)) => Err(Problem::internal(closed)),
            Err(_) => Err(Problem::too_many(1)),
        }
    }

    /// As [`by`](Self::by), for at most [`PATIENCE`].
    ///
    /// # Errors
    ///
    /// As [`by`](Self::by).
    pub async fn wait() -> Result<Self, Problem> {
        Self::by(Instant::now() + PATIENCE).await
    }

    /// Hashes a password in its [`form`], with a fresh salt of 16 random bytes.
    ///
    /// # Errors
    ///
    /// When the system gives no random bytes: a defect.
    pub async fn hash(&self, password: SecretString) -> Result<String, Problem> {
        self.off_thread(move || {
            let form = form(&password);
            let hash: PasswordHash = Pbkdf2::default().hash_password(form.expose_secret().as_bytes())?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Checks a password against a stored hash; `None` stands for a user who does not exist. A stored hash of an
    /// unknown form, a defect, is logged and fits no password.
    ///
    /// # Errors
    ///
    /// When the check cannot be run: a defect.
    pub async fn check(&self, password: SecretString, stored: Option<String>) -> Result<Check, Problem> {
        self.off_thread(move || {
            check_each(&password, |candidate| check_now(candidate.expose_secret().as_bytes(), stored.as_deref()))
        })
        .await
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = self.clone();
        let work = move || {
            let done = work();
            drop(turn);
            done
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(result) => result.map_err(Problem::internal),
            Err(error) => Err(Problem::internal(error)),
        }
    }
}

/// Waits for a turn and hashes a password.
///
/// # Errors
///
/// 429 if no turn comes.
pub async fn hash(password: SecretString) -> Result<String, Problem> {
    Turn::wait().await?.hash(password).await
}

/// The form in which a password is hashed: that of [`opaque::enforce`], or the typed text if the profile refuses it,
/// since older passwords may have any characters.
#[must_use]
pub fn form(password: &SecretString) -> SecretString {
    opaque::enforce(password.expose_secret()).map_or_else(|_| password.clone(), SecretString::from)
}

/// Checks a password in its form, then as typed if that differs. The typed text alone decides how many checks a wrong
/// password gets.
fn check_each(
    typed: &SecretString,
    mut check: impl FnMut(&SecretString) -> Result<Check, Failure>,
) -> Result<Check, Failure> {
    let form = form(typed);
    let checked = check(&form)?;
    if checked != Check::Wrong || form.expose_secret() == typed.expose_secret() {
        return Ok(checked);
    }
    Ok(match check(typed)? {
        Check::Wrong => Check::Wrong,
        Check::Right | Check::RightButOutdated => Check::RightButOutdated,
    })
}

fn check_now(password: &[u8], stored: Option<&str>) -> Result<Check, Failure> {
    let stored = stored.and_then(|stored| {
        let parsed = Stored::parse(stored);
        if parsed.is_none() {
            tracing::error!("a stored password hash is malformed");
        }
        parsed
    });
    let (is_right, rounds, is_outdated) = match &stored {
        None => (false, 0, false),
        Some(Stored::Phc { hash, rounds }) => {
            (Pbkdf2::default().verify_password(password, hash).is_ok(), *rounds, *rounds < ROUNDS)
        }
        Some(Stored::Flask { rounds, salt, hash }) => {
            let mut output = [0; SHA256_LENGTH];
            pbkdf2_hmac::<Sha256>(password, salt.as_bytes(), *rounds, &mut output);
            // Compares in constant time.
            (Output::new(&output)? == *hash, *rounds, true)
        }
    };
    if !is_right {
        burn(password, ROUNDS.saturating_sub(rounds));
        return Ok(Check::Wrong);
    }
    Ok(if is_outdated { Check::RightButOutdated } else { Check::Right })
}

/// Spends the time of `rounds` rounds, by the same code as a real check.
fn burn(password: &[u8], rounds: u32) {
    if rounds > 0 {
        // The crate refuses fewer than a thousand rounds, which take less than a millisecond.
        let params = Params::new(rounds.max(Params::MIN_ROUNDS)).unwrap_or_default();
        let mut output = [0; Params::RECOMMENDED_OUTPUT_LENGTH];
        Pbkdf2::new(Algorithm::Pbkdf2Sha256, params).hash_password_into(password, b"no such user....", &mut output);
        std::hint::black_box(output);
    }
}

const SHA256_LENGTH: usize = 32;

/// A stored hash, taken apart.
enum Stored {
    /// `$pbkdf2-sha256$i=ROUNDS,l=LENGTH$SALT$HASH`.
    Phc { hash: PasswordHash, rounds: u32 },
    /// `pbkdf2:sha256:ROUNDS$SALT$HEX`, Werkzeug's. The salt is text of any length, used as its bytes.
    Flask { rounds: u32, salt: String, hash: Output },
}

impl Stored {
    fn parse(stored: &str) -> Option<Self> {
        let Some(flask) = stored.strip_prefix("pbkdf2:sha256:") else {
            let hash = PasswordHash::new(stored).ok()?;
            let rounds = Params::try_from(&hash).ok()?.rounds();
            return Some(Self::Phc { hash, rounds });
        };
        let (rounds, rest) = flask.split_once('$')?;
        let (salt, hex) = rest.split_once('$')?;
        let rounds = rounds.parse().ok().filter(|rounds| *rounds > 0)?;
        if !hex.is_ascii() || hex.len() != 2 * SHA256_LENGTH {
            return None;
        }
        let bytes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok());
        let hash = Output::new(&bytes.collect::<Option<Vec<u8>>>()?).ok()?;
        Some(Self::Flask { rounds, salt: salt.to_owned(), hash })
    }
}

/// Neither reveals anything of a password or a hash.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("a hash has an impossible length")]
    Length(#[from] pbkdf2::password_hash::phc::Error),
    #[error("a password could not be hashed")]
    Hash(#[from] pbkdf2::password_hash::Error),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};

    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    async fn check(password: SecretString, stored: Option<String>) -> Result<Check, Problem> {
        Turn::wait().await?.check(password, stored).await
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

    #[tokio::test]
    async fn at_most_as_many_hashes_at_once_as_there_are_cores() {
        let cores = thread::available_parallelism().unwrap().get();
        let mut turns = Vec::new();
        for _ in 0..cores {
            turns.push(Turn::by(Instant::now() + Duration::from_mins(1)).await.unwrap());
        }
        let soon = || Instant::now() + Duration::from_millis(10);
        let refused = Turn::by(soon()).await.err().unwrap();
        assert_eq!(refused.status().as_u16(), 429);
        assert_eq!(refused.render("id").headers()["retry-after"], "1");
        // A hash goes on when its request has been given up, and keeps its turn until then.
        let turn = turns.pop().unwrap();
        let started = Instant::now();
        let given_up = tokio::time::timeout(Duration::from_millis(1), turn.hash(secret("correct horse battery"))).await;
        assert!(given_up.is_err());
        drop(turn);
        let next = Turn::by(Instant::now() + Duration::from_mins(1)).await.unwrap();
        assert!(started.elapsed() > Duration::from_millis(20), "{:?}", started.elapsed());
        drop((turns, next));
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

    /// Salts of one character and of sixty, and fewer rounds than the crate's minimum: as above, by Python's `hashlib`.
    #[tokio::test]
    async fn a_flask_hash_may_have_any_salt_and_any_rounds() {
        let long = "s".repeat(60);
        for stored in [
            "pbkdf2:sha256:1$s$0f778230850abb1e3b0208e7b1d109ba801945393b3460747c40f9293093ac77",
            &format!("pbkdf2:sha256:500${long}$fd70b8a0f990602a02bd13617873cebf2122079f6504b4f40bcd47dfbb35a8c4"),
        ] {
            assert_eq!(
                check(secret("flask-password"), Some(stored.to_owned())).await.unwrap(),
                Check::RightButOutdated
            );
            assert_eq!(check(secret("flask-passwore"), Some(stored.to_owned())).await.unwrap(), Check::Wrong);
        }
    }

    #[tokio::test]
    async fn a_malformed_hash_fits_no_password() {
        for stored in ["pbkdf2:sha256:0$s$00", "pbkdf2:sha256:x$s", "pbkdf2:sha256:1$s$zz", "$pbkdf2-sha256$i=1", ""] {
            assert_eq!(check(secret(""), Some(stored.to_owned())).await.unwrap(), Check::Wrong, "{stored}");
        }
    }

    #[tokio::test]
    async fn a_password_is_the_same_from_every_keyboard() {
        let [composed, decomposed] = ["caf\u{e9} of the corner", "cafe\u{301}\u{a0}of the corner"];
        for (set, typed) in [(composed, decomposed), (decomposed, composed)] {
            let stored = hash(secret(set)).await.unwrap();
            for typed in [set, typed] {
                assert_eq!(check(secret(typed), Some(stored.clone())).await.unwrap(), Check::Right, "{typed:?}");
            }
            assert_eq!(check(secret("cafe of the corner"), Some(stored)).await.unwrap(), Check::Wrong);
        }
    }

    /// Of `cafe\u{301} of the corner`, and of `tab\tof the corner`, which is no longer accepted: by Python's `hashlib`,
    /// with the salt `0123456789abcdef`.
    #[tokio::test]
    async fn a_hash_of_what_was_typed_verifies_as_typed_and_asks_to_be_made_anew() {
        let stored = "$pbkdf2-sha256$i=600000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$A5xlsO1bJKP7vY4dSBU4Wez+TY8Dx3Gvunjf15mRxDQ";
        let check_stored = |typed: &str| check(secret(typed), Some(stored.to_owned()));
        assert_eq!(check_stored("cafe\u{301} of the corner").await.unwrap(), Check::RightButOutdated);
        assert_eq!(check_stored("caf\u{e9} of the corner").await.unwrap(), Check::Wrong);
        let stored = "$pbkdf2-sha256$i=600000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$37VtWw9hZlImaFdALX2gTW9nmYoe9lx5y7YHFdgJKXQ";
        assert_eq!(check(secret("tab\tof the corner"), Some(stored.to_owned())).await.unwrap(), Check::Right);
        assert_eq!(check(secret("tab of the corner"), Some(stored.to_owned())).await.unwrap(), Check::Wrong);
    }

    #[test]
    fn how_many_hashes_a_wrong_password_costs_is_up_to_its_text_alone() {
        for (typed, expected) in [
            ("correct horse battery", 1),
            ("caf\u{e9}", 1),
            ("cafe\u{301}", 2),
            ("a\u{a0}b", 2),
            ("a\tb", 1),
            ("a\tcafe\u{301}", 1),
            ("", 1),
        ] {
            let mut hashes = 0;
            let wrong = |_: &SecretString| {
                hashes += 1;
                Ok(Check::Wrong)
            };
            assert_eq!(check_each(&secret(typed), wrong).unwrap(), Check::Wrong);
            assert_eq!(hashes, expected, "{typed:?}");
        }
    }

    #[tokio::test]
    async fn nobody_has_no_password() {
        assert_eq!(check(secret(""), None).await.unwrap(), Check::Wrong);
    }
}
