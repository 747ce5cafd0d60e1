//! Texts of requests, parsed on arrival: each type enforces its rule.

use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::values::refusal::refusal;

/// The refusal of a text: a stable code, and the rule in words.
pub(super) type Rule = (&'static str, &'static str);

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
                let parse: fn(String) -> Result<String, Rule> = $parse;
                let text = String::deserialize(deserializer)?;
                parse(text).map(Self).map_err(|(code, detail)| refusal(code, detail))
            }
        }
    };
}

text_field! {
    /// The reason of an action: 1 to 1000 characters, not only blanks.
    #[schema(min_length = 1, max_length = 1000, example = "income confirmed")]
    Reason, |text| plain_text(text, 1000)
}
text_field! {
    /// A name: 1 to 200 characters, not only blanks.
    #[schema(as = DisplayName, min_length = 1, max_length = 200, example = "Asha Patel")]
    Name, |text| line(text, 200)
}
text_field! {
    /// The name to log in with: 3 to 64 of `a-z0-9._-`, folded to lower case, and no UUID.
    #[schema(pattern = "^[A-Za-z0-9._-]{3,64}$", example = "usr_india_999")]
    Username, |text| username(&text).ok_or((
        "not_a_username",
        "must have 3 to 64 letters a to z, digits, dots, underscores and hyphens, and must not be a UUID",
    ))
}
text_field! {
    /// An e-mail address: at most 254 characters of ASCII, unique without regard to case.
    #[schema(format = "email", max_length = 254, example = "asha@example.com")]
    Email, |text| if is_email(&text) { Ok(text) } else { Err((
        "not_an_email_address",
        "must be an address such as name@example.com, of at most 254 characters; international domains in their ASCII \
            form",
    )) }
}
text_field! {
    /// A telephone number as in E.164: a plus, the country code, the number; at most 15 digits and nothing else.
    #[schema(pattern = r"^\+[1-9][0-9]{1,14}$", example = "+919812345678")]
    Phone, |text| if is_phone(&text) { Ok(text) } else { Err((
        "not_a_phone_number",
        "must be a plus, the country code and the number, at most 15 digits and nothing else, such as +919812345678",
    )) }
}

text_field! {
    /// How the other side names a payment: 1 to 200 characters, not only blanks.
    #[schema(as = PaymentReference, min_length = 1, max_length = 200, example = "receipt 1047")]
    Reference, |text| line(text, 200)
}
text_field! {
    /// How a payment came in: 1 to 64 characters, not only blanks.
    #[schema(as = PaymentChannel, min_length = 1, max_length = 64, example = "cash")]
    Channel, |text| line(text, 64)
}
text_field! {
    /// An account as its provider names it: 1 to 64 characters, not only blanks.
    #[schema(min_length = 1, max_length = 64, example = "600638")]
    Account, |text| line(text, 64)
}
text_field! {
    /// The lender's name of a charge: 1 to 64 characters, not only blanks.
    #[schema(min_length = 1, max_length = 64, example = "bounced-cheque")]
    ChargeCode, |text| line(text, 64)
}

text_field! {
    /// The id of a thing in another system: 1 to 100 characters, not only blanks.
    #[schema(min_length = 1, max_length = 100, example = "crm-20417")]
    ExternalId, |text| line(text, 100)
}
text_field! {
    /// A text under a key: at most 500 characters, as it is written.
    #[schema(max_length = 500, example = "pune-2")]
    MetadataText, |text| if text.chars().count() > 500 {
        Err(("too_long", "has at most 500 characters"))
    } else if text.chars().any(|c| c.is_control() && c != '\n') {
        Err(CONTROL_CHARACTER)
    } else {
        Ok(text)
    }
}

