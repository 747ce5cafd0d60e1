//! Loans to collect from on a day.

use jiff::civil::Date;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    columns,
    db::{Sql, Statement},
    domain::collection::Collection,
    values::page::{Limit, Position},
};

columns! {
    Collection {
        loan_id: "id",
        pay_ref: "pay_ref",
        customer: "username",
        full_name: "full_name",
        phone: "phone",
        currency: "currency",
        due_since: "due_since",
        days_past_due: "days_past_due",
        due: "due",
        overdue: "overdue",
        penalties: "penalties",
    }
}

/// Loans with an unpaid amount, with the amounts due on a day and before it.
pub const TO_COLLECT: &str = "\
SELECT l.id, l.pay_ref, u.username, u.full_name, u.phone, l.currency,
    least(l.owed_on[1], l.penalties_on[1]) AS due_since,
    greatest($1 - l.oldest_unpaid_due_on, 0) AS days_past_due,
    (SELECT coalesce(sum(unpaid.amount), 0)
        FROM unnest(l.owed_on || l.penalties_on, l.owed || l.penalties) AS unpaid (due_on, amount)
        WHERE due_on = $1) AS due,
    (SELECT coalesce(sum(unpaid.amount), 0)
        FROM unnest(l.owed_on || l.penalties_on, l.owed || l.penalties) AS unpaid (due_on, amount)
        WHERE due_on < $1) AS overdue,
    (SELECT coalesce(sum(unpaid.amount), 0) FROM unnest(l.penalties_on, l.penalties) AS unpaid (due_on, amount)
        WHERE due_on <= $1) AS penalties
FROM loans l JOIN users u ON u.id = l.borrower_id
WHERE l.status = 'disbursed'";

/// Which loans are to be collected: by whether their oldest unpaid amount falls due that day or fell due before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bucket {
    /// Nothing fell due before that day.
    Due,
    /// Something did.
    Overdue,
}

/// Reads the loans to collect from in one round trip: loans that are due, then those that are overdue.
pub type Collecting = (Option<Statement<Vec<Collection>>>, Option<Statement<Vec<Collection>>>);

/// Loans with an unpaid amount due by a day: those that are due that day, then the overdue ones, the longest first.
/// Each part walks along a range of one index; a page is the beginning of both together.
#[must_use]
pub fn to_collect(
    on: Date,
    bucket: Option<Bucket>,
    agent: Option<Uuid>,
    after: Option<&Position<Date>>,
    limit: Limit,
) -> Collecting {
    let begin = || Sql::new(TO_COLLECT).bind(on).push_if(" AND l.agent_id = {}", agent);
    let end = |sql: Sql| {
        sql.push(" ORDER BY least(l.owed_on[1], l.penalties_on[1]), l.id").push_bind(" LIMIT {}", limit.and_one()).all()
    };
    // True if the page before ended among those that are due.
    let is_among_due = after.is_none_or(|Position(due_since, _)| *due_since >= on);
    let due = (bucket != Some(Bucket::Overdue) && is_among_due).then(|| {
        let after = after.map(|Position(_, id)| *id);
        end(begin().push(" AND least(l.owed_on[1], l.penalties_on[1]) = $1").push_if(" AND l.id > {}", after))
    });
    let overdue = (bucket != Some(Bucket::Due)).then(|| {
        let sql = begin().push(" AND least(l.owed_on[1], l.penalties_on[1]) < $1");
        end(match after {
            Some(&Position(due_since, id)) if !is_among_due => sql
                .push_bind(" AND (least(l.owed_on[1], l.penalties_on[1]), l.id) > ({}, ", due_since)
                .push_bind("{})", id),
            _ => sql,
        })
    });
    (due, overdue)
}
