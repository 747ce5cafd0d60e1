//! Figures of the whole book: how many loans in which state, how much money in which currency. Sums never mix
//! currencies.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use lending::{Currency, Money};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use tokio_postgres::{Row, types::Json};
use utoipa::ToSchema;

use crate::{
    columns,
    db::{DbError, FromRow, Sql, Statement, column},
    domain::loan::LoanStatus,
    values::{page::Limit, time::BusinessDate, words::words},
};

/// The figures of the book on a business date.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Statistics {
    /// The business date.
    pub as_of: BusinessDate,
    /// Loans in any state.
    #[schema(example = 5)]
    pub total_loans: i64,
    /// Loans by state; all seven are there.
    #[schema(example = json!({"pending": 1, "approved": 1, "rejected": 1, "withdrawn": 0, "disbursed": 1, "repaid": 1,
        "defaulted": 0}))]
    pub by_status: BTreeMap<String, i64>,
    /// Money by currency, for currencies that have loans.
    pub by_currency: BTreeMap<String, CurrencyStatistics>,
}

/// The figures of one currency: sums with exactly the currency's decimals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "total_amount": "50000.00", "avg_amount": "50000.00", "disbursed": "0.00", "repaid": "0.00",
    "outstanding": "0.00", "past_due": "0.00"}))]
pub struct CurrencyStatistics {
    /// Loans in any state.
    #[schema(example = 1)]
    pub loans: i64,
    /// The sum of the amounts of all loans.
    #[schema(value_type = Money)]
    pub total_amount: String,
    /// Their mean, rounded half to even.
    #[schema(value_type = Money)]
    pub avg_amount: String,
    /// Principal paid out.
    #[schema(value_type = Money)]
    pub disbursed: String,
    /// Principal paid back, without what was written off.
    #[schema(value_type = Money)]
    pub repaid: String,
    /// Principal outstanding.
    #[schema(value_type = Money)]
    pub outstanding: String,
    /// Principal, interest and fees fallen due and not paid.
    #[schema(value_type = Money)]
    pub past_due: String,
}

/// Loans and sums by currency and state on a day: everything before the last mark, the days since, and the changes that
/// are not summed yet.
pub const BOOK: &str = "\
WITH last AS (SELECT max(before) AS mark FROM book_marks WHERE before <= $1::date + 1),
figures AS (
    SELECT currency, status, loans, amount, disbursed, repaid, outstanding, past_due
    FROM book_totals WHERE before = (SELECT mark FROM last)
    UNION ALL
    SELECT currency, status, loans, amount, disbursed, repaid, outstanding, past_due
    FROM book_days WHERE on_date >= coalesce((SELECT mark FROM last), '-infinity') AND on_date <= $1
    UNION ALL
    SELECT currency, status, loans, amount, disbursed, repaid, outstanding, past_due
    FROM book_changes WHERE on_date <= $1)
SELECT currency, status, sum(loans)::int8 AS loans, sum(amount) AS amount, sum(disbursed) AS disbursed,
    sum(repaid) AS repaid, sum(outstanding) AS outstanding, sum(past_due) AS past_due
FROM figures GROUP BY currency, status";

/// Marks every eighth day up to this one, from the first of the book on, and sums up everything before it: from the
/// last mark on, day by day.
pub const MARK: &str = "\
WITH last AS (SELECT max(before) AS mark FROM book_marks),
first AS (SELECT coalesce((SELECT mark FROM last), (SELECT min(on_date) FROM book_days)) + 8 AS mark),
marked AS (
    INSERT INTO book_marks (before)
    SELECT day::date FROM first, generate_series(first.mark, $1::date, interval '8 days') day
    RETURNING before),
parts AS (
    SELECT CASE WHEN on_date < mark THEN mark ELSE mark + 8 * ((on_date - mark) / 8 + 1) END AS before,
        currency, status,
        loans, amount, disbursed, repaid, outstanding, past_due
    FROM book_days, first WHERE on_date >= coalesce((SELECT mark FROM last), '-infinity') AND on_date < $1
    UNION ALL
    SELECT mark, currency, status, loans, amount, disbursed, repaid, outstanding, past_due
    FROM book_totals, first WHERE before = (SELECT mark FROM last)),
sums AS (
    SELECT before, currency, status, sum(loans) AS loans, sum(amount) AS amount, sum(disbursed) AS disbursed,
        sum(repaid) AS repaid, sum(outstanding) AS outstanding, sum(past_due) AS past_due
    FROM parts GROUP BY before, currency, status),
totals AS (
    SELECT m.before, g.currency, g.status, sum(loans) OVER w AS loans, sum(amount) OVER w AS amount,
        sum(disbursed) OVER w AS disbursed, sum(repaid) OVER w AS repaid, sum(outstanding) OVER w AS outstanding,
        sum(past_due) OVER w AS past_due
    FROM marked m CROSS JOIN (SELECT DISTINCT currency, status FROM sums) g
    LEFT JOIN sums s ON s.before = m.before AND s.currency = g.currency AND s.status = g.status
    WINDOW w AS (PARTITION BY g.currency, g.status ORDER BY m.before))
INSERT INTO book_totals (before, currency, status, loans, amount, disbursed, repaid, outstanding, past_due)
SELECT * FROM totals WHERE loans IS NOT NULL";

/// Keeps others from the sums of days until the marks are made.
pub const LOCK_DAYS: &str = "LOCK TABLE book_days IN ROW EXCLUSIVE MODE";

/// Keeps the figures of a business date, unless later ones are kept already.
pub const KEEP_SNAPSHOT: &str = "\
INSERT INTO statistics_snapshots AS s (business_date, taken_at, figures) VALUES ($1, $2, $3)
ON CONFLICT (business_date) DO UPDATE SET taken_at = excluded.taken_at, figures = excluded.figures
WHERE s.taken_at < excluded.taken_at";

