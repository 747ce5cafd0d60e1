//! Refusals that follow from an operation's shape, beside those that its handler declares.
//!
//! The description of a refusal names its codes, each as (`code`): there is an example for each.

use std::collections::BTreeMap;

use axum::http::Method;
use backend::domain::users::Role;
use serde_json::{Map, Value, json};

use super::{examples, parameter, parameters};
use crate::operations::{Operation, Reach, Who};

/// A refusal that every operation of a shape can give.
#[derive(Clone, Copy)]
struct Refusal {
    status: u16,
    code: &'static str,
    about: &'static str,
}

const fn refusal(status: u16, code: &'static str, about: &'static str) -> Refusal {
    Refusal { status, code, about }
}

const BAD_ID: Refusal = refusal(400, "bad_id", "The id in the path is not a UUID");
const BAD_CURSOR: Refusal =
    refusal(400, "bad_cursor", "The cursor was not issued for this list, with these filters, to this caller");
const NOT_JSON: Refusal = refusal(400, "not_json", "The body is not JSON");
const UNREADABLE: Refusal = refusal(400, "unreadable_body", "The body did not arrive whole");
const BAD_KEY: Refusal = refusal(
    400,
    "bad_idempotency_key",
    "The Idempotency-Key is not 1 to 255 visible ASCII characters, has a comma or is sent twice",
);
const KEY_REQUIRED: Refusal = refusal(400, "idempotency_key_required", "The Idempotency-Key is missing");
const BAD_IF_MATCH: Refusal =
    refusal(400, "bad_if_match", "`If-Match` is neither `*` nor a list of entity tags in double quotes");
const UNAUTHENTICATED: Refusal = refusal(401, "unauthenticated", "There is no token, or it is no longer valid");
const SCOPE_MISSING: Refusal = refusal(403, "scope_missing", "The key lacks the scope that this asks for");
const NOT_FOR_KEYS: Refusal = refusal(403, "not_for_keys", "No key may do this, whatever its scopes");
const FORBIDDEN: Refusal = refusal(403, "forbidden", "The caller's role does not allow this");
const SECOND_FACTOR_NEEDED: Refusal =
    refusal(403, "totp_enrolment_required", "The caller's role needs a second factor, and the caller has none yet");
const ORIGIN_REFUSED: Refusal =
    refusal(403, "origin_refused", "The request did not come through the network in front of the service");
const VIEWER_UNKNOWN: Refusal =
    refusal(403, "viewer_unknown", "The network in front of the service did not send the address of the request");
const NOT_FOUND: Refusal = refusal(404, "not_found", "It does not exist, or the caller may not see it");
const BUSY: Refusal =
    refusal(409, "busy", "Another request is changing the same thing; try again after `Retry-After` seconds");
const BORROWER_ERASED: Refusal =
    refusal(409, "borrower_erased", "The borrower is erased, so no loan of theirs can be opened");
const STALE: Refusal = refusal(412, "stale_version", "`If-Match` names another version than the present one");
const TOO_LARGE: Refusal = refusal(413, "body_too_large", "The body is too large");
const NOT_SENT_AS_JSON: Refusal = refusal(415, "unsupported_media_type", "The body is not sent as JSON");
const NOT_UTF8: Refusal = refusal(400, "not_utf8", "The body is not text in UTF-8");
const NOT_SENT_AS_FILE: Refusal =
    refusal(415, "unsupported_media_type", "The body is not sent as one of the media types of this operation");
const INVALID: Refusal = refusal(
    422,
    "validation_failed",
    "A field or parameter is unknown, missing or repeated, or breaks a rule; `errors` names it",
);
const KEY_REUSED: Refusal = refusal(422, "idempotency_key_reused", "The Idempotency-Key was used for another request");
const NO_VERSION: Refusal = refusal(428, "if_match_required", "`If-Match` is missing");
const INTERNAL: Refusal = refusal(500, "internal_error", "A defect of the service, logged under the request id");
const UNAVAILABLE: Refusal =
    refusal(503, "unavailable", "The database cannot be reached; try again after `Retry-After` seconds");

const ALL: &[Refusal] = &[
    BAD_ID,
    BAD_CURSOR,
    NOT_JSON,
    NOT_UTF8,
    UNREADABLE,
    BAD_KEY,
    KEY_REQUIRED,
    BAD_IF_MATCH,
    UNAUTHENTICATED,
    SCOPE_MISSING,
    NOT_FOR_KEYS,
    FORBIDDEN,
    SECOND_FACTOR_NEEDED,
    ORIGIN_REFUSED,
    VIEWER_UNKNOWN,
    NOT_FOUND,
    BUSY,
    BORROWER_ERASED,
    STALE,
    TOO_LARGE,
    NOT_SENT_AS_JSON,
    INVALID,
    KEY_REUSED,
    NO_VERSION,
    INTERNAL,
    UNAVAILABLE,
];

/// Where the document has the schema of all problems.
const PROBLEM: &str = "#/components/schemas/Problem";

