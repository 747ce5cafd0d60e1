//! The consistency check: recomputes from the transactions what every loan, the journal and every figure should be.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use backend::{
    db::{Db, DbError, FromRow, OfLoan, Sql, column},
    models::{
        applications::Moment,
        ledger,
        loans::{self, Loan},
        portfolio::{self, Figures, Part, Step},
        servicing,
        transactions::{self, Transaction},
    },
};
use jiff::{Timestamp, tz::TimeZone};
use lending::{Event, Posting};
use serde::Serialize;
use tokio_postgres::Row;
use uuid::Uuid;

/// Something that is kept and is not what follows from the transactions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What it is of.
    pub of: String,
    /// What is kept.
    pub kept: String,
    /// What follows.
    pub follows: String,
}

/// Reads everything as it was at one instant, while others write.
pub const ONE_INSTANT: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Months that are not the sums of their days, and days of accounts that are not what is in the journal.
pub const DIFFERENT_SUMS: &str = "\
WITH book AS (
    SELECT date_trunc('month', on_date)::date, currency, status, sum(loans), sum(amount), sum(disbursed), sum(repaid),
        sum(outstanding), sum(past_due)
    FROM book_days GROUP BY 1, 2, 3),
accounts AS (
    SELECT date_trunc('month', on_date)::date, currency, account, sum(debit), sum(credit)
    FROM account_days GROUP BY 1, 2, 3),
kept AS (
    SELECT on_date, currency, account, sum(debit), sum(credit)
    FROM (SELECT * FROM account_days UNION ALL SELECT * FROM account_changes) x GROUP BY 1, 2, 3),
made AS (
    SELECT e.value_date, e.currency, l.account, sum(l.debit), sum(l.credit)
    FROM journal_entries e JOIN journal_lines l ON l.entry_id = e.id GROUP BY 1, 2, 3)
SELECT 'book_months' AS of, x::text AS kept FROM (TABLE book_months EXCEPT TABLE book) x
UNION ALL SELECT 'book_days by month', x::text FROM (TABLE book EXCEPT TABLE book_months) x
UNION ALL SELECT 'account_months', x::text FROM (TABLE account_months EXCEPT TABLE accounts) x
UNION ALL SELECT 'account_days by month', x::text FROM (TABLE accounts EXCEPT TABLE account_months) x
UNION ALL SELECT 'account_days', x::text FROM (TABLE kept EXCEPT TABLE made) x
UNION ALL SELECT 'journal by account and day', x::text FROM (TABLE made EXCEPT TABLE kept) x";

impl FromRow for Difference {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self { of: column(row, "of")?, kept: column(row, "kept")?, follows: "another sum".into() })
    }
}

/// Loans that are read at a time.
const AT_ONCE: i64 = 200;

/// Recomputes everything, and finds no difference: or says which.
///
/// # Errors
///
/// Without a database.
pub async fn check(db: &Db, zone: &TimeZone) -> Result<Vec<Difference>, DbError> {
    let now = Timestamp::now();
    let at = Moment { now, today: zone.to_datetime(now).date(), zone };
    let (tx, ()) = db.begin(&Sql::new(ONE_INSTANT).execute()).await?;
    let mut differences = Vec::new();
    let mut figures = Figures::default();
    let mut last = Uuid::nil();
    loop {
        let loans = tx.run(&loans::after(last, AT_ONCE)).await?;
        let Some(newest) = loans.last() else { break };
        last = newest.id;
        let ids: Vec<Uuid> = loans.iter().map(|loan| loan.id).collect();
        let rest = (transactions::of_loans(ids.clone()), portfolio::steps_of_loans(ids.clone()), ledger::made(ids));
        let (transactions, steps, made) = tx.run(&rest).await?;
        let (mut transactions, mut steps, mut made) = (by_loan(transactions), by_loan(steps), by_loan(made));
        for loan in &loans {
            let transactions = transactions.remove(&loan.id).unwrap_or_default();
            let steps = steps.remove(&loan.id).unwrap_or_default();
            let made = made.remove(&loan.id).unwrap_or_default();
            let made: Vec<Posting> = made.into_iter().map(|ledger::Made(posting)| posting).collect();
            match check_loan(loan, &transactions, &steps, &made, at, &mut differences) {
                Ok(part) => figures += part,
                Err(why) => differ(&mut differences, format!("loan {}", loan.id), "transactions that stand", &why),
            }
        }
    }
    let (book, exposures, agents) = tx.run(&portfolio::kept()).await?;
    let book = book.into_iter().map(|portfolio::KeptBook(key, sums)| (key, sums));
    compare("book", &book.collect(), &figures.book, &mut differences);
    let exposures = exposures.into_iter().map(|portfolio::KeptExposure(key, sums)| (key, sums));
    compare("exposures", &exposures.collect(), &figures.exposures, &mut differences);
    let agents = agents.into_iter().map(|portfolio::KeptAgent(key, sums)| (key, sums));
    compare("agents", &agents.collect(), &figures.agents, &mut differences);
    differences.extend(tx.run(&Sql::new(DIFFERENT_SUMS).all::<Difference>()).await?);
    tx.rollback().await;
    Ok(differences)
}

fn by_loan<T>(rows: Vec<OfLoan<T>>) -> BTreeMap<Uuid, Vec<T>> {
    let mut by_loan: BTreeMap<Uuid, Vec<T>> = BTreeMap::new();
    for OfLoan { loan_id, row } in rows {
        by_loan.entry(loan_id).or_default().push(row);
    }
    by_loan
}

fn differ(
    differences: &mut Vec<Difference>,
    of: String,
    kept: &(impl Debug + ?Sized),
    follows: &(impl Debug + ?Sized),
) {
    differences.push(Difference { of, kept: format!("{kept:?}"), follows: format!("{follows:?}") });
}

/// Checks a loan's row and its part of the journal. Gives what it is in the figures; or why its transactions cannot stand.
fn check_loan(
    loan: &Loan,
    transactions: &[Transaction],
    steps: &[Step],
    made: &[Posting],
    at: Moment<'_>,
    differences: &mut Vec<Difference>,
) -> Result<Figures, String> {
    let expected = servicing::recompute(loan, transactions, steps, at.today);
    let expected = expected.map_err(|problem| problem.causes().unwrap_or_default())?;
    if expected != *loan {
        differ(differences, format!("loan {}", loan.id), loan, &expected);
    }
    let events: Vec<Event> = transactions.iter().map(|transaction| transaction.event.clone()).collect();
    let follows = lending::follow(&loan.contract(), &events, Timestamp::MAX);
    let follows = follows.map_err(|conflict| format!("{conflict:?}"))?;
    let missing = lending::journal_entries(&follows.postings, made);
    if !missing.is_empty() {
        differ(differences, format!("journal of the loan {}, entries that are missing", loan.id), made, &missing);
    }
    Ok(Figures::of(Part { loan: &expected, steps, exposures: &follows.exposures, transactions }, at))
}

/// What is kept against what follows; what is zero need not be there.
fn compare<K: Debug + Ord, S: Debug + Default + PartialEq + Copy>(
    of: &str,
    kept: &BTreeMap<K, S>,
    follows: &BTreeMap<K, S>,
    differences: &mut Vec<Difference>,
) {
    let keys: BTreeSet<&K> = kept.keys().chain(follows.keys()).collect();
    for key in keys {
        let sums = |of: &BTreeMap<K, S>| of.get(key).copied().unwrap_or_default();
        if sums(kept) != sums(follows) {
            differ(differences, format!("{of} {key:?}"), &sums(kept), &sums(follows));
        }
    }
}
