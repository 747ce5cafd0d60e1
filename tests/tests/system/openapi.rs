//! The OpenAPI document: it is the one checked in, it says everything of every operation, and operations answer as it
//! says.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use crate::permissions::{Lender, Spoilt, refusal};
use axum::http::Method;
use local::operations::OPERATIONS;
use serde_json::{Value, json};
use tests::{
    Api, ApiOptions,
    document::{document, operations, parameters, resolve, template, violations},
};

/// Where the checked-in document is.
fn checked_in() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi.json")
}

#[test]
fn the_checked_in_document_is_the_generated_one() {
    let generated = local::api::document().unwrap();
    assert_eq!(generated, local::api::document().unwrap(), "it is the same every time");
    if std::env::var_os("UPDATE_OPENAPI").is_some_and(|value| value == "1") {
        std::fs::write(checked_in(), &generated).unwrap();
    }
    let differs = std::fs::read_to_string(checked_in()).unwrap() != generated;
    // Not assert_eq!, which would print eight thousand lines twice.
    assert!(
        !differs,
        "openapi.json is not what the code describes: if the change is meant, write it with \
         `UPDATE_OPENAPI=1 cargo test -p tests --test system openapi` and commit it"
    );
}

#[tokio::test]
async fn the_document_is_served_as_it_is_checked_in_but_smaller() {
    let api = Api::new().await;
    let reply = api.anyone().get("/openapi.json").expect(200).await;
    assert_eq!(reply.header("content-type"), "application/json");
    let checked_in: Value = serde_json::from_str(include_str!("../../../openapi.json")).unwrap();
    assert_eq!(reply.body, checked_in);
    assert_eq!(reply.text, checked_in.to_string(), "without blanks between its parts");
}

#[test]
fn the_document_is_openapi_3_1_of_this_version() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(document["info"]["license"]["identifier"], "MIT");
    assert_eq!(document["servers"][0]["url"], "/");
}

#[test]
fn the_table_and_the_document_list_the_same_operations() {
    let described: BTreeSet<_> = operations().map(|(method, path, _)| format!("{method} {path}")).collect();
    let listed: Vec<_> = OPERATIONS.iter().map(|row| format!("{} {}", row.method, row.path)).collect();
    assert_eq!(listed.iter().cloned().collect::<BTreeSet<_>>(), described);
    assert_eq!(listed.len(), described.len(), "a row twice");
}

/// The text of a member, which must say something.
fn says<'v>(value: &'v Value, name: &str, whose: &str) -> &'v str {
    let text = value[name].as_str().unwrap_or_default();
    assert!(!text.trim().is_empty(), "{whose} has no {name}");
    text
}

#[test]
fn every_operation_has_a_name_a_summary_and_a_declared_tag() {
    let tags = document()["tags"].as_array().unwrap();
    let declared: BTreeSet<_> = tags.iter().map(|tag| says(tag, "name", "a tag")).collect();
    let mut used = BTreeSet::new();
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations() {
        let what = format!("{method} {path}");
        let summary = says(operation, "summary", &what);
        assert!(summary.starts_with(char::is_uppercase) && !summary.contains(['\n', '`']), "{what}: {summary}");
        let name = says(operation, "operationId", &what);
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{what}: {name}");
        let verb = name.split('_').next().unwrap();
        let verbs: &[&str] = match method.as_str() {
            "GET" => &["get", "list", "export"],
            "PATCH" => &["update"],
            "PUT" => &["change", "reset"],
            "DELETE" => &["delete"],
            _ => &[
                "register",
                "login",
                "logout",
                "create",
                "calculate",
                "suspend",
                "reactivate",
                "erase",
                "approve",
                "activate",
                "confirm",
                "assign",
                "reassign",
                "reject",
                "withdraw",
                "undo",
                "revert",
                "forward",
                "disburse",
                "record",
                "charge",
                "waive",
                "reverse",
                "refund",
                "write",
                "reschedule",
                "rotate",
                "validate",
                "confirm",
                "receive",
                "apply",
                "return",
                "transfer",
                "correct",
            ],
        };
        assert!(verbs.contains(&verb), "{what}: {name}");
        assert!(names.insert(name), "{name} is the name of two operations");
        let [tag] = &operation["tags"].as_array().unwrap()[..] else { panic!("{what}: one tag") };
        assert!(declared.contains(tag.as_str().unwrap()), "{what}: {tag} is not declared");
        used.insert(tag.as_str().unwrap());
    }
    assert_eq!(used, declared, "tags that no operation has");
    for tag in tags {
        says(tag, "description", "a tag");
    }
}

