//! The state every handler shares: the database, the signing keys, the lender's time zone, the limits.

use std::sync::Arc;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::{
    auth::{sealing::Sealing, tokens::Tokens},
    config::{self, ConfigError, DatabaseConfig, Limits, RequireTotp},
    db::Db,
    domain::caller::Caller,
    http::origin::OriginSecret,
    telemetry,
    values::moment::Moment,
};

/// The state of a function, shared by its requests. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub db: Db,
    /// Issues and checks access tokens.
    pub tokens: Tokens,
    /// Seals secrets that are stored.
    pub sealing: Sealing,
    /// Business dates are dates in this zone.
    pub zone: TimeZone,
    /// Limits on guessing and on registering.
    pub limits: Arc<Limits>,
    /// The roles that need a second factor.
    pub require_totp: RequireTotp,
    /// The secret that requests must carry if they come through a network in front of the gateway; `None` without such
    /// a network.
    pub origin: Option<OriginSecret>,
}

impl App {
    /// From the environment. Reads no secret and connects to nothing yet.
    ///
    /// # Errors
    ///
    /// When a variable is missing or has a value it cannot have.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            db: Db::from_config(DatabaseConfig::from_env()?)?,
            tokens: Tokens::new(config::secret("SIGNING_KEYS_SECRET_ARN", "SIGNING_KEYS")?),
            sealing: Sealing::new(config::optional_secret("SEALING_KEYS_SECRET_ARN", "SEALING_KEYS")),
            zone: config::business_time_zone()?,
            limits: Arc::new(Limits::from_env()?),
            require_totp: config::require_totp()?,
            origin: OriginSecret::from_env()?,
        })
    }

    /// Reads the secrets and connects, so that the first request finds both done. A failure here is not reported: it
    /// recurs, and is reported, when a request needs the secret.
    pub async fn warm_up(&self) {
        let origin = async {
            match &self.origin {
                None => Ok(()),
                Some(secret) => secret.warm_up().await,
            }
        };
        let (keys, connection, origin) = tokio::join!(self.tokens.warm_up(), self.db.warm_up(), origin);
        if let Err(error) = keys {
            let error = telemetry::chain(&error);
            tracing::warn!(error, "the signing keys are not ready");
        }
        if let Err(error) = connection {
            let error = telemetry::chain(&error);
            tracing::warn!(error, "the database is not ready");
        }
        if let Err(error) = origin {
            let error = telemetry::chain(&error);
            tracing::warn!(error, "the origin's secret is not ready");
        }
    }

    /// The business date by this machine's clock, for use before the database's clock is known.
    #[must_use]
    pub fn today(&self) -> Date {
        self.date_of(Timestamp::now())
    }

    /// The time at which the caller's request is carried out.
    #[must_use]
    pub fn moment(&self, caller: &Caller) -> Moment<'_> {
        Moment { now: caller.now, today: self.date_of(caller.now), zone: &self.zone }
    }

    /// The business date of an instant.
    #[must_use]
    pub fn date_of(&self, instant: Timestamp) -> Date {
        self.zone.to_datetime(instant).date()
    }
}
