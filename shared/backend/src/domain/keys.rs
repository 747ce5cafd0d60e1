//! Keys with which machines call: which part of the interface one opens, and how it is kept.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, Type},
    },
};
use uuid::Uuid;

use crate::{
    domain::users::Role,
    values::{
        refusal::refusal,
        time::{BusinessDate, Instant},
        words::{Words as _, words},
    },
};

words! {
    /// A part of the interface: a tag of the OpenAPI document.
    Area {
        /// Logins and one's own account.
        Auth = "auth",
        /// All users.
        Users = "users",
        /// Agents.
        Agents = "agents",
        /// Customers.
        Customers = "customers",
        /// The audit log.
        Audit = "audit",
        /// Products and calendars.
        Products = "products",
        /// Applications and decisions.
        Loans = "loans",
        /// Money of loans, and the ledger.
        Servicing = "servicing",
        /// Money that arrives.
        Payments = "payments",
        /// Figures of the whole book.
        Portfolio = "portfolio",
        /// Keys.
        Keys = "keys",
        /// Health and documentation.
        Service = "service",
    }
}

impl Area {
    /// True if some operation of this part is for keys: neither accounts of people nor keys are.
    #[must_use]
    pub const fn takes_keys(self) -> bool {
        match self {
            Self::Auth | Self::Keys => false,
            Self::Users
            | Self::Agents
            | Self::Customers
            | Self::Audit
            | Self::Products
            | Self::Loans
            | Self::Servicing
            | Self::Payments
            | Self::Portfolio
            | Self::Service => true,
        }
    }
}

words! {
    /// What a key does in a part of the interface.
    Access {
        /// Operations that are `GET`.
        Read = "read",
        /// All others.
        Write = "write",
    }
}

/// What a key may do: a part of the interface and how, written `loans:read`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope {
    /// The part.
    pub area: Area,
    /// How.
    pub access: Access,
}

impl Scope {
    /// Every scope, in the order of the parts.
    pub fn all() -> impl Iterator<Item = Self> {
        Area::ALL.into_iter().flat_map(|area| Access::ALL.into_iter().map(move |access| Self { area, access }))
    }

    /// The scope that is written so; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (area, access) = text.split_once(':')?;
        Some(Self { area: Area::of_word(area)?, access: Access::of_word(access)? })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.area.as_str(), self.access.as_str())
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let detail = "must be a tag of the OpenAPI document with `:read` or `:write`, such as loans:read";
        Self::parse(&text).ok_or_else(|| refusal("not_a_scope", detail))
    }
}

impl PartialSchema for Scope {
    fn schema() -> RefOr<Schema> {
        let scopes = Self::all().map(|scope| scope.to_string());
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A tag of this document with `read`, for its `GET`, or `write`, for everything else"))
            .enum_values(Some(scopes))
            .examples(["loans:read"])
            .build()
            .into()
    }
}

impl ToSchema for Scope {
    fn name() -> Cow<'static, str> {
        "KeyScope".into()
    }
}

words! {
    /// The role of a key.
    KeyRole {
        /// As an agent.
        Agent = "agent",
        /// As an admin.
        Admin = "admin",
    }
}

impl From<KeyRole> for Role {
    fn from(role: KeyRole) -> Self {
        match role {
            KeyRole::Agent => Self::Agent,
            KeyRole::Admin => Self::Admin,
        }
    }
}

/// A key that was not revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Key)]
pub struct ApiKey {
    /// Names the key, as the user that it is in histories and in the audit log.
    #[schema(example = "01957d3a-7c4e-7a10-9d2b-6f1f4f0c2a11")]
    pub id: Uuid,
    /// For people.
    #[schema(example = "Accounting package")]
    pub name: String,
    /// As whom it calls.
    pub role: KeyRole,
    /// What it may do, within its role.
    #[schema(example = json!(["loans:read", "servicing:write"]))]
    pub scopes: Vec<Scope>,
    /// The admin who made it.
    pub created_by: Uuid,
    /// When it was made.
    pub created_at: Instant,
    /// The last business date on which it is good; null for no end.
    pub expires_on: Option<BusinessDate>,
    /// When it was last used, to the minute; null if it never was.
    pub last_used_at: Option<Instant>,
}
