//! Hostile input: bodies, queries, paths and headers that trip readers of JSON, URLs and numbers, sent to every
//! operation by everyone who may call it. Each is refused with a status that the document lists for it, which the
//! client checks of every answer, and never with a 5xx.

use axum::http::Method;
use serde_json::Value;
use tests::{
    Api, ApiOptions, Session,
    document::{operations, parameters, resolve},
};

/// An admin, an agent, a customer and nobody, of a system with demo data.
async fn callers(api: &Api) -> Vec<Session> {
    let users = [api.admin("an.admin").await, api.agent("an.agent").await, api.customer("a.customer").await];
    users.into_iter().map(|user| user.session).chain([api.anyone()]).collect()
}

/// A path of the document with its parameters replaced.
fn path_with(template: &str, id: &str) -> String {
    template.replace("{id}", id).replace("{tid}", id).replace("{code}", id)
}

async fn a_loan(api: &Api) -> String {
    let row = api.owner.query_one("SELECT id::text FROM loans WHERE status = 'disbursed'", &[]).await.unwrap();
    row.get(0)
}

/// Texts that are no body of any operation.
fn bodies() -> Vec<String> {
    let mut bodies: Vec<String> = [
        "",
        " ",
        "\0",
        "{",
        "null",
        "[]",
        "\"\"",
        "0",
        "1e400",
        "{} {}",
        "{}\0",
        "\u{feff}{}",
        "{\"\\ud800\": 1}",
        "{\"\": 1}",
        "{\"\\u0000\": null}",
        "{\"a\": 1, \"a\": 1}",
        "{'a': 1}",
        "{\"a\": NaN}",
        "//",
        "<a/>",
    ]
    .map(str::to_owned)
    .into();
    bodies.extend(["[", "{\"a\":"].map(|open| open.repeat(10_000)));
    bodies.push("[".repeat(20_000) + &"]".repeat(20_000));
    bodies.push("{\"a\":".repeat(9000) + "1" + &"}".repeat(9000));
    bodies.push("9".repeat(60_000));
    bodies
}

#[tokio::test]
async fn no_operation_takes_a_body_that_is_none_of_its() {
    let api = Api::with(ApiOptions { demo: true, ..ApiOptions::default() }).await;
    let (loan, callers) = (a_loan(&api).await, callers(&api).await);
    let mut sent = 0;
    for (method, template, operation) in operations().filter(|(_, _, operation)| operation.get("requestBody").is_some())
    {
        let path = path_with(template, &loan);
        // An empty body counts as one without fields if no field is required; otherwise it is not JSON, if declared as
        // such.
        let may_be_empty = operation["requestBody"]["required"] == false;
        let bodies = || bodies().into_iter().filter(|body| !(may_be_empty && body.is_empty()));
        for (caller, body) in callers.iter().flat_map(|caller| bodies().map(move |body| (caller, body))) {
            let call = caller.call(method.clone(), &path).key("k").header("if-match", "*").raw_json(&body);
            let reply = call.send().await;
            assert!((400..500).contains(&reply.status), "{operation}: {body:.60}: {reply}");
            sent += 1;
        }
    }
    assert!(sent > 2000, "{sent}");
}

/// Values, as JSON, that most fields may not have.
fn values() -> Vec<String> {
    let mut values: Vec<String> = [
        r#""\u0000""#,
        r#""a\u0000b""#,
        r#""\ud800""#,
        r#""\u0007""#,
        r#""\ufffe""#,
        r#""""#,
        r#"" ""#,
        r#""-1""#,
        r#""1e3""#,
        r#""NaN""#,
        r#""1899-12-31""#,
        r#""2201-01-01""#,
        r#""9999-12-31""#,
        r#""0000-00-00""#,
        r#""'; DROP TABLE loans; --""#,
        "1e400",
        "-1e400",
        "1e-400",
        "-0",
        "-1",
        "1.5",
        "18446744073709551615",
        "-9223372036854775808",
        "true",
        "null",
        "{}",
        "[]",
        "[[[]]]",
        r#"{"a": 1, "a": 1}"#,
    ]
    .map(str::to_owned)
    .into();
    values.push(format!("\"{}\"", "\u{1f600}".repeat(5000)));
    values.push(format!("\"{}\"", "9".repeat(400)));
    values.push("9".repeat(400));
    values.push("[".repeat(1000) + &"]".repeat(1000));
    values
}

