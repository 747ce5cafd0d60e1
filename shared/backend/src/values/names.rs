//! The names that a lender's other systems have for a user, a product or a loan: one id, and texts under keys. Staff
//! alone set and see them.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, MapAccess, Visitor},
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

use crate::values::{
    refusal::{FieldError, refusal},
    text::{ExternalId, MetadataText},
};

/// The largest number of pairs.
const MAX_PAIRS: usize = 20;

/// Texts under keys.
pub type Metadata = BTreeMap<String, String>;

/// The names of a thing. As part of a command that is compared, what is empty is left out: the command is as it was
/// before there were names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Names {
    /// The id in another system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Texts under keys.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// Texts that are set or, where they are null, removed. Keys that are not given stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MetadataPatch(BTreeMap<String, Option<String>>);

/// A change of names. What is left out stays.
#[derive(Clone, Debug, Default)]
pub struct NamesPatch {
    /// A new id; `Some(None)` removes the one there is.
    #[allow(clippy::option_option)]
    pub external_id: Option<Option<ExternalId>>,
    /// Texts to set and to remove.
    pub metadata: Option<MetadataPatch>,
}

impl NamesPatch {
    /// For a thing that is made.
    #[must_use]
    pub fn new(external_id: Option<ExternalId>, metadata: Option<MetadataPatch>) -> Self {
        Self { external_id: external_id.map(Some), metadata }
    }

    /// The names with these changes.
    ///
    /// # Errors
    ///
    /// An invalid field for more than 20 pairs.
    pub fn over(self, names: &Names) -> Result<Names, FieldError> {
        let external_id = match self.external_id {
            None => names.external_id.clone(),
            Some(external_id) => external_id.map(ExternalId::into_string),
        };
        let mut metadata = names.metadata.clone();
        for (key, text) in self.metadata.unwrap_or_default().0 {
            match text {
                Some(text) => metadata.insert(key, text),
                None => metadata.remove(&key),
            };
        }
        if metadata.len() > MAX_PAIRS {
            let rule = format!("has at most {MAX_PAIRS} pairs; with these there would be {}", metadata.len());
            return Err(FieldError::new("/metadata", "too_many_pairs", rule));
        }
        Ok(Names { external_id, metadata })
    }
}

impl<'de> Deserialize<'de> for MetadataPatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = BTreeMap<String, Option<String>>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = BTreeMap::new();
                while let Some((key, text)) = map.next_entry::<String, Option<MetadataText>>()? {
                    if !is_key(&key) {
                        let rule = "keys have 1 to 40 letters, digits, dots, underscores and hyphens";
                        return Err(refusal("bad_key", rule));
                    }
                    if pairs.insert(key, text.map(MetadataText::into_string)).is_some() {
                        return Err(A::Error::custom("[repeated] a key is given more than once"));
                    }
                }
                Ok(pairs)
            }
        }

        deserializer.deserialize_map(Pairs).map(Self)
    }
}

fn is_key(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=40).contains(&text.len()) && text.bytes().all(allowed)
}

/// In the OpenAPI document: an object of texts and nulls.
impl PartialSchema for MetadataPatch {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::SchemaType::from_iter([Type::String, Type::Null]))
            .max_length(Some(500));
        let key = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[a-zA-Z0-9_.-]{1,40}$"));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("Texts of at most 500 characters under keys, at most 20; null removes one."))
            .property_names(Some(key))
            .additional_properties(Some(text))
            .examples([serde_json::json!({"branch": "pune-2"})])
            .into()
    }
}

impl ToSchema for MetadataPatch {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::values::reading::read;

    fn patch(metadata: serde_json::Value) -> NamesPatch {
        NamesPatch::new(None, Some(read(metadata).unwrap()))
    }

    #[test]
    fn a_patch_sets_what_it_gives_removes_what_is_null_and_leaves_the_rest() {
        let names = patch(json!({"a": "1", "b": "2", "c": null})).over(&Names::default()).unwrap();
        assert_eq!(names.metadata, Metadata::from([("a".into(), "1".into()), ("b".into(), "2".into())]));
        let names = patch(json!({"a": null, "b": "", "d.D_-9": "3"})).over(&names).unwrap();
        assert_eq!(names.metadata, Metadata::from([("b".into(), String::new()), ("d.D_-9".into(), "3".into())]));
        assert_eq!(NamesPatch::default().over(&names).unwrap(), names);
    }

    #[test]
    fn there_are_twenty_pairs_and_no_more() {
        let pairs = |range: std::ops::Range<u8>| range.map(|n| (n.to_string(), json!("x"))).collect();
        let full = patch(serde_json::Value::Object(pairs(0..20))).over(&Names::default()).unwrap();
        assert_eq!(patch(json!({"20": "x"})).over(&full).unwrap_err().code, "too_many_pairs");
        assert_eq!(patch(json!({"20": "x", "0": null})).over(&full).unwrap().metadata.len(), 20);
    }

    #[test]
    fn keys_and_texts_have_a_form() {
        for (text, code) in [
            (r#"{"a b": "x"}"#.to_owned(), "[bad_key]"),
            (r#"{"": "x"}"#.to_owned(), "[bad_key]"),
            (format!(r#"{{"{}": "x"}}"#, "k".repeat(41)), "[bad_key]"),
            (r#"{"a": "x", "a": "y"}"#.to_owned(), "[repeated]"),
            (format!(r#"{{"a": "{}"}}"#, "x".repeat(501)), "[too_long]"),
            (r#"{"a": "\u0000"}"#.to_owned(), "[control_character]"),
        ] {
            let error = serde_json::from_str::<MetadataPatch>(&text).unwrap_err().to_string();
            assert!(error.starts_with(code), "{text}: {error}");
        }
        assert!(read::<MetadataPatch>(json!({"a": 1})).is_err());
    }
}
