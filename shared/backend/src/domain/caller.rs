//! Who carries out a command.

use jiff::Timestamp;
use uuid::Uuid;

use crate::{domain::users::Role, values::address::ClientAddress};

/// A caller with a session that is not over and a user who is active, or with a key that is good.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The user.
    pub id: Uuid,
    /// The session; of a key its id.
    pub session: Uuid,
    /// True for a key.
    pub is_key: bool,
    /// The user's name.
    pub username: String,
    /// The user's role.
    pub role: Role,
    /// Where the request came from.
    pub address: ClientAddress,
    /// The database's clock when the session or the key was checked.
    pub now: Timestamp,
}
