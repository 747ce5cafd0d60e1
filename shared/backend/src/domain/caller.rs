//! Who carries out a command.

use jiff::Timestamp;
use uuid::Uuid;

use crate::{domain::users::Role, values::address::ClientAddress};

/// A caller with a session that is not over and a user who is active.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The user.
    pub id: Uuid,
    /// The session.
    pub session: Uuid,
    /// The user's name.
    pub username: String,
    /// The user's role.
    pub role: Role,
    /// Where the request came from.
    pub address: ClientAddress,
    /// The database's clock when the session was checked.
    pub now: Timestamp,
}