/// The fields of an operation's example, nested ones too, each by its pointer.
fn pointers(value: &Value, pointer: &str, found: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().take(1).map(|item| ("0".to_owned(), item)).collect(),
        _ => Vec::new(),
    };
    for (name, value) in below {
        let pointer = format!("{pointer}/{name}");
        pointers(value, &pointer, found);
        found.push(pointer);
    }
}

#[tokio::test]
async fn no_value_of_any_field_makes_an_operation_fail() {
    let api = Api::with(ApiOptions { demo: true, ..ApiOptions::default() }).await;
    let (loan, admin, agent) = (a_loan(&api).await, api.admin("an.admin").await, api.agent("an.agent").await);
    let mut sent = 0;
    for (method, template, operation) in operations().filter(|(_, _, operation)| operation.get("requestBody").is_some())
    {
        // Nearly each of these costs a hash of a password; their fields have tests of their own.
        if template.contains("/password") || template == "/api/auth/login" {
            continue;
        }
        let content = &operation["requestBody"]["content"]["application/json"];
        let example = &resolve(&content["examples"]["example"])["value"];
        let mut all = Vec::new();
        pointers(example, "", &mut all);
        for pointer in all {
            let mut body = example.clone();
            *body.pointer_mut(&pointer).unwrap() = "@".into();
            let body = body.to_string();
            for value in values() {
                let body = body.replace("\"@\"", &value);
                let path = path_with(template, &loan);
                let call = |caller: &Session| {
                    let call = caller.call(method.clone(), &path).header("if-match", "\"1\"");
                    call.key(&format!("k{sent}")).raw_json(&body)
                };
                let mut reply = call(&admin).send().await;
                if reply.status == 403 {
                    reply = call(&agent).send().await;
                }
                assert!(reply.status < 500, "{pointer}: {body:.300}: {reply}");
                sent += 1;
            }
        }
    }
    assert!(sent > 2000, "{sent}");
}

#[tokio::test]
async fn no_query_path_or_header_makes_an_operation_fail() {
    let api = Api::with(ApiOptions { demo: true, ..ApiOptions::default() }).await;
    let (loan, admin) = (a_loan(&api).await, api.admin("an.admin").await.session);
    let texts = [
        "",
        "%",
        "%zz",
        "%00",
        "%ff",
        "%c0%80",
        "%ed%a0%80",
        "+",
        "%26",
        "a%3Db",
        "-1",
        "0",
        "1e400",
        "99999999999999999999999",
        "1899-12-31",
        "2201-01-01",
        "9999-12-31",
        "2024-02-30",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999-23:59",
        "00000000-0000-0000-0000-000000000000",
        "%27%3B--",
        "%F0%9F%98%80",
    ];
    let mut sent = 0;
    for (method, template, operation) in
        operations().filter(|(method, path, _)| method == Method::GET && path.starts_with("/api/"))
    {
        let named = parameters(operation).filter(|it| it["in"] == "query");
        let named: Vec<_> = named.map(|it| it["name"].as_str().unwrap()).collect();
        let path = path_with(template, &loan);
        // A part of a path is not empty, or it is another path.
        let mut paths: Vec<String> = texts[1..].iter().map(|text| path_with(template, text)).collect();
        for name in named.iter().chain(&["unknown", "%00"]) {
            paths.extend(texts.iter().map(|text| format!("{path}?{name}={text}")));
            paths.extend([format!("{path}?{name}"), format!("{path}?{name}=1&{name}=1"), format!("{path}?{name}=&&&")]);
            paths.push(format!("{path}?{name}={}", "9".repeat(5000)));
        }
        for path in &paths {
            let reply = admin.call(method.clone(), path).send().await;
            assert!(reply.status < 500, "{reply}");
            sent += 1;
        }
    }
    assert!(sent > 3000, "{sent}");
    let long = "x".repeat(8000);
    for value in [
        "",
        " ",
        "Bearer",
        "Bearer ",
        "Basic",
        "Basic :",
        "Basic !!!",
        "Basic /w==",
        "Bearer a.b.c",
        "é",
        &long,
        "a\tb",
    ] {
        for (name, status) in [("authorization", 401), ("traceparent", 200), ("x-amzn-trace-id", 200), ("accept", 200)]
        {
            let reply = if name == "authorization" { api.anyone() } else { admin.clone() };
            reply.get("/api/loans").header(name, value).expect(status).await;
        }
        for name in ["idempotency-key", "if-match", "content-type", "content-encoding", "content-length"] {
            let path = format!("/api/loans/{loan}/approve");
            let reply = admin.post(&path).header(name, value).send().await;
            assert!((400..500).contains(&reply.status), "{name}: {value}: {reply}");
        }
    }
}
