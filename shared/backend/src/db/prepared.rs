//! Statements that are sent by name: Postgres reads and plans each once a connection, not at every request.
//!
//! Nothing here costs a round trip. The driver cannot name a statement and run it in one, so the first use is unnamed,
//! and the same round trip prepares the statement; later uses send its name and its values alone. A transaction's
//! statements are prepared behind its end: an error of preparation would abort it.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use deadpool_postgres::ClientWrapper;
use futures_util::future::join_all;
use tokio_postgres::{RowStream, Statement, types::Type};

use crate::config::Statements;

use super::{
    errors::DbError,
    statement::{Connection, Parameter, Plan, Sql, as_sql, unnamed},
};

/// The most statements that a connection keeps prepared, more than any function has: each takes memory of Postgres.
const MOST: usize = 200;

/// A connection that prepares what is sent more than once.
pub(super) struct Preparing {
    pub(super) client: ClientWrapper,
    /// None where nothing is to be prepared. Held for moments only.
    known: Option<Mutex<Known>>,
}

/// The statements of a connection.
#[derive(Default)]
struct Known {
    prepared: HashMap<Cow<'static, str>, Prepared>,
    /// Sent unnamed, to be prepared once no transaction is open.
    missing: Vec<(Cow<'static, str>, Vec<Type>)>,
    /// Counts the uses.
    uses: u64,
}

struct Prepared {
    statement: Statement,
    /// The number of its last use.
    used: u64,
}

impl Preparing {
    pub(super) fn new(client: ClientWrapper, statements: Statements) -> Self {
        let known = match statements {
            Statements::Prepared => Some(Mutex::default()),
            Statements::Unnamed => None,
        };
        Self { client, known }
    }

    /// Prepares the statements that were sent unnamed. Polled right behind the future that sends them or ends their
    /// transaction, it shares its round trip.
    pub(super) async fn prepare_missing(&self) {
        let Some(known) = &self.known else { return };
        let missing = std::mem::take(&mut lock(known).missing);
        let prepare = async |(sql, types): (Cow<'static, str>, Vec<Type>)| {
            // Otherwise the statement stays unnamed, and shows its error where it runs.
            if let Ok(statement) = self.client.prepare_typed(&sql, &types).await {
                lock(known).keep(sql, statement);
            }
        };
        join_all(missing.into_iter().map(prepare)).await;
    }

    /// Forgets every statement: a migration that changed one may have changed others.
    fn forget(&self) {
        if let Some(known) = &self.known {
            let forgotten = std::mem::take(&mut *lock(known));
            // Each says so to Postgres as it is dropped.
            drop(forgotten);
        }
    }
}

impl Connection for Preparing {
    async fn query(&self, sql: &Sql) -> Result<RowStream, DbError> {
        let known = self.known.as_ref().filter(|_| sql.plan == Plan::Kept);
        let Some(statement) = known.and_then(|known| lock(known).find(sql)) else {
            return Ok(unnamed(&self.client, sql).await?);
        };
        let sent = self.client.query_raw(&statement, sql.params.iter().map(|(value, _)| as_sql(value.as_ref()))).await;
        sent.map_err(|error| {
            let error = DbError::from(error);
            if let DbError::Stale(_) = error {
                self.forget();
            }
            error
        })
    }
}

impl Known {
    /// The statement, if it is prepared; if not, it is noted as missing.
    fn find(&mut self, Sql { text, params, .. }: &Sql) -> Option<Statement> {
        self.uses += 1;
        if let Some(prepared) = self.prepared.get_mut(text.as_ref()) {
            prepared.used = self.uses;
            // The same text with values of other types is another statement.
            return types_of(params).eq(prepared.statement.params()).then(|| prepared.statement.clone());
        }
        if self.missing.len() < MOST && !self.missing.iter().any(|(missing, _)| missing == text) {
            self.missing.push((text.clone(), types_of(params).cloned().collect()));
        }
        None
    }

    /// Keeps a statement, in place of the one whose last use is longest ago if there are too many.
    fn keep(&mut self, sql: Cow<'static, str>, statement: Statement) {
        if self.prepared.len() >= MOST
            && let Some(oldest) = self.prepared.iter().min_by_key(|(_, prepared)| prepared.used)
        {
            let oldest = oldest.0.clone();
            self.prepared.remove(&oldest);
        }
        self.prepared.insert(sql, Prepared { statement, used: self.uses });
    }
}

fn types_of(params: &[Parameter]) -> impl Iterator<Item = &Type> {
    params.iter().map(|(_, type_)| type_)
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}