#[test]
fn every_operation_says_who_may_call_it() {
    for (method, path, operation) in operations() {
        let what = format!("{method} {path}");
        let security = &operation["security"];
        let row = local::operations::find(&method, path).unwrap();
        let expected = match row.who {
            local::operations::Who::Anyone if path == "/api/auth/login" => json!([{"password": []}, {}]),
            local::operations::Who::Anyone => json!([]),
            local::operations::Who::Users(roles) => {
                let description = says(operation, "description", &what);
                let named = description.rsplit_once("For: ").unwrap().1.trim_end_matches('.');
                let roles = roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ");
                let by_key = row.scope.map_or("no key".to_owned(), |scope| format!("a key with the scope `{scope}`"));
                assert_eq!(named, format!("{roles}; {by_key}"), "{what}");
                match row.scope {
                    None => json!([{"access_token": []}]),
                    Some(_) => json!([{"access_token": []}, {"key": []}]),
                }
            }
        };
        assert_eq!(*security, expected, "{what}");
        assert_eq!(operation["x-scope"].as_str(), row.scope, "{what}");
    }
    for name in ["access_token", "key", "password"] {
        says(&document()["components"]["securitySchemes"][name], "description", name);
    }
}

#[test]
fn every_parameter_is_described_and_typed() {
    for (method, path, operation) in operations() {
        let mut names = BTreeSet::new();
        for parameter in parameters(operation) {
            let what = format!("{method} {path}, {}", parameter["name"]);
            says(parameter, "description", &what);
            let schema = resolve(&parameter["schema"]);
            assert!(schema["type"].is_string(), "{what}: one type, and never null: {schema}");
            assert_eq!(
                parameter["in"] == "path",
                path.contains(&format!("{{{}}}", parameter["name"].as_str().unwrap()))
            );
            // Where money moves, the key is asked for.
            let moves_money = ["/api/loans/", "/api/payments/"].iter().any(|it| path.starts_with(it))
                && parameter["name"] == "Idempotency-Key";
            // A calendar is made and changed at one address, and a loan is renamed without a version.
            let may_lack = ["/api/calendars/{code}", "/api/loans/{id}"].contains(&path);
            let has_version = parameter["name"] == "If-Match" && !may_lack;
            let required = parameter["in"] == "path" || has_version || moves_money;
            assert_eq!(parameter["required"].as_bool().unwrap(), required, "{what}");
            if let Some(example) = parameter.get("example") {
                assert_eq!(violations(&parameter["schema"], example), [""; 0], "{what}");
            }
            assert!(names.insert(parameter["name"].as_str().unwrap()), "{what}: twice");
        }
        assert_eq!(
            path.matches('{').count(),
            parameters(operation).filter(|it| it["in"] == "path").count(),
            "{method} {path}"
        );
        // A page is always had the same way.
        assert_eq!(names.contains("limit"), names.contains("cursor"), "{method} {path}");
    }
}

/// The one content type of a body, and what is said of it. What lists rows is there as CSV too.
fn content(body: &'static Value) -> (&'static str, &'static Value) {
    let content: Vec<_> = body["content"].as_object().unwrap().iter().filter(|(name, _)| *name != "text/csv").collect();
    let [(content_type, content)] = content[..] else { panic!("one content type: {body}") };
    (content_type, content)
}

