//! All errors of a body at once: each field at its pointer, in words for a client.
//!
//! A body is read by serde's derived code for its type, which stops at the first error. After an error, every part of
//! the body is read again by the same type, alone in its place: a failure there is that part's own error. So the rules
//! stand once, at the types, and a body without errors costs nothing more.

mod required;
mod wording;

use std::{collections::HashSet, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use utoipa::ToSchema;

pub(super) use self::wording::field_error;
use self::{
    required::{Step, required_at},
    wording::{explain, missing, names, pointer, repeated_error},
};
use super::problem::{MOST_ERRORS, Problem};
use crate::values::refusal::FieldError;

/// The text, which is JSON, as `T`: it must be an object, although serde would also fill a struct from a list.
///
/// # Errors
///
/// 422 for a text that is not a `T`, naming every wrong field, at most [`MOST_ERRORS`].
pub fn deserialize<T: DeserializeOwned + ToSchema>(text: &str) -> Result<T, Problem> {
    if !text.trim_start().starts_with('{') {
        return Err(Problem::field("", "wrong_type", "must be an object"));
    }
    read(text).map_err(|first| {
        let mut search = Search::<T>::default();
        search.look_into(text, &first);
        Problem::invalid(search.errors)
    })
}

/// The error at which serde stopped.
struct Stop {
    path: Vec<String>,
    message: String,
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Stop> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let message = error.inner().to_string();
        // serde_json adds the position; the pointer is better.
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
        Stop { path: names(error.path()), message: message.to_owned() }
    })
}

impl Stop {
    /// True if serde stopped at an object as a whole because a field is missing or repeated.
    fn is_of_a_field(&self) -> bool {
        missing(&self.message).is_some() || self.message.starts_with("duplicate field `")
    }

    /// True if a value refused with a rule of its own.
    fn is_of_a_rule(&self) -> bool {
        self.message.starts_with('[')
    }
}

/// The search for all errors of a body that is to be a `T`.
struct Search<T> {
    /// Where the search is.
    at: Vec<Step>,
    errors: Vec<FieldError>,
    body: PhantomData<T>,
}

impl<T> Default for Search<T> {
    fn default() -> Self {
        Self { at: Vec::new(), errors: Vec::new(), body: PhantomData }
    }
}

impl<T: DeserializeOwned + ToSchema> Search<T> {
    /// Collects the errors of the part at this place, at which serde stopped when it was read alone.
    fn look_into(&mut self, part: &str, stop: &Stop) {
        let known = self.errors.len();
        let is_deeper = stop.path.len() > self.at.len();
        if is_deeper || stop.is_of_a_field() || stop.is_of_a_rule() {
            if let Ok(Members(members)) = serde_json::from_str(part) {
                self.look_into_object(&members);
            } else if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(part) {
                for (index, item) in items.into_iter().enumerate() {
                    self.look_at(Step::Item(index), item.get());
                }
            }
        }
        if self.errors.len() == known {
            // The error is of this part as a whole, or at a place in it that is neither a field nor an item.
            let inner = stop.path.get(self.at.len()..).unwrap_or_default();
            let last = stop.path.last().map_or("", String::as_str);
            self.push(explain(pointer(self.names().chain(inner.iter().cloned())), last, &stop.message));
        }
    }

    fn look_into_object(&mut self, members: &[(String, &RawValue)]) {
        let mut names = HashSet::new();
        let mut repeated = HashSet::new();
        for (name, value) in members {
            if names.insert(name.as_str()) {
                self.look_at(Step::Field(name.clone()), value.get());
            } else if repeated.insert(name.as_str()) {
                let pointer = pointer(self.names().chain([name.clone()]));
                let is_unknown = |error: &FieldError| error.pointer == pointer && error.code == "unknown_field";
                if !self.errors.iter().any(is_unknown) {
                    self.push(repeated_error(pointer, name));
                }
            }
        }
        for name in self.required() {
            if !names.contains(name.as_str()) {
                self.push(explain(pointer(self.names()), "", &format!("missing field `{name}`")));
            }
        }
    }

