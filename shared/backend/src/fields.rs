//! Fields of requests, parsed where they come in: a value of one of these types keeps its rule.

use std::fmt;

use lending::{Currency, Money, MoneyError};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::value::RawValue;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, RefOr, Schema,
        schema::{SchemaType, Type},
    },
};
use uuid::Uuid;

use crate::{
    auth::opaque::{self, Disallowed},
    http::{body::refusal, problem::Problem},
};

/// What a rule says of a text it refuses: a stable code, and the rule in words.
type Rule = (&'static str, &'static str);

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
    /// Why something was done: 1 to 1000 characters, not only blanks.
    #[schema(min_length = 1, max_length = 1000, example = "income confirmed")]
    Reason, |text| plain_text(text, 1000)
}
text_field! {
    /// A name: 1 to 200 characters, not only blanks.
    #[schema(min_length = 1, max_length = 200, example = "Asha Patel")]
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
        "must be an address such as name@example.com, of at most 254 characters; international domains in their ASCII form",
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
    #[schema(min_length = 1, max_length = 200, example = "receipt 1047")]
    Reference, |text| line(text, 200)
}
text_field! {
    /// How a payment came in: 1 to 64 characters, not only blanks.
    #[schema(min_length = 1, max_length = 64, example = "cash")]
    Channel, |text| line(text, 64)
}
text_field! {
    /// The lender's name of a charge: 1 to 64 characters, not only blanks.
    #[schema(min_length = 1, max_length = 64, example = "bounced-cheque")]
    ChargeCode, |text| line(text, 64)
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

/// A new password: 12 to 128 characters after the profile `OpaqueString` of RFC 8265, which normalises letters and spaces and excludes
/// control characters; neither the username nor the e-mail address.
// No Debug, Display or Serialize: it cannot be shown.
#[derive(ToSchema)]
#[schema(value_type = String, format = Password, min_length = 12, max_length = 128, example = "correct horse battery")]
pub struct Password(SecretString);

impl Password {
    /// The password of the user with this name and address, to be hashed.
    ///
    /// # Errors
    ///
    /// 422 naming `pointer` where it is the username or the e-mail address, in whatever case.
    pub fn of_user(self, username: &str, email: &str, pointer: &str) -> Result<SecretString, Problem> {
        let folded = self.0.expose_secret().to_lowercase();
        if folded == username.to_lowercase() {
            return Err(Problem::field(pointer, "password_is_username", "must not be the username"));
        }
        if folded == email.to_lowercase() {
            return Err(Problem::field(pointer, "password_is_email", "must not be the e-mail address"));
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

/// A password that is already set, as someone typed it who claims to know it.
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

/// Reads a field of a PATCH: `None` only where it is left out, so that `null` is a value or refused. To be used with
/// `#[serde(default, deserialize_with = "given")]`.
///
/// # Errors
///
/// What `T` refuses.
pub fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

const CONTROL_CHARACTER: Rule = ("control_character", "must not hold control characters");

/// As [`plain_text`], on one line and in the order of its characters.
fn line(text: String, max: usize) -> Result<String, Rule> {
    let rule = "must not hold control characters, line breaks or marks that change the direction of writing";
    let is_one_line = lending::is_one_line(text.trim_matches([' ', '\t']));
    if is_one_line { plain_text(text, max) } else { Err((CONTROL_CHARACTER.0, rule)) }
}

/// Text without control characters, trimmed, that shows something and has at most `max` characters.
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
            64 => "has at most 64 characters",
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

/// A whole number within a range; `6.0` is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Whole<const LEAST: u32, const MOST: u32>(u32);

/// A number of instalments.
pub type Instalments = Whole<1, { lending::MAX_INSTALMENTS }>;

impl<const LEAST: u32, const MOST: u32> Whole<LEAST, MOST> {
    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl<'de, const LEAST: u32, const MOST: u32> Deserialize<'de> for Whole<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        lending::whole_number(deserializer, LEAST..=MOST).map(Self)
    }
}

/// A number as it stands in the request, in a JSON string or as a JSON number; never a binary float.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberText(String);

impl PartialSchema for NumberText {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Number]));
        let schema = schema.pattern(Some(r"^[0-9]+(\.[0-9]+)?$")).minimum(Some(0));
        let about = "A decimal number without sign or exponent, as a string or as a JSON number; taken digit by digit.";
        schema.description(Some(about)).examples(["12000.50"]).into()
    }
}

