//! Users: their roles, and if they may log in.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::values::{
    text::{Email, Name, Phone, Username},
    time::Instant,
    words::words,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// Names the user.
    #[schema(example = "01957d3a-7c4e-7a10-9d2b-6f1f4f0c2a11")]
    pub id: Uuid,
    /// The name to log in with, in lower case.
    #[schema(example = "usr_india_999")]
    pub username: String,
    /// The e-mail address; null once the user is erased.
    #[schema(format = Email, example = "asha@example.com")]
    pub email: Option<String>,
    /// The telephone number, E.164; null once the user is erased.
    #[schema(example = "+919812345678")]
    pub phone: Option<String>,
    /// The name people see.
    #[schema(example = "Asha Patel")]
    pub full_name: Option<String>,
    /// The role.
    #[schema(example = "customer")]
    pub role: Role,
    /// The status: only an active user may log in.
    #[schema(example = "active")]
    pub status: UserStatus,
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
    /// The e-mail address.
    pub email: Email,
    /// The telephone number.
    pub phone: Phone,
    /// The name people see.
    pub full_name: Option<Name>,
    /// The role.
    pub role: Role,
    /// The status: only an active user may log in.
    pub status: UserStatus,
}

impl NewUser {
    /// The user, made now.
    #[must_use]
    pub fn made(self, now: Timestamp) -> User {
        User {
            id: Uuid::now_v7(),
            username: self.username.into_string(),
            email: Some(self.email.into_string()),
            phone: Some(self.phone.into_string()),
            full_name: self.full_name.map(Name::into_string),
            role: self.role,
            status: self.status,
            created_at: Instant(now),
            updated_at: Instant(now),
        }
    }
}
