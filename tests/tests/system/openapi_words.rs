//! The words of the OpenAPI document: clients are generated from them, and people read them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tests::document::{document, operations, parameters, resolve};

/// The verbs that a summary may begin with.
const VERBS: &[&str] = &[
    "Apply",
    "Approve",
    "Calculate",
    "Change",
    "Charge",
    "Check",
    "Confirm",
    "Correct",
    "Create",
    "Delete",
    "Disburse",
    "Edit",
    "Erase",
    "Export",
    "Forward",
    "Get",
    "List",
    "Log",
    "Quote",
    "Reactivate",
    "Receive",
    "Record",
    "Refund",
    "Register",
    "Reject",
    "Reschedule",
    "Reset",
    "Return",
    "Reverse",
    "Revert",
    "Revoke",
    "Rotate",
    "Suspend",
    "Transfer",
    "Undo",
    "Update",
    "Validate",
    "Waive",
    "Withdraw",
    "Write",
];

#[test]
fn a_summary_is_a_short_command() {
    let mut summaries = BTreeSet::new();
    for (method, path, operation) in operations() {
        let summary = operation["summary"].as_str().unwrap();
        let what = format!("{method} {path}: {summary}");
        assert!(VERBS.contains(&summary.split(' ').next().unwrap()), "{what}: not an imperative");
        assert!(summary.len() <= 60 && !summary.contains(['.', ';', ':', '`', '\n']), "{what}: not one short phrase");
        assert!(summaries.insert(summary), "{what}: twice");
    }
}

#[test]
fn every_operation_is_described_beyond_its_summary() {
    for (method, path, operation) in operations() {
        let description = operation["description"].as_str().unwrap();
        let (about, callers) = description.rsplit_once("For: ").unwrap();
        assert!(about.trim_end().ends_with('.') && callers.ends_with('.'), "{method} {path}: {description}");
        assert_ne!(about.trim_end().trim_end_matches('.'), operation["summary"], "{method} {path}");
    }
}

#[test]
fn every_operation_says_how_it_refuses() {
    for (method, path, operation) in operations() {
        let statuses = operation["responses"].as_object().unwrap().keys();
        assert!(statuses.into_iter().any(|status| status.starts_with('4')), "{method} {path}");
    }
}

/// Names that say nothing in a client, where no module stands before them.
const SAYS_NOTHING: &[&str] = &[
    "Accounts",
    "Action",
    "Answer",
    "Applied",
    "Batch",
    "Charged",
    "Entry",
    "Export",
    "Flow",
    "Name",
    "Note",
    "Page",
    "Performance",
    "Revert",
    "Session",
    "Statement",
    "Waived",
];

#[test]
fn schemas_have_names_that_a_client_would_give_them() {
    let schemas = document()["components"]["schemas"].as_object().unwrap();
    for name in schemas.keys() {
        assert!(
            name.bytes().all(|byte| byte.is_ascii_alphanumeric()) && name.starts_with(char::is_uppercase),
            "{name}"
        );
        assert!(!SAYS_NOTHING.contains(&name.as_str()), "{name} says nothing");
        for rust in ["View", "Schema", "Body", "Dto"] {
            assert!(!name.ends_with(rust), "{name} is named for how it is made");
        }
    }
}

/// A generated Python class reads a property into a variable of its name, beside one of the class's own.
#[test]
fn no_schema_has_a_property_of_its_own_name() {
    for (name, schema) in document()["components"]["schemas"].as_object().unwrap() {
        let own: String = name.chars().filter(|letter| *letter != '_').flat_map(char::to_lowercase).collect();
        for property in schema["properties"].as_object().into_iter().flat_map(|properties| properties.keys()) {
            assert_ne!(own, property.replace('_', ""), "{name}.{property}");
        }
    }
}

