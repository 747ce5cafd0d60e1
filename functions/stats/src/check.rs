//! The consistency check: compares every loan, the journal and every figure with values recomputed from the
//! transactions, and every history with its loan or product.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use backend::{
    db::{Db, DbError, FromRow, Sql, column},
    domain::ledger::PostedSums,
    store::{
        ledger::{self, SummedRow},
        portfolio::{self, AgentRow, BookRow, ExposureRow},
    },
    values::moment::Moment,
};
use jiff::{Timestamp, tz::TimeZone};
use tokio_postgres::Row;

use crate::recompute::{Difference, NO_TIME_LIMIT, Recomputed, recompute};

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
SELECT 'book_months' AS of, x::text AS kept, 'another sum' AS follows FROM (TABLE book_months EXCEPT TABLE book) x
UNION ALL SELECT 'book_days by month', x::text, 'another sum' FROM (TABLE book EXCEPT TABLE book_months) x
UNION ALL SELECT 'account_months', x::text, 'another sum' FROM (TABLE account_months EXCEPT TABLE accounts) x
UNION ALL SELECT 'account_days by month', x::text, 'another sum' FROM (TABLE accounts EXCEPT TABLE account_months) x";

/// Totals before a mark that are not the sums of the days before it; zeros may be missing.
pub const DIFFERENT_TOTALS: &str = "\
WITH sums AS (
    SELECT before, currency, status, sum(loans)::int8 AS loans, sum(amount) AS amount, sum(disbursed) AS disbursed,
        sum(repaid) AS repaid, sum(outstanding) AS outstanding, sum(past_due) AS past_due
    FROM book_marks JOIN book_days ON on_date < before GROUP BY before, currency, status)
SELECT 'book_totals' AS of, x::text AS kept, 'another sum' AS follows FROM (TABLE book_totals EXCEPT TABLE sums) x
WHERE (loans, amount, disbursed, repaid, outstanding, past_due) <> (0, 0, 0, 0, 0, 0)
UNION ALL SELECT 'days before book_totals', x::text, 'another sum' FROM (TABLE sums EXCEPT TABLE book_totals) x
WHERE (loans, amount, disbursed, repaid, outstanding, past_due) <> (0, 0, 0, 0, 0, 0)";

/// Loans and products whose history is not theirs: versions are missing or foreign, or the last one differs from the
/// present state. In a history, a status that follows from money counts as approved.
pub const DIFFERENT_VERSIONS: &str = "\
SELECT 'versions of the loan ' || l.id AS of, count(v.version) || ' up to ' || coalesce(max(v.version), 0) AS kept,
    l.version || ' without a gap' AS follows
FROM loans l LEFT JOIN loan_versions v ON v.loan_id = l.id
GROUP BY l.id HAVING count(v.version) <> l.version OR max(v.version) <> l.version
UNION ALL
SELECT 'the last version of the loan ' || l.id,
    (v.status, v.currency, v.amount, v.product_code, v.product_version, v.terms)::text,
    (l.status, l.currency, l.amount, l.product_code, l.product_version, l.terms)::text
FROM loans l JOIN loan_versions v ON v.loan_id = l.id AND v.version = l.version
WHERE (v.currency, v.amount, v.product_code, v.product_version, v.terms)
        <> (l.currency, l.amount, l.product_code, l.product_version, l.terms)
    OR v.status <> CASE WHEN l.status IN ('disbursed', 'repaid', 'defaulted') THEN 'approved' ELSE l.status END
UNION ALL
SELECT 'the last edit of the loan ' || l.id, (l.edited_by, coalesce(l.edited_at, l.created_at))::text,
    (v.by_id, v.at)::text
FROM loans l, LATERAL (
    SELECT by_id, at FROM loan_versions WHERE loan_id = l.id AND action IN ('create', 'edit', 'revert')
    ORDER BY version DESC LIMIT 1) v
WHERE (l.edited_by, coalesce(l.edited_at, l.created_at)) <> (v.by_id, v.at)
UNION ALL
SELECT 'versions of the product ' || p.code, count(v.version) || ' up to ' || coalesce(max(v.version), 0),
    p.version || ' without a gap'
FROM products p LEFT JOIN product_versions v ON v.code = p.code
GROUP BY p.code HAVING count(v.version) <> p.version OR max(v.version) <> p.version
UNION ALL
SELECT 'the last version of the product ' || p.code, v::text, p::text
FROM products p JOIN product_versions v ON v.code = p.code AND v.version = p.version
WHERE (v.name, v.currency, v.min_amount, v.max_amount, v.min_instalments, v.max_instalments, v.min_rate_apr,
    v.max_rate_apr,
        v.is_default, v.active, v.terms)
    <> (p.name, p.currency, p.min_amount, p.max_amount, p.min_instalments, p.max_instalments, p.min_rate_apr,
        p.max_rate_apr,
        p.is_default, p.active, p.terms)";

