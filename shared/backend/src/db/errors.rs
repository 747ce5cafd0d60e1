//! The one place where errors of Postgres are mapped to our reactions.

use std::{error::Error, fmt};

use tokio_postgres::error::SqlState;

/// Why a statement or a connection failed.
#[derive(Debug)]
pub enum DbError {
    /// The connection broke, perhaps after the statement took effect: 503; a read may be sent again.
    Lost(Box<dyn Error + Send + Sync>),
    /// No connection could be made, or the server has no time or room: 503.
    Unavailable(Box<dyn Error + Send + Sync>),
    /// Waited for another transaction's lock until the lock timeout: 409, try again.
    Busy(Box<dyn Error + Send + Sync>),
    /// A prepared statement that is not what it was when it was prepared, or not there: nothing has been done, and it
    /// may be sent again.
    Stale(Box<dyn Error + Send + Sync>),
    /// A unique constraint, foreign key, check or trigger refused the row; `constraint` names it.
    Refused {
        /// The name of the constraint.
        constraint: String,
        /// The server's error.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A defect: wrong SQL, a column of another type, a row too many.
    Unexpected(Box<dyn Error + Send + Sync>),
}

impl DbError {
    /// A defect described in our own words.
    pub fn unexpected(message: impl Into<String>) -> Self {
        Self::Unexpected(message.into().into())
    }
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(_) => write!(f, "the connection to the database broke"),
            Self::Unavailable(_) => write!(f, "the database cannot be reached"),
            Self::Busy(_) => write!(f, "the lock timeout passed"),
            Self::Stale(_) => write!(f, "a prepared statement is out of date"),
            Self::Refused { constraint, .. } => write!(f, "constraint {constraint} refused the row"),
            Self::Unexpected(_) => write!(f, "the database answered with an error"),
        }
    }
}

impl Error for DbError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Lost(source)
            | Self::Unavailable(source)
            | Self::Busy(source)
            | Self::Stale(source)
            | Self::Refused { source, .. }
            | Self::Unexpected(source) => Some(source.as_ref()),
        }
    }
}

/// The server's message without its details and hints: those quote whole rows, which must not reach a log.
#[derive(Debug, thiserror::Error)]
#[error("{message} (SQLSTATE {code}, table {table:?}, constraint {constraint:?})")]
struct ServerError {
    code: String,
    message: String,
    table: Option<String>,
    constraint: Option<String>,
}

impl From<tokio_postgres::Error> for DbError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(db) = error.as_db_error() else {
            // Not an answer of the server: a broken connection, or an answer that could not be read.
            let broken = error.is_closed() || error.source().is_some_and(<dyn Error>::is::<std::io::Error>);
            return if broken { Self::Lost(Box::new(error)) } else { Self::Unexpected(Box::new(error)) };
        };
        let code = db.code().clone();
        let constraint = db.constraint().map(str::to_owned);
        let error = ServerError {
            code: code.code().to_owned(),
            message: db.message().to_owned(),
            table: db.table().map(str::to_owned),
            constraint: constraint.clone(),
        };
        if code == SqlState::LOCK_NOT_AVAILABLE
            || code == SqlState::T_R_DEADLOCK_DETECTED
            || code == SqlState::T_R_SERIALIZATION_FAILURE
        {
            return Self::Busy(Box::new(error));
        }
        // A migration has changed the columns of an answer; or a pooler has taken the session to another connection.
        let changed = code == SqlState::FEATURE_NOT_SUPPORTED && db.routine() == Some("RevalidateCachedQuery");
        if changed || code == SqlState::INVALID_SQL_STATEMENT_NAME {
            return Self::Stale(Box::new(error));
        }
        if let Some(constraint) = constraint
            && code.code().starts_with("23")
        {
            return Self::Refused { constraint, source: Box::new(error) };
        }
        let one_of = |classes: &[&str]| classes.iter().any(|class| code.code().starts_with(class));
        // 08: connection; 57P: shut down, crashed, starting; 25006: a primary that became a standby.
        if one_of(&["08", "57P", "25006"]) {
            return Self::Lost(Box::new(error));
        }
        // 28: refused at the door; 53: too many connections, out of memory or disk; 57014: the statement timeout.
        if one_of(&["28", "53", "57014"]) {
            return Self::Unavailable(Box::new(error));
        }
        Self::Unexpected(Box::new(error))
    }
}
