//! What users are, and whether they may log in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a user is; fixed when the user is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Borrows.
    Customer,
    /// Works with customers, once an admin has approved it.
    Agent,
    /// Decides.
    Admin,
}

impl Role {
    /// As the interface and the database write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Agent => "agent",
            Self::Admin => "admin",
        }
    }
}

/// Whether a user may log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum UserStatus {
    /// An agent not yet approved.
    Pending,
    /// May log in.
    Active,
    /// An agent whom an admin has turned down.
    Rejected,
    /// Shut out by an admin.
    Suspended,
    /// Taken out by an admin, for good: who it was is not known any more.
    Erased,
}

impl UserStatus {
    /// As the interface and the database write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Rejected => "rejected",
            Self::Suspended => "suspended",
            Self::Erased => "erased",
        }
    }
}
