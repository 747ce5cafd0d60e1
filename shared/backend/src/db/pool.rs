//! The pool: connections that are kept, each with what is prepared on it.

use std::{sync::Arc, time::Duration};

use deadpool::{
    Runtime,
    managed::{self, Metrics, Object, RecycleResult, Timeouts},
};
use deadpool_postgres::{Connect, ManagerConfig, RecyclingMethod};
use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, Error};

use crate::config::Statements;

use super::{connect::Connector, errors::DbError, prepared::Preparing};

/// How long a request waits for a connection of this environment to be free.
const WAIT: Duration = Duration::from_secs(5);
/// How long a new connection may take, TLS and login included.
const CREATE: Duration = Duration::from_secs(5);

pub(super) type Pool = managed::Pool<Manager>;

/// A connection that goes back to the pool when it is dropped.
pub(super) type Pooled = Object<Manager>;

/// Makes the pool's connections, as `deadpool-postgres` does, each with what is prepared on it: the cache of that crate
/// would prepare a statement in a round trip of its own.
pub(super) struct Manager {
    connections: deadpool_postgres::Manager,
    statements: Statements,
}

/// Connects as the connector has prepared it.
struct Prepared(Arc<Connector>);

impl Connect for Prepared {
    fn connect(&self, _: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), Error>> {
        Box::pin(self.0.connect_prepared())
    }
}

impl managed::Manager for Manager {
    type Type = Preparing;
    type Error = Error;

    async fn create(&self) -> Result<Preparing, Error> {
        Ok(Preparing::new(self.connections.create().await?, self.statements))
    }

    async fn recycle(&self, connection: &mut Preparing, metrics: &Metrics) -> RecycleResult<Error> {
        self.connections.recycle(&mut connection.client, metrics).await
    }

    fn detach(&self, connection: &mut Preparing) {
        self.connections.detach(&mut connection.client);
    }
}

pub(super) fn new(connector: Arc<Connector>, size: usize, statements: Statements) -> Result<Pool, DbError> {
    // `Fast` asks only whether the connection's task has ended; `Verified` costs a round trip each time.
    let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let connections = deadpool_postgres::Manager::from_connect(Config::new(), Prepared(connector), config);
    Pool::builder(Manager { connections, statements })
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .timeouts(Timeouts { wait: Some(WAIT), create: Some(CREATE), recycle: Some(CREATE) })
        .build()
        .map_err(|error| DbError::Unexpected(Box::new(error)))
}

/// Takes a connection out of the pool: dropping it closes the socket.
pub(super) fn take(connection: Pooled) -> Preparing {
    Object::take(connection)
}
