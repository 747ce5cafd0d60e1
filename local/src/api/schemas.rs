//! The schemas of the document, simpler than derived: pages have names and refer to their items, a nullable field has
//! its description in the usual place, and answers require all their fields.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::entries;

/// Where the document has its schemas.
const PREFIX: &str = "#/components/schemas/";

/// The schema itself, where this is a reference to one.
pub(super) fn resolve<'v>(schema: &'v Value, schemas: &'v Value) -> &'v Value {
    reference(schema).map_or(schema, |name| resolve(&schemas[name], schemas))
}

/// The name that a schema refers to, if it is a reference.
pub(super) fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix(PREFIX)
}

/// Makes all schemas plainer.
pub(super) fn tidy(document: &mut Value) {
    name_pages(document);
    let asked = named_by(document, "requestBody");
    for (name, schema) in entries(&mut document["components"]["schemas"]) {
        for (_, property) in schema.get_mut("properties").into_iter().flat_map(entries) {
            lift_description(property);
        }
        if !asked.contains(name) {
            require_nullable(schema);
        }
    }
}

/// `Page_Loan`, which repeats the loan's schema, becomes `LoanPage`, a list of references.
fn name_pages(document: &mut Value) {
    let schemas = &mut document["components"]["schemas"];
    let listed: Vec<String> =
        entries(schemas).filter_map(|(name, _)| name.strip_prefix("Page_").map(str::to_owned)).collect();
    for name in &listed {
        let mut page = schemas[format!("Page_{name}")].take();
        page["properties"]["data"]["items"] = json!({"$ref": format!("{PREFIX}{name}")});
        schemas[format!("{name}Page")] = page;
        schemas.as_object_mut().and_then(|schemas| schemas.remove(&format!("Page_{name}")));
    }
    each(document, &mut |value| {
        if let Some(name) = reference(value).and_then(|name| name.strip_prefix("Page_")) {
            value["$ref"] = format!("{PREFIX}{name}Page").into();
        }
    });
}

/// The description of a nullable field, which is derived inside `oneOf`, belongs to the property.
fn lift_description(property: &mut Value) {
    let forms = property.get_mut("oneOf").and_then(Value::as_array_mut);
    let description = forms.into_iter().flatten().find_map(|form| form.as_object_mut()?.remove("description"));
    if let Some(description) = description {
        property["description"] = description;
    }
}

/// Fields of answers that have no value are null, never left out.
fn require_nullable(schema: &mut Value) {
    let is_nullable = |property: &Value| {
        let types = property["type"].as_array();
        let forms = property["oneOf"].as_array();
        types.is_some_and(|types| types.contains(&json!("null")))
            || forms.is_some_and(|forms| forms.contains(&json!({"type": "null"})))
    };
    let properties = schema["properties"].as_object().into_iter().flatten();
    let nullable = properties.filter(|(_, property)| is_nullable(property)).map(|(name, _)| name.clone());
    let given = schema["required"].as_array().into_iter().flatten();
    let given = given.filter_map(|name| name.as_str().map(str::to_owned));
    let required: BTreeSet<String> = nullable.chain(given).collect();
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
}

/// The names of the schemas that the parts of the document under this key refer to, by way of others too.
fn named_by(document: &mut Value, key: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut open = Vec::new();
    each(document, &mut |value| {
        if let Some(part) = value.get_mut(key) {
            each(part, &mut |value| open.extend(reference(value).map(str::to_owned)));
        }
    });
    while let Some(name) = open.pop() {
        let schema = &mut document["components"]["schemas"][&name];
        if names.insert(name) {
            each(schema, &mut |value| open.extend(reference(value).map(str::to_owned)));
        }
    }
    names
}

/// Visits a value and everything in it.
fn each(value: &mut Value, visit: &mut impl FnMut(&mut Value)) {
    visit(value);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each(item, visit)),
        Value::Object(members) => members.values_mut().for_each(|member| each(member, visit)),
        _ => {}
    }
}
