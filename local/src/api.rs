//! All route groups in one interface, and its OpenAPI document.
//!
//! Handlers describe their particulars. The consequences of an operation's shape are added here, in one place: who may
//! call it, the refusals that every operation of that shape can give, headers of every answer, examples.

mod examples;
mod parameters;
mod refusals;
mod responses;
mod schemas;

use axum::{Router, http::Method};
use backend::app::App;
use serde_json::{Value, json};
use utoipa::{OpenApi as _, PartialSchema, ToSchema, openapi::OpenApi};

use crate::operations::{self, Operation, Who};

/// The document's description of itself.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Microloans",
        description = "A loan-management system for microlenders: accounts, products, loan applications with their \
            history, servicing with its ledger, and statistics. Every refusal is a `Problem` with a stable `code`.",
        contact(name = "Microloans"),
        license(name = "MIT", identifier = "MIT")
    ),
    servers((url = "/", description = "The server that this document comes from")),
    tags(
        (name = "auth", description = "Registration, login, sessions, one's own profile"),
        (name = "users", description = "All users, for admins"),
        (name = "agents", description = "Agents, their approval, and the applications they forward"),
        (name = "customers", description = "Customers, for agents and admins"),
        (name = "audit", description = "Who did what, when and from where"),
        (name = "keys", description = "Keys with which machines call, for admins"),
        (name = "products", description = "Loan products and their versions"),
        (name = "loans", description = "Applications, decisions, history"),
        (name = "servicing", description = "Disbursements, repayments and other transactions; the ledger"),
        (name = "payments", description = "Money that arrives: sources, hooks, payments and what is in suspense"),
        (name = "portfolio", description = "Statistics of the whole book"),
        (name = "service", description = "Health and documentation")
    )
)]
struct Document;

/// A group of routes: the function of that name.
pub struct Group {
    /// The name of its crate, and of its folder.
    pub name: &'static str,
    /// Its routes.
    pub router: fn() -> Router<App>,
    /// The descriptions of its handlers.
    pub document: fn() -> OpenApi,
}

macro_rules! groups {
    ($($name:ident),*) => {
        &[$(Group { name: stringify!($name), router: $name::router, document: $name::document }),*]
    };
}

/// The functions that answer HTTP.
pub const GROUPS: &[Group] = groups![auth, users, products, loans, servicing, payments, portfolio, site];

/// The routes of all groups.
pub fn router() -> Router<App> {
    GROUPS.iter().fold(Router::new(), |all, group| all.merge((group.router)()))
}

/// The descriptions of all groups' handlers.
#[must_use]
pub fn descriptions() -> OpenApi {
    GROUPS.iter().fold(Document::openapi(), |all, group| all.merge_from((group.document)()))
}

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// An operation is not in the table of [`operations`].
    #[error("{0} {1} has no row in the table of operations: who may call it?")]
    NoRow(Method, String),
    /// A path has a parameter that nothing describes.
    #[error("nothing describes {{{0}}} of {1}: add it to the parameters of paths")]
    NoParameter(String, String),
    /// The handlers' descriptions do not serialise.
    #[error("the descriptions of the handlers are no JSON")]
    Json(#[from] serde_json::Error),
}

/// The OpenAPI document, as it is checked in: pretty-printed JSON, keys in alphabetical order, a line break at the end.
///
/// # Errors
///
/// See [`DocumentError`].
pub fn document() -> Result<String, DocumentError> {
    let mut document = serde_json::to_value(descriptions())?;
    add_components(&mut document)?;
    schemas::tidy(&mut document);
    examples::complete(&mut document["components"]["schemas"]);
    let mut paths = document["paths"].take();
    let components = &mut document["components"];
    for (path, item) in entries(&mut paths) {
        for (method, operation) in entries(item) {
            let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).unwrap_or_default();
            let row = operations::find(&method, path);
            let row = row.ok_or_else(|| DocumentError::NoRow(method, path.clone()))?;
            complete(row, operation, components)?;
        }
    }
    responses::share(&mut paths, components);
    document["paths"] = paths;
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    Ok(text)
}

