//! The first admin: made from a secret, since admins are otherwise made by admins.

use backend::{
    auth::passwords,
    config,
    db::Batch,
    domain::{
        kyc::Kyc,
        users::{Role, User, UserStatus},
    },
    secrets::SecretSource,
    store::{
        audit::{self, Subject},
        users,
    },
    values::{
        address::ClientAddress,
        names::Names,
        password::Password,
        text::{Email, Phone, Username},
        time::Instant,
    },
};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::error::MigrateError;

/// The origin of the first admin: a secret with the password, and other sources for the fields it leaves out.
pub struct FirstAdmin {
    /// `{"password"}`, with `username`, `email` and `phone` or without.
    pub secret: SecretSource,
    /// `ADMIN_USERNAME`, where the secret names none.
    pub username: Option<String>,
    /// `ADMIN_EMAIL`, where the secret names none.
    pub email: Option<String>,
    /// `ADMIN_PHONE`, where the secret names none.
    pub phone: Option<String>,
}

impl FirstAdmin {
    /// An admin whose fields are all in the secret.
    #[must_use]
    pub const fn of_secret(secret: SecretSource) -> Self {
        Self { secret, username: None, email: None, phone: None }
    }

    /// From the environment; `None` without a secret there.
    pub(crate) fn from_env() -> Option<Self> {
        Some(Self {
            secret: config::optional_secret("ADMIN_SECRET_ARN", "ADMIN")?,
            username: config::variable("ADMIN_USERNAME"),
            email: config::variable("ADMIN_EMAIL"),
            phone: config::variable("ADMIN_PHONE"),
        })
    }
}

/// A member of the secret or, without it, the text from elsewhere. An error names it, and never its value.
fn member<T: DeserializeOwned>(
    secret: &mut Map<String, Value>,
    name: &str,
    elsewhere: Option<&String>,
) -> Result<T, MigrateError> {
    let value = secret.remove(name).or_else(|| elsewhere.cloned().map(Value::String));
    let value = value.ok_or_else(|| MigrateError::Admin(format!("it has no {name}, and nothing else says one")))?;
    serde_json::from_value(value)
        .map_err(|_| MigrateError::Admin(format!("the {name} is not one that a user can have")))
}

/// Makes the first admin if there is no admin. Returns if it did. With an admin, nothing is read and nothing is
/// changed, whatever the secret and the variables then say: least of all a password.
pub(crate) async fn create_first(client: &Client, first: &FirstAdmin) -> Result<bool, MigrateError> {
    let known = client.query_one("SELECT EXISTS (SELECT FROM users WHERE role = 'admin')", &[]).await?;
    if known.get(0) {
        return Ok(false);
    }
    // The place in the secret, never its contents: serde's words may quote them.
    let refused = |error: serde_json::Error| {
        let (line, column) = (error.line(), error.column());
        MigrateError::Admin(format!("line {line}, column {column}: it is no JSON object"))
    };
    let secret = first.secret.get().await?;
    let mut secret: Map<String, Value> = serde_json::from_str(secret.expose_secret()).map_err(refused)?;
    let username: Username = member(&mut secret, "username", first.username.as_ref())?;
    let email: Email = member(&mut secret, "email", first.email.as_ref())?;
    let phone: Phone = member(&mut secret, "phone", first.phone.as_ref())?;
    let password: Password = member(&mut secret, "password", None)?;
    let password = password
        .of_user(username.as_str(), email.as_str(), "/password")
        .map_err(|_| MigrateError::Admin("the password must be neither the username nor the e-mail address".into()))?;
    let hash = passwords::hash(password).await.map_err(|problem| MigrateError::hash(&problem))?;
    let now = Instant(Timestamp::now());
    let admin = User {
        id: Uuid::now_v7(),
        username: username.into_string(),
        email: Some(email.into_string()),
        phone: Some(phone.into_string()),
        full_name: None,
        role: Role::Admin,
        status: UserStatus::Active,
        agent_id: None,
        kyc: Kyc::default(),
        names: Names::default(),
        totp_since: None,
        created_at: now,
        updated_at: now,
    };
    let detail = json!({"first_admin": true});
    let record = audit::record(None, &ClientAddress(None), "user.create", &Subject::User(admin.id), detail);
    client.batch_execute("BEGIN").await?;
    (users::insert(&admin, Some(hash)), record).run(client).await?;
    client.batch_execute("COMMIT").await?;
    Ok(true)
}
