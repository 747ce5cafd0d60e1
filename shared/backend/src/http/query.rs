//! Query strings: read late, like bodies, and refused with 422 naming the parameter.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{Uri, request::Parts},
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IntoDeserializer},
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    problem::Problem,
    seal::{Binding, CursorKeys},
    shape::field_error,
};
use crate::values::refusal::refusal;

/// A request's query string, not looked at yet.
pub struct QueryString {
    path: String,
    query: String,
}

impl<S: Send + Sync> FromRequestParts<S> for QueryString {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.uri))
    }
}

impl QueryString {
    /// Of a request to this address.
    #[must_use]
    pub fn of(uri: &Uri) -> Self {
        Self { path: uri.path().to_owned(), query: uri.query().unwrap_or_default().to_owned() }
    }

    /// The query as `T`, whose unknown fields are denied.
    ///
    /// # Errors
    ///
    /// 422 for an unknown or repeated parameter and for a value that is none, naming the parameter.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let deserializer = serde_urlencoded::Deserializer::new(form_urlencoded::parse(self.query.as_bytes()));
        serde_path_to_error::deserialize(deserializer)
            .map_err(|error| Problem::invalid(vec![field_error(error.path(), &error.inner().to_string())]))
    }

    /// That there are no parameters, for an operation that has none: a client that sends one expects it to do something.
    ///
    /// # Errors
    ///
    /// 422 naming the first parameter.
    pub fn none(&self) -> Result<(), Problem> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct NoParameters {}
        self.read().map(|NoParameters {}| ())
    }

    /// The path and the query with this cursor: where the next page is.
    #[must_use]
    pub fn with_cursor(&self, cursor: &str) -> String {
        let others = form_urlencoded::parse(self.query.as_bytes()).filter(|(name, _)| name != "cursor");
        let mut query = form_urlencoded::Serializer::new(String::new());
        let query = query.extend_pairs(others).append_pair("cursor", cursor).finish();
        format!("{}?{query}", self.path)
    }

    /// What a cursor is bound to: the caller, the path, and every parameter that says something, but `cursor` and
    /// `limit`.
    #[must_use]
    pub fn binding(&self, keys: CursorKeys, caller: Uuid) -> Binding {
        let mut pairs: Vec<_> = form_urlencoded::parse(self.query.as_bytes())
            .filter(|(name, value)| name != "cursor" && name != "limit" && !value.is_empty())
            .collect();
        pairs.sort();
        let mut digest = Sha256::new();
        digest.update(caller.as_bytes());
        for part in std::iter::once(self.path.as_str()).chain(pairs.iter().flat_map(|(k, v)| [k.as_ref(), v.as_ref()]))
        {
            // Lengths in front: no two lists of parts give the same bytes.
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        Binding::new(keys, digest.finalize().into())
    }
}

/// Reads a filter: one that is empty does not filter. To be used with
/// `#[serde(default, deserialize_with = "unless_empty")]`.
///
/// # Errors
///
/// What `T` refuses.
pub fn unless_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() { Ok(None) } else { T::deserialize(text.into_deserializer()).map(Some) }
}

/// A text to be compared with what the database holds: at most 254 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle(String);

impl Needle {
    /// The text itself.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }

    /// The pattern for `LIKE` of what starts with the text, in lower case. A blank in front is a plus: in a query string a
    /// plus that is not escaped means a blank, nothing that is looked for starts with one, and telephone numbers start
    /// with a plus.
    #[must_use]
    pub fn prefix_pattern(&self) -> String {
        let mut pattern = String::with_capacity(self.0.len() + 1);
        let rest = self.0.strip_prefix(' ');
        if rest.is_some() {
            pattern.push('+');
        }
        for c in rest.unwrap_or(&self.0).chars() {
            if matches!(c, '\\' | '%' | '_') {
                pattern.push('\\');
            }
            pattern.push(c.to_ascii_lowercase());
        }
        pattern.push('%');
        pattern
    }
}

impl<'de> Deserialize<'de> for Needle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() > 254 {
            return Err(refusal("too_long", "must have at most 254 characters"));
        }
        // Postgres text holds no NUL.
        if text.contains('\0') {
            return Err(refusal("control_character", "must not hold control characters"));
        }
        Ok(Self(text))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Any bytes, escaped well or badly, as UTF-8 or not: the query is read or refused with 422, and a cursor put into
        /// it comes back.
        #[test]
        fn any_query_string_is_read_or_refused(
            query in prop_oneof![any::<String>(), "((colour|q|cursor|%71|[a-z%&;+]{1,3})(=(red|%[0-9a-fg]{0,2}|[ -~]{0,3}))?&?){0,6}"],
            cursor in "[A-Za-z0-9_-]{1,40}",
        ) {
            if let Err(problem) = read(&query) {
                prop_assert_eq!(problem.status().as_u16(), 422, "{}", query);
                prop_assert!(problem.errors().iter().all(|error| error.pointer.starts_with('/')), "{}", query);
            }
            let next = QueryString { path: "/".into(), query }.with_cursor(&cursor);
            let next = next.strip_prefix("/?").unwrap();
            let cursors: Vec<_> = form_urlencoded::parse(next.as_bytes()).filter(|(name, _)| name == "cursor").collect();
            prop_assert_eq!(cursors, [("cursor".into(), cursor.into())]);
        }
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Colour {
        Red,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Query {
        #[serde(default, deserialize_with = "unless_empty")]
        colour: Option<Colour>,
        #[serde(default, deserialize_with = "unless_empty")]
        q: Option<Needle>,
    }

    fn read(query: &str) -> Result<Query, Problem> {
        QueryString { path: "/".into(), query: query.into() }.read()
    }

    #[test]
    fn an_empty_filter_does_not_filter() {
        let nothing = Query { colour: None, q: None };
        assert_eq!(read("").unwrap(), nothing);
        assert_eq!(read("colour=&q=").unwrap(), nothing);
        assert_eq!(read("colour=red").unwrap().colour, Some(Colour::Red));
    }

    #[test]
    fn an_unknown_or_repeated_parameter_or_value_is_refused() {
        for query in ["color=red", "colour=red&colour=red", "colour=blue", "q=%00", &format!("q={}", "x".repeat(255))] {
            assert_eq!(read(query).unwrap_err().status().as_u16(), 422, "{query}");
        }
    }

    #[test]
    fn a_prefix_means_its_characters_and_nothing_more() {
        let pattern = |text: &str| Needle(text.into()).prefix_pattern();
        assert_eq!(pattern("Usr_1"), "usr\\_1%");
        assert_eq!(pattern("100%"), "100\\%%");
        assert_eq!(pattern("a\\"), "a\\\\%");
        assert_eq!(
            (pattern(" 2547"), pattern("+2547"), pattern("a b")),
            ("+2547%".into(), "+2547%".into(), "a b%".into())
        );
    }
}
