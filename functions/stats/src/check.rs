//! The consistency check: holds every loan, the journal and every figure against what follows from the transactions.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use backend::{
    db::{Db, DbError, FromRow, Sql, column},
    models::{
        applications::Moment,
        ledger::{self, Kept, Posted},
        portfolio::{self, KeptAgent, KeptBook, KeptExposure},
    },
};
use jiff::{Timestamp, tz::TimeZone};
use tokio_postgres::Row;

use crate::{
    Difference, NO_TIME_LIMIT,
    recompute::{Recomputed, recompute},
};

/// Reads everything as it was at one instant, while others write.
pub const ONE_INSTANT: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Months that are not the sums of their days.
pub const DIFFERENT_MONTHS: &str = "\
WITH book AS (
    SELECT date_trunc('month', on_date)::date, currency, status, sum(loans), sum(amount), sum(disbursed), sum(repaid),
        sum(outstanding), sum(past_due)
    FROM book_days GROUP BY 1, 2, 3),
accounts AS (
    SELECT date_trunc('month', on_date)::date, currency, account, sum(debit), sum(credit)
    FROM account_days GROUP BY 1, 2, 3)
SELECT 'book_months' AS of, x::text AS kept FROM (TABLE book_months EXCEPT TABLE book) x
UNION ALL SELECT 'book_days by month', x::text FROM (TABLE book EXCEPT TABLE book_months) x
UNION ALL SELECT 'account_months', x::text FROM (TABLE account_months EXCEPT TABLE accounts) x
UNION ALL SELECT 'account_days by month', x::text FROM (TABLE accounts EXCEPT TABLE account_months) x";

impl FromRow for Difference {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self { of: column(row, "of")?, kept: column(row, "kept")?, follows: "another sum".into() })
    }
}

/// Recomputes everything, and finds no difference: or says which.
///
/// # Errors
///
/// Without a database.
pub async fn check(db: &Db, zone: &TimeZone) -> Result<Vec<Difference>, DbError> {
    let now = Timestamp::now();
    let at = Moment { now, today: zone.to_datetime(now).date(), zone };
    let (tx, _) = db.begin(&(Sql::new(ONE_INSTANT).execute(), Sql::new(NO_TIME_LIMIT).execute())).await?;
    let Recomputed { figures, accounts, mut differences, .. } = recompute(&tx, at).await?;
    let (book, exposures, agents) = tx.run(&portfolio::kept()).await?;
    let book = book.into_iter().map(|KeptBook(key, sums)| (key, sums)).collect();
    compare("book", &book, &figures.book, &mut differences);
    let exposures = exposures.into_iter().map(|KeptExposure(key, sums)| (key, sums)).collect();
    compare("exposures", &exposures, &figures.exposures, &mut differences);
    let agents = agents.into_iter().map(|KeptAgent(key, sums)| (key, sums)).collect();
    compare("agents", &agents, &figures.agents, &mut differences);
    let kept = tx.run(&ledger::kept()).await?;
    let kept = kept.into_iter().map(|Kept(Posted(key, sums))| (key, sums)).collect();
    compare("accounts", &kept, &accounts, &mut differences);
    differences.extend(tx.run(&Sql::new(DIFFERENT_MONTHS).all::<Difference>()).await?);
    tx.rollback().await;
    Ok(differences)
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
            differences.push(Difference::new(format!("{of} {key:?}"), &sums(kept), &sums(follows)));
        }
    }
}
