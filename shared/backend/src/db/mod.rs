//! The database: a small pool, statements as values, transactions that cost two round trips.
//!
//! Every statement works through a pooler in transaction mode: no session `SET`, no session advisory lock, no
//! prepared statement that outlives its round trip.

mod connect;
mod errors;
mod statement;
mod tx;

use std::{sync::Arc, time::Duration};

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, Timeouts};
use tokio::time::timeout;
use tokio_postgres::Client;

use crate::{
    config::{ConfigError, DatabaseConfig},
    telemetry::InDatabase,
};

use self::tx::FIRST_ANSWER;
pub use self::{
    connect::{Authorities, ConnectError, Connector, DatabaseTarget, Roots},
    errors::DbError,
    statement::{Batch, Bind, FromRow, OfLoan, Sql, Statement, column},
    tx::Tx,
};

/// How long a request waits for a connection of this environment to be free.
const WAIT: Duration = Duration::from_secs(5);
/// How long a new connection may take, TLS and login included.
const CREATE: Duration = Duration::from_secs(5);

/// The database as handlers see it.
#[derive(Clone)]
pub struct Db {
    pool: Pool,
    connector: Arc<Connector>,
}

impl Db {
    /// A pool of at most `size` connections; nothing is connected yet.
    ///
    /// # Errors
    ///
    /// Never in practice: the pool refuses only a timeout without a runtime, and there is a runtime.
    pub fn new(connector: Arc<Connector>, size: usize) -> Result<Self, DbError> {
        // `Fast` asks only whether the connection task ended; `Verified` costs a round trip each time.
        let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_connect(tokio_postgres::Config::new(), connect::Hook(connector.clone()), config);
        let pool = Pool::builder(manager)
            .max_size(size)
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts { wait: Some(WAIT), create: Some(CREATE), recycle: Some(CREATE) })
            .build()
            .map_err(|error| DbError::Unexpected(Box::new(error)))?;
        Ok(Self { pool, connector })
    }

    /// As configured; nothing is connected yet.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn from_config(config: DatabaseConfig) -> Result<Self, ConfigError> {
        let connector = Connector::through(config.source, config.authorities, config.host);
        Self::new(connector, config.pool_size)
            .map_err(|error| ConfigError::new("DATABASE_POOL_SIZE", error.to_string()))
    }

    async fn connection(&self) -> Result<Object, DbError> {
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
    /// shows that this one died.
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
            Err(DbError::Lost(_)) => self.read_once(batch).await,
            answer => answer,
        }
    }

    async fn read_once<B: Batch>(&self, batch: &B) -> Result<B::Answer, DbError> {
        let _measured = InDatabase::start();
        let connection = self.connection().await?;
        let answer = batch.run(&connection).await;
        if let Err(DbError::Lost(_)) = answer {
            // Out of the pool: dropping it closes the socket.
            drop(Object::take(connection));
        }
        answer
    }

    /// Opens a transaction: sends `BEGIN` and, in the same round trip, its first statements; once more on another
    /// connection if this one died, since nothing is written before the commit.
    ///
    /// # Errors
    ///
    /// See [`DbError`]. Nothing has been written then, whatever the statements were.
    pub async fn begin<B: Batch>(&self, batch: &B) -> Result<(Tx, B::Answer), DbError> {
        match self.begin_once(batch).await {
            Err(DbError::Lost(_)) => self.begin_once(batch).await,
            answer => answer,
        }
    }

    async fn begin_once<B: Batch>(&self, batch: &B) -> Result<(Tx, B::Answer), DbError> {
        let measured = InDatabase::start();
        let tx = Tx::new(self.connection().await?);
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

    async fn run(&self, client: &Client) -> Result<B::Answer, DbError> {
        match timeout(FIRST_ANSWER, self.0.run(client)).await {
            Ok(answer) => answer,
            Err(elapsed) => Err(DbError::Lost(elapsed.into())),
        }
    }
}
