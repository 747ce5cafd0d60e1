//! The rows of a person's data, as an export shows them.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    columns,
    domain::{loan_history::HistoryEntry, profile::Profile, users::Role},
    values::{time::Instant, version::Version, words::words},
};

/// One value of a user's contact data that changed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ContactChange {
    /// Names the change.
    pub id: Uuid,
    /// When it was made.
    pub at: Instant,
    /// Who made it.
    pub by: Uuid,
    /// The field.
    pub field: ContactField,
    /// The value before; null if there was no value.
    #[schema(example = "asha@example.com")]
    pub old: Option<String>,
    /// The value after; null if it was removed.
    #[schema(example = "asha.patel@example.com")]
    pub new: Option<String>,
}

words! {
    /// Contact data.
    ContactField {
        /// The e-mail address.
        Email = "email",
        /// The telephone number.
        Phone = "phone",
        /// The name people see.
        FullName = "full_name",
    }
}

columns! {
    ContactChange {
        id: "id",
        at: "at",
        by: "by_id",
        field: "field",
        old: "old_value",
        new: "new_value",
    }
}

/// A session that is not over, or ended by itself a short while ago.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ExportedSession)]
pub struct HeldSession {
    /// Names the session.
    pub id: Uuid,
    /// When it began.
    pub created_at: Instant,
    /// When it ends by itself.
    pub expires_at: Instant,
}

columns! {
    HeldSession {
        id: "id",
        created_at: "created_at",
        expires_at: "expires_at",
    }
}

/// A version of a profile.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HeldProfile {
    /// The version.
    #[schema(value_type = i32, example = 1)]
    pub version: Version,
    /// When it was put.
    pub at: Instant,
    /// Who put it.
    pub by: Uuid,
    /// The profile, with identity numbers as the caller sees them.
    pub profile: Profile,
    /// The person.
    #[serde(skip)]
    pub(crate) person: Uuid,
}

impl HeldProfile {
    /// The version as a caller of this role sees it.
    #[must_use]
    pub fn seen_by(self, viewer: Role) -> Self {
        Self { profile: self.profile.seen_by(viewer), ..self }
    }
}

columns! {
    HeldProfile {
        version: "version",
        at: "at",
        by: "by_id",
        profile: "profile",
    }
    read { person: "id", }
}

/// A version of a loan.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ExportedLoanVersion)]
pub struct HeldVersion {
    /// The loan.
    pub loan_id: Uuid,
    /// The version, as the loan's history shows it.
    pub entry: HistoryEntry,
}
