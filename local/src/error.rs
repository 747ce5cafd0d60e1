//! Errors on the way to a Postgres. The text of an error is written for the person at the terminal: it says what was
//! tried and, if possible, the way out.

use std::error::Error as StdError;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use backend::db::DbError;
use backend::telemetry::chain;

/// Reasons why Postgres is missing or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// None of the three ways leads to a Postgres; the text names them and the obstacle of each.
    #[error("{0}")]
    NoPostgres(String),
    /// Another process works on the same data.
    #[error(
        "{} is in use by another process{}",
        folder.display(),
        holder.as_ref().map(|id| format!(" ({id})")).unwrap_or_default()
    )]
    Busy {
        /// The folder with the data.
        folder: PathBuf,
        /// The number of the process that holds it, if known.
        holder: Option<String>,
    },
    /// An environment variable, or a file of ours, holds an unusable value.
    #[error("{0}")]
    Setting(String),
    /// The interface refused a made-up payment, or the admin who sets it up.
    #[error("fake payments: {0}")]
    FakePayments(String),
    /// The operating system refused something.
    #[error("cannot {what}: {source}")]
    Io {
        /// The action, as the end of the sentence "cannot ...".
        what: String,
        /// The refusal.
        source: io::Error,
    },
    /// A program was run and failed.
    #[error("{program} failed:\n{output}")]
    Program {
        /// The program's name.
        program: String,
        /// The output.
        output: String,
    },
    /// The server ended before it was ready, or is not ready after a long time.
    #[error("Postgres did not start: {reason}; the end of its log {}:\n{log}", file.display())]
    NotStarted {
        /// The observation.
        reason: String,
        /// The log file.
        file: PathBuf,
        /// The log's last lines.
        log: String,
    },
    /// A statement or a connection failed.
    #[error("cannot {what}: {}", chain(source))]
    Sql {
        /// The action, as the end of the sentence "cannot ...".
        what: String,
        /// The failure. Its own text is often only "db error": read its source.
        source: tokio_postgres::Error,
    },
    /// The port is taken.
    #[error("port {port} is in use by another program; choose another one with --port N")]
    PortInUse {
        /// The port.
        port: u16,
    },
    /// There is no such network address here.
    #[error("--host {host}: this machine has no such address")]
    NoSuchAddress {
        /// The address.
        host: IpAddr,
    },
    /// The database could not be made ready.
    #[error("cannot migrate the database: {}", chain(source))]
    Migrate {
        /// The cause.
        #[from]
        source: migrate::MigrateError,
    },
    /// The scheduled function could not add up the figures.
    #[error("cannot add up the figures: {}", chain(source))]
    Figures {
        /// The cause.
        #[from]
        source: DbError,
    },
    /// A generated book could not be made.
    #[error("cannot make a loan book: {0}")]
    Book(String),
    /// The tests' schema could not be made.
    #[error("cannot migrate the template database: {}", chain(source.as_ref()))]
    Schema {
        /// The migration's error.
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl Error {
    /// For `map_err` on file operations: `verb` and the path complete "cannot ...".
    pub(crate) fn io(verb: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let what = format!("{verb} {}", path.display());
        move |source| Self::Io { what, source }
    }

    /// For `map_err` on statements: `what` completes "cannot ...".
    pub(crate) fn sql(what: impl Into<String>) -> impl FnOnce(tokio_postgres::Error) -> Self {
        let what = what.into();
        move |source| Self::Sql { what, source }
    }
}
