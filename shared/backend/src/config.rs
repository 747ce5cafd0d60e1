//! Configuration from outside, one struct a concern. Each variable is described in `docs/operations.md`.

use std::{env, num::NonZeroU32, path::PathBuf, str::FromStr, time::Duration};

use jiff::tz::TimeZone;
use secrecy::SecretString;

use crate::secrets::SecretSource;

/// A variable that is missing or has a value it cannot have.
#[derive(Debug, thiserror::Error)]
#[error("environment variable {name}: {reason}")]
pub struct ConfigError {
    name: &'static str,
    reason: String,
}

impl ConfigError {
    /// An error about the variable `name`.
    pub fn new(name: &'static str, reason: impl Into<String>) -> Self {
        Self { name, reason: reason.into() }
    }
}

/// The variable's value; empty counts as absent, since `sam local` only passes variables that the template declares.
#[must_use]
pub fn variable(name: &'static str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn parsed<T: FromStr>(name: &'static str, default: T, expected: &str) -> Result<T, ConfigError> {
    match variable(name) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| ConfigError::new(name, format!("{text:?} is not {expected}"))),
    }
}

/// A secret: from Secrets Manager if `arn_name` is set, else from the variable `name` itself.
///
/// # Errors
///
/// When neither is set.
pub fn secret(arn_name: &'static str, name: &'static str) -> Result<SecretSource, ConfigError> {
    optional_secret(arn_name, name)
        .ok_or_else(|| ConfigError::new(name, format!("neither {arn_name} nor {name} is set")))
}

/// As [`secret`], where it may be absent.
#[must_use]
pub fn optional_secret(arn_name: &'static str, name: &'static str) -> Option<SecretSource> {
    match variable(arn_name) {
        Some(arn) => Some(SecretSource::manager(arn)),
        None => variable(name).map(|value| SecretSource::fixed(SecretString::from(value))),
    }
}

/// The authorities that may have signed a database's certificate.
#[derive(Clone, Debug, Default)]
pub struct Authorities {
    /// Those that come with the program.
    pub roots: Roots,
    /// Further ones (PEM).
    pub file: Option<PathBuf>,
}

/// Authorities that come with the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Roots {
    /// Those of Amazon RDS and Aurora.
    #[default]
    Rds,
    /// Those that Mozilla trusts, for a database elsewhere with a public certificate.
    Public,
}

/// How statements are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Statements {
    /// Prepared, each once a connection: where every connection is a session of Postgres, or of a pooler that supports
    /// prepared statements.
    #[default]
    Prepared,
    /// Unnamed, read and planned each time: works through every pooler.
    Unnamed,
}

impl FromStr for Statements {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "on" => Ok(Self::Prepared),
            "off" => Ok(Self::Unnamed),
            _ => Err(()),
        }
    }
}

/// The database that functions use.
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// `DATABASE_SECRET_ARN`, or `DATABASE_URL` locally.
    pub source: SecretSource,
    /// `DATABASE_AUTHORITIES` and `DATABASE_CA_FILE`: who may have signed the database's certificate.
    pub authorities: Authorities,
    /// `DATABASE_HOST`: the host to connect to when a JSON secret names another, for a proxy in front of it.
    pub host: Option<String>,
    /// `DATABASE_POOL_SIZE`: connections of one process. By default as many as requests at once: [`concurrency`].
    pub pool_size: usize,
    /// `PREPARED_STATEMENTS`.
    pub statements: Statements,
}

impl DatabaseConfig {
    /// # Errors
    ///
    /// When a variable is missing or invalid.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            source: secret("DATABASE_SECRET_ARN", "DATABASE_URL")?,
            authorities: authorities()?,
            host: variable("DATABASE_HOST"),
            pool_size: parsed("DATABASE_POOL_SIZE", concurrency()?, "a number of connections")?,
            statements: statements()?,
        })
    }
}

/// `AWS_LAMBDA_MAX_CONCURRENCY`, set by Lambda managed instances: how many requests an environment may have at once.
/// Elsewhere it is 1.
///
/// # Errors
///
/// When it is not a number.
pub fn concurrency() -> Result<usize, ConfigError> {
    parsed("AWS_LAMBDA_MAX_CONCURRENCY", 1, "a number of requests")
}

/// `PREPARED_STATEMENTS`: `on`, the default, or `off` behind a pooler without support for prepared statements.
///
/// # Errors
///
/// When it is neither `on` nor `off`.
pub fn statements() -> Result<Statements, ConfigError> {
    parsed("PREPARED_STATEMENTS", Statements::default(), "on or off")
}

/// `DATABASE_AUTHORITIES` (`rds`, the default, or `public`) and `DATABASE_CA_FILE` (PEM).
///
/// # Errors
///
/// When `DATABASE_AUTHORITIES` names neither.
pub fn authorities() -> Result<Authorities, ConfigError> {
    const NAME: &str = "DATABASE_AUTHORITIES";
    let roots = match variable(NAME).as_deref() {
        None | Some("rds") => Roots::Rds,
        Some("public") => Roots::Public,
        Some(text) => return Err(ConfigError::new(NAME, format!("{text:?} is neither rds nor public"))),
    };
    Ok(Authorities { roots, file: variable("DATABASE_CA_FILE").map(PathBuf::from) })
}

