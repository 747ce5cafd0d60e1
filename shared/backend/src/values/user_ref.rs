//! A user named by id or by username.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};
use uuid::Uuid;

use crate::values::refusal::refusal;

/// A user named by id or by username: an id if it parses as a UUID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserRef {
    /// The id.
    Id(Uuid),
    /// The username, in lower case.
    Username(String),
}

impl PartialSchema for UserRef {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(100));
        schema.description(Some("A user's id or username.")).examples(["usr_india_999"]).into()
    }
}

impl ToSchema for UserRef {}

impl UserRef {
    /// Reads either form.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match Uuid::try_parse(text) {
            Ok(id) => Self::Id(id),
            Err(_) => Self::Username(text.to_ascii_lowercase()),
        }
    }

    /// The same, but for `me`, which is the caller.
    #[must_use]
    pub fn or_me(self, caller: Uuid) -> Self {
        match self {
            Self::Username(name) if name == "me" => Self::Id(caller),
            named => named,
        }
    }

    /// The id, if it is one.
    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        match self {
            Self::Id(id) => Some(*id),
            Self::Username(_) => None,
        }
    }

    /// The username, if it is one.
    #[must_use]
    pub fn username(&self) -> Option<String> {
        match self {
            Self::Id(_) => None,
            Self::Username(name) => Some(name.clone()),
        }
    }
}

impl fmt::Display for UserRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Username(name) => f.write_str(name),
        }
    }
}

impl<'de> Deserialize<'de> for UserRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() || text.len() > 100 || text.contains('\0') {
            return Err(refusal("not_a_user", "is a user's id or username"));
        }
        Ok(Self::parse(&text))
    }
}

impl Serialize for UserRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
