//! Parameters that operations share, each described once, as a component of the document.
//!
//! Those of the path follow from the path. A handler names the others, and says no more of them: a parameter with a
//! description of its own stays where it is.

use backend::{
    http::pagination::ExportLimit,
    values::{page::Limit, search::SearchWords},
};
use serde_json::{Value, json};
use utoipa::PartialSchema;

use super::DocumentError;

/// A parameter of a path, by the path up to it.
struct OfPath {
    up_to: &'static str,
    component: &'static str,
}

const fn of_path(up_to: &'static str, component: &'static str) -> OfPath {
    OfPath { up_to, component }
}

/// The parameters of paths. The longest path that fits decides.
const OF_PATHS: &[OfPath] = &[
    of_path("/api/loans/{id}", "LoanId"),
    of_path("/api/loans/{id}/transactions/{tid}", "TransactionId"),
    of_path("/api/users/{id}", "UserId"),
    of_path("/api/customers/{id}", "CustomerId"),
    of_path("/api/agents/{id}", "AgentId"),
    of_path("/api/agents/{id}/requests", "AgentIdOrMe"),
    of_path("/api/agents/{id}/performance", "AgentIdOrMe"),
    of_path("/api/keys/{id}", "KeyId"),
    of_path("/api/products/{code}", "CodeOfProduct"),
    of_path("/api/calendars/{code}", "CodeOfCalendar"),
    of_path("/api/payment-sources/{code}", "CodeOfSource"),
    of_path("/api/payments/{id}", "PaymentId"),
    of_path("/api/hooks/{source}", "SourceOfHook"),
    of_path("/api/hooks/{source}/{secret}", "SecretOfHook"),
];

/// A parameter of a query or a header.
struct Shared {
    name: &'static str,
    /// The schema that the handler gives it: its type, or what it refers to.
    schema: &'static str,
    required: bool,
    component: &'static str,
}

const fn shared(name: &'static str, schema: &'static str, required: bool, component: &'static str) -> Shared {
    Shared { name, schema, required, component }
}

/// The parameters of queries and headers.
const SHARED: &[Shared] = &[
    shared("Idempotency-Key", "string", true, "IdempotencyKey"),
    shared("Idempotency-Key", "string", false, "OptionalIdempotencyKey"),
    shared("If-Match", "string", true, "IfMatch"),
    shared("limit", "Limit", false, "Limit"),
    shared("limit", "ExportLimit", false, "ExportLimit"),
    shared("cursor", "string", false, "Cursor"),
    shared("as_of", "BusinessDate", false, "AsOf"),
    shared("known_at", "Instant", false, "KnownAt"),
    shared("q", "SearchWords", false, "Search"),
];

/// The components.
pub(super) fn components() -> Result<Value, DocumentError> {
    let id = json!({"type": "string", "format": "uuid"});
    let path = |name: &str, about: &str, schema: &Value| -> Value {
        json!({"name": name, "in": "path", "required": true, "description": about, "schema": schema})
    };
    let key = |required: bool, about: &str| {
        json!({"name": "Idempotency-Key", "in": "header", "required": required, "description": about, "schema": {
            "type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[!-+\--~]([ -+\--~]*[!-+\--~])?$",
        }, "example": "receipt-1047"})
    };
    let query = |name: &str, about: &str, schema: Value| -> Value {
        json!({"name": name, "in": "query", "required": false, "description": about, "schema": schema})
    };
    let schema = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let agent_or_me = json!({"type": "string", "pattern": format!("^(me|{UUID})$")});
    let mut agent_or_me = path("id", "The agent's id, or `me`", &agent_or_me);
    agent_or_me["example"] = "me".into();
    Ok(json!({
        "LoanId": path("id", "The loan's id", &id),
        "TransactionId": path("tid", "The transaction's id", &id),
        "UserId": path("id", "The user's id", &id),
        "CustomerId": path("id", "The customer's id", &id),
        "AgentId": path("id", "The agent's id", &id),
        "AgentIdOrMe": agent_or_me,
        "KeyId": path("id", "The key's id", &id),
        "CodeOfProduct": path("code", "The product's code", &schema("ProductCode")),
        "CodeOfCalendar": path(
            "code", "The calendar's code", &json!({"type": "string", "pattern": "^[a-z0-9-]{1,64}$"})),
        "CodeOfSource": path("code", "The source's code", &schema("SourceCode")),
        "PaymentId": path("id", "The payment's id", &id),
        "SourceOfHook": path("source", "The source's code", &schema("SourceCode")),
        "SecretOfHook": path(
            "secret", "The secret of the source's hooks", &json!({"type": "string", "pattern": "^[0-9a-f]{64}$"})),
        "IdempotencyKey": key(true, "Names the command: sent again under the same key, it takes effect once and has \
            the same answer. For seven days, by caller and path."),
        "OptionalIdempotencyKey": key(false, "Names the command: sent again under the same key, it takes effect once \
            and has the same answer. For seven days, by caller and path. Without it, a command sent twice takes \
            effect twice."),
        "IfMatch": {
            "name": "If-Match", "in": "header", "required": true,
            "description": "The `ETag` of the version that the caller has seen; refused with 412 if it is not the \
                present one. `*` is any version.",
            "schema": {"type": "string"}, "example": "\"1\"",
        },
        "Limit": query("limit", "How many on a page", serde_json::to_value(Limit::schema())?),
        "ExportLimit": query(
            "limit", "How many on a page: up to 200, or 5,000 as CSV", serde_json::to_value(ExportLimit::schema())?),
        "Cursor": query("cursor", "`next_cursor` of the page before", json!({"type": "string"})),
        "AsOf": query(
            "as_of", "The business date of the answer; default: today. A later one brings no further transactions.",
            schema("BusinessDate")),
        "KnownAt": query(
            "known_at", "Only transactions recorded by then count; not in the future; default: all",
            schema("Instant")),
        "Search": query(
            "q", "One to ten words. Each must be the beginning of the e-mail address, the telephone number, a part of \
                the username or a word of the full name, without regard to case and accents. At least one word has two \
                characters.",
            serde_json::to_value(SearchWords::schema())?),
    }))
}

