//! Users as the interface shows them, to staff and to themselves.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    domain::{
        caller::Caller,
        kyc::Kyc,
        users::{Role, User, UserStatus},
    },
    table_line,
    values::{names::Metadata, table::Cell, time::Instant},
    views::names::{cell_of, shown_to},
};

impl User {
    /// The user as the interface shows it to a caller of this role.
    #[must_use]
    pub fn view(&self, viewer: Role) -> UserView {
        let names = shown_to(&self.names, Some(viewer));
        UserView {
            id: self.id,
            username: self.username.clone(),
            email: self.email.clone(),
            phone: self.phone.clone(),
            full_name: self.full_name.clone(),
            role: self.role,
            status: self.status,
            agent_id: self.agent_id,
            kyc: (self.role == Role::Customer).then(|| self.kyc.clone()),
            external_id: names.external_id,
            metadata: names.metadata,
            totp_since: self.totp_since.filter(|_| viewer == Role::Admin),
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }

    /// The user as the interface shows it to a caller, who may be the user itself.
    #[must_use]
    pub fn view_for(&self, caller: &Caller) -> UserView {
        if self.id == caller.id { self.own_view() } else { self.view(caller.role) }
    }

    /// The user as the interface shows it to the user itself.
    #[must_use]
    pub fn own_view(&self) -> UserView {
        UserView { totp_since: self.totp_since, ..self.view(self.role) }
    }
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserView {
    /// Names the user.
    #[schema(example = "01957d3a-7c4e-7a10-9d2b-6f1f4f0c2a11")]
    pub id: Uuid,
    /// The name to log in with, in lower case.
    #[schema(example = "usr_india_999")]
    pub username: String,
    /// The e-mail address; null for a customer who has none, and once the user is erased.
    #[schema(format = Email, example = "asha@example.com")]
    pub email: Option<String>,
    /// The telephone number, E.164; null as the e-mail address is.
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
    /// Of a customer: the agent who looks after the customer; null for none.
    pub agent_id: Option<Uuid>,
    /// Of a customer: the verification of the identity; null for others.
    pub kyc: Option<Kyc>,
    /// The id in another system of the lender's; null for everybody but staff.
    #[schema(example = "crm-20417")]
    pub external_id: Option<String>,
    /// Texts of the lender's other systems, under keys; empty for everybody but staff.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"branch": "pune-2"}))]
    pub metadata: Metadata,
    /// Since when the user logs in with a second factor; null without one, and for everybody but admins and the user.
    pub totp_since: Option<Instant>,
    /// When the user was created.
    pub created_at: Instant,
    /// When profile, status, password or second factor last changed.
    pub updated_at: Instant,
}

table_line! {
    UserView as user {
        "id": Cell::value(&user.id),
        "username": Cell::text(Some(&user.username)),
        "email": Cell::text(user.email.as_deref()),
        "phone": Cell::text(user.phone.as_deref()),
        "full_name": Cell::text(user.full_name.as_deref()),
        "role": Cell::value(user.role.as_str()),
        "status": Cell::value(user.status.as_str()),
        "agent_id": Cell::optional(user.agent_id.as_ref()),
        "kyc": user.kyc.as_ref().map_or(Cell::Empty, |kyc| Cell::value(kyc.status.as_str())),
        "external_id": Cell::text(user.external_id.as_deref()),
        "metadata": cell_of(&user.metadata),
        "totp_since": Cell::optional(user.totp_since.as_ref()),
        "created_at": Cell::value(&user.created_at),
        "updated_at": Cell::value(&user.updated_at),
    }
}
