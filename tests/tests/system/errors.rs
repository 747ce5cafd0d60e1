//! docs/errors.md is generated from the tables of codes, which have every code of the source and no other.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use backend::http::codes::{FIELDS, PROBLEMS};
use tests::document::{operations, resolve};

const HEAD: &str = "\
# Errors

<!-- Generated from `shared/backend/src/http/codes.rs`: `UPDATE_DOCS=1 cargo test -p tests --test system errors`. -->

Every refusal is `application/problem+json` (RFC 9457). A program goes by `code`; `detail` is for people and may change.
Codes are stable: one code has one meaning and one status. Later versions may add codes, so treat an unknown one by its
status.

```json
{\"type\": \"about:blank\", \"title\": \"Unprocessable Entity\", \"status\": 422, \"code\": \"validation_failed\",
 \"detail\": \"The request breaks a rule of validation.\", \"request_id\": \"0a1b2c3d-...\",
 \"errors\": [{\"pointer\": \"/amount\", \"code\": \"too_many_decimals\", \"detail\": \"INR has 2 decimals\"}]}
```

Where several things are wrong, the first of these is answered: no such path (404), method (405), size of the body
(413), token (401), role (403), no such thing (404), form of the body (415, 400), `If-Match` missing (428), fields
(422), another version (412), state (409), rules of the product (422).

Send a request again as it is after 409 `busy`, 429 and 503, and where no answer came: with the same `Idempotency-Key`
a command takes effect once. Requests that never reach a function are answered by
[the gateway](architecture.md#what-the-gateway-answers) in a form of its own, without `code`.

## Problems

";

const FIELDS_HEAD: &str = "
## Fields

A 422 lists every field that breaks a rule in `errors`: `pointer` is a JSON pointer (RFC 6901) into the body, or `/` and
the name of a query parameter.

";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn generated() -> String {
    let mut text = HEAD.to_owned();
    text += "| status | code | when | what to do |\n| --- | --- | --- | --- |\n";
    for problem in PROBLEMS {
        writeln!(text, "| {} | `{}` | {} | {} |", problem.status, problem.code, problem.when, problem.remedy).unwrap();
    }
    text += FIELDS_HEAD;
    text += "| code | when |\n| --- | --- |\n";
    for field in FIELDS {
        writeln!(text, "| `{}` | {} |", field.code, field.when).unwrap();
    }
    text
}

#[test]
fn the_document_of_errors_is_the_generated_one() {
    let path = root().join("docs/errors.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, generated()).unwrap();
    }
    let differs = fs::read_to_string(&path).unwrap() != generated();
    assert!(!differs, "docs/errors.md is not what the code describes: run this with UPDATE_DOCS=1 and commit it");
}

#[test]
fn codes_are_described_once_and_in_order() {
    assert!(PROBLEMS.is_sorted_by_key(|problem| (problem.status, problem.code)));
    assert!(FIELDS.is_sorted_by_key(|field| field.code));
    let problems: BTreeSet<_> = PROBLEMS.iter().map(|problem| problem.code).collect();
    assert_eq!(problems.len(), PROBLEMS.len(), "one code has one status");
    assert_eq!(FIELDS.iter().map(|field| field.code).collect::<BTreeSet<_>>().len(), FIELDS.len());
    for text in
        PROBLEMS.iter().flat_map(|problem| [problem.when, problem.remedy]).chain(FIELDS.iter().map(|it| it.when))
    {
        assert!(text.starts_with(|c: char| c.is_uppercase() || c == '`') && text.ends_with('.'), "{text}");
    }
}

#[test]
fn every_code_of_the_openapi_document_is_described_with_its_status() {
    let described: BTreeMap<_, _> = PROBLEMS.iter().map(|problem| (problem.code, problem.status.to_string())).collect();
    for (method, path, operation) in operations() {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let examples = &resolve(response)["content"]["application/problem+json"]["examples"];
            for code in examples.as_object().into_iter().flatten().map(|(code, _)| code.as_str()) {
                assert_eq!(described.get(code), Some(status), "{method} {path}: {code}");
            }
        }
    }
}

/// The Rust files below a folder, without their tests.
fn sources(folder: &Path, texts: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, texts);
        } else if path.extension().is_some_and(|it| it == "rs") && !path.ends_with("http/codes.rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
            let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            texts.push(lines.collect::<Vec<_>>().join("\n"));
        }
    }
}

/// The string literals of a piece of source that are words in snake case, as codes are.
fn words(source: &str) -> impl Iterator<Item = &str> {
    let is_word = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    source.split('"').skip(1).step_by(2).filter(is_word)
}

/// From an opening parenthesis on, up to the one that closes it.
fn arguments(source: &str) -> &str {
    let mut depth = 0;
    let end = source.find(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth < 0
    });
    &source[..end.unwrap_or(source.len())]
}

/// The codes that the source refuses with.
fn codes(source: &str) -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for constructor in ["Problem::", "Refusal::", "FieldError::new", "refusal", "refused", "refuse", "require_state"] {
        for (at, _) in source.match_indices(constructor) {
            let rest = &source[at + constructor.len()..];
            let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
            if let Some(call) = rest[name.len()..].strip_prefix('(') {
                codes.extend(words(arguments(call)).map(str::to_owned));
            }
        }
    }
    for (at, _) in source.match_indices("fn code(") {
        let body = source[at..].split("\n    }").next().unwrap();
        codes.extend(words(body).map(str::to_owned));
    }
    codes
}

#[test]
fn every_code_of_the_source_is_described_and_no_other() {
    let mut texts = Vec::new();
    for folder in ["shared/backend/src", "shared/lending/src", "functions"] {
        sources(&root().join(folder), &mut texts);
    }
    let described: BTreeSet<&str> = PROBLEMS.iter().map(|it| it.code).chain(FIELDS.iter().map(|it| it.code)).collect();
    let refused: BTreeSet<String> = texts.iter().flat_map(|text| codes(text)).collect();
    assert!(refused.len() > 80, "the source is read");
    for code in &refused {
        assert!(described.contains(code.as_str()), "{code} is not described in backend::http::codes");
    }
    for code in described {
        let literal = format!("\"{code}\"");
        assert!(texts.iter().any(|text| text.contains(&literal)), "nothing is refused with {code}");
    }
}