/// The examples of a body, which must be what its schema says.
fn examples(body: &'static Value, what: &str) -> BTreeMap<&'static str, &'static Value> {
    let examples = body["examples"].as_object().into_iter().flatten();
    let examples = examples.map(|(name, example)| (name.as_str(), &resolve(example)["value"]));
    let examples: BTreeMap<_, _> = examples.chain(body.get("example").map(|example| ("example", example))).collect();
    assert!(!examples.is_empty(), "{what} has no example");
    for (name, example) in &examples {
        assert_eq!(violations(&body["schema"], example), [""; 0], "{what}, {name}: {example}");
    }
    examples
}

#[test]
fn every_request_body_is_json_with_a_schema_an_example_and_no_unknown_field() {
    for (method, path, operation) in operations() {
        let Some(body) = operation.get("requestBody") else { continue };
        let what = format!("the body of {method} {path}");
        if path.ends_with("/statements") {
            let kinds = body["content"].as_object().unwrap();
            assert_eq!(kinds.keys().collect::<Vec<_>>(), ["application/xml", "text/csv"], "{what}");
            assert!(
                kinds.values().all(|kind| kind["schema"]["type"] == "string" && kind["example"].is_string()),
                "{what}"
            );
            continue;
        }
        let (content_type, body_content) = content(body);
        assert_eq!(content_type, "application/json", "{what}");
        let schema = resolve(&body_content["schema"]);
        assert_eq!(schema["type"], "object", "{what}");
        // A provider may add fields to what it sends.
        let is_ours = !path.starts_with("/api/hooks/");
        assert_eq!(schema["additionalProperties"] == false, is_ours, "{what}");
        let example = examples(body_content, &what)["example"];
        assert!(example.as_object().is_some_and(|fields| !fields.is_empty()), "{what}");
        let any_required = schema["required"].as_array().is_some_and(|fields| !fields.is_empty());
        let expected = any_required && path != "/api/auth/login";
        assert_eq!(body["required"].as_bool(), Some(expected), "{what}: may it be left out?");
    }
}

#[test]
fn every_success_has_a_schema_an_example_and_its_headers() {
    for (method, path, operation) in operations() {
        let responses = operation["responses"].as_object().unwrap();
        let mut successes: Vec<_> = responses.iter().filter(|(status, _)| status.starts_with('2')).collect();
        let what = format!("{method} {path}");
        // Where one address makes and changes, the two answers have the same body.
        if method == "PUT" && path == "/api/calendars/{code}" {
            let [changed, made] = successes[..] else { panic!("{what}: two successes") };
            assert_eq!(resolve(changed.1)["content"], resolve(made.1)["content"], "{what}");
            successes.remove(0);
        }
        let [(status, success)] = successes[..] else { panic!("{what}: one success") };
        let success = resolve(success);
        says(success, "description", &what);
        let headers: BTreeSet<_> = success["headers"].as_object().unwrap().keys().map(String::as_str).collect();
        for (name, header) in success["headers"].as_object().unwrap() {
            says(resolve(header), "description", &format!("{what}, {name}"));
        }
        assert!(headers.contains("X-Request-Id"), "{what}");
        assert_eq!(headers.contains("Location"), status == "201", "{what}");
        if status == "204" {
            assert_eq!(success.get("content"), None, "{what}");
            continue;
        }
        let (content_type, body) = content(success);
        if content_type == "text/html" {
            continue;
        }
        assert_eq!(content_type, "application/json", "{what}");
        let schema = resolve(&body["schema"]);
        // An answer with a version has it as its entity tag; the document has one for each encoding.
        let has_version = schema["properties"].get("version").is_some_and(|version| version["type"] == "integer");
        let is_versioned = ["/openapi.json", "/api/customers/{id}/profile"].contains(&path);
        assert_eq!(headers.contains("ETag"), has_version || is_versioned, "{what}");
        if path != "/openapi.json" {
            examples(body, &what);
        }
    }
}

