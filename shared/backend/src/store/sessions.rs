//! Sessions: one for each login, for as long as its token lives. A session that is deleted is over with the next
//! request.

use jiff::Timestamp;
use uuid::Uuid;

use crate::db::{Sql, Statement};

/// Starts a session.
pub const START: &str = "INSERT INTO sessions (id, user_id, expires_at) VALUES ($1, $2, $3)";

/// Ends one session.
pub const END: &str = "DELETE FROM sessions WHERE id = $1";

/// Ends all sessions of a user.
pub const END_ALL: &str = "DELETE FROM sessions WHERE user_id = $1";

/// Ends all sessions of a user but one.
pub const END_OTHERS: &str = "DELETE FROM sessions WHERE user_id = $1 AND id <> $2";

/// Removes the expired sessions of a user.
pub const FORGET_EXPIRED: &str = "DELETE FROM sessions WHERE user_id = $1 AND expires_at <= now()";

/// Starts a session of this user.
#[must_use]
pub fn start(id: Uuid, user: Uuid, expires_at: Timestamp) -> Statement<()> {
    Sql::new(START).bind(id).bind(user).bind(expires_at).execute()
}

/// Ends this session.
#[must_use]
pub fn end(id: Uuid) -> Statement<()> {
    Sql::new(END).bind(id).execute()
}

/// Ends all of this user's sessions.
#[must_use]
pub fn end_all(user: Uuid) -> Statement<()> {
    Sql::new(END_ALL).bind(user).execute()
}

/// Ends all of this user's sessions but the one given.
#[must_use]
pub fn end_others(user: Uuid, but: Uuid) -> Statement<()> {
    Sql::new(END_OTHERS).bind(user).bind(but).execute()
}

/// Removes those of this user's sessions that have expired, so that each login leaves no more rows than it finds.
#[must_use]
pub fn forget_expired(user: Uuid) -> Statement<()> {
    Sql::new(FORGET_EXPIRED).bind(user).execute()
}