/// Payments whose sums differ from those of their repayments and movements, or whose entries differ from them.
pub const DIFFERENT_PAYMENTS: &str = "\
WITH applied AS (
    SELECT t.payment_id, sum(t.amount) AS amount FROM transactions t
    WHERE t.payment_id IS NOT NULL AND NOT EXISTS (SELECT FROM transactions r WHERE r.reverses = t.id)
    GROUP BY t.payment_id),
moved AS (
    SELECT payment_id, coalesce(sum(amount) FILTER (WHERE kind = 'correction'), 0) AS corrected,
        coalesce(sum(amount) FILTER (WHERE kind <> 'correction'), 0) AS returned
    FROM payment_movements GROUP BY payment_id)
SELECT 'the payment ' || p.id AS of, (p.corrected, p.applied, p.returned)::text AS kept,
    (coalesce(m.corrected, 0), coalesce(a.amount, 0), coalesce(m.returned, 0))::text AS follows
FROM payments p LEFT JOIN applied a ON a.payment_id = p.id LEFT JOIN moved m ON m.payment_id = p.id
WHERE (p.corrected, p.applied, p.returned) <> (coalesce(m.corrected, 0), coalesce(a.amount, 0), coalesce(m.returned, 0))
UNION ALL
SELECT 'the entries of the payment ' || p.id, coalesce(e.balance, 0)::text, (p.amount + p.corrected - p.returned)::text
FROM payments p LEFT JOIN (
    SELECT e.payment_id, sum(l.credit - l.debit) AS balance
    FROM journal_entries e JOIN journal_lines l ON l.entry_id = e.id AND l.account = 'unapplied_payments'
    WHERE e.payment_id IS NOT NULL GROUP BY e.payment_id) e ON e.payment_id = p.id
WHERE coalesce(e.balance, 0) <> p.amount + p.corrected - p.returned";

/// Currencies in which the account of what is in suspense is not what is unapplied.
pub const DIFFERENT_SUSPENSE: &str = "\
WITH posted AS (
    SELECT currency, sum(credit - debit) AS balance
    FROM (SELECT * FROM account_days UNION ALL SELECT * FROM account_changes) kept
    WHERE account = 'unapplied_payments' GROUP BY currency),
unapplied AS (
    SELECT currency, sum(amount + corrected - applied - returned) AS sum FROM payments GROUP BY currency)
SELECT 'unapplied_payments in ' || currency AS of, coalesce(balance, 0)::text AS kept, coalesce(sum, 0)::text AS follows
FROM posted FULL JOIN unapplied USING (currency) WHERE coalesce(balance, 0) <> coalesce(sum, 0)";

/// Large objects, of which we make none: if the functions' login may make some, it could store there what nobody sees.
pub const LARGE_OBJECTS: &str = "\
SELECT 'large objects' AS of, count(*)::text AS kept, '0' AS follows FROM pg_largeobject_metadata HAVING count(*) > 0";

impl FromRow for Difference {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self { of: column(row, "of")?, kept: column(row, "kept")?, follows: column(row, "follows")? })
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
    let book = book.into_iter().map(|BookRow(key, sums)| (key, sums)).collect();
    compare("book", &book, &figures.book, &mut differences);
    let exposures = exposures.into_iter().map(|ExposureRow(key, sums)| (key, sums)).collect();
    compare("exposures", &exposures, &figures.exposures, &mut differences);
    let agents = agents.into_iter().map(|AgentRow(key, sums)| (key, sums)).collect();
    compare("agents", &agents, &figures.agents, &mut differences);
    let kept = tx.run(&ledger::kept()).await?;
    let kept = kept.into_iter().map(|SummedRow(PostedSums(key, sums))| (key, sums)).collect();
    compare("accounts", &kept, &accounts, &mut differences);
    let all =
        [DIFFERENT_MONTHS, DIFFERENT_TOTALS, DIFFERENT_VERSIONS, DIFFERENT_PAYMENTS, DIFFERENT_SUSPENSE, LARGE_OBJECTS];
    for sql in all {
        differences.extend(tx.run(&Sql::new(sql).all::<Difference>()).await?);
    }
    tx.rollback().await;
    Ok(differences)
}

/// Compares stored sums with recomputed ones; a zero may be missing.
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