/// The last day up to this one with stored figures; without any, the first day of the book.
pub const FIRST_TO_KEEP: &str = "\
SELECT day FROM (SELECT coalesce(
    (SELECT max(business_date) FROM statistics_snapshots WHERE business_date <= $1),
    (SELECT min(on_date) FROM book_days WHERE on_date <= $1)) AS day) first WHERE day IS NOT NULL";

/// The row of [`FIRST_TO_KEEP`].
pub struct Day(pub Date);

impl FromRow for Day {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self(column(row, "day")?))
    }
}

/// The first day whose figures are to be stored; `None` while nothing has happened.
#[must_use]
pub fn first_to_keep(today: Date) -> Statement<Option<Day>> {
    Sql::new(FIRST_TO_KEEP).bind(today).optional()
}

/// The stored figures of a range of days: of each day, or of the last stored day in each week or month.
pub const HISTORY: &str = "\
SELECT DISTINCT ON (date_trunc($1, business_date)) business_date, figures FROM statistics_snapshots
WHERE business_date >= $2 AND business_date <= $3";

words! {
    /// How far apart the figures of a series are.
    #[derive(Default)]
    Interval {
        /// Each day.
        #[default]
        Day = "day",
        /// The last day of each week, which begins on a Monday.
        Week = "week",
        /// The last day of each month.
        Month = "month",
    }
}

/// One row of [`HISTORY`].
pub struct SnapshotRow(pub Statistics);

impl FromRow for SnapshotRow {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let Json(figures) = column::<Json<Statistics>>(row, "figures")?;
        Ok(Self(figures))
    }
}

/// A page of the series, the latest first; `before` is the day of the last one of the page before.
#[must_use]
pub fn history(
    interval: Interval,
    from: Date,
    to: Date,
    before: Option<Date>,
    limit: Limit,
) -> Statement<Vec<SnapshotRow>> {
    let period = interval.as_str();
    let sql = Sql::new(HISTORY).bind(period).bind(from).bind(to);
    let sql = sql.push_if(" AND date_trunc($1, business_date) < date_trunc($1, {}::date)", before);
    sql.push(" ORDER BY date_trunc($1, business_date) DESC, business_date DESC")
        .push_bind(" LIMIT {}", limit.and_one())
        .all()
}

/// One row of [`BOOK`].
pub struct Total {
    currency: Currency,
    status: LoanStatus,
    loans: i64,
    amount: Decimal,
    disbursed: Decimal,
    repaid: Decimal,
    outstanding: Decimal,
    past_due: Decimal,
}

columns! {
    Total {
        currency: "currency",
        status: "status",
        loans: "loans",
        amount: "amount",
        disbursed: "disbursed",
        repaid: "repaid",
        outstanding: "outstanding",
        past_due: "past_due",
    }
}

/// The sums behind the figures of a day.
#[must_use]
pub fn book(as_of: Date) -> Statement<Vec<Total>> {
    Sql::new(BOOK).bind(as_of).all()
}

/// Marks the days up to this one.
#[must_use]
pub fn mark(today: Date) -> Statement<()> {
    Sql::new(MARK).bind(today).execute()
}

/// Keeps a snapshot.
#[must_use]
pub fn keep_snapshot(statistics: &Statistics, taken_at: Timestamp) -> Statement<()> {
    Sql::new(KEEP_SNAPSHOT).bind(statistics.as_of.0).bind(taken_at).bind(Json(statistics.clone())).execute()
}

#[derive(Default)]
struct Sums {
    loans: i64,
    total: Decimal,
    disbursed: Decimal,
    repaid: Decimal,
    outstanding: Decimal,
    past_due: Decimal,
}

impl Statistics {
    /// Adds up the rows that [`book`] returns for this day.
    #[must_use]
    pub fn new(as_of: Date, totals: &[Total]) -> Self {
        let mut by_status: BTreeMap<String, i64> =
            LoanStatus::ALL.iter().map(|status| (status.as_str().to_owned(), 0)).collect();
        let mut sums: BTreeMap<Currency, Sums> = BTreeMap::new();
        for total in totals {
            *by_status.entry(total.status.as_str().to_owned()).or_default() += total.loans;
            let sums = sums.entry(total.currency).or_default();
            sums.loans += total.loans;
            sums.total += total.amount;
            sums.disbursed += total.disbursed;
            sums.repaid += total.repaid;
            sums.outstanding += total.outstanding;
            sums.past_due += total.past_due;
        }
        // A currency whose first loan came later has no figures yet.
        sums.retain(|_, sums| sums.loans != 0);
        Self {
            as_of: BusinessDate(as_of),
            total_loans: by_status.values().sum(),
            by_status,
            by_currency: sums
                .into_iter()
                .map(|(currency, sums)| (currency.code().to_owned(), sums.figures(currency)))
                .collect(),
        }
    }
}

impl Sums {
    fn figures(&self, currency: Currency) -> CurrencyStatistics {
        let show = |sum: Decimal| {
            let mut rounded = sum.round_dp_with_strategy(currency.decimals(), RoundingStrategy::MidpointNearestEven);
            rounded.rescale(currency.decimals());
            rounded.to_string()
        };
        let mean = if self.loans == 0 { Decimal::ZERO } else { self.total / Decimal::from(self.loans) };
        CurrencyStatistics {
            loans: self.loans,
            total_amount: show(self.total),
            avg_amount: show(mean),
            disbursed: show(self.disbursed),
            repaid: show(self.repaid),
            outstanding: show(self.outstanding),
            past_due: show(self.past_due),
        }
    }
}