impl ToSchema for NumberText {}

impl NumberText {
    /// The digits as sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same number without zeros that say nothing: two texts of one number have the same shortest one.
    #[must_use]
    pub fn shortest(&self) -> Self {
        let (whole, fraction) = self.0.split_once('.').unwrap_or((&self.0, ""));
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let whole = if whole.is_empty() { "0" } else { whole };
        Self(if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") })
    }

    /// The amount of money that it is.
    ///
    /// # Errors
    ///
    /// 422, at the pointer, for what is no amount of this currency.
    pub fn money(&self, pointer: &str, currency: Currency) -> Result<Money, Problem> {
        Money::parse(&self.0, currency).map_err(|error| Problem::field(pointer, error.code(), error.to_string()))
    }
}

impl<'de> Deserialize<'de> for NumberText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = match raw.get().as_bytes() {
            [b'"', ..] => serde_json::from_str::<String>(raw.get()).map_err(D::Error::custom)?,
            [b'-' | b'0'..=b'9', ..] => raw.get().to_owned(),
            _ => return Err(refusal("wrong_type", "is a number, or a string that holds one")),
        };
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
        if !is_digits(whole) || !is_digits(fraction) {
            return Err(refusal(MoneyError::NotANumber.code(), MoneyError::NotANumber));
        }
        Ok(Self(text))
    }
}

impl Serialize for NumberText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// A user named by id or by username: an id if it parses as a UUID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserRef {
    /// The id.
    Id(Uuid),
    /// The username, in lower case.
    Username(String),
}

impl UserRef {
    /// Reads either form.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match Uuid::try_parse(text) {
            Ok(id) => Self::Id(id),
            Err(_) => Self::Username(text.to_ascii_lowercase()),
        }
    }

    /// The id, if it is one.
    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        match self {
            Self::Id(id) => Some(*id),
            Self::Username(_) => None,
        }
    }

    /// The username, if it is one.
    #[must_use]
    pub fn username(&self) -> Option<String> {
        match self {
            Self::Id(_) => None,
            Self::Username(name) => Some(name.clone()),
        }
    }
}

impl fmt::Display for UserRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Username(name) => f.write_str(name),
        }
    }
}

impl<'de> Deserialize<'de> for UserRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() || text.len() > 100 || text.contains('\0') {
            return Err(refusal("not_a_user", "is a user's id or username"));
        }
        Ok(Self::parse(&text))
    }
}

impl Serialize for UserRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn two_texts_of_one_number_have_the_same_shortest_one() {
        for (text, shortest) in
            [("10", "10"), ("10.00", "10"), ("010.50", "10.5"), ("0.00", "0"), ("00", "0"), ("0.05", "0.05")]
        {
            assert_eq!(NumberText(text.into()).shortest().as_str(), shortest);
        }
    }

    proptest! {
        /// Any text: refused, or kept within its rule and then taken as it stands.
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
            for line in [read::<Name>(text.as_str()).map(|it| it.0), read::<Reference>(text.as_str()).map(|it| it.0)] {
                prop_assert!(line.is_err() || line.is_ok_and(|line| line.chars().count() <= 200 && !line.contains(char::is_control)));
            }
            for line in [read::<Channel>(text.as_str()).map(|it| it.0), read::<ChargeCode>(text.as_str()).map(|it| it.0)] {
                prop_assert!(line.is_err() || line.is_ok_and(|line| line.chars().count() <= 64 && !line.contains(char::is_control)));
            }
            if let Ok(user) = read::<UserRef>(text.as_str()) {
                prop_assert!(!user.to_string().contains('\0') && UserRef::parse(&user.to_string()) == user);
            }
        }
    }

    fn read<T: serde::de::DeserializeOwned>(value: impl Into<serde_json::Value>) -> Result<T, String> {
        serde_json::from_value(value.into()).map_err(|error| error.to_string())
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
            password.of_user("usr_india_999", "Asha.Patel@example.com", "/password").map_err(|problem| problem.status())
        };
        assert!(of_user("usr_india_9999").is_ok());
        for password in ["usr_india_999", "USR_India_999", "asha.patel@example.com", "ASHA.PATEL@EXAMPLE.COM"] {
            assert_eq!(of_user(password).unwrap_err().as_u16(), 422, "{password}");
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
