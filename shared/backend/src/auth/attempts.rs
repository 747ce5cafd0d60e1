//! An attempt at a password: its turn to hash, and its place in the buckets that limit guessing.

use std::time::Duration;

use secrecy::SecretString;
use tokio::time::{Instant, sleep};

use super::{
    limits::{Guesses, Verdict},
    passwords::{Check, PATIENCE, Turn},
};
use crate::{
    db::{Batch, Db, Statement},
    http::problem::Problem,
};

/// Pauses between two looks at a bucket that is full of reservations; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_millis(800);

/// A reserved attempt that is not decided yet. Dropped before [`fail`](Self::fail) or [`give_back`](Self::give_back) is
/// written, it is a failure.
pub struct Attempt {
    guesses: Guesses,
    turn: Turn,
}

impl Attempt {
    /// Reserves an attempt in the transaction that reads what it is checked against.
    ///
    /// # Errors
    ///
    /// 429 if too many attempts have failed; after [`PATIENCE`], if there is no turn to hash or the bucket stays full
    /// of undecided reservations. Nothing is counted then.
    pub async fn reserve<B: Batch<Answer: Send> + Sync>(
        db: &Db,
        guesses: Guesses,
        read: &B,
    ) -> Result<(Self, B::Answer), Problem> {
        let deadline = Instant::now() + PATIENCE;
        let mut pause = FIRST_PAUSE;
        loop {
            let turn = Turn::by(deadline).await?;
            let (tx, (before, answer)) = db.begin(&(guesses.reserve(), read)).await?;
            match guesses.verdict(before) {
                Verdict::Granted => {
                    tx.commit(Vec::new()).await?;
                    return Ok((Self { guesses, turn }, answer));
                }
                Verdict::Undecided => tx.rollback().await,
                Verdict::Refused(seconds) => {
                    tx.rollback().await;
                    return Err(Problem::too_many(seconds));
                }
            }
            drop(turn);
            if Instant::now() + pause > deadline {
                return Err(Problem::too_many(1));
            }
            sleep(pause).await;
            pause = LAST_PAUSE.min(2 * pause);
        }
    }

    /// As [`Turn::check`].
    ///
    /// # Errors
    ///
    /// As [`Turn::check`].
    pub async fn check(&self, password: SecretString, stored: Option<String>) -> Result<Check, Problem> {
        self.turn.check(password, stored).await
    }

    /// As [`Turn::hash`].
    ///
    /// # Errors
    ///
    /// As [`Turn::hash`].
    pub async fn hash(&self, password: SecretString) -> Result<String, Problem> {
        self.turn.hash(password).await
    }

    /// The password was wrong: the attempt stays counted.
    #[must_use]
    pub fn fail(&self) -> Vec<Statement<()>> {
        self.guesses.fail()
    }

    /// The password was right: the attempt does not count.
    #[must_use]
    pub fn give_back(&self) -> Vec<Statement<()>> {
        self.guesses.give_back()
    }
}