/// Visits a value and everything in it, with the way to it.
fn each(value: &'static Value, way: &str, visit: &mut impl FnMut(&str, &'static Value)) {
    visit(way, value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| each(item, way, visit)),
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| each(member, &format!("{way}/{name}"), visit));
        }
        _ => {}
    }
}

/// The schemas of the values that are text in JSON.
const TEXTS: [&str; 6] = ["Money", "Percent", "Currency", "BusinessDate", "Instant", "DecimalInput"];

#[test]
fn an_amount_a_rate_a_currency_a_date_and_an_instant_have_named_schemas() {
    let schemas = document()["components"]["schemas"].as_object().unwrap();
    for name in TEXTS {
        assert!(schemas[name]["description"].is_string(), "{name}");
    }
    let is_amount = |text: &str| {
        let decimals = text.split_once('.').filter(|(whole, _)| whole.trim_start_matches('-').parse::<u64>().is_ok());
        decimals.is_some_and(|(_, decimals)| decimals.len() == 2 && decimals.parse::<u8>().is_ok())
    };
    each(document(), "", &mut |way, value| {
        let last = way.rsplit('/').next().unwrap();
        // A late fee's value is money or percent; a conflict of notices may be about any field.
        if value.get("type").is_none() || TEXTS.contains(&last) || ["value", "kept", "told"].contains(&last) {
            return;
        }
        let example = value["example"].as_str().or_else(|| value["examples"][0].as_str()).unwrap_or_default();
        assert!(!is_amount(example), "{way} is an amount or a rate without a named schema");
        assert!(last != "currency", "{way} is not a `Currency`");
        assert!(!["date", "date-time"].contains(&value["format"].as_str().unwrap_or_default()), "{way} is a date");
    });
}

#[test]
fn no_two_schemas_list_the_same_words() {
    let mut lists: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut visit = |way: &str, value: &Value| {
        if let Some(words) = value.get("enum").filter(|words| words.as_array().is_some_and(|words| words.len() > 1)) {
            lists.entry(words.to_string()).or_default().push(way.to_owned());
        }
    };
    each(document(), "", &mut visit);
    for (words, ways) in lists {
        assert_eq!(ways.len(), 1, "{words}: {ways:?}");
    }
}

#[test]
fn what_is_shared_is_described_once() {
    for kind in ["parameters", "responses", "headers", "schemas", "examples"] {
        let components = document()["components"][kind].as_object().unwrap();
        let mut used = BTreeSet::new();
        each(document(), "", &mut |_, value| {
            let prefix = format!("#/components/{kind}/");
            used.extend(value["$ref"].as_str().and_then(|to| to.strip_prefix(&prefix)));
        });
        let unused: Vec<_> = components.keys().filter(|name| !used.contains(name.as_str())).collect();
        assert_eq!(unused, [""; 0], "{kind} that nothing refers to");
    }
    let mut inline: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (method, path, operation) in operations() {
        let given = operation["parameters"].as_array().into_iter().flatten().map(|it| ("parameter", it));
        let responses = operation["responses"].as_object().unwrap().values().map(|it| ("response", it));
        for (kind, it) in given.chain(responses.filter(|(_, it)| it.get("content").is_some())) {
            if it.get("$ref").is_none() {
                inline.entry(format!("{kind} {it}")).or_default().push(format!("{method} {path}"));
            }
        }
    }
    for (what, operations) in inline {
        assert_eq!(operations.len(), 1, "{what}: {operations:?}");
    }
}

#[test]
fn a_list_of_statuses_is_an_array_that_is_written_with_commas() {
    let list = &document()["paths"]["/api/loans"]["get"];
    let status = parameters(list).find(|parameter| parameter["name"] == "status").unwrap();
    assert_eq!((status["style"].as_str(), status["explode"].as_bool()), (Some("form"), Some(false)));
    assert_eq!(status["schema"]["type"], "array");
    assert_eq!(resolve(&status["schema"]["items"])["enum"].as_array().unwrap().len(), 7);
}