    /// Reads a part alone in its place, and looks into it if serde stops there.
    fn look_at(&mut self, step: Step, part: &str) {
        if self.errors.len() >= MOST_ERRORS {
            return;
        }
        self.at.push(step);
        if let Err(stop) = read::<T>(&self.in_its_place(part))
            && self.is_here(&stop)
        {
            self.look_into(part, &stop);
        }
        self.at.pop();
    }

    /// True if serde stopped at the part at this place, and not above it because the rest of the body is missing.
    fn is_here(&self, stop: &Stop) -> bool {
        stop.path.len() >= self.at.len()
    }

    /// A body with only this part, in its place.
    fn in_its_place(&self, part: &str) -> String {
        let mut text = String::with_capacity(part.len() + 32);
        for step in &self.at {
            match step {
                Step::Item(_) => text.push('['),
                Step::Field(name) => {
                    text.push('{');
                    text.push_str(&serde_json::Value::from(name.as_str()).to_string());
                    text.push(':');
                }
            }
        }
        text.push_str(part);
        text.extend(self.at.iter().rev().map(|step| if matches!(step, Step::Item(_)) { ']' } else { '}' }));
        text
    }

    /// The required fields of the object here. serde reports one at a time, so the others come from the type's
    /// description in the OpenAPI document.
    fn required(&self) -> Vec<String> {
        match read::<T>(&self.in_its_place("{}")) {
            Err(stop) if stop.path.len() == self.at.len() => match missing(&stop.message) {
                Some(first) => {
                    let mut names = required_at::<T>(&self.at);
                    if !names.iter().any(|name| name == first) {
                        names.push(first.to_owned());
                    }
                    names
                }
                None => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    fn names(&self) -> impl Iterator<Item = String> + '_ {
        self.at.iter().map(|step| match step {
            Step::Field(name) => name.clone(),
            Step::Item(index) => index.to_string(),
        })
    }

    fn push(&mut self, error: FieldError) {
        if self.errors.len() < MOST_ERRORS {
            self.errors.push(error);
        }
    }
}

/// The members of an object in their order, those of the same name too.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Object).map(Self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, dead_code, reason = "the fields are there to be refused")]

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Deserialize, ToSchema)]
    #[serde(rename_all = "lowercase")]
    enum Colour {
        Red,
        Green,
    }

    #[derive(Debug, Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        count: Option<u32>,
        colour: Option<Colour>,
    }

    #[derive(Debug, Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        name: String,
        list: Option<Vec<Inner>>,
        sizes: Vec<Size>,
    }

    #[derive(Debug, Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    struct Size {
        width: u32,
        height: u32,
    }

    fn refused(text: &str) -> (u16, String, String, String) {
        let problem = deserialize::<Outer>(text).unwrap_err();
        let error = problem.errors().first().unwrap().clone();
        (problem.status().as_u16(), error.pointer, error.code.into_owned(), error.detail)
    }

    #[test]
    fn what_is_wrong_is_told_at_its_field_in_words_that_are_not_rusts() {
        for (text, pointer, code, detail) in [
            ("[]", "", "wrong_type", "must be an object"),
            ("[\"name\"]", "", "wrong_type", "must be an object"),
            ("{}", "/name", "required", "the field name is required"),
            ("{\"name\": null}", "/name", "wrong_type", "must be a string"),
            ("{\"name\": \"\", \"name\": \"\"}", "/name", "repeated", "the field name is given more than once"),
            ("{\"a/b\": 1}", "/a~1b", "unknown_field", "there is no field a/b here"),
            ("{\"a~b\": 1}", "/a~0b", "unknown_field", "there is no field a~b here"),
            ("{\"a`b\": 1}", "/a`b", "unknown_field", "there is no field a`b here"),
            ("{\"name\": \"\", \"list\": {}}", "/list", "wrong_type", "must be a list"),
            ("{\"name\": \"\", \"list\": [{}, 1]}", "/list/1", "wrong_type", "must be an object"),
            ("{\"name\": \"\", \"list\": [{\"count\": -1}]}", "/list/0/count", "out_of_range", "is out of range"),
            (
                "{\"name\": \"\", \"list\": [{\"count\": \"1\"}]}",
                "/list/0/count",
                "wrong_type",
                "must be a whole number",
            ),
            (
                "{\"name\": \"\", \"list\": [{\"colour\": \"blue\"}]}",
                "/list/0/colour",
                "unknown_value",
                "must be red or green",
            ),
        ] {
            let expected = (422, pointer.to_owned(), code.to_owned(), detail.to_owned());
            assert_eq!(refused(text), expected, "{text}");
        }
    }

    /// The pointer and the code of each error of the body.
    fn all_errors(text: &str) -> Vec<(String, String)> {
        let problem = deserialize::<Outer>(text).unwrap_err();
        problem.errors().iter().map(|error| (error.pointer.clone(), error.code.to_string())).collect()
    }

    fn expect(errors: &[(&str, &str)], text: &str) {
        let errors: Vec<_> = errors.iter().map(|(pointer, code)| ((*pointer).into(), (*code).into())).collect();
        assert_eq!(all_errors(text), errors, "{text}");
    }

    #[test]
    fn all_errors_come_at_once_each_at_its_place() {
        expect(
            &[
                ("/list/1/count", "wrong_type"),
                ("/list/1/colour", "unknown_value"),
                ("/list/2", "wrong_type"),
                ("/list/4/lost", "unknown_field"),
                ("/list/4/count", "repeated"),
                ("/a~1b", "unknown_field"),
                ("/name", "required"),
                ("/sizes", "required"),
            ],
            r#"{"list": [{}, {"count": "1", "colour": "blue"}, 7, {"count": 1}, {"lost": 1, "count": 1, "count": 2}],
                "a/b": {"c": 1}}"#,
        );
        expect(
            &[("/name", "wrong_type"), ("/sizes/0/width", "required"), ("/sizes/0/height", "required")],
            r#"{"name": 1, "sizes": [{}]}"#,
        );
        expect(
            &[("/sizes/1/width", "wrong_type"), ("/sizes/1/height", "required")],
            r#"{"sizes": [{"width": 1, "height": 2}, {"width": null}], "name": ""}"#,
        );
        expect(
            &[("/name", "repeated"), ("/sizes", "wrong_type")],
            r#"{"name": "", "name": "", "name": "", "sizes": {"width": 1}}"#,
        );
        expect(
            &[("/lost", "unknown_field"), ("/name", "required"), ("/sizes", "required")],
            r#"{"lost": 1, "lost": 2}"#,
        );
    }

    #[test]
    fn at_most_100_errors_are_told() {
        let items = |count: usize| vec![r#"{"count": "1"}"#; count].join(",");
        for (count, told) in [(99, 99), (100, 100), (101, 100), (20_000, 100)] {
            let text = format!(r#"{{"name": "", "sizes": [], "list": [{}]}}"#, items(count));
            let errors = all_errors(&text);
            assert_eq!(errors.len(), told);
            assert_eq!(errors.last().unwrap().0, format!("/list/{}/count", told - 1));
        }
    }

    proptest! {
        /// Each error of a body is reported once, and a body without the wrong fields has the others.
        #[test]
        fn each_error_is_told_once(
            text in "\\{(\"(name|list|lost|sizes)\": \
                (1|\"a\"|null|\\[(\\{(\"(count|colour|width)\": (1|-1|\"red\"|\"blue\"|\\{\\})(, \"height\": 1)?)?\\}\
                (, \\{\\})?)?\\]), ){0,4}\"end\": 1\\}",
        ) {
            let errors = all_errors(&text);
            let told: HashSet<_> = errors.iter().collect();
            prop_assert_eq!(told.len(), errors.len(), "{}: {:?}", text, errors);
            prop_assert!(told.contains(&("/end".into(), "unknown_field".into())), "{}: {:?}", text, errors);
        }
    }

    /// `serde_json` stops at these as if they were malformed JSON.
    #[test]
    fn a_word_of_another_type_and_a_lone_surrogate_are_refused_values_not_bad_json() {
        for value in ["1", "[]", "{}", "true"] {
            let text = format!("{{\"name\": \"\", \"list\": [{{\"colour\": {value}}}]}}");
            let (status, pointer, ..) = refused(&text);
            assert_eq!((status, pointer.as_str()), (422, "/list/0/colour"), "{text}");
        }
        let (status, pointer, code, _) = refused("{\"name\": \"\\ud800\"}");
        assert_eq!((status, pointer.as_str(), code.as_str()), (422, "/name", "invalid_value"));
    }
}
