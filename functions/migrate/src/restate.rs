//! Restates loans that an earlier release wrote: its rules led to other columns, or to other entries of the journal. As
//! the owner, since the functions' login adds nothing to an existing transaction.

use std::time::Instant;

use backend::{
    db::{Batch as _, DbError, OfLoan, Sql, Statement},
    domain::{
        loan::Loan,
        restating::{self, Stated},
    },
    store::{
        ledger::{self, PostedRow},
        loans, portfolio, transactions,
    },
    telemetry,
    values::moment::Moment,
};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use tokio_postgres::Client;
use uuid::Uuid;

/// Loans of one transaction: they are locked while it lasts, which is a part of a second.
const AT_ONCE: i64 = 50;

/// Marks loans written since an instant to be restated, whatever rules they follow.
const ASK: &str = "UPDATE loans SET rules_version = 0 WHERE updated_at >= $1";

/// The figures of the portfolio rest on the loans' old state: the next run of the scheduled function rebuilds them.
const FORGET_FIGURES: &str = "DELETE FROM figures_builds";

/// The result of stating loans again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Restated {
    /// Loans that were looked at.
    pub loans: u64,
    /// How many of them were something else by the rules of this release.
    pub changed: u64,
    /// How many could not be stated again; the log says why. They are tried again by the next run.
    pub refused: u64,
    /// True if nothing is left for another run.
    pub finished: bool,
}

/// Asks for all loans that were written since an instant.
pub(crate) async fn ask(client: &Client, since: Timestamp) -> Result<(), DbError> {
    Sql::new(ASK).bind(since).execute().run(client).await
}

/// Restates the remaining loans, until a moment. Finished work stays, and another run does the rest. An error ends it
/// in the same way, and goes only to the log: nothing that serves depends on it.
pub(crate) async fn restate(client: &Client, zone: &TimeZone, until: Option<Instant>) -> Restated {
    let mut restating = Restating { client, zone, refused: Vec::new(), restated: Restated::default() };
    while until.is_none_or(|until| Instant::now() < until) {
        match restating.some().await {
            Ok(true) => {}
            Ok(false) => {
                restating.restated.finished = restating.refused.is_empty();
                break;
            }
            Err(error) => {
                let error = telemetry::chain(&error);
                tracing::error!(error, "loans could not be stated again");
                break;
            }
        }
    }
    restating.restated
}

struct Restating<'a> {
    client: &'a Client,
    zone: &'a TimeZone,
    refused: Vec<Uuid>,
    restated: Restated,
}

/// The result of one transaction, which has yet to be committed.
#[derive(Default)]
struct Done {
    right: Vec<Uuid>,
    changed: u64,
    refused: Vec<Uuid>,
}

impl Restating<'_> {
    /// States some loans again, in one transaction. Returns whether there were any.
    async fn some(&mut self) -> Result<bool, DbError> {
        self.client.batch_execute("BEGIN").await?;
        let done = self.try_some().await;
        let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
        self.client.batch_execute(end).await?;
        let Done { right, changed, refused } = done?;
        let count = right.len() + refused.len();
        self.restated.loans += count as u64;
        self.restated.changed += changed;
        self.restated.refused += refused.len() as u64;
        self.refused.extend(refused);
        Ok(count > 0)
    }

    async fn try_some(&self) -> Result<Done, DbError> {
        let client = self.client;
        let mut loans = loans::of_older_rules(self.refused.clone(), AT_ONCE).run(client).await?;
        if loans.is_empty() {
            loans = loans::written_since_stated(self.refused.clone(), AT_ONCE).run(client).await?;
        }
        let ids: Vec<Uuid> = loans.iter().map(|loan| loan.id).collect();
        let rest = (transactions::of_loans(ids.clone()), portfolio::steps_of_loans(ids.clone()), ledger::made(ids));
        let (transactions, steps, made) = rest.run(client).await?;
        let (mut transactions, mut steps, mut made) =
            (OfLoan::by_loan(transactions), OfLoan::by_loan(steps), OfLoan::by_loan(made));
        // Loans are locked: everything that is known of them was recorded before.
        let now = Timestamp::now();
        let at = Moment { now, today: self.zone.to_datetime(now).date(), zone: self.zone };
        let mut done = Done::default();
        for loan in &loans {
            let made = made.remove(&loan.id).unwrap_or_default();
            let stated = Stated {
                loan,
                transactions: &transactions.remove(&loan.id).unwrap_or_default(),
                steps: &steps.remove(&loan.id).unwrap_or_default(),
                posted: &made.into_iter().map(|PostedRow(posted)| posted).collect::<Vec<_>>(),
            };
            match restating::restate(stated, at) {
                Ok(None) => done.right.push(loan.id),
                Ok(Some(restatement)) => match self.write(&restatement.writes()).await? {
                    Ok(()) => {
                        done.right.push(loan.id);
                        done.changed += 1;
                    }
                    Err(error) => done.refused.push(refused(loan, &telemetry::chain(&error))),
                },
                Err(refusal) => done.refused.push(refused(loan, &telemetry::chain(&refusal))),
            }
        }
        if !done.right.is_empty() {
            loans::note_rules(done.right.clone()).run(client).await?;
        }
        if done.changed > 0 {
            Sql::new(FORGET_FIGURES).execute().run(client).await?;
        }
        Ok(done)
    }

    /// Writes the restated loan, or nothing if the database refuses it.
    async fn write(&self, writes: &[Statement<()>]) -> Result<Result<(), DbError>, DbError> {
        self.client.batch_execute("SAVEPOINT one").await?;
        let mut written = Ok(());
        for write in writes {
            written = write.run(self.client).await;
            if written.is_err() {
                break;
            }
        }
        let end = if written.is_ok() { "RELEASE one" } else { "ROLLBACK TO one; RELEASE one" };
        self.client.batch_execute(end).await?;
        Ok(written)
    }
}

fn refused(loan: &Loan, why: &str) -> Uuid {
    tracing::error!(loan = %loan.id, why, "a loan cannot be stated again");
    loan.id
}
