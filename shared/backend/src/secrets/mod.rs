//! Secrets: from AWS Secrets Manager where an ARN is configured, from the environment otherwise.
//!
//! The only module that knows the AWS SDK. A secret is read on first use, never before the function's first poll, and
//! used for [`TIME_TO_LIVE`]; it is used for [`KEPT`] while Secrets Manager fails. Secret values never reach a log or
//! an error.

mod rotated;

use std::{fmt, sync::Arc, time::Duration};

use aws_config::{BehaviorVersion, ConfigLoader, timeout::TimeoutConfig};
use secrecy::SecretString;
use tokio::{
    sync::{Mutex, OnceCell},
    time::Instant,
};

pub use self::rotated::RotatedSecret;
use crate::telemetry;

/// How long a secret read from Secrets Manager is used before it is read again.
pub(crate) const TIME_TO_LIVE: Duration = Duration::from_mins(5);

/// How long a secret is used that cannot be read again: Secrets Manager may be out of reach for a while, and functions
/// with their secrets go on.
const KEPT: Duration = Duration::from_hours(1);

/// How long no caller asks again after an answer or a failure: anybody can request a newer secret, with a token that
/// names an unknown key.
const JUST_NOW: Duration = Duration::from_secs(10);

/// How long Secrets Manager may take, with all attempts and for one of them: less than a request may.
const OPERATION: Duration = Duration::from_secs(5);
const ATTEMPT: Duration = Duration::from_secs(2);

/// Secrets Manager's label of the version in use.
const CURRENT: &str = "AWSCURRENT";

static CLIENT: OnceCell<aws_sdk_secretsmanager::Client> = OnceCell::const_new();

async fn client() -> &'static aws_sdk_secretsmanager::Client {
    CLIENT.get_or_init(|| async { aws_sdk_secretsmanager::Client::new(&settings().load().await) }).await
}

fn settings() -> ConfigLoader {
    let timeouts = TimeoutConfig::builder().operation_timeout(OPERATION).operation_attempt_timeout(ATTEMPT);
    aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts.build())
}

type Answer = Result<SecretString, SecretError>;

/// The cached state of a secret.
#[derive(Default)]
struct Cache {
    known: Option<(Instant, SecretString)>,
    failed_at: Option<Instant>,
}

impl Cache {
    /// The secret, if it was read at most so long ago.
    fn within(&self, age: Duration) -> Option<SecretString> {
        self.known.as_ref().filter(|(read_at, _)| read_at.elapsed() < age).map(|(_, secret)| secret.clone())
    }

    fn failed_just_now(&self) -> bool {
        self.failed_at.is_some_and(|failed_at| failed_at.elapsed() < JUST_NOW)
    }

    /// As [`SecretSource::get`].
    async fn get<F: Future<Output = Answer>>(&mut self, arn: &str, read: impl FnOnce() -> F) -> Answer {
        if let Some(secret) = self.within(TIME_TO_LIVE) {
            return Ok(secret);
        }
        match self.within(KEPT) {
            None => self.keep(read()).await,
            Some(kept) if self.failed_just_now() => Ok(kept),
            Some(kept) => self.keep(read()).await.or_else(|error| {
                let error = telemetry::chain(&error);
                tracing::warn!(error, secret = arn, "a secret cannot be read again; its last value stays in use");
                Ok(kept)
            }),
        }
    }

    /// As [`SecretSource::get_newer`].
    async fn get_newer<F: Future<Output = Answer>>(&mut self, arn: &str, read: impl FnOnce() -> F) -> Answer {
        match self.within(JUST_NOW) {
            Some(secret) => Ok(secret),
            None if self.failed_just_now() => Err(SecretError::Unavailable { arn: arn.to_owned() }),
            None => self.keep(read()).await,
        }
    }

    async fn keep(&mut self, read: impl Future<Output = Answer>) -> Answer {
        let answer = read.await;
        match &answer {
            Ok(secret) => *self = Self { known: Some((Instant::now(), secret.clone())), failed_at: None },
            Err(_) => self.failed_at = Some(Instant::now()),
        }
        answer
    }
}

/// Where one secret comes from.
#[derive(Clone)]
pub struct SecretSource(Arc<Source>);

enum Source {
    Fixed(SecretString),
    Manager { arn: String, cache: Mutex<Cache> },
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
        Self(Arc::new(Source::Manager { arn, cache: Mutex::default() }))
    }

    /// The secret's text, read at most [`TIME_TO_LIVE`] ago; where it cannot be read again, at most [`KEPT`] ago. One
    /// caller reads it from Secrets Manager; those that come meanwhile wait for that answer.
    ///
    /// # Errors
    ///
    /// When it is not known, and Secrets Manager cannot be reached, refuses, or the secret is binary.
    pub async fn get(&self) -> Result<SecretString, SecretError> {
        match self.0.as_ref() {
            Source::Fixed(secret) => Ok(secret.clone()),
            Source::Manager { arn, cache } => cache.lock().await.get(arn, || Box::pin(read(arn))).await,
        }
    }

    /// The secret's text if the known one does not fit: a secret read more than a few seconds ago is read again. If
    /// that fails, [`get`](Self::get) still has the old one.
    ///
    /// # Errors
    ///
    /// When Secrets Manager cannot be reached, refuses, or the secret is binary; also for a few seconds after such a
    /// failure.
    pub(crate) async fn get_newer(&self) -> Result<SecretString, SecretError> {
        match self.0.as_ref() {
            Source::Fixed(secret) => Ok(secret.clone()),
            Source::Manager { arn, cache } => cache.lock().await.get_newer(arn, || Box::pin(read(arn))).await,
        }
    }

    /// Makes the next [`get`](Self::get) read the secret again.
    pub async fn forget(&self) {
        if let Source::Manager { cache, .. } = self.0.as_ref() {
            *cache.lock().await = Cache::default();
        }
    }
}

