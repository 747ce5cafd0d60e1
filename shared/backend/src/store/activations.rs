//! Codes that a person sets a password with, once. The code itself is nowhere but in the answer that hands it out.

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    columns,
    db::{Columns as _, List, Sql, Statement},
    domain::users::User,
    sql,
};

/// How often a code may be tried.
pub const MAX_TRIES: i32 = 5;

/// A user whose code is tried, with its hash.
pub struct Activation {
    /// The user.
    pub user: User,
    /// The hash of the code.
    pub code_hash: String,
    /// Who handed the code out.
    pub made_by: Uuid,
    /// The database's clock when it was read.
    pub at: Timestamp,
}

columns! {
    Activation {
        code_hash: "code_hash",
        made_by: "made_by",
        ..user: User,
    }
    read { at: "at", }
}

/// Keeps a code, in place of one that was there.
pub const KEEP: &str = "\
INSERT INTO activations (person_id, code_hash, made_by, expires_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (person_id) DO UPDATE SET code_hash = $2, made_by = $3, expires_at = $4, tries = 0";

/// Ends a code.
pub const END: &str = "DELETE FROM activations WHERE person_id = $1";

/// Ends the codes of people.
pub const END_ALL: &str = "DELETE FROM activations WHERE person_id = ANY ($1)";

/// Counts one try at the code of an active user, if there is one that can be tried.
pub const TRY: &str = sql!(
    "UPDATE activations a SET tries = tries + 1 FROM users u
WHERE u.username = $1 AND u.status = 'active' AND a.person_id = u.id AND a.expires_at > clock_timestamp()
    AND a.tries < $2
RETURNING a.code_hash, a.made_by, {}, clock_timestamp() AS at",
    List::Of("u", User::COLUMNS),
);

/// Takes a counted try back.
pub const TAKE_BACK: &str =
    "UPDATE activations SET tries = tries - 1 WHERE person_id = $1 AND code_hash = $2 AND tries > 0";

/// The code of an active user, locked: it is as it was tried, or another one.
pub const LOCK: &str = sql!(
    "SELECT a.code_hash, a.made_by, {}, clock_timestamp() AS at
FROM users u JOIN activations a ON a.person_id = u.id
WHERE u.id = $1 AND u.status = 'active' AND a.expires_at > clock_timestamp() FOR NO KEY UPDATE",
    List::Of("u", User::COLUMNS),
);

/// Keeps a code, in place of one that was there.
#[must_use]
pub fn keep(person: Uuid, code_hash: String, made_by: Uuid, expires_at: Timestamp) -> Statement<()> {
    Sql::new(KEEP).bind(person).bind(code_hash).bind(made_by).bind(expires_at).execute()
}

/// Ends a person's code, if there is one.
#[must_use]
pub fn end(person: Uuid) -> Statement<()> {
    Sql::new(END).bind(person).execute()
}

/// Ends the codes of people who have one.
#[must_use]
pub fn end_all(people: Vec<Uuid>) -> Statement<()> {
    Sql::new(END_ALL).bind(people).execute()
}

/// Counts one try at the code of the user of this name: whatever becomes of the request, it is counted.
#[must_use]
pub fn try_code(username: String) -> Statement<Option<Activation>> {
    Sql::new(TRY).bind(username).bind(MAX_TRIES).optional()
}

/// Takes a try back that was none: the code was right.
#[must_use]
pub fn take_back(activation: &Activation) -> Statement<()> {
    Sql::new(TAKE_BACK).bind(activation.user.id).bind(activation.code_hash.clone()).execute()
}

/// The code that a person has now, locked.
#[must_use]
pub fn lock(person: Uuid) -> Statement<Option<Activation>> {
    Sql::new(LOCK).bind(person).optional()
}
