//! Customers, as staff enrol and look after them.

use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    columns,
    db::{DbError, FromRow, Sql, Statement, column},
    domain::kyc::KycOfLoan,
    store::loans::Id,
};

/// An active agent, locked so that it stays active until the transaction ends.
pub const ACTIVE_AGENT: &str = "\
SELECT FROM users WHERE id = $1 AND role = 'agent' AND status = 'active'
    AND NOT is_key FOR SHARE";

/// A free one of several usernames.
pub const FREE_USERNAME: &str = "\
SELECT name AS username FROM unnest($1::text[]) AS name
WHERE NOT EXISTS (SELECT FROM users WHERE username = name) LIMIT 1";

/// The customers of an agent, locked in the order of their ids.
pub const LOCK_CUSTOMERS: &str = "SELECT id FROM users WHERE agent_id = $1 ORDER BY id FOR NO KEY UPDATE";

/// Gives customers to an agent.
pub const GIVE: &str = "UPDATE users SET agent_id = $2, updated_at = greatest(updated_at, $3) WHERE id = ANY ($1)";

/// The verification of a loan's borrower, locked until the transaction ends, and whether the product requires it.
pub const KYC_OF_LOAN: &str = "\
SELECT p.requires_kyc, u.kyc_status, u.kyc_expires_on
FROM loans l JOIN products p ON p.code = l.product_code JOIN users u ON u.id = l.borrower_id
WHERE l.id = $1 FOR SHARE OF u";

/// A username.
pub struct FreeUsername(String);

impl FromRow for FreeUsername {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self(column(row, "username")?))
    }
}

impl From<FreeUsername> for String {
    fn from(FreeUsername(name): FreeUsername) -> Self {
        name
    }
}

/// A free one of several usernames.
#[must_use]
pub fn free_username(names: Vec<String>) -> Statement<Option<FreeUsername>> {
    Sql::new(FREE_USERNAME).bind(names).optional()
}

/// The customers of an agent, locked for a change.
#[must_use]
pub fn lock_customers(agent: Uuid) -> Statement<Vec<Id>> {
    Sql::new(LOCK_CUSTOMERS).bind(agent).all()
}

/// Gives customers to an agent.
#[must_use]
pub fn give(customers: Vec<Uuid>, agent: Uuid, at: Timestamp) -> Statement<()> {
    Sql::new(GIVE).bind(customers).bind(agent).bind(at).execute()
}

columns! {
    KycOfLoan {
        is_required: "requires_kyc",
        status: "kyc_status",
        expires_on: "kyc_expires_on",
    }
}

/// The verification of a loan's borrower, locked until the transaction ends.
#[must_use]
pub fn kyc_of_loan(loan: Uuid) -> Statement<Option<KycOfLoan>> {
    Sql::new(KYC_OF_LOAN).bind(loan).optional()
}

/// True if there is an active agent of this id.
#[must_use]
pub fn active_agent(id: Uuid) -> Statement<bool> {
    Sql::new(ACTIVE_AGENT).bind(id).exists()
}
