//! Sums of exposures, by the date of the oldest unpaid instalment.

use jiff::civil::Date;
use lending::{Currency, Money};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    db::{DbError, FromRow, Reading, Sql, Statement},
    domain::portfolio::{ALL, ExposureSums, Grouping},
    values::page::{Limit, Position},
};

/// Exposures on a day by currency, product or agent in classes of days past due (the lower bound of each); the row
/// under -1 is the total of the group. So many groups behind a name, in byte order, loans without a group last.
/// [`ArrearsPage::of`] adds them up.
pub const ARREARS: &str = "\
WITH page AS (
    SELECT group_name
    FROM (SELECT grouped_by, oldest_unpaid_due_on, group_name FROM exposures
        UNION ALL SELECT grouped_by, oldest_unpaid_due_on, group_name FROM exposure_changes) kept
    WHERE grouped_by = $1 AND oldest_unpaid_due_on = $3
        AND ($4::text IS NULL OR group_name COLLATE \"C\" > $4 OR group_name IS NULL)
    GROUP BY group_name ORDER BY group_name COLLATE \"C\" NULLS LAST LIMIT $5),
kept AS (
    SELECT e.group_name, e.currency, e.oldest_unpaid_due_on, e.loans, e.outstanding
    FROM page JOIN exposures e ON e.grouped_by = $1 AND e.group_name = page.group_name
    UNION ALL
    SELECT c.group_name, c.currency, c.oldest_unpaid_due_on, c.loans, c.outstanding
    FROM page JOIN exposure_changes c ON c.grouped_by = $1 AND c.group_name = page.group_name
    UNION ALL
    SELECT n.* FROM (
        SELECT group_name, currency, oldest_unpaid_due_on, loans, outstanding
        FROM exposures WHERE grouped_by = $1 AND group_name IS NULL
        UNION ALL SELECT group_name, currency, oldest_unpaid_due_on, loans, outstanding
        FROM exposure_changes WHERE grouped_by = $1 AND group_name IS NULL) n
    WHERE (SELECT count(*) > count(group_name) FROM page))
SELECT group_name, currency,
    CASE WHEN oldest_unpaid_due_on = $3 THEN -1 WHEN oldest_unpaid_due_on > $2::date - 30 THEN 1
        WHEN oldest_unpaid_due_on > $2::date - 60 THEN 30 WHEN oldest_unpaid_due_on > $2::date - 90 THEN 60
        ELSE 90 END AS days,
    sum(loans)::int8 AS loans, sum(outstanding) AS outstanding
FROM kept WHERE oldest_unpaid_due_on < $2::date
GROUP BY 1, 2, 3";

/// As [`ARREARS`], of one group.
pub const ARREARS_OF_GROUP: &str = "\
SELECT group_name, currency,
    CASE WHEN oldest_unpaid_due_on = $3 THEN -1 WHEN oldest_unpaid_due_on > $2::date - 30 THEN 1
        WHEN oldest_unpaid_due_on > $2::date - 60 THEN 30 WHEN oldest_unpaid_due_on > $2::date - 90 THEN 60
        ELSE 90 END AS days,
    sum(loans)::int8 AS loans, sum(outstanding) AS outstanding
FROM (SELECT grouped_by, group_name, currency, oldest_unpaid_due_on, loans, outstanding FROM exposures
    UNION ALL SELECT grouped_by, group_name, currency, oldest_unpaid_due_on, loans, outstanding
    FROM exposure_changes) kept
WHERE grouped_by = $1 AND oldest_unpaid_due_on < $2::date AND group_name = $4
GROUP BY 1, 2, 3";

/// One row of [`ARREARS`].
pub struct ArrearsRow {
    pub(crate) group: Option<String>,
    pub(crate) currency: Currency,
    pub(crate) days: i32,
    pub(crate) sums: ExposureSums,
}

impl FromRow for ArrearsRow {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let row = Reading::new(row);
        let (group, days) = (row.get("group_name")?, row.get("days")?);
        let sums = ExposureSums { loans: row.get("loans")?, outstanding: row.get("outstanding").map(Money::units)? };
        Ok(Self { group, currency: row.currency()?, days, sums })
    }
}

/// The exposures on a day, by class of days past due: of a page of groups, and of one more if there is one.
#[must_use]
pub fn arrears(
    grouping: Grouping,
    today: Date,
    after: Option<Position<String, ()>>,
    limit: Limit,
) -> Statement<Vec<ArrearsRow>> {
    let after = after.map(|Position(group, ())| group);
    Sql::new(ARREARS).bind(grouping.as_str()).bind(today).bind(ALL).bind(after).bind(limit.and_one()).all()
}

/// The exposures of one agent on a day, by currency.
#[must_use]
pub fn agents_arrears(agent: Uuid, today: Date) -> Statement<Vec<ArrearsRow>> {
    let grouping = Grouping::Agent.as_str();
    Sql::new(ARREARS_OF_GROUP).bind(grouping).bind(today).bind(ALL).bind(agent.to_string()).all()
}
