//! Whose loans they are: a loan is assigned to another agent, or all of an agent's at once. What each loan was is kept
//! in its row and in its history; no version is made.

use tokio_postgres::Row;
use uuid::Uuid;

use crate::db::{DbError, FromRow, Sql, Statement, column};

/// An id of many.
#[derive(Clone, Copy, Debug)]
pub struct Id(pub Uuid);

impl FromRow for Id {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self(column(row, "id")?))
    }
}

/// The loans of an agent that are not closed, locked in the order of their ids.
pub const LOCK_BOOK: &str = "\
SELECT id FROM loans WHERE agent_id = $1 AND status IN ('pending', 'approved', 'disbursed', 'defaulted')
ORDER BY id FOR NO KEY UPDATE";

/// Assigns loans, each from an instant on that is later than all that is known of it, and leaves what that changes in
/// the sums of what is out by agent.
pub const ASSIGN: &str = "\
WITH moved AS (
    UPDATE loans l SET agent_id = $2, updated_at = given.at, agents_until = array_append(l.agents_until, given.at),
        agents_before = array_append(l.agents_before, l.agent_id),
        stated_at = CASE WHEN l.stated_at = l.updated_at AND l.rules_version = $5 THEN given.at ELSE l.stated_at END
    FROM (
        SELECT id, agent_id, greatest($3, updated_at + interval '1 microsecond') AS at FROM loans WHERE id = ANY ($1)
    ) given
    WHERE l.id = given.id
    RETURNING l.id, l.version, l.updated_at, l.currency, l.status, l.outstanding, l.oldest_unpaid_due_on,
        given.agent_id AS from_agent),
history AS (
    INSERT INTO loan_assignments (loan_id, version, n, at, by_id, from_agent, to_agent)
    SELECT id, version, 1 + (
            SELECT count(*) FROM loan_assignments a WHERE a.loan_id = moved.id AND a.version = moved.version),
        updated_at, $4, from_agent, $2
    FROM moved)
INSERT INTO exposure_changes (grouped_by, group_name, currency, oldest_unpaid_due_on, loans, outstanding)
SELECT 'agent', side.agent::text, currency, days.due_on, sum(side.sign), sum(side.sign * outstanding)
FROM moved
CROSS JOIN LATERAL (VALUES (from_agent, -1), ($2, 1)) AS side (agent, sign)
CROSS JOIN LATERAL (VALUES (oldest_unpaid_due_on), (date '0001-01-01')) AS days (due_on)
WHERE status = 'disbursed'
GROUP BY side.agent, currency, days.due_on";

/// The loans of an agent that are not closed, locked: the agent's book.
#[must_use]
pub fn lock_book(agent: Uuid) -> Statement<Vec<Id>> {
    Sql::new(LOCK_BOOK).bind(agent).all()
}
