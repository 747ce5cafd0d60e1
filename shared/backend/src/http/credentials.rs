//! Credentials of the scheme Basic (RFC 7617).

use axum::http::{HeaderMap, header};

/// The text after the scheme in `Authorization`, if that is Basic, in any case.
#[must_use]
pub fn basic(headers: &HeaderMap) -> Option<&[u8]> {
    let (scheme, rest) = headers.get(header::AUTHORIZATION)?.as_bytes().split_at_checked(5)?;
    let is_basic = scheme.eq_ignore_ascii_case(b"basic") && rest.first().is_none_or(|byte| *byte == b' ');
    is_basic.then(|| rest.trim_ascii())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn with(credentials: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::AUTHORIZATION, credentials.parse().unwrap())])
    }

    #[test]
    fn the_scheme_is_basic_in_any_case() {
        for header in ["Basic abc", "basic abc", "BASIC   abc "] {
            assert_eq!(basic(&with(header)), Some(b"abc".as_slice()), "{header}");
        }
        assert_eq!(basic(&with("Basic")), Some(b"".as_slice()));
        for header in ["Bearer abc", "Basicabc", "Bas", ""] {
            assert_eq!(basic(&with(header)), None, "{header}");
        }
    }
}
