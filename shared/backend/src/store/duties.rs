//! Accounts that are in another user's hand.

use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    db::{DbError, FromRow, Sql, Statement, column},
    domain::duties::SameHand,
};

/// One of them.
pub struct Account(Uuid);

impl FromRow for Account {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self(column(row, "id")?))
    }
}

/// The accounts involved in a loan that are in a user's hand: whose password the user set or, of a key, who made it and
/// whose password that one set. A key has its maker as who set its password.
pub const SAME_HAND: &str = "\
WITH hand AS (SELECT $2 AS id UNION ALL SELECT made_by FROM api_keys WHERE id = $2)
SELECT u.id FROM (
    SELECT unnest(ARRAY[borrower_id, created_by, edited_by, agent_id]) AS id FROM loans WHERE id = $1
    UNION SELECT recorded_by FROM transactions WHERE loan_id = $1
) involved JOIN users u ON u.id = involved.id
WHERE u.id <> $2 AND (
    u.id IN (SELECT id FROM hand) OR u.password_set_by IN (SELECT id FROM hand)
    OR EXISTS (SELECT FROM activations a WHERE a.person_id = u.id AND a.made_by IN (SELECT id FROM hand)))";

/// The accounts involved in a loan that are in this user's hand.
#[must_use]
pub fn same_hand(loan: Uuid, user: Uuid) -> Statement<Vec<Account>> {
    Sql::new(SAME_HAND).bind(loan).bind(user).all()
}

impl From<Vec<Account>> for SameHand {
    fn from(accounts: Vec<Account>) -> Self {
        Self(accounts.into_iter().map(|Account(id)| id).collect())
    }
}
