//! Statements of sources' accounts: their reports, the payments that their credits are, and the sums of each day.

use jiff::civil::Date;
use lending::Money;
use serde::Serialize;
use tokio_postgres::{Row, types::Json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    columns,
    db::{DbError, FromRow, Reading, Sql, Statement},
    domain::{
        statement_report::{OnlyHere, Report},
        statements::Recorded,
    },
    values::time::BusinessDate,
};

/// The report of a file.
pub const REPORT: &str = "SELECT report FROM payment_statements WHERE source = $1 AND digest = $2";

/// The payments that the credits of a statement may be: by the credits' names, by receipts, and by what was typed. The
/// earliest come first.
pub const RECORDED: &str = "\
SELECT p.id, p.external_id, p.currency, p.amount + p.corrected AS amount, p.paid_on, d.reference,
    c.external_id AS found_by
FROM (
    SELECT id FROM payments WHERE source = $1 AND external_id = ANY ($2)
    UNION SELECT payment_id FROM payment_credits WHERE source = $1 AND external_id = ANY ($2)
    UNION SELECT p.id FROM payment_details d JOIN payments p ON p.id = d.payment_id
        WHERE d.reference = ANY ($2) AND p.source = $1 AND p.paid_on BETWEEN $3::date - 7 AND $4::date + 7) found
JOIN payments p USING (id) JOIN payment_details d ON d.payment_id = p.id
    LEFT JOIN payment_credits c ON c.payment_id = p.id
ORDER BY p.paid_on, p.id";

/// Payments of a source's days that no credit is: neither of these, nor of an earlier statement.
pub const ONLY_HERE: &str = "\
SELECT p.id, p.external_id, p.currency, p.amount + p.corrected AS amount, p.paid_on FROM payments p
WHERE p.source = $1 AND p.paid_on BETWEEN $2 AND $3 AND p.id <> ALL ($4)
    AND NOT EXISTS (SELECT FROM payment_credits c WHERE c.payment_id = p.id)
ORDER BY p.paid_on, p.id LIMIT 500";

/// Keeps a statement with its report.
pub const INSERT_STATEMENT: &str = "\
INSERT INTO payment_statements (id, source, digest, from_date, to_date, report, received_at, recorded_by)
VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp(), $7)";

/// Keeps which payments the credits of a statement are.
pub const INSERT_CREDITS: &str = "\
INSERT INTO payment_credits (source, external_id, payment_id, statement_id)
SELECT $1, credit.external_id, credit.payment_id, $2
FROM unnest($3::text[], $4::uuid[]) AS credit (external_id, payment_id) ON CONFLICT DO NOTHING";

/// The sums of a source's days.
pub const DAYS: &str = "\
SELECT day::date AS on_date, s.currency, coalesce(p.payments, 0) AS payments, coalesce(p.received, 0) AS received,
    coalesce(p.applied, 0) AS applied, coalesce(p.returned, 0) AS returned,
    EXISTS (
        SELECT FROM payment_statements t
        WHERE t.source = $1 AND t.to_date >= day::date AND t.from_date <= day::date) AS covered
FROM payment_sources s CROSS JOIN generate_series($2::date, $3::date, interval '1 day') AS day
LEFT JOIN (
    SELECT paid_on, count(*) AS payments, sum(amount + corrected) AS received, sum(applied) AS applied,
        sum(returned) AS returned
    FROM payments WHERE source = $1 AND paid_on BETWEEN $2 AND $3 GROUP BY paid_on) p ON p.paid_on = day::date
WHERE s.code = $1 ORDER BY day";

impl FromRow for Report {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let Json(report) = Reading::new(row).column("report")?;
        Ok(report)
    }
}

columns! {
    Recorded {
        payment_id: "id",
        external_id: "external_id",
        amount: "amount",
        paid_on: "paid_on",
        reference: "reference",
        found_by: "found_by",
    }
}

impl FromRow for OnlyHere {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let row = Reading::new(row);
        let (payment_id, external_id, amount) = (row.get("id")?, row.get("external_id")?, row.get::<Money>("amount")?);
        Ok(Self { payment_id, external_id, paid_on: row.get("paid_on")?, amount: amount.to_string() })
    }
}

/// The report of a file, by its SHA-256.
#[must_use]
pub fn report(source: &str, digest: &[u8]) -> Statement<Option<Report>> {
    Sql::new(REPORT).bind(source.to_owned()).bind(digest.to_vec()).optional()
}

/// The payments that credits of these days may be, by their names and the texts with them.
#[must_use]
pub fn recorded(source: &str, texts: Vec<String>, (from, to): (Date, Date)) -> Statement<Vec<Recorded>> {
    Sql::new(RECORDED).bind(source.to_owned()).bind(texts).bind(from).bind(to).all()
}

/// Payments of these days that no credit is, besides these.
#[must_use]
pub fn only_here(source: &str, (from, to): (Date, Date), found: Vec<Uuid>) -> Statement<Vec<OnlyHere>> {
    Sql::new(ONLY_HERE).bind(source.to_owned()).bind(from).bind(to).bind(found).all()
}

/// Keeps a statement with the payments that its credits are.
#[must_use]
pub fn insert(
    source: &str,
    digest: &[u8],
    report: &Report,
    credits: &[(String, Uuid)],
    by: Uuid,
) -> Vec<Statement<()>> {
    let statement = Sql::new(INSERT_STATEMENT)
        .bind(report.id)
        .bind(source.to_owned())
        .bind(digest.to_vec())
        .bind(report.from.0)
        .bind(report.to.0)
        .bind(Json(report.clone()))
        .bind(by)
        .execute();
    let (names, payments): (Vec<String>, Vec<Uuid>) = credits.iter().cloned().unzip();
    let credits = Sql::new(INSERT_CREDITS).bind(source.to_owned()).bind(report.id).bind(names).bind(payments);
    vec![statement, credits.execute()]
}

/// The payments of a day: how much arrived, and what became of it until now.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ReconciledDay, example = json!({
    "received": "12500.00", "applied": "12000.00", "returned": "0.00", "unapplied": "500.00"}))]
pub struct Day {
    /// The business date on which they were paid.
    pub on: BusinessDate,
    /// How many there are.
    pub payments: i64,
    /// Their sum, corrections included.
    pub received: Money,
    /// How much of it repayments are that stand.
    pub applied: Money,
    /// How much of it went back, or was the lender's own money.
    pub returned: Money,
    /// The part in suspense.
    pub unapplied: Money,
    /// True if a statement covers the day.
    pub covered: bool,
}

impl FromRow for Day {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let row = Reading::new(row);
        let (received, applied, returned): (Money, Money, Money) =
            (row.get("received")?, row.get("applied")?, row.get("returned")?);
        let unapplied = received.checked_sub(applied).and_then(|left| left.checked_sub(returned));
        Ok(Self {
            on: row.get("on_date")?,
            payments: row.get("payments")?,
            received,
            applied,
            returned,
            unapplied: unapplied.ok_or_else(|| DbError::unexpected("the sums of a day are out of range"))?,
            covered: row.get("covered")?,
        })
    }
}

/// The sums of a source's days, one after the other.
#[must_use]
pub fn days(source: &str, (from, to): (Date, Date)) -> Statement<Vec<Day>> {
    Sql::new(DAYS).bind(source.to_owned()).bind(from).bind(to).all()
}
