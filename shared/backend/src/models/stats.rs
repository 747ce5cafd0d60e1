//! Figures of the whole book: how many loans in which state, how much money in which currency. Sums never mix
//! currencies.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use lending::Currency;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use tokio_postgres::{Row, types::Json};
use utoipa::ToSchema;

use super::{columns, loans::LoanStatus};
use crate::{
    db::{DbError, FromRow, Sql, Statement, column},
    http::time::BusinessDate,
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
    #[schema(example = json!({"pending": 1, "approved": 1, "rejected": 1, "withdrawn": 0, "disbursed": 1, "repaid": 1, "defaulted": 0}))]
    pub by_status: BTreeMap<String, i64>,
    /// Money by currency, for currencies that have loans.
    pub by_currency: BTreeMap<String, CurrencyStatistics>,
}

/// The figures of one currency: sums with exactly the currency's decimals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CurrencyStatistics {
    /// Loans in any state.
    #[schema(example = 1)]
    pub loans: i64,
    /// What all loans together are for.
    #[schema(example = "50000.00")]
    pub total_amount: String,
    /// The mean of that, rounded half to even.
    #[schema(example = "50000.00")]
    pub avg_amount: String,
    /// Principal paid out.
    #[schema(example = "0.00")]
    pub disbursed: String,
    /// Principal paid back; what was written off is not.
    #[schema(example = "0.00")]
    pub repaid: String,
    /// Principal outstanding.
    #[schema(example = "0.00")]
    pub outstanding: String,
    /// Principal, interest and fees fallen due and not paid.
    #[schema(example = "0.00")]
    pub past_due: String,
}

/// Loans and sums by currency and state.
pub const TOTALS: &str = "\
SELECT currency, status, count(*) AS loans, sum(amount) AS amount, sum(outstanding) AS outstanding,
    sum(written_off) AS written_off
FROM loans GROUP BY currency, status";

/// Principal, interest and fees that fell due before this date and are not paid, by currency.
pub const PAST_DUE: &str = "\
SELECT l.currency, sum(owed.amount) AS amount FROM loans l, unnest(l.owed_on, l.owed) AS owed (due_on, amount)
WHERE l.status = 'disbursed' AND l.oldest_unpaid_due_on < $1 AND owed.due_on < $1 GROUP BY l.currency";

/// Keeps the figures of a business date, unless later ones are kept already.
pub const KEEP_SNAPSHOT: &str = "\
INSERT INTO statistics_snapshots AS s (business_date, taken_at, figures) VALUES ($1, $2, $3)
ON CONFLICT (business_date) DO UPDATE SET taken_at = excluded.taken_at, figures = excluded.figures
WHERE s.taken_at < excluded.taken_at";

/// One row of [`TOTALS`].
pub struct Total {
    currency: Currency,
    status: LoanStatus,
    loans: i64,
    amount: Decimal,
    outstanding: Decimal,
    written_off: Decimal,
}

impl FromRow for Total {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let status: &str = column(row, "status")?;
        Ok(Self {
            currency: columns::currency(row, "currency")?,
            status: status.parse().map_err(|()| DbError::unexpected("a stored status is none"))?,
            loans: column(row, "loans")?,
            amount: column(row, "amount")?,
            outstanding: column(row, "outstanding")?,
            written_off: column(row, "written_off")?,
        })
    }
}

/// One row of [`PAST_DUE`].
pub struct Amount {
    currency: Currency,
    amount: Decimal,
}

impl FromRow for Amount {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self { currency: columns::currency(row, "currency")?, amount: column(row, "amount")? })
    }
}

/// What the figures are made of, in one round trip.
#[must_use]
pub fn totals(today: Date) -> (Statement<Vec<Total>>, Statement<Vec<Amount>>) {
    (Sql::new(TOTALS).all(), Sql::new(PAST_DUE).bind(today).all())
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
    outstanding: Decimal,
    written_off: Decimal,
    past_due: Decimal,
}

impl Statistics {
    /// Adds up what [`totals`] brought.
    #[must_use]
    pub fn new(today: Date, totals: &[Total], past_due: &[Amount]) -> Self {
        let mut by_status: BTreeMap<String, i64> =
            LoanStatus::ALL.iter().map(|status| (status.as_str().to_owned(), 0)).collect();
        let mut sums: BTreeMap<Currency, Sums> = BTreeMap::new();
        for total in totals {
            *by_status.entry(total.status.as_str().to_owned()).or_default() += total.loans;
            let sums = sums.entry(total.currency).or_default();
            sums.loans += total.loans;
            sums.total += total.amount;
            sums.outstanding += total.outstanding;
            sums.written_off += total.written_off;
            if total.status.is_disbursed() {
                sums.disbursed += total.amount;
            }
        }
        for Amount { currency, amount } in past_due {
            sums.entry(*currency).or_default().past_due += amount;
        }
        Self {
            as_of: BusinessDate(today),
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
            repaid: show(self.disbursed - self.outstanding - self.written_off),
            outstanding: show(self.outstanding),
            past_due: show(self.past_due),
        }
    }
}
