//! The database: a small pool, statements as values, transactions that cost two round trips.
//!
//! Every statement works through a pooler in transaction mode: no session `SET`, no session advisory lock. Where
//! nothing stands between us and Postgres, statements are prepared; see [`Statements`].

mod columns;
mod connect;
mod errors;
mod pool;
mod prepared;
mod statement;
mod text;
mod tx;

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use deadpool::managed::PoolError;
use tokio::time::timeout;

use crate::{
    config::{ConfigError, DatabaseConfig, Statements},
    telemetry::InDatabase,
};

pub use self::{
    columns::{ALL, Column, Columns, Field, Reading, Stored, count, is_in, list, parameter},
    connect::{ConnectError, Connector, DatabaseTarget},
    errors::DbError,
    statement::{Batch, Bind, Connection, FromRow, OfLoan, Parameter, Sql, Statement, column},
    text::{List, Text},
    tx::{ALLOW_LONG, Tx, allow_long},
};
use self::{
    pool::{Pool, Pooled},
    tx::FIRST_ANSWER,
};

/// The database as handlers see it.
#[derive(Clone)]
pub struct Db {
    pool: Pool,
    connector: Arc<Connector>,
    begun: Arc<AtomicU32>,
}

impl Db {
    /// A pool of at most `size` connections; nothing is connected yet.
    ///
    /// # Errors
    ///
    /// Never in practice: the pool refuses only a timeout without a runtime, and there is a runtime.
    pub fn new(connector: Arc<Connector>, size: usize, statements: Statements) -> Result<Self, DbError> {
        let pool = pool::new(connector.clone(), size, statements)?;
        Ok(Self { pool, connector, begun: Arc::default() })
    }

    /// As configured; nothing is connected yet.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn from_config(config: DatabaseConfig) -> Result<Self, ConfigError> {
        let connector = Connector::through(config.source, config.authorities, config.host);
        Self::new(connector, config.pool_size, config.statements)
            .map_err(|error| ConfigError::new("DATABASE_POOL_SIZE", error.to_string()))
    }

    async fn connection(&self) -> Result<Pooled, DbError> {
        if self.pool.status().available == 0 {
            self.connector.prepare().await.map_err(|error| DbError::Unavailable(Box::new(error)))?;
        }
        let answer = match self.pool.get().await {
            Err(PoolError::Backend(error)) if connect::password_refused(&error) => {
                self.connector.prepare_anew().await.map_err(|error| DbError::Unavailable(Box::new(error)))?;
                self.pool.get().await
            }
            answer => answer,
        };
        answer.map_err(|error| DbError::Unavailable(Box::new(error)))
    }

    /// Makes the first connection.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached.
    pub async fn warm_up(&self) -> Result<(), DbError> {
        self.connection().await.map(drop)
    }

    /// Asks the database for nothing, to see whether it answers.
    ///
    /// # Errors
    ///
    /// See [`DbError`].
    pub async fn ping(&self) -> Result<(), DbError> {
        self.read(&Sql::new("SELECT").execute()).await
    }

    /// Runs fast statements that write nothing, in one round trip; once more on another connection if a missing answer
    /// shows that this one died, and once more if a migration has changed a prepared statement.
    ///
    /// # Errors
    ///
    /// See [`DbError`]; the first statement's error if several fail.
    pub async fn read<B: Batch + Sync>(&self, batch: &B) -> Result<B::Answer, DbError> {
        self.read_twice(&Prompt(batch)).await
    }

    /// As [`read`](Self::read), where only `first` is fast; the rest may take as long as the database allows.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub async fn read_after<A, B>(&self, first: &A, rest: &B) -> Result<(A::Answer, B::Answer), DbError>
    where
        A: Batch<Answer: Send> + Sync,
        B: Batch<Answer: Send> + Sync,
    {
        self.read_twice(&(Prompt(first), rest)).await
    }

    async fn read_twice<B: Batch>(&self, batch: &B) -> Result<B::Answer, DbError> {
        match self.read_once(batch).await {
            Err(DbError::Lost(_) | DbError::Stale(_)) => self.read_once(batch).await,
            answer => answer,
        }
    }

    async fn read_once<B: Batch>(&self, batch: &B) -> Result<B::Answer, DbError> {
        let _measured = InDatabase::start();
        let connection = self.connection().await?;
        let prepare = async {
            connection.prepare_missing().await;
            Ok(())
        };
        let answer = tokio::try_join!(biased; batch.run(&*connection), prepare);
        if let Err(DbError::Lost(_)) = answer {
            drop(pool::take(connection));
        }
        answer.map(|(answer, ())| answer)
    }

    /// Opens a transaction: sends `BEGIN` and, in the same round trip, its first statements; once more as a
    /// [`read`](Self::read) is, since nothing is written before the commit.
    ///
    /// # Errors
    ///
    /// See [`DbError`]. Nothing has been written then, whatever the statements were.
    pub async fn begin<B: Batch>(&self, batch: &B) -> Result<(Tx, B::Answer), DbError> {
        match self.begin_once(batch).await {
            Err(DbError::Lost(_) | DbError::Stale(_)) => self.begin_once(batch).await,
            answer => answer,
        }
    }

    async fn begin_once<B: Batch>(&self, batch: &B) -> Result<(Tx, B::Answer), DbError> {
        let measured = InDatabase::start();
        let number = self.begun.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let tx = Tx::new(self.connection().await?, number);
        let answer = tx.begin(batch).await;
        drop(measured);
        match answer {
            Ok(answer) => Ok((tx, answer)),
            // Dropping the transaction closes its connection.
            Err(error @ DbError::Lost(_)) => Err(error),
            Err(error) => {
                // Locks must not outlive the answer.
                tx.rollback().await;
                Err(error)
            }
        }
    }
}

/// Statements whose answer comes at once, or the connection is dead.
struct Prompt<'a, B>(&'a B);

impl<B: Batch + Sync> Batch for Prompt<'_, B> {
    type Answer = B::Answer;

    async fn run<On: Connection>(&self, connection: &On) -> Result<B::Answer, DbError> {
        match timeout(FIRST_ANSWER, self.0.run(connection)).await {
            Ok(answer) => answer,
            Err(elapsed) => Err(DbError::Lost(elapsed.into())),
        }
    }
}
