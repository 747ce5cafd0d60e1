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
use secrecy::SecretString;
use tokio::sync::{Mutex, OnceCell};

/// How long a secret read from Secrets Manager is used before it is read again.
const TIME_TO_LIVE: Duration = Duration::from_mins(5);

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
        let (arn, cached) = match self.0.as_ref() {
            Source::Fixed(secret) => return Ok(secret.clone()),
            Source::Manager { arn, cached } => (arn, cached),
        };
        let mut cached = cached.lock().await;
        if let Some((read_at, secret)) = cached.as_ref()
            && read_at.elapsed() < TIME_TO_LIVE
        {
            return Ok(secret.clone());
        }
        let answer = client().await.get_secret_value().secret_id(arn).send().await;
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

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_ref() {
            Source::Fixed(_) => f.write_str("SecretSource::Fixed"),
            Source::Manager { arn, .. } => write!(f, "SecretSource::Manager({arn})"),
        }
    }
}

/// Why a secret could not be read. Names the secret, never its value.
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
    /// The secret holds bytes, not text.
    #[error("secret {arn} is binary, expected text")]
    Binary {
        /// The secret's ARN.
        arn: String,
    },
}
