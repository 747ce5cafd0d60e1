//! A transaction that is opened and closed in the round trips of its statements.

use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::time::timeout;

use super::{
    errors::DbError,
    pool::{Pooled, take},
    prepared::Preparing,
    statement::{Batch, Sql, Statement},
};
use crate::telemetry::InDatabase;

/// How long the first answer on a pooled connection may take before the connection counts as dead: the environment may
/// have been frozen, and the other end may be gone without notice.
pub(super) const FIRST_ANSWER: Duration = Duration::from_secs(2);

/// Lets statements of a transaction take longer than the functions' login allows them.
pub const ALLOW_LONG: &str = "SET LOCAL statement_timeout = '25s'";

/// As [`ALLOW_LONG`]: the first statement of a transaction whose work grows with what it is about.
#[must_use]
pub fn allow_long() -> Statement<()> {
    Sql::new(ALLOW_LONG).execute()
}

/// An open transaction. Dropped without [`commit`](Self::commit) or [`rollback`](Self::rollback), for instance when a
/// request times out, its connection is closed rather than given back, and the server rolls back.
///
/// Its statements that are not prepared yet are prepared behind its end, in the same round trip: one that cannot be
/// would break the transaction.
pub struct Tx {
    connection: Option<Pooled>,
    number: u32,
}

impl Tx {
    pub(super) fn new(connection: Pooled, number: u32) -> Self {
        Self { connection: Some(connection), number }
    }

    /// True for one of so many transactions of this process.
    #[must_use]
    pub const fn is_one_of(&self, so_many: u32) -> bool {
        self.number.is_multiple_of(so_many)
    }

    fn connection(&self) -> Result<&Preparing, DbError> {
        match &self.connection {
            Some(connection) => Ok(connection),
            None => Err(DbError::unexpected("the transaction has ended")),
        }
    }

    pub(super) async fn begin<B: Batch>(&self, batch: &B) -> Result<B::Answer, DbError> {
        let connection = self.connection()?;
        // This answer waits for nobody's lock, so its absence shows that the connection is dead.
        let begin = async {
            let answer = timeout(FIRST_ANSWER, connection.client.batch_execute("BEGIN")).await;
            answer.map_err(|elapsed| DbError::Lost(elapsed.into()))?.map_err(DbError::from)
        };
        let ((), answer) = tokio::try_join!(biased; begin, batch.run(connection))?;
        Ok(answer)
    }

    /// Runs statements in one round trip.
    ///
    /// # Errors
    ///
    /// See [`DbError`]. Drop the transaction then.
    pub async fn run<B: Batch>(&self, batch: &B) -> Result<B::Answer, DbError> {
        let _measured = InDatabase::start();
        batch.run(self.connection()?).await
    }

    /// Runs the writes in order and commits, all in one round trip.
    ///
    /// # Errors
    ///
    /// See [`DbError`]: the error of the first statement that failed, or of the commit. Nothing is written then, except
    /// perhaps after [`DbError::Lost`], where the outcome of the commit is unknown.
    pub async fn commit(mut self, writes: Vec<Statement<()>>) -> Result<(), DbError> {
        let _measured = InDatabase::start();
        let connection = self.connection()?;
        // A statement that fails makes the server turn the COMMIT behind it into a rollback.
        let (written, committed, ()) = tokio::join!(
            biased;
            try_join_all(writes.iter().map(|write| write.run(connection))),
            connection.client.batch_execute("COMMIT"),
            connection.prepare_missing(),
        );
        if committed.is_ok() {
            // Back to the pool: no transaction is open on it any more.
            drop(self.connection.take());
        }
        written?;
        committed.map_err(DbError::from)
    }

    /// Ends the transaction without effect and gives the connection back.
    pub async fn rollback(mut self) {
        let _measured = InDatabase::start();
        let Ok(connection) = self.connection() else { return };
        let rollback = connection.client.batch_execute("ROLLBACK");
        let (rolled_back, ()) = tokio::join!(biased; rollback, connection.prepare_missing());
        if rolled_back.is_ok() {
            drop(self.connection.take());
        }
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(take(connection));
        }
    }
}
