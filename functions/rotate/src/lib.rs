//! Rotates the secret of the signing keys, in the four steps in which Secrets Manager asks for it.
//!
//! Secrets Manager repeats a step that failed, and may repeat one that did not: each does nothing when it is done
//! already.

use backend::{
    auth::keys::{KeysError, SigningKeys},
    secrets::{RotatedSecret, SecretError},
};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::Deserialize;

/// The event from Secrets Manager.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Event {
    /// The secret's ARN.
    pub secret_id: String,
    /// The version that this rotation makes.
    #[serde(rename = "ClientRequestToken")]
    pub version: String,
    /// The step to take.
    pub step: Step,
}

/// The steps, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Step {
    /// Make the new version and store it as pending.
    CreateSecret,
    /// Informs the service that checks the secret. Only our functions check it, and read it themselves.
    SetSecret,
    /// See whether the pending version is good.
    TestSecret,
    /// Make the pending version the current one.
    FinishSecret,
}

/// Why a step could not be done.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The secret could not be read or written.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The secret is of no use, or it is too soon.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// There is no pending version.
    #[error("there is no pending version {0}")]
    NothingProposed(String),
    /// With the pending version, tokens that are signed now would be refused.
    #[error("the pending version lacks the key that signs now; it is withdrawn, rotate again")]
    LogsOut,
    /// The key of the pending version would sign before every function knows it: it was made too long ago.
    #[error("the pending version is too old; it is withdrawn, rotate again")]
    Stale,
}

/// Does a step.
///
/// # Errors
///
/// See [`RotateError`]. The current version is what it was, whichever step fails.
pub async fn run(event: &Event) -> Result<(), RotateError> {
    let secret = RotatedSecret::new(event.secret_id.clone());
    match event.step {
        Step::CreateSecret => {
            if secret.proposed(&event.version).await?.is_none() {
                let current = SigningKeys::from_secret(secret.current().await?.expose_secret())?;
                secret.propose(&event.version, &current.rotated(Timestamp::now())?.to_secret()).await?;
            }
        }
        Step::SetSecret => {}
        Step::TestSecret | Step::FinishSecret => {
            if !secret.is_current(&event.version).await? {
                test(&secret, &event.version).await?;
                if event.step == Step::FinishSecret {
                    secret.promote(&event.version).await?;
                }
            }
        }
    }
    Ok(())
}

/// Tests the pending version: now, since a step may be repeated after hours. A bad one is withdrawn, or no rotation
/// would ever succeed. Returns the result.
async fn test(secret: &RotatedSecret, version: &str) -> Result<(), RotateError> {
    let proposed = secret.proposed(version).await?.ok_or_else(|| RotateError::NothingProposed(version.to_owned()))?;
    let proposed = SigningKeys::from_secret(proposed.expose_secret())?;
    let current = SigningKeys::from_secret(secret.current().await?.expose_secret())?;
    let now = Timestamp::now();
    let flaw = if !proposed.accept(&current, now) {
        RotateError::LogsOut
    } else if !proposed.is_known_before_it_signs(now) {
        RotateError::Stale
    } else {
        return Ok(());
    };
    secret.withdraw(version).await?;
    Err(flaw)
}
