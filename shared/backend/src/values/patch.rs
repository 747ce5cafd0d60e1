//! Optional fields of a change.

use serde::{Deserialize, Deserializer};

/// Reads a field of a PATCH: `None` only if it is left out, so that `null` is a value or refused. Use with
/// `#[serde(default, deserialize_with = "given")]`.
///
/// # Errors
///
/// The error of `T`.
pub fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::values::reading::read;
    use crate::values::text::{Email, Name};

    #[test]
    fn a_field_of_a_patch_tells_absent_from_null() {
        #[derive(Deserialize)]
        struct Patch {
            #[serde(default, deserialize_with = "given")]
            email: Option<Email>,
            #[serde(default, deserialize_with = "given")]
            #[allow(clippy::option_option)]
            full_name: Option<Option<Name>>,
        }
        let absent: Patch = read(json!({})).unwrap();
        assert!(absent.email.is_none() && absent.full_name.is_none());
        assert_eq!(read::<Patch>(json!({"full_name": null})).unwrap().full_name, Some(None));
        assert!(read::<Patch>(json!({"email": null})).is_err());
    }
}
