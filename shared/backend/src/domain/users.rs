//! Users: their roles, and if they may log in.

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    domain::kyc::Kyc,
    values::{
        names::Names,
        text::{Email, Name, Phone, Username},
        time::Instant,
        words::words,
    },
};

words! {
    /// The role of a user; fixed when the user is created.
    Role {
        /// Borrows.
        Customer = "customer",
        /// Works with customers, once an admin has approved it.
        Agent = "agent",
        /// Decides.
        Admin = "admin",
    }
}

words! {
    /// The status of a user; only an active user may log in.
    UserStatus {
        /// An agent not yet approved.
        Pending = "pending",
        /// May log in.
        Active = "active",
        /// An agent whom an admin has turned down.
        Rejected = "rejected",
        /// Shut out by an admin.
        Suspended = "suspended",
        /// Erased by an admin, for good: the identity is no longer known.
        Erased = "erased",
    }
}

/// A user as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Names the user.
    pub id: Uuid,
    /// The name to log in with, in lower case.
    pub username: String,
    /// The e-mail address. A customer may have none, and who is erased has none.
    pub email: Option<String>,
    /// The telephone number, E.164; as the e-mail address.
    pub phone: Option<String>,
    /// The name people see.
    pub full_name: Option<String>,
    /// The role.
    pub role: Role,
    /// The status: only an active user may log in.
    pub status: UserStatus,
    /// Of a customer: the agent whose customer it is.
    pub agent_id: Option<Uuid>,
    /// Of a customer: whether it was verified who it is.
    pub kyc: Kyc,
    /// The names that the lender's other systems have for the user.
    pub names: Names,
    /// Since when the user logs in with a second factor; `None` without one.
    pub totp_since: Option<Instant>,
    /// When the user was created.
    pub created_at: Instant,
    /// When profile, status or password last changed.
    pub updated_at: Instant,
}

impl User {
    /// The user changed in this transaction. The transaction may have waited for a lock since before the user's last
    /// change; time does not go back.
    #[must_use]
    pub fn updated(self, now: Timestamp) -> Self {
        Self { updated_at: self.updated_at.max(Instant(now)), ..self }
    }
}

/// A user who is about to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The name to log in with.
    pub username: Username,
    /// The e-mail address; a customer may have none.
    pub email: Option<Email>,
    /// The telephone number; a customer may have none.
    pub phone: Option<Phone>,
    /// The name people see.
    pub full_name: Option<Name>,
    /// The role.
    pub role: Role,
    /// The status: only an active user may log in.
    pub status: UserStatus,
    /// Of a customer: the agent whose customer it is.
    pub agent_id: Option<Uuid>,
    /// The names that the lender's other systems have for the user.
    pub names: Names,
}

impl NewUser {
    /// The user, made now.
    #[must_use]
    pub fn made(self, now: Timestamp) -> User {
        User {
            id: Uuid::now_v7(),
            username: self.username.into_string(),
            email: self.email.map(Email::into_string),
            phone: self.phone.map(Phone::into_string),
            full_name: self.full_name.map(Name::into_string),
            role: self.role,
            status: self.status,
            agent_id: self.agent_id,
            kyc: Kyc::default(),
            names: self.names,
            totp_since: None,
            created_at: Instant(now),
            updated_at: Instant(now),
        }
    }
}
