//! Secrets: from AWS Secrets Manager where an ARN is configured, from the environment otherwise.
//!
//! The only module that knows the AWS SDK. A secret is read on first use, never before the function's first poll, and
//! kept for [`TIME_TO_LIVE`]. Secret values never reach a log or an error.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use aws_config::BehaviorVersion;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Mutex, OnceCell};

/// How long a secret read from Secrets Manager is used before it is read again.
pub(crate) const TIME_TO_LIVE: Duration = Duration::from_mins(5);

/// How long a secret counts as read just now: anybody can ask for one that is newer, with a token of a key that there is not.
const READ_JUST_NOW: Duration = Duration::from_secs(10);

static CLIENT: OnceCell<aws_sdk_secretsmanager::Client> = OnceCell::const_new();

async fn client() -> &'static aws_sdk_secretsmanager::Client {
    CLIENT
        .get_or_init(|| async {
            let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
            aws_sdk_secretsmanager::Client::new(&config)
        })
        .await
}

/// Where one secret comes from.
#[derive(Clone)]
pub struct SecretSource(Arc<Source>);

enum Source {
    Fixed(SecretString),
    Manager { arn: String, cached: Mutex<Option<(Instant, SecretString)>> },
}

impl SecretSource {
    /// A secret known already: from the environment, or a test's.
    #[must_use]
    pub fn fixed(secret: SecretString) -> Self {
        Self(Arc::new(Source::Fixed(secret)))
    }

    /// A secret in AWS Secrets Manager.
    #[must_use]
    pub fn manager(arn: String) -> Self {
        Self(Arc::new(Source::Manager { arn, cached: Mutex::new(None) }))
    }

    /// The secret's text. One caller reads it from Secrets Manager; those that come meanwhile wait for that answer.
    ///
    /// # Errors
    ///
    /// When Secrets Manager cannot be reached, refuses, or the secret is binary.
    pub async fn get(&self) -> Result<SecretString, SecretError> {
        self.read_within(TIME_TO_LIVE).await
    }

    /// As [`get`](Self::get), where what was read does not do: a secret that was read longer ago than a few seconds is read
    /// again. Where that fails, [`get`](Self::get) has what it had.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub(crate) async fn get_newer(&self) -> Result<SecretString, SecretError> {
        self.read_within(READ_JUST_NOW).await
    }

    /// The secret as it was read at most so long ago.
    async fn read_within(&self, age: Duration) -> Result<SecretString, SecretError> {
        let (arn, cached) = match self.0.as_ref() {
            Source::Fixed(secret) => return Ok(secret.clone()),
            Source::Manager { arn, cached } => (arn, cached),
        };
        let mut cached = cached.lock().await;
        if let Some((read_at, secret)) = cached.as_ref()
            && read_at.elapsed() < age
        {
            return Ok(secret.clone());
        }
        let answer = client().await.get_secret_value().secret_id(arn).version_stage(CURRENT).send().await;
        let answer = answer.map_err(|error| SecretError::Read { arn: arn.clone(), source: Box::new(error) })?;
        let text = answer.secret_string().ok_or_else(|| SecretError::Binary { arn: arn.clone() })?;
        let secret = SecretString::from(text);
        *cached = Some((Instant::now(), secret.clone()));
        Ok(secret)
    }

    /// Makes the next [`get`](Self::get) read the secret again.
    pub async fn forget(&self) {
        if let Source::Manager { cached, .. } = self.0.as_ref() {
            *cached.lock().await = None;
        }
    }
}

/// A secret in AWS Secrets Manager of which new versions are made: what a rotation works on. Each step may be repeated.
pub struct RotatedSecret {
    arn: String,
}

impl RotatedSecret {
    /// The secret with this ARN.
    #[must_use]
    pub fn new(arn: String) -> Self {
        Self { arn }
    }

    /// The text of the current version.
    ///
    /// # Errors
    ///
    /// When Secrets Manager cannot be reached or refuses, or the secret is binary.
    pub async fn current(&self) -> Result<SecretString, SecretError> {
        let answer = client().await.get_secret_value().secret_id(&self.arn).version_stage(CURRENT).send().await;
        self.text(answer.map_err(|error| self.unread(error))?.secret_string())
    }