/// The members of a JSON object; empty for anything else.
fn entries(value: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    value.as_object_mut().into_iter().flatten()
}

/// The shared components: the problem, the ways to authenticate, headers.
fn add_components(document: &mut Value) -> Result<(), DocumentError> {
    let mut problem = vec![("Problem".to_owned(), backend::http::problem::ProblemBody::schema())];
    backend::http::problem::ProblemBody::schemas(&mut problem);
    let components = &mut document["components"];
    for (name, schema) in problem {
        components["schemas"][name] = serde_json::to_value(schema)?;
    }
    components["securitySchemes"] = json!({
        "access_token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "The `access_token` that a login answers; valid for an hour, or until its session ends"},
        "key": {"type": "http", "scheme": "bearer", "bearerFormat": "mlk_",
            "description": "A key that `POST /api/keys` answers, for machines: good until it expires or is revoked. \
                `x-scope` of an operation is the scope that it asks for"},
        "password": {"type": "http", "scheme": "basic",
            "description": "Username and password, in UTF-8; for the login alone"},
    });
    components["examples"] = refusals::shared_examples();
    components["parameters"] = parameters::components()?;
    components["headers"] = json!({
        "RequestId": {"description": "Names the request, in problems and in our logs too",
            "schema": {"type": "string"}, "example": examples::REQUEST_ID},
        "RetryAfter": {"description": "Seconds until it may work; with 409 only if waiting helps",
            "schema": {"type": "integer", "minimum": 1}, "example": 1},
        "Version": {"description": "The version, for `If-Match`", "schema": {"type": "string"}, "example": "\"1\""},
        "Location": {"description": "Where it can be read", "schema": {"type": "string", "format": "uri-reference"}},
        "Challenge": {"description": "How to authenticate", "schema": {"type": "string"}, "example": "Bearer"},
        "NextPage": {
            "description": "With CSV, if there is a next page: `<address>; rel=\"next\"`",
            "schema": {"type": "string"},
        },
        "Replayed": {
            "description": "`true` if the answer was given before, under the same Idempotency-Key; otherwise absent",
            "schema": {"type": "string", "enum": ["true"]}},
    });
    Ok(())
}

/// Adds the consequences of its shape to an operation.
fn complete(row: &Operation, operation: &mut Value, components: &mut Value) -> Result<(), DocumentError> {
    let (security, callers) = security(row);
    operation["security"] = security;
    if let Some(scope) = row.scope {
        operation["x-scope"] = scope.into();
    }
    // A summary is a title; its comment is a sentence.
    if let Some(summary) = operation["summary"].as_str() {
        operation["summary"] = summary.trim_end_matches('.').into();
    }
    let description = operation["description"].as_str().map_or(String::new(), |text| format!("{text}\n\n"));
    operation["description"] = format!("{description}For: {callers}.").into();
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        complete_parameter(parameter);
    }
    parameters::share(row.path, operation)?;
    if let Some(body) = operation.get_mut("requestBody") {
        complete_body(body, components);
    }
    refusals::complete(row, operation, components);
    let replays = parameter(operation, components, "Idempotency-Key").is_some();
    let paged = parameter(operation, components, "cursor").is_some();
    for (status, response) in entries(&mut operation["responses"]) {
        complete_response(status, response, components, Headers { replays, paged });
    }
    Ok(())
}

/// Who may call: as the document's security requirement, and in words.
fn security(row: &Operation) -> (Value, String) {
    match row.who {
        // Login takes the password itself, as HTTP Basic or in the body.
        Who::Anyone if row.path == "/api/auth/login" => (json!([{"password": []}, {}]), "anyone".to_owned()),
        Who::Anyone => (json!([]), "anyone".to_owned()),
        Who::Users(roles) => {
            let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
            let callers = roles.join(", ");
            match row.scope {
                None => (json!([{"access_token": []}]), format!("{callers}; no key")),
                Some(scope) => {
                    let callers = format!("{callers}; a key with the scope `{scope}`");
                    (json!([{"access_token": []}, {"key": []}]), callers)
                }
            }
        }
    }
}

