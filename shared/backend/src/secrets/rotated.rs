//! A secret while it is rotated: its versions in Secrets Manager, and the steps between them.

use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use secrecy::{ExposeSecret, SecretString};

use super::{CURRENT, SecretError, client};

/// Secrets Manager's label of a version that is not in use yet.
const PENDING: &str = "AWSPENDING";

/// A secret in AWS Secrets Manager with versions: the object of a rotation. Each step may be repeated.
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

    /// The text of the version that this rotation proposed; `None` before it did.
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

    /// True if a version is the current one.
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
