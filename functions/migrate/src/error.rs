//! Why a database could not be made ready.

use backend::{
    config::ConfigError,
    db::{ConnectError, DbError},
    domain::refusal::Refusal,
    http::problem::Problem,
    secrets::SecretError,
    telemetry,
};

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
    /// Migrations were never applied, though later ones were.
    #[error("never applied, and numbered below the newest migration that was: {0}")]
    Late(String),
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
    pub(crate) fn hash(problem: &Problem) -> Self {
        Self::Demo(problem.causes().unwrap_or_default())
    }

    pub(crate) fn demo(refusal: &Refusal) -> Self {
        Self::Demo(telemetry::chain(refusal))
    }
}
