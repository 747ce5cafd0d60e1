//! How a command ends: decided without touching the database, then written whole or not at all.

use super::{answer::Answer, problem::Problem};
use crate::{
    db::{Db, Statement, Tx},
    store::portfolio,
    telemetry::{self, Count},
};

/// A command's decision: its answer, and the writes that make it true. Without writes nothing changes.
pub struct Outcome {
    /// The client's answer.
    pub answer: Answer,
    /// The writes, in this order.
    pub writes: Vec<Statement<()>>,
    /// The count of it in the lender's metrics.
    pub count: Option<Count>,
}

impl Outcome {
    /// An answer that changes something.
    #[must_use]
    pub const fn new(answer: Answer, writes: Vec<Statement<()>>) -> Self {
        Self { answer, writes, count: None }
    }

    /// An answer that changes nothing.
    #[must_use]
    pub const fn unchanged(answer: Answer) -> Self {
        Self::new(answer, Vec::new())
    }

    /// The same, counted once it is committed.
    #[must_use]
    pub fn counting(self, count: Option<Count>) -> Self {
        Self { count, ..self }
    }
}

/// Ends the transaction as decided: commits the writes, or rolls back if there are none or the command was refused.
/// Either way the transaction has ended when the answer is given, since the environment may be frozen right after it.
///
/// # Errors
///
/// The refusal; or the problem that [`problem`](super::problem) maps a constraint to that an earlier request made fail,
/// or a lock that was not free in time; 503 without a database.
pub async fn conclude(tx: Tx, outcome: Result<Outcome, Problem>) -> Result<Answer, Problem> {
    match outcome {
        Ok(Outcome { answer, writes, count }) => write(tx, writes, count).await.map(|()| answer),
        Err(problem) => {
            tx.rollback().await;
            Err(problem)
        }
    }
}

/// Refuses a command once the writes are there that the refusal leaves, such as a guess that counts.
///
/// # Errors
///
/// The refusal; 503 without a database.
pub async fn refuse(db: &Db, writes: Vec<Statement<()>>, problem: Problem) -> Result<Answer, Problem> {
    let (tx, ()) = db.begin(&()).await?;
    tx.commit(writes).await?;
    Err(problem)
}

/// Ends the transaction of a command that was not refused: commits the writes, or rolls back if there are none. One of
/// so many commits adds up what commands left for the portfolio's sums.
///
/// # Errors
///
/// As [`conclude`].
pub async fn write(tx: Tx, mut writes: Vec<Statement<()>>, count: Option<Count>) -> Result<(), Problem> {
    if writes.is_empty() {
        tx.rollback().await;
        return Ok(());
    }
    if tx.is_one_of(portfolio::ADD_UP_EVERY) {
        writes.push(portfolio::add_up());
    }
    tx.commit(writes).await?;
    if let Some(count) = count {
        telemetry::count(count);
    }
    Ok(())
}