async fn read(arn: &str) -> Answer {
    let answer = client().await.get_secret_value().secret_id(arn).version_stage(CURRENT).send().await;
    let answer = answer.map_err(|error| SecretError::Read { arn: arn.to_owned(), source: Box::new(error) })?;
    answer.secret_string().map(SecretString::from).ok_or_else(|| SecretError::Binary { arn: arn.to_owned() })
}

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
    /// The same, a few seconds ago.
    #[error("secret {arn} could not be read a few seconds ago")]
    Unavailable {
        /// The secret's ARN.
        arn: String,
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{cell::Cell, future, net::TcpListener};

    use aws_config::Region;
    use aws_sdk_secretsmanager::{Client, config::Credentials, error::SdkError};
    use secrecy::ExposeSecret;
    use tokio::time::{advance, timeout};

    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:keys";

    /// A fake Secrets Manager: its answers, and how often it was asked.
    #[derive(Default)]
    struct Manager {
        secret: Cell<Option<&'static str>>,
        asked: Cell<u32>,
    }

    impl Manager {
        async fn read(&self) -> Answer {
            self.asked.set(self.asked.get() + 1);
            let read = self.secret.get().map(SecretString::from);
            future::ready(read.ok_or_else(|| SecretError::Binary { arn: ARN.into() })).await
        }

        async fn get(&self, cache: &mut Cache) -> Option<String> {
            cache.get(ARN, || self.read()).await.ok().map(|secret| secret.expose_secret().to_owned())
        }

        async fn get_newer(&self, cache: &mut Cache) -> Option<String> {
            cache.get_newer(ARN, || self.read()).await.ok().map(|secret| secret.expose_secret().to_owned())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_is_read_anew_after_five_minutes() {
        let (manager, mut cache) = (Manager::default(), Cache::default());
        manager.secret.set(Some("first"));
        assert_eq!(manager.get(&mut cache).await.as_deref(), Some("first"));
        manager.secret.set(Some("second"));
        advance(Duration::from_secs(299)).await;
        assert_eq!(manager.get(&mut cache).await.as_deref(), Some("first"));
        advance(Duration::from_secs(1)).await;
        assert_eq!(manager.get(&mut cache).await.as_deref(), Some("second"));
        assert_eq!(manager.asked.get(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_that_cannot_be_read_again_is_used_for_an_hour() {
        let (manager, mut cache) = (Manager::default(), Cache::default());
        assert_eq!(manager.get(&mut cache).await, None);
        manager.secret.set(Some("first"));
        assert_eq!(manager.get(&mut cache).await.as_deref(), Some("first"), "nothing to go on with: asked at once");
        manager.secret.set(None);
        advance(TIME_TO_LIVE).await;
        assert_eq!(manager.get(&mut cache).await.as_deref(), Some("first"));
        assert_eq!(manager.get(&mut cache).await.as_deref(), Some("first"));
        assert_eq!(manager.asked.get(), 3, "not again right after it failed");
        advance(JUST_NOW).await;
        assert_eq!(manager.get(&mut cache).await.as_deref(), Some("first"));
        assert_eq!(manager.asked.get(), 4);
        advance(KEPT).await;
        assert_eq!(manager.get(&mut cache).await, None);
        manager.secret.set(Some("second"));
        assert_eq!(manager.get(&mut cache).await.as_deref(), Some("second"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_newer_secret_is_asked_for_every_ten_seconds_at_most() {
        let (manager, mut cache) = (Manager::default(), Cache::default());
        manager.secret.set(Some("first"));
        assert_eq!(manager.get(&mut cache).await.as_deref(), Some("first"));
        manager.secret.set(Some("second"));
        assert_eq!(manager.get_newer(&mut cache).await.as_deref(), Some("first"));
        advance(JUST_NOW).await;
        assert_eq!(manager.get_newer(&mut cache).await.as_deref(), Some("second"));
        manager.secret.set(None);
        advance(JUST_NOW).await;
        assert_eq!(manager.get_newer(&mut cache).await, None);
        assert_eq!(manager.get_newer(&mut cache).await, None);
        assert_eq!(manager.asked.get(), 3, "not again right after it failed");
        assert_eq!(manager.get(&mut cache).await.as_deref(), Some("second"), "what was known is known");
        advance(JUST_NOW).await;
        manager.secret.set(Some("third"));
        assert_eq!(manager.get_newer(&mut cache).await.as_deref(), Some("third"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_manager_that_says_nothing_is_waited_for_five_seconds() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let settings = settings()
            .endpoint_url(format!("http://{}", silent.local_addr().unwrap()))
            .region(Region::from_static("eu-west-1"))
            .credentials_provider(Credentials::new("nobody", "nothing", None, None, "test"));
        let client = Client::new(&settings.load().await);
        let began = Instant::now();
        let answer = timeout(Duration::from_mins(1), client.get_secret_value().secret_id(ARN).send()).await;
        assert!(matches!(answer, Ok(Err(SdkError::TimeoutError(_)))), "{answer:?}");
        assert!(began.elapsed() <= OPERATION + Duration::from_millis(2), "{:?}", began.elapsed());
    }
}
