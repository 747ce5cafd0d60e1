//! The OpenAPI document as the judge of real answers: what an operation answers must be what the document says of it.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex},
};

use axum::http::Method;
use backend::http::codes;
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::Reply;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| match local::api::document() {
    Ok(document) => serde_json::from_str(&document).expect("the document is JSON"),
    Err(error) => panic!("{error}"),
});

/// The document, as it is generated.
#[must_use]
pub fn document() -> &'static Value {
    &DOCUMENT
}

/// Every operation of the document: its method, its path, and what is said of it.
pub fn operations() -> impl Iterator<Item = (Method, &'static str, &'static Value)> {
    let items = document()["paths"].as_object().unwrap().iter();
    items.flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (method.to_ascii_uppercase().parse().unwrap(), path.as_str(), operation))
    })
}

/// The path of the document that a request's path is one of: the one with the fewest parameters.
#[must_use]
pub fn template(path: &str) -> Option<&'static str> {
    let path = path.split('?').next().unwrap_or_default();
    let fits = |template: &&str| {
        let pairs: Vec<_> = template.split('/').zip(path.split('/')).collect();
        template.split('/').count() == path.split('/').count()
            && pairs.iter().all(|(name, part)| name == part || (name.starts_with('{') && !part.is_empty()))
    };
    let templates = document()["paths"].as_object().unwrap().keys().map(String::as_str);
    templates.filter(fits).min_by_key(|template| template.matches('{').count())
}

/// The part of the document behind a reference, or the part itself.
#[must_use]
pub fn resolve(part: &'static Value) -> &'static Value {
    match part["$ref"].as_str() {
        None => part,
        Some(reference) => {
            let pointer = reference.strip_prefix('#').unwrap();
            resolve(document().pointer(pointer).unwrap_or_else(|| panic!("the document has no {reference}")))
        }
    }
}

/// The parameters of an operation, shared ones among them.
pub fn parameters(operation: &'static Value) -> impl Iterator<Item = &'static Value> {
    operation["parameters"].as_array().into_iter().flatten().map(resolve)
}

/// The violations of a schema of the document in a value; empty if it fits. Objects may have no field that the schema
/// does not name, since readers of the document would not know of it.
#[must_use]
pub fn violations(schema: &Value, value: &Value) -> Vec<String> {
    static VALIDATORS: LazyLock<Mutex<HashMap<String, &'static Validator>>> = LazyLock::new(Mutex::default);
    let mut validators = VALIDATORS.lock().unwrap();
    let validator = validators.entry(schema.to_string()).or_insert_with(|| Box::leak(Box::new(validator(schema))));
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn validator(schema: &Value) -> Validator {
    static SCHEMAS: LazyLock<Value> = LazyLock::new(|| {
        let mut schemas = document()["components"]["schemas"].clone();
        for schema in schemas.as_object_mut().unwrap().values_mut() {
            if schema.get("properties").is_some() {
                schema["additionalProperties"] = false.into();
            }
        }
        schemas
    });
    let whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "components": {"schemas": *SCHEMAS},
        "allOf": [schema],
    });
    jsonschema::options().should_validate_formats(true).build(&whole).unwrap()
}

/// Holds an answer against the document: the status must be among those of the operation, the headers, the content type
/// and the body as they are described there, a problem's code among the examples.
pub(crate) fn check(method: &Method, path: &str, reply: &Reply) {
    check_codes(reply);
    // The way to the path without slashes at its end.
    if reply.status == 308 {
        let asked = path.split('?').next().unwrap_or_default();
        assert!(asked.ends_with('/') && reply.text.is_empty(), "{reply}");
        return;
    }
    // A part of a page, or the way to one, which the document leaves out.
    if path.starts_with("/desk/") || matches!(path, "/" | "/dashboard" | "/favicon.ico") {
        return;
    }
    // A request that bypassed the network in front learns nothing, not even that a path does not exist.
    if matches!(reply.code(), "origin_refused" | "viewer_unknown") {
        assert_eq!(reply.status, 403, "{reply}");
        return;
    }
    let Some(template) = template(path) else {
        assert_eq!(reply.status, 404, "no such path: {reply}");
        return;
    };
    let Some(operation) = document()["paths"][template].get(method.as_str().to_ascii_lowercase()) else {
        assert_eq!(reply.status, 405, "no such method: {reply}");
        return;
    };
    // A client that sends a body where none is expected may send too much.
    if reply.status == 413 && operation.get("requestBody").is_none() {
        return;
    }
    let response = operation["responses"].get(reply.status.to_string());
    let response = resolve(response.unwrap_or_else(|| panic!("the document knows no such status: {reply}")));
    for name in ["etag", "location", "idempotency-replayed"] {
        let described = response["headers"].as_object().into_iter().flatten();
        let described = described.filter(|(described, _)| described.eq_ignore_ascii_case(name)).count() == 1;
        let sent = reply.headers.contains_key(name);
        // Replayed answers are the rare ones.
        assert!(described == sent || (described && name == "idempotency-replayed"), "{name}: {reply}");
    }
    assert!(reply.optional_header("link").is_none() || response["headers"].get("Link").is_some(), "link: {reply}");
    let sent = reply.optional_header("content-type");
    let Some(content) = response["content"].as_object() else {
        assert_eq!((sent, reply.text.as_str()), (None, ""), "{reply}");
        return;
    };
    let sent = sent.unwrap_or_default().split(';').next().unwrap_or_default();
    let body = content.get(sent).unwrap_or_else(|| panic!("{sent} is no type of this answer: {reply}"));
    if sent.ends_with("json") {
        assert_eq!(violations(&body["schema"], &reply.body), [""; 0], "{reply}");
    }
    if sent == "application/problem+json" {
        assert!(body["examples"].get(reply.code()).is_some(), "the document knows no such code: {reply}");
    }
}

/// Every code that is answered is described, with its status.
fn check_codes(reply: &Reply) {
    if reply.optional_header("content-type") != Some("application/problem+json") {
        return;
    }
    let described = |problem: &codes::ProblemCode| (problem.status, problem.code) == (reply.status, reply.code());
    assert!(codes::PROBLEMS.iter().any(described), "backend::http::codes has no such problem: {reply}");
    for error in reply["errors"].as_array().into_iter().flatten() {
        let known = codes::FIELDS.iter().any(|field| error["code"] == field.code);
        assert!(known, "backend::http::codes has no such code of a field: {reply}");
    }
}