#[test]
fn every_operation_lists_the_refusals_of_its_shape() {
    for (method, path, operation) in operations() {
        if !path.starts_with("/api/") {
            continue;
        }
        let what = format!("{method} {path}");
        let codes = codes(operation);
        let given = |code: &str| codes.contains_key(code);
        let named = |place: &str, name: &str| {
            parameters(operation).any(|it| it["in"] == place && (name.is_empty() || it["name"] == name))
        };
        let row = local::operations::find(&method, path).unwrap();
        let roles = match row.who {
            local::operations::Who::Anyone => 0,
            local::operations::Who::Users(roles) => roles.len(),
        };
        let has_body = operation.get("requestBody").is_some();
        let expected = [
            ("unauthenticated", roles > 0),
            ("bad_id", named("path", "id")),
            // One's own second factor is a thing without an id.
            ("not_found", named("path", "") || what == "DELETE /api/auth/totp"),
            ("bad_cursor", named("query", "cursor")),
            ("not_json", has_body && !path.ends_with("/statements")),
            ("unreadable_body", has_body),
            ("body_too_large", has_body),
            ("unsupported_media_type", has_body),
            ("validation_failed", has_body || named("query", "") || method == Method::GET),
            ("stale_version", named("header", "If-Match")),
            ("if_match_required", named("header", "If-Match")),
            ("bad_idempotency_key", named("header", "Idempotency-Key")),
            (
                "idempotency_key_required",
                parameters(operation).any(|it| it["name"] == "Idempotency-Key" && it["required"] == true),
            ),
            ("idempotency_key_reused", named("header", "Idempotency-Key")),
            ("busy", method != Method::GET),
            ("internal_error", true),
            ("unavailable", true),
        ];
        for (code, expected) in expected {
            assert_eq!(given(code), expected, "{what}: {code}");
        }
        assert!(roles % 3 == 0 || given("forbidden"), "{what}: forbidden");
    }
}

/// The codes of an operation's refusals, with their statuses.
fn codes(operation: &'static Value) -> BTreeMap<&'static str, u16> {
    let mut codes = BTreeMap::new();
    for (status, response) in operation["responses"].as_object().unwrap() {
        let content = resolve(response)["content"].get("application/problem+json");
        let examples = content.and_then(|content| content["examples"].as_object()).into_iter().flatten();
        codes.extend(examples.map(|(code, _)| (code.as_str(), status.parse().unwrap())));
    }
    codes
}

#[test]
fn every_refusal_is_a_problem_with_an_example_for_each_code() {
    // One code has one status everywhere.
    let mut statuses: BTreeMap<&str, &str> = BTreeMap::new();
    for (method, path, operation) in operations() {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let what = format!("{method} {path}, {status}");
            // Not a refusal: the client has it already. Readiness answers 503 with a body of its own.
            if status.starts_with('2') || status == "304" || path == "/health/ready" {
                continue;
            }
            let response = resolve(response);
            let description = says(response, "description", &what);
            let (content_type, body) = content(response);
            assert_eq!(content_type, "application/problem+json", "{what}");
            assert_eq!(body["schema"], json!({"$ref": "#/components/schemas/Problem"}), "{what}");
            for (code, example) in examples(body, &what) {
                assert!(description.contains(&format!("(`{code}`)")), "{what}: the description does not name {code}");
                assert_eq!(example["code"], code, "{what}");
                assert_eq!(example["status"].to_string(), *status, "{what}");
                assert_eq!(example.get("errors").is_some(), status == "422", "{what}");
                assert_eq!(
                    *statuses.entry(code).or_insert(status),
                    status,
                    "{what}: {code} has another status elsewhere"
                );
            }
            let headers = response["headers"].as_object().unwrap();
            assert!(headers.contains_key("X-Request-Id"), "{what}");
            assert_eq!(headers.contains_key("WWW-Authenticate"), status == "401", "{what}");
            assert_eq!(headers.contains_key("Retry-After"), matches!(status.as_str(), "409" | "429" | "503"), "{what}");
        }
    }
}

#[test]
fn every_property_of_every_schema_is_described() {
    let schemas = document()["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas {
        says(schema, "description", name);
        for (property, described) in schema["properties"].as_object().into_iter().flatten() {
            let what = format!("{name}.{property}");
            let description = described["description"].as_str().unwrap_or_default();
            let by_type = resolve(described)["description"].as_str().unwrap_or_default();
            assert!(!description.is_empty() || !by_type.is_empty(), "{what} is not described");
            let typed = ["type", "$ref", "oneOf", "anyOf"].iter().any(|keyword| described.get(keyword).is_some());
            assert!(typed, "{what} has no type");
        }
    }
}

