//! Sums of exposures, by the date of the oldest unpaid instalment.

use jiff::civil::Date;
use lending::{Currency, Money};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    db::{DbError, FromRow, Reading, Sql, Statement},
    domain::portfolio::{ALL, ExposureSums, Grouping},
};

/// Exposures on a day by currency, product or agent, or of one group, in classes of days past due (the lower bound of
/// each); the row under -1 is the total of the group. [`Arrears::of`] adds them up.
pub const ARREARS: &str = "\
SELECT group_name, currency,
    CASE WHEN oldest_unpaid_due_on = $4 THEN -1 WHEN oldest_unpaid_due_on > $2::date - 30 THEN 1
        WHEN oldest_unpaid_due_on > $2::date - 60 THEN 30 WHEN oldest_unpaid_due_on > $2::date - 90 THEN 60 ELSE 90 END AS days,
    sum(loans)::int8 AS loans, sum(outstanding) AS outstanding
FROM (SELECT * FROM exposures UNION ALL SELECT * FROM exposure_changes) kept
WHERE grouped_by = $1 AND oldest_unpaid_due_on < $2::date AND ($3::text IS NULL OR group_name = $3)
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

/// The exposures on a day, by class of days past due.
#[must_use]
pub fn arrears(grouping: Grouping, today: Date) -> Statement<Vec<ArrearsRow>> {
    arrears_of(grouping, today, None)
}

/// The exposures of one agent on a day, by currency.
#[must_use]
pub fn agents_arrears(agent: Uuid, today: Date) -> Statement<Vec<ArrearsRow>> {
    arrears_of(Grouping::Agent, today, Some(agent.to_string()))
}

fn arrears_of(grouping: Grouping, today: Date, group: Option<String>) -> Statement<Vec<ArrearsRow>> {
    Sql::new(ARREARS).bind(grouping.as_str()).bind(today).bind(group).bind(ALL).all()
}