/// The refusals that follow from an operation's shape.
fn of_shape(row: &Operation, operation: &Value, components: &Value) -> Vec<Refusal> {
    // Who has not come the way that is set learns nothing but that; where its secret cannot be read, nobody has.
    let mut refusals = vec![ORIGIN_REFUSED, VIEWER_UNKNOWN, UNAVAILABLE];
    if let Who::Users(roles) = row.who {
        refusals.push(UNAUTHENTICATED);
        refusals.push(if row.scope.is_some() { SCOPE_MISSING } else { NOT_FOR_KEYS });
        if roles.len() < 3 || matches!(row.reach, Reach::OnlySelf(_)) {
            refusals.push(FORBIDDEN);
        }
        let is_of_staff = roles.iter().any(|role| *role != Role::Customer);
        if is_of_staff && !row.path.starts_with("/api/auth/") {
            refusals.push(SECOND_FACTOR_NEEDED);
        }
    }
    if row.path.contains("{id}") {
        refusals.push(BAD_ID);
    }
    if row.path.contains('{') {
        refusals.push(NOT_FOUND);
    }
    if parameter(operation, components, "cursor").is_some() {
        refusals.push(BAD_CURSOR);
    }
    let has_body = operation.get("requestBody").is_some();
    if has_body {
        refusals.extend([UNREADABLE, TOO_LARGE]);
        let is_json = operation["requestBody"]["content"].get("application/json").is_some();
        refusals.extend(if is_json { vec![NOT_JSON, NOT_SENT_AS_JSON] } else { vec![NOT_UTF8, NOT_SENT_AS_FILE] });
    }
    let is_api = row.path.starts_with("/api/");
    let has_query = parameters(operation, components).any(|parameter| parameter["in"] == "query");
    if has_body || has_query || (is_api && row.method == Method::GET) {
        refusals.push(INVALID);
    }
    if parameter(operation, components, "If-Match").is_some() {
        refusals.extend([BAD_IF_MATCH, STALE, NO_VERSION]);
    }
    if let Some(key) = parameter(operation, components, "Idempotency-Key") {
        refusals.extend([BAD_KEY, KEY_REUSED]);
        if key["required"] == true {
            refusals.push(KEY_REQUIRED);
        }
    }
    if is_api {
        if row.method != Method::GET {
            refusals.push(BUSY);
            // The database refuses it in the end, for every operation.
            if row.path.starts_with("/api/loans") {
                refusals.push(BORROWER_ERASED);
            }
        }
        refusals.push(INTERNAL);
    }
    refusals
}

/// Puts together the refusals that the operation declares and those of its shape.
pub(super) fn complete(row: &Operation, operation: &mut Value, components: &Value) {
    let mut lines: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    let mut given: BTreeMap<u16, Map<String, Value>> = BTreeMap::new();
    for (status, about) in take_declared(operation) {
        for code in codes(&about) {
            let example = json!({"value": examples::problem(status, code, &without_codes(&about))});
            given.entry(status).or_default().insert(code.to_owned(), example);
        }
        lines.entry(status).or_default().push(about);
    }
    for Refusal { status, code, about } in of_shape(row, operation, components) {
        let examples = given.entry(status).or_default();
        if !examples.contains_key(code) {
            examples.insert(code.to_owned(), json!({"$ref": format!("#/components/examples/{code}")}));
            lines.entry(status).or_default().push(format!("{about} (`{code}`)"));
        }
    }
    for (status, lines) in lines {
        let description = match &lines[..] {
            [line] => line.clone(),
            lines => lines.iter().map(|line| format!("- {line}")).collect::<Vec<_>>().join("\n"),
        };
        let content = json!({"schema": {"$ref": PROBLEM}, "examples": given.remove(&status)});
        let response = &mut operation["responses"][status.to_string()];
        // An answer with this status that is not a problem stays beside it.
        let description = match response["description"].as_str() {
            None => description,
            Some(own) => format!("- {own}\n- {description}"),
        };
        response["description"] = description.into();
        response["content"]["application/problem+json"] = content;
    }
}

/// Takes the problems that a handler declares out of an operation: their statuses and descriptions. They are the
/// answers from 400 on without a body of their own.
fn take_declared(operation: &mut Value) -> Vec<(u16, String)> {
    let mut declared = Vec::new();
    if let Some(responses) = operation["responses"].as_object_mut() {
        responses.retain(|status, response| {
            let body = response.get("content");
            let is_problem = body.is_none_or(|body| body["application/json"]["schema"]["$ref"] == PROBLEM);
            match status.parse() {
                Ok(status @ 400..) if is_problem => {
                    declared.push((status, response["description"].as_str().unwrap_or_default().to_owned()));
                    false
                }
                _ => true,
            }
        });
    }
    declared
}

/// The codes that a description names.
fn codes(about: &str) -> impl Iterator<Item = &str> {
    about.split("(`").skip(1).filter_map(|rest| rest.split_once("`)").map(|(code, _)| code))
}

/// The description without the codes.
fn without_codes(about: &str) -> String {
    let mut parts = about.split(" (`");
    let first = parts.next().unwrap_or_default();
    let rest = parts.map(|part| part.split_once("`)").map_or(part, |(_, rest)| rest));
    std::iter::once(first).chain(rest).collect()
}

/// The examples that operations refer to.
pub(super) fn shared_examples() -> Value {
    let example = |Refusal { status, code, about }: &Refusal| {
        ((*code).to_owned(), json!({"value": examples::problem(*status, code, about)}))
    };
    ALL.iter().map(example).collect::<Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_names_its_codes() {
        let about = "The username (`username_taken`) or the e-mail address (`email_taken`) is taken";
        assert_eq!(codes(about).collect::<Vec<_>>(), ["username_taken", "email_taken"]);
        assert_eq!(without_codes(about), "The username or the e-mail address is taken");
        assert_eq!(codes("see `Retry-After` (soon)").count(), 0);
    }
}
