//! The borrower of an application, and how many of theirs are pending.

use tokio_postgres::Row;

use crate::{
    columns,
    db::{DbError, FromRow, Sql, Statement, column},
    domain::loan::{Borrower, Pending},
    values::user_ref::UserRef,
};

/// An active customer, by id; locked, so that of several simultaneous applications each sees the ones before.
pub const BORROWER_BY_ID: &str =
    "SELECT id, username FROM users WHERE id = $1 AND role = 'customer' AND status = 'active' FOR NO KEY UPDATE";

/// As [`BORROWER_BY_ID`], by username.
pub const BORROWER_BY_USERNAME: &str =
    "SELECT id, username FROM users WHERE username = $1 AND role = 'customer' AND status = 'active' FOR NO KEY UPDATE";

/// How many pending applications a borrower has, by id, counted up to a maximum.
pub const PENDING_BY_ID: &str =
    "SELECT count(*) FROM (SELECT FROM loans WHERE borrower_id = $1 AND status = 'pending' LIMIT $2) pending";

/// As [`PENDING_BY_ID`], by username.
pub const PENDING_BY_USERNAME: &str = "\
SELECT count(*) FROM (
    SELECT FROM loans WHERE borrower_id = (SELECT id FROM users WHERE username = $1) AND status = 'pending' LIMIT $2
) pending";

columns! {
    Borrower {
        id: "id",
        username: "username",
    }
}

/// An active customer, by either name.
#[must_use]
pub fn borrower(user: &UserRef) -> Statement<Option<Borrower>> {
    match user {
        UserRef::Id(id) => Sql::new(BORROWER_BY_ID).bind(*id).optional(),
        UserRef::Username(name) => Sql::new(BORROWER_BY_USERNAME).bind(name.clone()).optional(),
    }
}

impl FromRow for Pending {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self(column(row, "count")?))
    }
}

/// How many pending applications a borrower has, counted up to `most`. Ask with the borrower locked.
#[must_use]
pub fn pending(user: &UserRef, most: u32) -> Statement<Pending> {
    match user {
        UserRef::Id(id) => Sql::new(PENDING_BY_ID).bind(*id).bind(i64::from(most)).one(),
        UserRef::Username(name) => Sql::new(PENDING_BY_USERNAME).bind(name.clone()).bind(i64::from(most)).one(),
    }
}
