//! Answers that several operations give, each described once, as a component of the document.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{entries, schemas};

/// Makes each answer that more than one operation gives a component. Its codes or its schema give its name; if another
/// answer has that name, the first operation's id is put in front.
pub(super) fn share(paths: &mut Value, components: &mut Value) {
    let mut given: BTreeMap<String, usize> = BTreeMap::new();
    each(paths, &mut |_, _, response| *given.entry(response.to_string()).or_default() += 1);
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut shared: BTreeMap<String, Value> = BTreeMap::new();
    each(paths, &mut |operation, status, response| {
        let text = response.to_string();
        if given.get(&text).is_none_or(|times| *times < 2) {
            return;
        }
        if !names.contains_key(&text) {
            let Some(mut name) = name(status, response) else { return };
            if shared.contains_key(&name) {
                name = format!("{}{name}", pascal(operation));
            }
            shared.insert(name.clone(), response.clone());
            names.insert(text.clone(), name);
        }
        *response = json!({"$ref": format!("#/components/responses/{}", names[&text])});
    });
    components["responses"] = json!(shared);
}

/// Visits the answers of all operations: the operation's id, the status, the answer.
fn each(paths: &mut Value, visit: &mut impl FnMut(&str, &str, &mut Value)) {
    for (_, item) in entries(paths) {
        for (_, operation) in entries(item) {
            let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
            for (status, response) in entries(&mut operation["responses"]) {
                visit(&id, status, response);
            }
        }
    }
}

/// Codes of every operation, which no name needs.
const EVERYWHERE: [&str; 3] = ["origin_refused", "viewer_unknown", "scope_missing"];

/// The name of a component: the codes of a problem, or the schema of another answer.
fn name(status: &str, response: &Value) -> Option<String> {
    let content = &response["content"];
    if let Some(examples) = content["application/problem+json"]["examples"].as_object() {
        let codes: Vec<&str> = examples.keys().map(String::as_str).collect();
        let own: Vec<&str> = codes.iter().copied().filter(|code| !EVERYWHERE.contains(code)).collect();
        let named = if own.is_empty() { codes } else { own };
        return Some(named.into_iter().map(pascal).collect::<Vec<_>>().join("Or"));
    }
    let schema = schemas::reference(&content["application/json"]["schema"])?;
    let created = if status == "201" { "Created" } else { "" };
    let table = if content.get("text/csv").is_some() { "OrTable" } else { "" };
    Some(format!("{created}{schema}{table}"))
}

fn pascal(code: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{rest}", first.to_ascii_uppercase())
    };
    code.split('_').map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_named_by_its_codes_or_its_schema() {
        let problem = |codes: &[&str]| {
            let examples: serde_json::Map<_, _> = codes.iter().map(|code| ((*code).to_owned(), json!({}))).collect();
            name("403", &json!({"content": {"application/problem+json": {"examples": examples}}}))
        };
        assert_eq!(problem(&["bad_id", "not_json"]).as_deref(), Some("BadIdOrNotJson"));
        assert_eq!(problem(&["forbidden", "origin_refused", "scope_missing"]).as_deref(), Some("Forbidden"));
        assert_eq!(problem(&["origin_refused", "viewer_unknown"]).as_deref(), Some("OriginRefusedOrViewerUnknown"));
        let answer = json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Loan"}}}});
        assert_eq!(name("200", &answer).as_deref(), Some("Loan"));
        assert_eq!(name("201", &answer).as_deref(), Some("CreatedLoan"));
        assert_eq!(name("204", &json!({})), None);
    }
}
