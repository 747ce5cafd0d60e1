//! The words for an error of serde: a pointer to the field, a stable code and the rule, as a client reads them.

use serde_path_to_error::{Path, Segment};

use crate::values::refusal::FieldError;

/// Names the parameter of an error, and explains it in words for a client.
pub(in crate::http) fn field_error(path: &Path, message: &str) -> FieldError {
    let names = names(path);
    let last = names.last().cloned().unwrap_or_default();
    explain(pointer(names), &last, message)
}

/// Explains the error at a pointer, whose last name is `last`, in words for a client: serde's own speak of Rust's
/// types.
pub(super) fn explain(mut pointer: String, last: &str, message: &str) -> FieldError {
    // serde distinguishes these kinds only in words, which have been the same since 1.0. The path ends with the name of
    // the unknown field; the others are our own fields, whose names need no escaping.
    if message.starts_with("unknown field ") {
        return FieldError::new(pointer, "unknown_field", format!("there is no field {last} here"));
    }
    if let Some(name) = message.strip_prefix("duplicate field `").and_then(|rest| rest.strip_suffix('`')) {
        push_segment(&mut pointer, name);
        return repeated_error(pointer, name);
    }
    if let Some(name) = missing(message) {
        push_segment(&mut pointer, name);
        return FieldError::new(pointer, "required", format!("the field {name} is required"));
    }
    if let Some((code, detail)) = message.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        return FieldError::new(pointer, code.to_owned(), detail);
    }
    let expected = message.rsplit_once("expected ").map(|(_, expected)| in_words(expected));
    if message.starts_with("unknown variant ") {
        let words = expected.unwrap_or_default().replace('`', "");
        return FieldError::new(pointer, "unknown_value", format!("must be {words}"));
    }
    if message.starts_with("invalid type") {
        return FieldError::new(pointer, "wrong_type", format!("must be {}", expected.unwrap_or_default()));
    }
    if message.starts_with("invalid value: integer") {
        return FieldError::new(pointer, "out_of_range", "is out of range");
    }
    FieldError::new(pointer, "invalid_value", "is not a value that this field can have")
}

pub(super) fn repeated_error(pointer: String, name: &str) -> FieldError {
    FieldError::new(pointer, "repeated", format!("the field {name} is given more than once"))
}

/// The type serde expected, in words that are not Rust's.
fn in_words(expected: &str) -> String {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "i16" | "i32" | "i64" | "a nonzero u32" => "a whole number".into(),
        "a sequence" => "a list".into(),
        "a map" | "string or map" | "map" => "a word".into(),
        expected if expected.starts_with("struct ") => "an object".into(),
        expected => expected.into(),
    }
}

/// The pointer (RFC 6901) of these names.
pub(super) fn pointer(names: impl IntoIterator<Item = String>) -> String {
    let mut pointer = String::new();
    for name in names {
        push_segment(&mut pointer, &name);
    }
    pointer
}

/// Appends one escaped segment.
fn push_segment(pointer: &mut String, name: &str) {
    pointer.push('/');
    pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
}

/// The names on a path: fields, and places in lists.
pub(super) fn names(path: &Path) -> Vec<String> {
    let name = |segment: &Segment| match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key: name } | Segment::Enum { variant: name } => Some(name.clone()),
        Segment::Unknown => None,
    };
    path.iter().filter_map(name).collect()
}

/// The name of the missing field in a message of serde's.
pub(super) fn missing(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.strip_suffix('`')
}
