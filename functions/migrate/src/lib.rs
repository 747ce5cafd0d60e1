//! Makes a database ready for the functions: its schema, the login they use, the first admin; on request demo data.
//!
//! Everything here may be run again at any time: what is there stays.

mod access;
mod admin;
mod demo;
pub mod deployment;
mod invocation;
mod schema;

use backend::{
    config::{self, ConfigError},
    db::{ConnectError, Connector, DbError},
    domain::refusal::Refusal,
    http::problem::Problem,
    secrets::{SecretError, SecretSource},
    telemetry,
};
use jiff::tz::TimeZone;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

pub use self::{
    access::{LOGIN_SETTINGS, Login},
    admin::FirstAdmin,
    demo::PASSWORD as DEMO_PASSWORD,
    invocation::{Invocation, invoke},
    schema::fingerprint,
};

/// What is asked of the function by hand.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Whether to load demo data too.
    #[serde(default)]
    pub demo: bool,
}

/// What was done.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The migrations that were applied now, by name.
    pub migrations: Vec<String>,
    /// Whether the first admin was made now.
    pub admin_created: bool,
    /// Whether demo data were loaded now.
    pub demo_loaded: bool,
}

/// What it works with.
pub struct Migrator {
    /// The owner's way to the database: a direct connection, no pooler.
    pub owner: std::sync::Arc<Connector>,
    /// The functions' login; none where it is managed elsewhere.
    pub application: Option<SecretSource>,
    /// The first admin, where there is none yet.
    pub admin: Option<FirstAdmin>,
    /// Whether demo data may be loaded at all.
    pub demo_is_allowed: bool,
    /// The lender's time zone.
    pub zone: TimeZone,
}

/// Why it could not be done.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A variable is missing or has a value it cannot have.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database cannot be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A secret cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A migration failed.
    #[error("a migration failed")]
    Migration(#[source] Box<refinery::Error>),
    /// A statement failed.
    #[error("a statement failed")]
    Statement(#[from] DbError),
    /// The first admin's secret has a field that breaks a rule, or lacks one.
    #[error("the first admin's secret: {0}")]
    Admin(String),
    /// The functions would log in as the owner.
    #[error("the functions' login must not be the owner's ({0})")]
    SameRole(String),
    /// Demo data were asked for where they are not allowed.
    #[error("demo data are loaded only where ALLOW_DEMO_DATA=1")]
    DemoNotAllowed,
    /// The function's time is nearly over. What was done by then stays; the rest is done by another run.
    #[error("there was not enough time")]
    Slow,
    /// Something that never fails failed.
    #[error("demo data could not be made: {0}")]
    Demo(String),
}

impl From<tokio_postgres::Error> for MigrateError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Statement(error.into())
    }
}

impl MigrateError {
    fn hash(problem: &Problem) -> Self {
        Self::Demo(problem.causes().unwrap_or_default())
    }

    fn demo(refusal: &Refusal) -> Self {
        Self::Demo(telemetry::chain(refusal))
    }
}

impl Migrator {
    /// From the environment: `OWNER_DATABASE_SECRET_ARN` (or `OWNER_DATABASE_URL`), `DATABASE_SECRET_ARN` (or
    /// `DATABASE_URL`), `ADMIN_SECRET_ARN` (or `ADMIN`) with `ADMIN_USERNAME`, `ADMIN_EMAIL` and `ADMIN_PHONE`,
    /// `ALLOW_DEMO_DATA`, `BUSINESS_TIME_ZONE`.
    ///
    /// # Errors
    ///
    /// When the owner's access is not set, or the time zone is none.
    pub fn from_env() -> Result<Self, ConfigError> {
        let owner = config::secret("OWNER_DATABASE_SECRET_ARN", "OWNER_DATABASE_URL")?;
        Ok(Self {
            owner: Connector::new(owner, config::ca_file()),
            application: config::optional_secret("DATABASE_SECRET_ARN", "DATABASE_URL"),
            admin: FirstAdmin::from_env(),
            demo_is_allowed: std::env::var("ALLOW_DEMO_DATA").is_ok_and(|value| value == "1"),
            zone: config::business_time_zone()?,
        })
    }

    /// Does it all, one process at a time.
    ///
    /// # Errors
    ///
    /// See [`MigrateError`]. What had been done before stays and is not done again.
    pub async fn run(&self, event: Event) -> Result<Report, MigrateError> {
        if event.demo && !self.demo_is_allowed {
            return Err(MigrateError::DemoNotAllowed);
        }
        // Read anew: a password may have been stored a moment ago, and the role would be given the one before.
        self.owner.prepare_anew().await?;
        let (holder, holding) = self.owner.connect().await?;
        schema::lock(&holder).await?;
        let (mut client, connection) = self.owner.connect().await?;
        let migrations = schema::apply(&mut client).await?;
        if let Some(application) = &self.application {
            application.forget().await;
            let login = Login::from_secret(application.get().await?.expose_secret())?;
            access::grant(&client, &login).await?;
        }
        let admin_created = match &self.admin {
            Some(admin) => admin::create_first(&client, admin).await?,
            None => false,
        };
        let demo_loaded = event.demo && demo::load(&client, &self.zone).await?;
        drop(client);
        let _ = connection.await;
        drop(holder);
        // The session, and with it the lock, has ended when the connection has.
        let _ = holding.await;
        Ok(Report { migrations, admin_created, demo_loaded })
    }
}