/// A UUID as a pattern, which has no `format` among alternatives.
const UUID: &str = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";

/// Adds the parameters of the path, and makes those that are shared references.
pub(super) fn share(path: &str, operation: &mut Value) -> Result<(), DocumentError> {
    let given = operation.as_object_mut().and_then(|operation| operation.remove("parameters"));
    let mut parameters = given.and_then(|given| given.as_array().cloned()).unwrap_or_default();
    for parameter in &mut parameters {
        if parameter.get("description").is_none()
            && let Some(component) = shared_as(parameter)
        {
            *parameter = reference(component);
        }
    }
    let mut all = Vec::new();
    for (name, up_to) in names(path) {
        let is_given = parameters.iter().any(|parameter| parameter["in"] == "path" && parameter["name"] == name);
        if !is_given {
            let fits = OF_PATHS.iter().filter(|it| path.starts_with(it.up_to) && it.up_to.starts_with(up_to));
            // Up to the next parameter: what comes after that is of the next one.
            let own = fits.filter(|it| !it.up_to[up_to.len()..].contains('{'));
            let found = own.max_by_key(|it| it.up_to.len());
            let found = found.ok_or_else(|| DocumentError::NoParameter(name.to_owned(), path.to_owned()))?;
            all.push(reference(found.component));
        }
    }
    all.append(&mut parameters);
    if !all.is_empty() {
        operation["parameters"] = all.into();
    }
    Ok(())
}

/// The names in a path, each with the path up to it.
fn names(path: &str) -> impl Iterator<Item = (&str, &str)> {
    path.match_indices('{').filter_map(|(start, _)| {
        let length = path[start..].find('}')?;
        Some((&path[start + 1..start + length], &path[..=start + length]))
    })
}

/// The component that describes a parameter.
fn shared_as(parameter: &Value) -> Option<&'static str> {
    let schema = &parameter["schema"];
    let schema = super::schemas::reference(schema).or_else(|| schema["type"].as_str())?;
    let fits = |it: &&Shared| {
        parameter["name"] == it.name && schema == it.schema && parameter["required"].as_bool() == Some(it.required)
    };
    SHARED.iter().find(fits).map(|it| it.component)
}

fn reference(component: &str) -> Value {
    json!({"$ref": format!("#/components/parameters/{component}")})
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_parameters_of_a_path_follow_from_it() {
        let of = |path| {
            let mut operation = json!({});
            share(path, &mut operation).map(|()| operation["parameters"].clone())
        };
        let both = json!([reference("LoanId"), reference("TransactionId")]);
        assert_eq!(of("/api/loans/{id}/transactions/{tid}/reversal").unwrap(), both);
        assert_eq!(of("/api/agents/{id}/requests").unwrap(), json!([reference("AgentIdOrMe")]));
        assert_eq!(of("/api/agents/{id}/approve").unwrap(), json!([reference("AgentId")]));
        assert_eq!(of("/api/loans").unwrap(), Value::Null);
        assert!(matches!(of("/api/orders/{id}"), Err(DocumentError::NoParameter(name, _)) if name == "id"));
    }

    #[test]
    fn a_parameter_with_a_description_stays() {
        let limit = json!({"name": "limit", "in": "query", "required": false, "schema":
            {"$ref": "#/components/schemas/Limit"}});
        let mut described = limit.clone();
        described["description"] = "Other".into();
        let mut operation = json!({"parameters": [limit, described]});
        share("/api/loans", &mut operation).unwrap();
        assert_eq!(operation["parameters"], json!([reference("Limit"), described]));
    }
}
