//! How a command ends: decided without touching the database, then written whole or not at all.

use super::{answer::Answer, problem::Problem};
use crate::db::{Statement, Tx};

/// What a command decided: its answer, and the writes that make it true. No writes: nothing changes.
pub struct Outcome {
    /// What the client gets.
    pub answer: Answer,
    /// What is written, in this order.
    pub writes: Vec<Statement<()>>,
}

impl Outcome {
    /// An answer that changes nothing.
    #[must_use]
    pub fn unchanged(answer: Answer) -> Self {
        Self { answer, writes: Vec::new() }
    }
}

/// Ends the transaction as decided: commits the writes, or rolls back if there are none or the command was refused.
/// Either way the transaction has ended when the answer is given, since the environment may be frozen right after it.
///
/// # Errors
///
/// The refusal; or 409 or 422 for a constraint that a request which came first made true, 503 without a database.
pub async fn conclude(tx: Tx, outcome: Result<Outcome, Problem>) -> Result<Answer, Problem> {
    match outcome {
        Ok(Outcome { answer, writes }) if !writes.is_empty() => {
            tx.commit(writes).await?;
            Ok(answer)
        }
        outcome => {
            tx.rollback().await;
            outcome.map(|outcome| outcome.answer)
        }
    }
}