#[test]
fn a_code_is_one_of_those_known_or_any_later_one() {
    let problem = &document()["components"]["schemas"]["Problem"];
    let forms = problem["properties"]["code"]["anyOf"].as_array().unwrap();
    assert_eq!(forms.iter().map(|form| form["type"].as_str().unwrap()).collect::<Vec<_>>(), ["string", "string"]);
    let known: BTreeSet<_> = forms[0]["enum"].as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();
    let all = operations().flat_map(|(_, _, operation)| codes(operation).into_keys());
    for code in all {
        assert!(known.contains(code), "{code}");
    }
    assert_eq!(forms[1].get("enum"), None, "a new code breaks no client");
    assert_eq!(violations(&problem["properties"]["code"], &json!("a_code_to_come")), [""; 0]);
    assert_ne!(violations(&problem["properties"]["code"], &json!(7)), [""; 0]);
}

#[test]
fn words_are_enumerations_and_answers_are_whole() {
    let schemas = &document()["components"]["schemas"];
    let words =
        |schema: &str| schemas[schema]["enum"].as_array().unwrap_or_else(|| panic!("{schema} is no enumeration"));
    assert_eq!(words("LoanStatus").len(), 7);
    assert_eq!(words("Role").len(), 3);
    assert_eq!(words("UserStatus").len(), 5);
    let list = &document()["paths"]["/api/loans"]["get"];
    let sort = parameters(list).find(|parameter| parameter["name"] == "sort").unwrap();
    assert_eq!(resolve(&sort["schema"])["enum"].as_array().unwrap().len(), 6);
    // Every field of the terms that is a word refers to an enumeration, in both forms.
    for form in ["Terms", "TermsInput"] {
        let terms = &schemas[form]["properties"];
        for field in [
            "repay_unit",
            "interest_method",
            "amortization",
            "interest_period",
            "interest_accrual",
            "day_count",
            "rounding",
            "month_end",
            "prepayment",
        ] {
            assert!(resolve(&terms[field])["enum"].is_array(), "{form}.{field}");
        }
        let forms = resolve(&terms["allocation"])["oneOf"].as_array().unwrap();
        assert!(forms.iter().any(|it| resolve(it)["enum"].is_array()), "{form}: the presets are words");
        assert!(forms.iter().any(|it| resolve(it)["type"] == "array"), "{form}: or a list");
    }
    // No pattern stands for a few fixed words.
    for (_, schema) in schemas.as_object().unwrap() {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            assert!(!property["pattern"].as_str().is_some_and(|pattern| pattern.contains('|')), "{name}: {property}");
        }
    }
    // An answer leaves nothing out: what has no value is null. `errors` comes with 422 alone, `transaction_id` with
    // a refusal that is about one, a fee is one or the other, an assignment has a `from` and a `to`.
    for schema in [
        "Loan",
        "LoanHistoryEntry",
        "LoanState",
        "User",
        "Product",
        "AuditEntry",
        "Terms",
        "LoanPage",
        "Problem",
        "CustomerExport",
        "ContactChange",
        "ExportedTransaction",
    ] {
        let required = schemas[schema]["required"].as_array().unwrap();
        for name in schemas[schema]["properties"].as_object().unwrap().keys() {
            assert!(
                required.contains(&json!(name))
                    || ["errors", "transaction_id", "payment_id", "customer_id", "from", "to"].contains(&name.as_str()),
                "{schema}.{name}"
            );
        }
    }
}

#[test]
fn a_number_may_be_sent_as_a_string_or_as_a_number() {
    let amount = &document()["components"]["schemas"]["NewLoan"]["properties"]["amount"];
    for value in [json!("12000.50"), json!(12000.50), json!(0), json!("8400")] {
        assert_eq!(violations(amount, &value), [""; 0], "{value}");
    }
    for value in [json!("-1"), json!(-1), json!("1e3"), json!(""), json!(null), json!(true), json!("1.")] {
        assert_ne!(violations(amount, &value), [""; 0], "{value}");
    }
}