/// The operation's parameter of this name.
fn parameter<'v>(operation: &'v Value, components: &'v Value, name: &str) -> Option<&'v Value> {
    parameters(operation, components).find(|parameter| parameter["name"] == name)
}

/// The operation's parameters, where they are references too.
fn parameters<'v>(operation: &'v Value, components: &'v Value) -> impl Iterator<Item = &'v Value> {
    let given = operation["parameters"].as_array().into_iter().flatten();
    given.map(|parameter| {
        let component = parameter["$ref"].as_str().and_then(|to| to.strip_prefix("#/components/parameters/"));
        component.map_or(parameter, |component| &components["parameters"][component])
    })
}

/// An optional header or query parameter may be left out, but is never null.
fn complete_parameter(parameter: &mut Value) {
    let schema = &mut parameter["schema"];
    if let Some(types) = schema["type"].as_array()
        && let [only] = types.iter().filter(|name| *name != "null").collect::<Vec<_>>()[..]
    {
        schema["type"] = only.clone();
    }
    if let Some(forms) = schema["oneOf"].as_array()
        && let [only] = forms.iter().filter(|form| form["type"] != "null").collect::<Vec<_>>()[..]
    {
        *schema = only.clone();
    }
}

/// Where every field may be left out, so may the body.
fn complete_body(body: &mut Value, components: &mut Value) {
    // A login may have its password in a header.
    let elsewhere = body.get("description").is_some();
    let Some(content) = body.get_mut("content").and_then(|content| content.get_mut("application/json")) else { return };
    if let Some(forms) = content["schema"]["oneOf"].as_array()
        && let Some(form) = forms.iter().find(|form| form["type"] != "null")
    {
        content["schema"] = form.clone();
    }
    let schema = schemas::resolve(&content["schema"], &components["schemas"]);
    let any_field = schema["required"].as_array().is_some_and(|fields| !fields.is_empty());
    add_example(content, components);
    body["required"] = (any_field && !elsewhere).into();
}

/// The headers that answers of an operation have because of its parameters.
#[derive(Clone, Copy)]
struct Headers {
    /// It takes an `Idempotency-Key`.
    replays: bool,
    /// It takes a `cursor`.
    paged: bool,
}

/// Headers that follow from the status, and an example.
fn complete_response(status: &str, response: &mut Value, components: &mut Value, of: Headers) {
    let schema = schemas::resolve(&response["content"]["application/json"]["schema"], &components["schemas"]);
    let is_paged_table = of.paged && response["content"].get("text/csv").is_some();
    let has_version = status.starts_with('2') && schema["properties"]["version"]["type"] == "integer";
    let mut add = |name: &str, component: &str| {
        response["headers"][name] = json!({"$ref": format!("#/components/headers/{component}")});
    };
    add("X-Request-Id", "RequestId");
    if has_version {
        add("ETag", "Version");
    }
    if status == "201" {
        add("Location", "Location");
    }
    match status {
        "401" => add("WWW-Authenticate", "Challenge"),
        "409" | "429" | "503" => add("Retry-After", "RetryAfter"),
        "201" if of.replays => add("Idempotency-Replayed", "Replayed"),
        "200" if is_paged_table => add("Link", "NextPage"),
        _ => {}
    }
    if let Some(content) = response.get_mut("content").and_then(|content| content.get_mut("application/json")) {
        add_example(content, components);
    }
}

/// Gives a body an example, which bodies of the same schema share.
fn add_example(content: &mut Value, components: &mut Value) {
    let example = examples::of(&content["schema"], &components["schemas"]);
    match schemas::reference(&content["schema"]) {
        None => content["example"] = example,
        Some(name) => {
            let shared = format!("#/components/examples/{name}");
            components["examples"][name] = json!({"value": example});
            content["examples"] = json!({"example": {"$ref": shared}});
        }
    }
}
