//! Examples, made of those of the schemas' fields.
//!
//! The example of a type has the fields whose values belong together, as amounts that add up; the other required fields
//! have examples of their own.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::schemas::resolve;

/// The id of the request in all examples of problems.
pub(super) const REQUEST_ID: &str = "01957d3a-7c4e-7a10-9d2b-6f1f4f0c2aff";

/// The id in examples that have no id of their own.
const ID: &str = "01957d3a-7c4e-7a10-9d2b-6f1f4f0c2a11";

/// Completes the examples of types.
pub(super) fn complete(schemas: &mut Value) {
    let whole: Vec<(String, Value)> = schemas
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, schema)| schema.get("example").is_some())
        .map(|(name, schema)| (name.clone(), of(schema, schemas)))
        .collect();
    for (name, example) in whole {
        schemas[name]["example"] = example;
    }
}

/// An example of a schema: its own, completed, or one of its parts.
pub(super) fn of(schema: &Value, schemas: &Value) -> Value {
    if let Some(example) = schema.get("example").or_else(|| schema["examples"].get(0)) {
        let mut example = example.clone();
        if let Some(given) = example.as_object_mut() {
            for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                given.entry(name).or_insert_with(|| of(&schema["properties"][name], schemas));
            }
        }
        return example;
    }
    if schema.get("$ref").is_some() {
        return of(resolve(schema, schemas), schemas);
    }
    if let Some(value) = schema["enum"].get(0) {
        return value.clone();
    }
    match schema["type"].as_str() {
        Some("object") => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            properties.map(|(name, property)| (name.clone(), of(property, schemas))).collect::<Map<_, _>>().into()
        }
        Some("array") => json!([of(&schema["items"], schemas)]),
        Some("string") if schema["format"] == "uuid" => ID.into(),
        Some("string") => "text".into(),
        Some("integer") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => false.into(),
        // A nullable value is optional.
        _ => Value::Null,
    }
}

/// An example of a problem.
pub(super) fn problem(status: u16, code: &str, detail: &str) -> Value {
    let title = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let mut body = json!({
        "type": "about:blank", "title": title, "status": status, "code": code, "detail": detail,
        "request_id": REQUEST_ID,
    });
    if status == 422 {
        let error = match code {
            "validation_failed" => {
                json!({"pointer": "/nickname", "code": "unknown_field", "detail": "There is no field nickname here."})
            }
            // Of the request as a whole.
            _ => json!({"pointer": "", "code": code, "detail": detail}),
        };
        body["errors"] = json!([error]);
    }
    body
}