/// Reads everything that can be read of the demo data: loans in five states, their schedules and histories, users of
/// every role, products with their terms. The client holds each answer against the document.
#[tokio::test]
async fn everything_that_can_be_read_is_as_the_document_says() {
    let api = Api::with(ApiOptions { demo: true, ..ApiOptions::default() }).await;
    let admin = api.admin("the.admin").await;
    let source = json!({"code": "till", "name": "A till", "provider": "manual", "account": "1", "currency": "KES"});
    admin.post("/api/payment-sources").json(source).expect(201).await;
    let payment =
        json!({"source": "till", "external_id": "slip", "amount": "10", "currency": "KES", "paid_at": "2024-02-15"});
    admin.post("/api/payments").json(payment).expect(201).await;
    let key = json!({"name": "Accounting package", "role": "agent", "scopes": ["loans:read"]});
    admin.post("/api/keys").json(key).expect(201).await;
    let mut read = BTreeSet::new();
    let mut todo: Vec<String> = operations()
        .filter(|(method, path, _)| *method == Method::GET && !path.contains('{'))
        .map(|(_, path, _)| path.to_owned())
        .collect();
    while let Some(path) = todo.pop() {
        let reply = admin.get(&path).send().await;
        if path.ends_with("/settlement") && reply.status == 409 {
            // Of a loan that is not disbursed.
            continue;
        }
        assert_eq!(reply.status, 200, "{reply}");
        if read.insert(template(&path).unwrap()) || path.contains("/loans/") {
            assert_ne!(reply.text, "", "{reply}");
        }
        // From lists to the things on them, and what each of those has.
        let Some(things) = reply["data"].as_array() else { continue };
        for id in things.iter().filter_map(|thing| thing["id"].as_str().or(thing["code"].as_str())) {
            if path.ends_with("/transactions") {
                todo.push(format!("{path}/{id}"));
            }
            let parts = operations().filter(|(method, part, _)| {
                let of_thing = part.strip_prefix(&path).is_some_and(|rest| rest.starts_with("/{"));
                *method == Method::GET && of_thing && !part.contains("{tid}")
            });
            todo.extend(parts.map(|(_, part, _)| part.replace("{id}", id).replace("{code}", id)));
        }
    }
    let all: BTreeSet<_> =
        operations().filter(|(method, ..)| *method == Method::GET).map(|(_, path, _)| path).collect();
    assert_eq!(read, all, "what cannot be read in this way has no example in this test");
    let states = admin.walk("/api/loans").await;
    let states: BTreeSet<_> = states.iter().map(|loan| loan["status"].as_str().unwrap()).collect();
    assert_eq!(states, ["approved", "disbursed", "pending", "rejected", "repaid"].into());
}

/// A field that a request may give as null is one that the document says may be null, and no other.
#[tokio::test]
async fn null_is_taken_where_the_document_says_so() {
    let lender = Lender::new().await;
    for row in OPERATIONS {
        let Some(body) = document()["paths"][row.path][row.method.as_str().to_ascii_lowercase()].get("requestBody")
        else {
            continue;
        };
        let Some(content) = body["content"].get("application/json") else { continue };
        let schema = &content["schema"];
        let mut callers = lender.callers().into_iter();
        let (caller, _) = callers.find(|(caller, owns)| refusal(row, caller.role, *owns).is_none()).unwrap();
        for name in resolve(schema)["properties"].as_object().unwrap().keys() {
            let mut shot = lender.shot(row).await;
            let mut body = shot.body.take().unwrap();
            body[name] = Value::Null;
            let described = violations(schema, &body).is_empty();
            shot.body = Some(body);
            let stand_in = lender.stand_in(row, caller).await;
            let reply = lender.call(row, &shot, &stand_in.session, Some(caller.role), Spoilt::Not).send().await;
            let pointer = format!("/{name}");
            let taken = !reply.errors().iter().any(|(field, code)| *field == pointer && *code != "required");
            assert_eq!(taken, described, "{name}: {reply}");
        }
    }
}
