//! The sums of a customer's loans, by status and currency.

use jiff::civil::Date;
use lending::Money;
use uuid::Uuid;

use crate::{
    columns,
    db::{Sql, Statement},
    domain::loan::LoanStatus,
};

/// A customer's loans of one status and currency.
#[derive(Clone, Copy, Debug)]
pub struct SummaryRow {
    /// The status.
    pub status: LoanStatus,
    /// How many.
    pub loans: i64,
    /// Principal outstanding.
    pub outstanding: Money,
    /// Principal, interest and fees fallen due before the day and unpaid.
    pub past_due: Money,
    /// Overpayments held on the day.
    pub held: Money,
    /// When the oldest unpaid instalment of any of them was or is due.
    pub oldest_unpaid_due_on: Option<Date>,
}

columns! {
    SummaryRow {
        status: "status",
        loans: "loans",
        outstanding: "outstanding",
        past_due: "past_due",
        held: "held",
        oldest_unpaid_due_on: "oldest_unpaid_due_on",
    }
}

/// A customer's loans on a day.
pub const SUMMARY: &str = "\
SELECT status, currency, count(*) AS loans, sum(outstanding) AS outstanding,
    coalesce(sum((
        SELECT sum(due.amount) FROM unnest(owed_on, owed) AS due (on_day, amount)
            WHERE due.on_day < $2)), 0) AS past_due,
    coalesce(sum((
        SELECT step.amount FROM unnest(held_on, held) AS step (on_day, amount) WHERE step.on_day <= $2
        ORDER BY step.on_day DESC LIMIT 1)), 0) AS held,
    min(oldest_unpaid_due_on) AS oldest_unpaid_due_on
FROM loans WHERE borrower_id = $1 GROUP BY status, currency";

/// The sums of a customer's loans on a day.
#[must_use]
pub fn summary(customer: Uuid, today: Date) -> Statement<Vec<SummaryRow>> {
    Sql::new(SUMMARY).bind(customer).bind(today).all()
}