text_field! {
    /// A short text about a person: 1 to 40 characters, not only blanks.
    #[schema(min_length = 1, max_length = 40, example = "tailor")]
    PersonalText, |text| line(text, 40)
}
text_field! {
    /// A country, ISO 3166: two letters, in upper case from then on.
    #[schema(pattern = "^[A-Za-z]{2}$", example = "IN")]
    Country, |text| if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        Ok(text.to_ascii_uppercase())
    } else {
        Err(("not_a_country", "must be the two letters that ISO 3166 has for a country, such as IN"))
    }
}

text_field! {
    /// A product's code: 1 to 64 of `a-z0-9-`.
    #[schema(pattern = "^[a-z0-9-]{1,64}$", example = "microloan-inr")]
    ProductCode, |text| if is_product_code(&text) { Ok(text) } else { Err((
        "not_a_product_code", "must have 1 to 64 characters of a-z, 0-9 and -",
    )) }
}

impl ProductCode {
    /// The code in a path; `None` where no product can have this code.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_product_code(text).then(|| Self(text.to_owned()))
    }
}

fn is_product_code(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

impl ExternalId {
    /// The name that a person typed; `None` where nothing can have this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        line(text.to_owned(), 100).ok().map(Self)
    }
}

impl Username {
    /// The username that a person typed, folded to lower case; `None` where no user can have this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        username(text).map(Self)
    }
}

fn username(text: &str) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    // "An id or a username" has one reading only if no username is a UUID.
    let taken = (3..=64).contains(&text.len()) && text.bytes().all(allowed) && Uuid::try_parse(text).is_err();
    taken.then(|| text.to_ascii_lowercase())
}

/// The shape that browsers ask of `<input type="email">` (the WHATWG's HTML standard), with a domain of at least two
/// labels. ASCII alone, so that "without regard to case" means the same here and in every collation of the database.
fn is_email(text: &str) -> bool {
    let in_local = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 254
        && text.split_once('@').is_some_and(|(local, domain)| {
            (1..=64).contains(&local.len())
                && local.bytes().all(in_local)
                && domain.contains('.')
                && domain.split('.').all(is_label)
        })
}

