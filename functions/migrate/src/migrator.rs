//! A run: its request, its settings, the order of its steps, its result.

use std::time;

use jiff::tz::TimeZone;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use backend::{
    config::{self, ConfigError},
    db::Connector,
    secrets::SecretSource,
    values::time::Instant,
};

use crate::{
    access::{self, Login},
    admin::{self, FirstAdmin},
    demo,
    error::MigrateError,
    restate::{self, Restated},
    schema,
};

/// A manual request to the function.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Loads demo data too.
    #[serde(default)]
    pub demo: bool,
    /// Restates all loans written since this instant, whatever rules they follow: the old functions may have written
    /// some before those of this release were deployed.
    #[serde(default)]
    pub restate_since: Option<Instant>,
}

/// The result of a run.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The migrations that were applied now, by name.
    pub migrations: Vec<String>,
    /// True if the first admin was made now.
    pub admin_created: bool,
    /// True if demo data were loaded now.
    pub demo_loaded: bool,
    /// Loans that an earlier release wrote, stated again by the rules of this one.
    pub restated: Restated,
}

/// The settings of a run.
pub struct Migrator {
    /// The owner's way to the database: a direct connection, no pooler.
    pub owner: std::sync::Arc<Connector>,
    /// The functions' login; `None` if it is managed elsewhere.
    pub application: Option<SecretSource>,
    /// The first admin, made if there is no admin yet.
    pub admin: Option<FirstAdmin>,
    /// Allows demo data.
    pub demo_is_allowed: bool,
    /// The lender's time zone.
    pub zone: TimeZone,
}

impl Migrator {
    /// From the environment: `OWNER_DATABASE_SECRET_ARN` (or `OWNER_DATABASE_URL`), `DATABASE_SECRET_ARN` (or
    /// `DATABASE_URL`), `ADMIN_SECRET_ARN` (or `ADMIN`) with `ADMIN_USERNAME`, `ADMIN_EMAIL` and `ADMIN_PHONE`,
    /// `ALLOW_DEMO_DATA`, `BUSINESS_TIME_ZONE`.
    ///
    /// # Errors
    ///
    /// When the owner's access is not set, or the time zone is unknown.
    pub fn from_env() -> Result<Self, ConfigError> {
        let owner = config::secret("OWNER_DATABASE_SECRET_ARN", "OWNER_DATABASE_URL")?;
        Ok(Self {
            owner: Connector::new(owner, config::authorities()?),
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
        self.run_until(event, None).await
    }

    /// The same. Loans are stated again until a moment: another run does the rest.
    pub(crate) async fn run_until(&self, event: Event, until: Option<time::Instant>) -> Result<Report, MigrateError> {
        if event.demo && !self.demo_is_allowed {
            return Err(MigrateError::DemoNotAllowed);
        }
        // Read again: a password may have been stored a moment ago, and the role would be given the one before.
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
        if let Some(since) = event.restate_since {
            restate::ask(&client, since.0).await?;
        }
        let restated = restate::restate(&client, &self.zone, until).await;
        drop(client);
        let _ = connection.await;
        drop(holder);
        // The session, and with it the lock, has ended when the connection has.
        let _ = holding.await;
        Ok(Report { migrations, admin_created, demo_loaded, restated })
    }
}
