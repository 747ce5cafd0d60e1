//! Fields of requests, parsed where they come in: a value of one of these types keeps its rule.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::http::body::refusal;

/// A field whose rule is a function from text.
macro_rules! text_field {
    ($(#[$doc:meta])* $name:ident, $parse:expr) => {
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
        $(#[$doc])*
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text, owned.
            #[must_use]
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let parse: fn(String) -> Result<String, (&'static str, &'static str)> = $parse;
                let text = String::deserialize(deserializer)?;
                parse(text).map(Self).map_err(|(code, detail)| refusal(code, detail))
            }
        }
    };
}

text_field! {
    /// Why something was done: 1 to 1000 characters, not only blanks.
    #[schema(min_length = 1, max_length = 1000, example = "income confirmed")]
    Reason, |text| plain_text(text, 1000)
}
text_field! {
    /// A name: 1 to 200 characters, not only blanks.
    #[schema(min_length = 1, max_length = 200, example = "Asha Patel")]
    Name, |text| plain_text(text, 200)
}

/// Text without control characters, trimmed, of 1 to `max` characters.
///
/// # Errors
///
/// A code and the rule.
pub fn plain_text(text: String, max: usize) -> Result<String, (&'static str, &'static str)> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(("blank", "must not be empty or blank"));
    }
    if trimmed.chars().count() > max {
        return Err(("too_long", if max == 200 { "has at most 200 characters" } else { "has at most 1000 characters" }));
    }
    // Postgres text holds no NUL; line breaks are the only control characters a person writes.
    if trimmed.chars().any(|c| c.is_control() && c != '\n') {
        return Err(("control_character", "must not hold control characters"));
    }
    Ok(if trimmed.len() == text.len() { text } else { trimmed.to_owned() })
}

/// A number as it stands in the request, in a JSON string or as a JSON number; never a binary float.
#[derive(Clone, Debug, PartialEq, Eq, utoipa::ToSchema)]
#[schema(value_type = String, pattern = r"^[0-9]+(\.[0-9]+)?$", example = "12000.50")]
pub struct NumberText(String);

impl NumberText {
    /// The digits as sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for NumberText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = match raw.get().as_bytes() {
            [b'"', ..] => serde_json::from_str::<String>(raw.get()).map_err(D::Error::custom)?,
            [b'-' | b'0'..=b'9', ..] => raw.get().to_owned(),
            _ => return Err(refusal("wrong_type", "is a number, or a string that holds one")),
        };
        Ok(Self(text))
    }
}

impl Serialize for NumberText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// A user named by id or by username: an id if it parses as a UUID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserRef {
    /// The id.
    Id(Uuid),
    /// The username, in lower case.
    Username(String),
}

impl UserRef {
    /// Reads either form.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match Uuid::try_parse(text) {
            Ok(id) => Self::Id(id),
            Err(_) => Self::Username(text.to_lowercase()),
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
