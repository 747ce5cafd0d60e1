//! Passwords, as fields of requests. They cannot be shown.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::values::{
    opaque::{self, Disallowed},
    refusal::{FieldError, refusal},
    text::CONTROL_CHARACTER,
};

/// A new password: 12 to 128 characters after the profile `OpaqueString` of RFC 8265, which normalises letters and
/// spaces and excludes control characters; neither the username nor the e-mail address.
// No Debug, Display or Serialize: it cannot be shown.
#[derive(ToSchema)]
#[schema(value_type = String, format = Password, min_length = 12, max_length = 128, example = "correct horse battery")]
pub struct Password(SecretString);

impl Password {
    /// Checks that it is not the username, whoever has that.
    ///
    /// # Errors
    ///
    /// Names `pointer` where it is the username, in whatever case.
    pub fn differs_from_username(&self, username: &str, pointer: &str) -> Result<(), FieldError> {
        if self.0.expose_secret().to_lowercase() == username.to_lowercase() {
            return Err(FieldError::new(pointer, "password_is_username", "must not be the username"));
        }
        Ok(())
    }

    /// The password of the user with this name and address, to be hashed.
    ///
    /// # Errors
    ///
    /// Names `pointer` if it is the username or the e-mail address, in whatever case.
    pub fn of_user(self, username: &str, email: &str, pointer: &str) -> Result<SecretString, FieldError> {
        self.differs_from_username(username, pointer)?;
        if self.0.expose_secret().to_lowercase() == email.to_lowercase() {
            return Err(FieldError::new(pointer, "password_is_email", "must not be the e-mail address"));
        }
        Ok(self.0)
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let PasswordAttempt(typed) = PasswordAttempt::deserialize(deserializer)?;
        let secret = opaque::enforce(typed.expose_secret()).map(SecretString::from).map_err(|error| match error {
            Disallowed::Control => refusal(CONTROL_CHARACTER.0, error),
            Disallowed::Other => refusal("disallowed_character", error),
        })?;
        match secret.expose_secret().chars().count() {
            0..12 => Err(refusal("too_short", "must have at least 12 characters")),
            12..=128 => Ok(Self(secret)),
            _ => Err(refusal("too_long", "must have at most 128 characters")),
        }
    }
}

/// An existing password, as typed by somebody who claims to know it.
// As `Password`, it cannot be shown.
#[derive(ToSchema)]
#[schema(value_type = String, format = Password, example = "correct horse battery")]
pub struct PasswordAttempt(pub SecretString);

impl<'de> Deserialize<'de> for PasswordAttempt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        // serde's own message would repeat a value of another type.
        let text: String = serde_json::from_str(raw.get()).map_err(|_| refusal("wrong_type", "must be a string"))?;
        Ok(Self(SecretString::from(text)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::values::reading::read;

    #[test]
    fn a_password_has_12_to_128_characters_of_any_kind() {
        for text in ["twelve chars", "ппппппппппää", &"x".repeat(128)] {
            assert!(read::<Password>(text).is_ok(), "{text}");
        }
        assert!(read::<Password>("elevenchars").err().unwrap().starts_with("[too_short]"));
        assert!(read::<Password>("x".repeat(129)).err().unwrap().starts_with("[too_long]"));
        // Counted in the form in which it is hashed.
        assert!(read::<Password>("e\u{301}".repeat(128)).is_ok());
        assert!(read::<Password>("e\u{301}".repeat(11)).err().unwrap().starts_with("[too_short]"));
        assert!(read::<Password>("my cat is a \tby").err().unwrap().starts_with("[control_character]"));
        assert!(read::<Password>("zero\u{200b}width space").err().unwrap().starts_with("[disallowed_character]"));
    }

    #[test]
    fn a_password_is_not_the_username_or_the_email_address() {
        let of_user = |password: &str| {
            let password: Password = read(password).unwrap();
            password.of_user("usr_india_999", "Asha.Patel@example.com", "/password").map_err(|error| error.code)
        };
        assert!(of_user("usr_india_9999").is_ok());
        for (password, code) in [
            ("usr_india_999", "password_is_username"),
            ("USR_India_999", "password_is_username"),
            ("asha.patel@example.com", "password_is_email"),
            ("ASHA.PATEL@EXAMPLE.COM", "password_is_email"),
        ] {
            assert_eq!(of_user(password).unwrap_err(), code, "{password}");
        }
    }

    #[test]
    fn a_refused_password_is_not_repeated() {
        for value in [json!(123_456_789_012_u64), json!(["correct horse battery"]), json!("short one"), json!(null)] {
            let message = read::<Password>(value).err().unwrap();
            for part in ["123", "correct", "short one"] {
                assert!(!message.contains(part), "{message}");
            }
        }
    }
}
