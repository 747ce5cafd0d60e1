//! Query strings: read late, like bodies, and refused with 422 that names the parameter.

use crate::http::{
    problem::Problem,
    seal::{Binding, CursorKeys},
    shape::field_error,
};
use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use serde::Deserialize;
use serde::Deserializer;
use serde::de::DeserializeOwned;
use serde::de::IntoDeserializer;
use sha2::Digest;
use sha2::Sha256;
use std::convert::Infallible;
use uuid::Uuid;

/// A request's query string, not read yet.
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
    /// 422 for an unknown, repeated or invalid parameter, naming it.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        parse(&self.query)
    }

    /// The query in two: the parameters that others have too, and its own as `T`, whose unknown fields are denied.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_with<T: DeserializeOwned, S: Shared>(&self) -> Result<(T, S), Problem> {
        let mut query = self.query.clone();
        let shared = S::take(&mut query)?;
        Ok((parse(&query)?, shared))
    }

    /// Requires that there are no parameters, for an operation that has none: a client that sends one expects an
    /// effect.
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

    /// The path and the query with this cursor: the address of the next page.
    #[must_use]
    pub fn with_cursor(&self, cursor: &str) -> String {
        let others = form_urlencoded::parse(self.query.as_bytes()).filter(|(name, _)| name != "cursor");
        let mut query = form_urlencoded::Serializer::new(String::new());
        let query = query.extend_pairs(others).append_pair("cursor", cursor).finish();
        format!("{}?{query}", self.path)
    }

    /// The binding of a cursor: the caller, the path, and every non-empty parameter except `cursor` and `limit`.
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

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let deserializer = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(deserializer)
        .map_err(|error| Problem::invalid(vec![field_error(error.path(), &error.inner().to_string())]))
}

/// Parameters that many queries have beside their own.
pub trait Shared: Sized {
    /// Takes them out of a query.
    ///
    /// # Errors
    ///
    /// 422 for a repeated or invalid one, naming it.
    fn take(query: &mut String) -> Result<Self, Problem>;
}

impl<A: Shared, B: Shared> Shared for (A, B) {
    fn take(query: &mut String) -> Result<Self, Problem> {
        Ok((A::take(query)?, B::take(query)?))
    }
}

/// Takes the parameters of these names out of a query, as `T`.
pub(super) fn take<T: DeserializeOwned>(query: &mut String, names: &[&str]) -> Result<T, Problem> {
    let mut taken = form_urlencoded::Serializer::new(String::new());
    let mut left = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let part = if names.contains(&name.as_ref()) { &mut taken } else { &mut left };
        part.append_pair(&name, &value);
    }
    let (taken, left) = (taken.finish(), left.finish());
    *query = left;
    parse(&taken)
}

/// Reads a filter; an empty one does not filter. Use with `#[serde(default, deserialize_with = "unless_empty")]`.
///
/// # Errors
///
/// The error of `T`.
pub fn unless_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() { Ok(None) } else { T::deserialize(text.into_deserializer()).map(Some) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::values::search::{SearchText, SearchWords};

    proptest! {
        /// Any bytes, well or badly escaped, UTF-8 or not: the query is read or refused with 422, and a cursor put into
        /// it comes back.
        #[test]
        fn any_query_string_is_read_or_refused(
            query in prop_oneof![
                any::<String>(),
                "((colour|q|cursor|%71|[a-z%&;+]{1,3})(=(red|%[0-9a-fg]{0,2}|[ -~]{0,3}))?&?){0,6}",
            ],
            cursor in "[A-Za-z0-9_-]{1,40}",
        ) {
            if let Err(problem) = read(&query) {
                prop_assert_eq!(problem.status().as_u16(), 422, "{}", query);
                prop_assert!(problem.errors().iter().all(|error| error.pointer.starts_with('/')), "{}", query);
            }
            let next = QueryString { path: "/".into(), query }.with_cursor(&cursor);
            let next = next.strip_prefix("/?").unwrap();
            let pairs = form_urlencoded::parse(next.as_bytes());
            let cursors: Vec<_> = pairs.filter(|(name, _)| name == "cursor").collect();
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
        q: Option<SearchText>,
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
    fn a_query_has_parameters_of_its_own_and_shared_ones_and_no_others() {
        #[derive(Debug, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Size {
            size: Option<String>,
        }

        impl Shared for Size {
            fn take(query: &mut String) -> Result<Self, Problem> {
                take(query, &["size"])
            }
        }

        let read = |query: &str| QueryString { path: "/".into(), query: query.into() }.read_with::<Query, Size>();
        let (own, size) = read("size=a%26b&q=%2B1&colour=red").unwrap();
        assert_eq!((own.colour, size.size.as_deref()), (Some(Colour::Red), Some("a&b")));
        assert_eq!(own.q.map(SearchText::into_string).as_deref(), Some("+1"));
        for (query, pointer) in [("size=1&size=2", "/size"), ("colour=blue&size=1", "/colour"), ("sizes=1", "/sizes")] {
            let refused = read(query).unwrap_err();
            assert_eq!((refused.status().as_u16(), refused.errors()[0].pointer.as_str()), (422, pointer));
        }
    }

    #[test]
    fn a_search_has_words_of_which_one_has_two_characters() {
        #[derive(Debug, Deserialize)]
        struct Search {
            q: SearchWords,
        }
        let words = |text: &str| {
            let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", text).finish();
            let read = QueryString { path: "/".into(), query }.read::<Search>();
            read.map(|Search { q }| q.into_strings()).map_err(|problem| problem.errors()[0].code.to_string())
        };
        let found = |words: &[&str]| Ok(words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
        assert_eq!(words("Asha"), found(&["Asha"]));
        assert_eq!(words(" asha  P Asha asha "), found(&["asha", "P", "Asha"]));
        assert_eq!((words(" 2547"), words("+2547")), (found(&["+2547"]), found(&["+2547"])));
        assert_eq!(words(" 1"), found(&["+1"]));
        for text in ["", "a", "é", " a", "a b", "   ", "\u{200b}\u{200b}\u{200b}"] {
            assert_eq!(words(text), Err("too_short".to_owned()), "{text:?}");
        }
        assert_eq!(words("aa b c d e f g h i j"), found(&["aa", "b", "c", "d", "e", "f", "g", "h", "i", "j"]));
        assert_eq!(words("aa b c d e f g h i j k"), Err("too_many_words".to_owned()));
    }
}
