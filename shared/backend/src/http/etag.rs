//! Versions as entity tags: `ETag: "3"` and `If-Match` (RFC 9110).

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

/// The version of a loan or a product: 1, 2, 3 and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct Version(pub i32);

impl Version {
    /// The one after this.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The entity tag.
    #[must_use]
    pub fn etag(self) -> String {
        format!("\"{}\"", self.0)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What `If-Match` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: any version.
    Any,
    /// One of these entity tags, as they were sent. A weak tag never matches.
    OneOf(Vec<String>),
}

impl IfMatch {
    /// Reads the header's value. What is no entity tag is kept as it is and matches nothing.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text.trim() == "*" {
            return Self::Any;
        }
        Self::OneOf(text.split(',').map(|tag| tag.trim().to_owned()).collect())
    }

    /// Whether it names this version.
    #[must_use]
    pub fn matches(&self, version: Version) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(tags) => tags.contains(&version.etag()),
        }
    }
}

#[cfg(test)]
mod tests {
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
            let names_it = IfMatch::parse(&text).matches(version);
            prop_assert!(!names_it || text.trim() == "*" || text.contains(&version.etag()));
            let both = format!("{other}, {version}", other = other.etag(), version = version.etag());
            prop_assert!(IfMatch::parse(&both).matches(version));
        }
    }

    #[test]
    fn if_match_names_a_version_by_its_strong_tag() {
        assert!(IfMatch::parse("\"3\"").matches(Version(3)));
        assert!(IfMatch::parse("\"2\", \"3\"").matches(Version(3)));
        assert!(IfMatch::parse(" * ").matches(Version(3)));
        for other in ["\"2\"", "3", "W/\"3\"", "\"33\"", ""] {
            assert!(!IfMatch::parse(other).matches(Version(3)), "{other}");
        }
    }
}