fn is_phone(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (2..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

pub(super) const CONTROL_CHARACTER: Rule = ("control_character", "must not contain control characters");

/// As [`plain_text`], on one line and in the order of its characters.
fn line(text: String, max: usize) -> Result<String, Rule> {
    let rule = "must not contain control characters, line breaks or marks that change the direction of writing";
    let is_one_line = lending::is_one_line(text.trim_matches([' ', '\t']));
    if is_one_line { plain_text(text, max) } else { Err((CONTROL_CHARACTER.0, rule)) }
}

/// Text without control characters, trimmed, with visible characters and at most `max` of all.
///
/// # Errors
///
/// A code and the rule.
pub fn plain_text(text: String, max: usize) -> Result<String, Rule> {
    let trimmed = text.trim();
    if lending::is_blank(trimmed) {
        return Err(("blank", "must not be empty or blank"));
    }
    if trimmed.chars().count() > max {
        let rule = match max {
            40 => "has at most 40 characters",
            64 => "has at most 64 characters",
            100 => "has at most 100 characters",
            200 => "has at most 200 characters",
            _ => "has at most 1000 characters",
        };
        return Err(("too_long", rule));
    }
    // Postgres text holds no NUL; line breaks are the only control characters a person writes.
    if trimmed.chars().any(|c| c.is_control() && c != '\n') {
        return Err(CONTROL_CHARACTER);
    }
    Ok(if trimmed.len() == text.len() { text } else { trimmed.to_owned() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::values::reading::read;
    use crate::values::user_ref::UserRef;

    proptest! {
        /// Any text: refused, or accepted within its rule and then unchanged when read again.
        #[test]
        fn any_text_is_refused_or_held_to_its_rule(
            text in prop_oneof![any::<String>(), "\\PC{0,300}", "[a-z0-9._@+-]{0,70}", "\\+?[0-9]{0,17}"],
        ) {
            if let Ok(Username(name)) = read(text.as_str()) {
                prop_assert!((3..=64).contains(&name.len()) && name == text.to_ascii_lowercase());
            }
            if let Ok(Email(email)) = read(text.as_str()) {
                prop_assert!(email == text && email.is_ascii() && email.len() <= 254);
            }
            if let Ok(Phone(phone)) = read(text.as_str()) {
                prop_assert!(phone == text && (3..=16).contains(&phone.len()));
            }
            if let Ok(ProductCode(code)) = read(text.as_str()) {
                prop_assert!(code == text && (1..=64).contains(&code.len()));
            }
            if let Ok(Reason(reason)) = read(text.as_str()) {
                prop_assert!(reason == text.trim() && (1..=1000).contains(&reason.chars().count()));
                prop_assert!(!reason.contains('\0'));
            }
            for (line, longest) in [
                (read::<Name>(text.as_str()).map(|it| it.0), 200),
                (read::<Reference>(text.as_str()).map(|it| it.0), 200),
                (read::<Channel>(text.as_str()).map(|it| it.0), 64),
                (read::<ChargeCode>(text.as_str()).map(|it| it.0), 64),
            ] {
                if let Ok(line) = line {
                    prop_assert!(line.chars().count() <= longest && !line.contains(char::is_control));
                }
            }
            if let Ok(user) = read::<UserRef>(text.as_str()) {
                prop_assert!(!user.to_string().contains('\0') && UserRef::parse(&user.to_string()) == user);
            }
        }
    }

    #[test]
    fn a_username_is_folded_to_lower_case() {
        assert_eq!(read::<Username>("Usr_India.999-x").unwrap().as_str(), "usr_india.999-x");
        assert_eq!(read::<Username>("a".repeat(64)).unwrap().as_str().len(), 64);
    }

    #[test]
    fn a_username_has_only_its_characters_and_is_no_uuid() {
        let uuid = "01957d3a-7c4e-7a10-9d2b-6f1f4f0c2a11";
        let refused = ["ab", "", " abc", "a b c", "abc\n", "ab/c", "äöü", "\u{212a}elvin", "a\0bc", uuid];
        for text in
            refused.map(str::to_owned).into_iter().chain([uuid.replace('-', ""), uuid.to_uppercase(), "a".repeat(65)])
        {
            assert!(read::<Username>(text.as_str()).unwrap_err().starts_with("[not_a_username]"), "{text}");
        }
    }

    #[test]
    fn an_email_address_has_a_local_part_and_a_domain() {
        let longest = format!("{}@{}.{}.{}.com", "a".repeat(60), "b".repeat(63), "c".repeat(63), "d".repeat(61));
        assert_eq!(longest.len(), 254);
        for text in ["Asha@Example.com", "a.b+c@mail.example.co.in", "o'neil@x-y.org", &longest] {
            assert_eq!(read::<Email>(text).unwrap().as_str(), text);
        }
        let (too_long, long_local) = (longest.replace(".com", ".info"), format!("{}@example.com", "a".repeat(65)));
        for text in [
            "",
            "asha",
            "@example.com",
            "asha@",
            "asha@example",
            "a@b@example.com",
            "a b@example.com",
            "a@exa mple.com",
            "a@.com",
            "a@example..com",
            "a@-example.com",
            "a@example.com ",
            "ä@example.com",
            "a@b.c\n",
            "a\0@b.com",
            &too_long,
            &long_local,
        ] {
            assert!(read::<Email>(text).unwrap_err().starts_with("[not_an_email_address]"), "{text}");
        }
    }

    #[test]
    fn a_phone_number_is_e_164() {
        for text in ["+919812345678", "+12", "+123456789012345"] {
            assert_eq!(read::<Phone>(text).unwrap().as_str(), text);
        }
        for text in ["", "+", "+1", "919812345678", "+0123456", "+91 981", "+91-981", "+1234567890123456", "+٣٤٥"] {
            assert!(read::<Phone>(text).unwrap_err().starts_with("[not_a_phone_number]"), "{text}");
        }
    }
}
