//! Versions as entity tags: `ETag: "3"` and `If-Match` (RFC 9110).

use super::problem::Problem;
use crate::values::version::Version;

impl Version {
    /// The entity tag.
    #[must_use]
    pub fn etag(self) -> String {
        format!("\"{}\"", self.0)
    }
}

/// The condition of `If-Match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: any version.
    Any,
    /// One of these entity tags, as they were sent. A weak tag never matches.
    OneOf(Vec<String>),
}

impl IfMatch {
    /// Reads the header's value; several headers are one list, as their values joined by commas.
    ///
    /// # Errors
    ///
    /// 400 unless the header is `*` or a list of entity tags in double quotes.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let text = text.trim_matches(BLANKS);
        if text == "*" {
            return Ok(Self::Any);
        }
        entity_tags(text).filter(|tags| !tags.is_empty()).map(Self::OneOf).ok_or_else(|| {
            let detail = "If-Match is * or a list of entity tags in double quotes, such as \"3\".";
            Problem::bad_request("bad_if_match", detail)
        })
    }

    /// True if it names this version.
    #[must_use]
    pub fn matches(&self, version: Version) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(tags) => tags.contains(&version.etag()),
        }
    }
}

/// The blanks allowed around the parts of a header's value.
const BLANKS: [char; 2] = [' ', '\t'];

/// The entity tags of a list, whose parts may be empty. A tag may hold commas.
fn entity_tags(list: &str) -> Option<Vec<String>> {
    let mut tags = Vec::new();
    let mut rest = list;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Some(tags);
        }
        let opaque = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"')?;
        let (_, after) = opaque.split_once('"')?;
        tags.push(rest[..rest.len() - after.len()].to_owned());
        rest = after.trim_start_matches(BLANKS);
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Text of any characters names a version only by its tag.
        #[test]
        fn any_text_names_the_versions_whose_tags_it_has(
            text in prop_oneof![any::<String>(), "((W/)?\"?[0-9*]{1,2}\"?,? ?){0,4}"],
            version in 0..100,
        ) {
            let (version, other) = (Version(version), Version(version + 1));
            match IfMatch::parse(&text) {
                Ok(read) => {
                    let names_it = read.matches(version);
                    prop_assert!(!names_it || text.trim() == "*" || text.contains(&version.etag()));
                }
                Err(problem) => prop_assert_eq!((problem.status().as_u16(), problem.code()), (400, "bad_if_match")),
            }
            let both = format!("{other}, {version}", other = other.etag(), version = version.etag());
            prop_assert!(IfMatch::parse(&both).unwrap().matches(version));
        }
    }

    #[test]
    fn if_match_names_a_version_by_its_strong_tag() {
        for text in ["\"3\"", "\"2\", \"3\"", "\"2\",\"3\"", " * ", "W/\"3\" , \"3\"", ",, \"a,b\",\t\"3\" ,"] {
            assert!(IfMatch::parse(text).unwrap().matches(Version(3)), "{text}");
        }
        for other in ["\"2\"", "W/\"3\"", "\"33\"", "\"\"", "\"2,\""] {
            assert!(!IfMatch::parse(other).unwrap().matches(Version(3)), "{other}");
        }
        for none in ["3", "", ",", "\"3", "3\"", "'3'", "\"3\" \"4\"", "\"3\", 4", "\"3\", *", "w/\"3\"", "\"3\"x"] {
            assert_eq!(IfMatch::parse(none).unwrap_err().code(), "bad_if_match", "{none}");
        }
    }
}
