//! The pool: connections that are kept, each with what is prepared on it.

use std::{sync::Arc, time::Duration};

use deadpool::{
    Runtime,
    managed::{self, Metrics, Object, RecycleError, RecycleResult, Timeouts},
};
use tokio_postgres::Error;

use super::{
    connect::Connector,
    errors::DbError,
    prepared::{Preparing, Statements},
};

/// How long a request waits for a connection of this environment to be free.
const WAIT: Duration = Duration::from_secs(5);
/// How long a new connection may take, TLS and login included.
const CREATE: Duration = Duration::from_secs(5);

pub(super) type Pool = managed::Pool<Manager>;

/// A connection that goes back to the pool when it is dropped.
pub(super) type Pooled = Object<Manager>;

/// Makes the pool's connections.
pub(super) struct Manager {
    connector: Arc<Connector>,
    statements: Statements,
}

impl managed::Manager for Manager {
    type Type = Preparing;
    type Error = Error;

    async fn create(&self) -> Result<Preparing, Error> {
        // Boxed: it is a part of every future that may need a connection, and large.
        let (client, task) = Box::pin(self.connector.connect_prepared()).await?;
        Ok(Preparing::new(client, task, self.statements))
    }

    /// Asks only whether the connection's task has ended: asking Postgres would cost a round trip each time.
    async fn recycle(&self, connection: &mut Preparing, _: &Metrics) -> RecycleResult<Error> {
        if connection.client.is_closed() { Err(RecycleError::message("it is closed")) } else { Ok(()) }
    }
}

pub(super) fn new(connector: Arc<Connector>, size: usize, statements: Statements) -> Result<Pool, DbError> {
    Pool::builder(Manager { connector, statements })
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
