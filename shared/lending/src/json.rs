//! Values as clients write them in JSON.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The error of a value that is refused while it is deserialised. serde's errors are text: the stable code stands in
/// brackets before the rule in words.
pub(crate) fn refused<E: serde::de::Error>(code: &str, rule: impl std::fmt::Display) -> E {
    E::custom(format_args!("[{code}] {rule}"))
}

/// The text of a JSON string or a JSON number, with every digit as the client wrote it.
pub(crate) fn deserialize_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let json = raw.get();
    match json.as_bytes().first() {
        Some(b'"') => serde_json::from_str(json).map_err(serde::de::Error::custom),
        Some(b'-' | b'0'..=b'9') => Ok(json.to_owned()),
        _ => Err(refused("wrong_type", "must be a string or a number")),
    }
}

/// Reads a whole number within a range from a JSON number, digit by digit: `6.0` is valid, `6.5` and `6e0` are not.
///
/// # Errors
/// The value is not a whole number, or outside the range.
pub fn whole_number<'de, D: Deserializer<'de>>(
    deserializer: D,
    range: std::ops::RangeInclusive<u32>,
) -> Result<u32, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let (whole, fraction) = raw.get().split_once('.').unwrap_or((raw.get(), "0"));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || !fraction.bytes().all(|byte| byte == b'0') {
        return Err(refused("wrong_type", "must be a whole number"));
    }
    match whole.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(refused("out_of_range", format_args!("must be from {} to {}", range.start(), range.end()))),
    }
}

/// Deserialises structs from JSON objects alone. serde's derived code also accepts an array of the fields
/// in order: `"terms": []` would not be a wrong type.
macro_rules! objects_only {
    ($($name:ident, $expecting:literal;)+) => { $(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Object;

                impl<'de> serde::de::Visitor<'de> for Object {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expecting)
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<$name, A::Error> {
                        // The derived function, which `remote = "Self"` puts beside the trait's.
                        $name::deserialize(serde::de::value::MapAccessDeserializer::new(map))
                    }
                }

                deserializer.deserialize_map(Object)
            }
        }
    )+ };
}

pub(crate) use objects_only;