    /// The text of the version that this rotation proposed; none if it has not yet.
    ///
    /// # Errors
    ///
    /// As [`current`](Self::current).
    pub async fn proposed(&self, version: &str) -> Result<Option<SecretString>, SecretError> {
        let request = client().await.get_secret_value().secret_id(&self.arn).version_id(version).version_stage(PENDING);
        match request.send().await {
            Ok(answer) => self.text(answer.secret_string()).map(Some),
            Err(error)
                if error.as_service_error().is_some_and(GetSecretValueError::is_resource_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(self.unread(error)),
        }
    }

    /// Stores a version that is not current yet.
    ///
    /// # Errors
    ///
    /// When Secrets Manager cannot be reached or refuses.
    pub async fn propose(&self, version: &str, secret: &SecretString) -> Result<(), SecretError> {
        let request = client().await.put_secret_value().secret_id(&self.arn).client_request_token(version);
        let request = request.secret_string(secret.expose_secret()).version_stages(PENDING);
        request.send().await.map(drop).map_err(|error| self.unwritten(error))
    }

    /// Makes a version the current one.
    ///
    /// # Errors
    ///
    /// When Secrets Manager cannot be reached or refuses.
    pub async fn promote(&self, version: &str) -> Result<(), SecretError> {
        let current = self.current_version().await?;
        let request = client().await.update_secret_version_stage().secret_id(&self.arn).version_stage(CURRENT);
        let request = request.move_to_version_id(version).set_remove_from_version_id(current);
        request.send().await.map(drop).map_err(|error| self.unwritten(error))
    }

    /// Takes back a proposal, so that the next rotation makes another.
    ///
    /// # Errors
    ///
    /// When Secrets Manager cannot be reached or refuses.
    pub async fn withdraw(&self, version: &str) -> Result<(), SecretError> {
        let request = client().await.update_secret_version_stage().secret_id(&self.arn).version_stage(PENDING);
        let request = request.remove_from_version_id(version);
        request.send().await.map(drop).map_err(|error| self.unwritten(error))
    }

    /// Whether a version is the current one.
    ///
    /// # Errors
    ///
    /// When Secrets Manager cannot be reached or refuses.
    pub async fn is_current(&self, version: &str) -> Result<bool, SecretError> {
        Ok(self.current_version().await?.as_deref() == Some(version))
    }

    async fn current_version(&self) -> Result<Option<String>, SecretError> {
        let answer = client().await.get_secret_value().secret_id(&self.arn).version_stage(CURRENT).send().await;
        Ok(answer.map_err(|error| self.unread(error))?.version_id)
    }

    fn text(&self, text: Option<&str>) -> Result<SecretString, SecretError> {
        text.map(SecretString::from).ok_or_else(|| SecretError::Binary { arn: self.arn.clone() })
    }

    fn unread(&self, error: impl std::error::Error + Send + Sync + 'static) -> SecretError {
        SecretError::Read { arn: self.arn.clone(), source: Box::new(error) }
    }

    fn unwritten(&self, error: impl std::error::Error + Send + Sync + 'static) -> SecretError {
        SecretError::Write { arn: self.arn.clone(), source: Box::new(error) }
    }
}

/// The labels that Secrets Manager gives to versions.
const CURRENT: &str = "AWSCURRENT";
const PENDING: &str = "AWSPENDING";

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_ref() {
            Source::Fixed(_) => f.write_str("SecretSource::Fixed"),
            Source::Manager { arn, .. } => write!(f, "SecretSource::Manager({arn})"),
        }
    }
}

/// Why a secret could not be read or written. Names the secret, never its value.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Secrets Manager could not be reached or refused.
    #[error("secret {arn} could not be read")]
    Read {
        /// The secret's ARN.
        arn: String,
        /// The SDK's error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Secrets Manager could not be reached or refused a new version.
    #[error("secret {arn} could not be written")]
    Write {
        /// The secret's ARN.
        arn: String,
        /// The SDK's error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The secret holds bytes, not text.
    #[error("secret {arn} is binary, expected text")]
    Binary {
        /// The secret's ARN.
        arn: String,
    },
}