/// The roles that need a second factor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequireTotp {
    /// None: whoever wants one has one.
    #[default]
    None,
    /// Admins.
    Admin,
    /// Admins and agents.
    Staff,
}

impl FromStr for RequireTotp {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "none" => Ok(Self::None),
            "admin" => Ok(Self::Admin),
            "staff" => Ok(Self::Staff),
            _ => Err(()),
        }
    }
}

/// `REQUIRE_TOTP`: `admin`, `staff`, or `none`, the default.
///
/// # Errors
///
/// When it is something else.
pub fn require_totp() -> Result<RequireTotp, ConfigError> {
    parsed("REQUIRE_TOTP", RequireTotp::default(), "none, admin or staff")
}

/// The lender's time zone.
///
/// # Errors
///
/// When `BUSINESS_TIME_ZONE` is not in the tz database.
pub fn business_time_zone() -> Result<TimeZone, ConfigError> {
    const NAME: &str = "BUSINESS_TIME_ZONE";
    let name = variable(NAME).unwrap_or_else(|| "UTC".into());
    TimeZone::get(&name).map_err(|_| ConfigError::new(NAME, format!("{name:?} is not in the tz database")))
}

/// After how many hours a payment of which something is unapplied has waited too long: `UNAPPLIED_HOURS`, default 24.
///
/// # Errors
///
/// When it is not a number from 1 to 720.
pub fn unapplied_hours() -> Result<u16, ConfigError> {
    const NAME: &str = "UNAPPLIED_HOURS";
    let Some(text) = variable(NAME) else { return Ok(24) };
    let hours = text.parse().ok().filter(|hours| (1..=720).contains(hours));
    hours.ok_or_else(|| ConfigError::new(NAME, format!("{text:?} is not a number from 1 to 720")))
}

/// How many attempts at once, and how long until each further one.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// Attempts at once.
    pub burst: NonZeroU32,
    /// Time until one more.
    pub interval: Duration,
}

impl Limit {
    /// Parses `BURST/SECONDS`; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (burst, seconds) = text.split_once('/')?;
        let seconds: u64 = seconds.trim().parse().ok().filter(|seconds| (1..=86_400).contains(seconds))?;
        Some(Self { burst: burst.trim().parse().ok()?, interval: Duration::from_secs(seconds) })
    }

    fn from_env(name: &'static str, burst: u32, seconds: u64) -> Result<Self, ConfigError> {
        let text = variable(name).unwrap_or_else(|| format!("{burst}/{seconds}"));
        Self::parse(&text)
            .ok_or_else(|| ConfigError::new(name, format!("{text:?} is not BURST/SECONDS, such as {burst}/{seconds}")))
    }
}

/// Limits on guessing, registering and writing.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `LIMIT_LOGIN_USER`: failed logins of one username from one address.
    pub login_user: Limit,
    /// `LIMIT_LOGIN_ADDRESS`: failed logins from one address.
    pub login_address: Limit,
    /// `LIMIT_TOTP_USER`: wrong second factors of one user, from all addresses together.
    pub totp_user: Limit,
    /// `LIMIT_REGISTER_ADDRESS`: registrations from one address.
    pub register_address: Limit,
    /// `LIMIT_EMAIL_USER`: changes of a user's own e-mail address, and refusals of one that is taken.
    pub email_user: Limit,
    /// `LIMIT_EMAIL_ADDRESS`: the same, from one network address.
    pub email_address: Limit,
    /// `LIMIT_CUSTOMER_WRITES`: commands of one customer.
    pub customer_writes: Limit,
    /// `LIMIT_HOOK_ADDRESS`: calls of hooks with a wrong secret from one address.
    pub hook_address: Limit,
    /// `MAX_PENDING`: pending applications of one borrower.
    pub max_pending: u32,
}

impl Limits {
    /// # Errors
    ///
    /// When a variable is not `BURST/SECONDS`, or `MAX_PENDING` is not a number.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            login_user: Limit::from_env("LIMIT_LOGIN_USER", 10, 60)?,
            login_address: Limit::from_env("LIMIT_LOGIN_ADDRESS", 300, 1)?,
            totp_user: Limit::from_env("LIMIT_TOTP_USER", 10, 60)?,
            register_address: Limit::from_env("LIMIT_REGISTER_ADDRESS", 60, 60)?,
            email_user: Limit::from_env("LIMIT_EMAIL_USER", 10, 60)?,
            email_address: Limit::from_env("LIMIT_EMAIL_ADDRESS", 60, 60)?,
            customer_writes: Limit::from_env("LIMIT_CUSTOMER_WRITES", 60, 1)?,
            hook_address: Limit::from_env("LIMIT_HOOK_ADDRESS", 30, 10)?,
            max_pending: parsed("MAX_PENDING", 20, "a number of applications")?,
        })
    }
}
