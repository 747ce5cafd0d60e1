//! Users: customers, agents, admins.

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
}
