//! All route groups as one interface, and the OpenAPI document of it.

use axum::http::Method;
use backend::{app::App, http::problem::ProblemBody};
use utoipa::{
    OpenApi, PartialSchema, ToSchema,
    openapi::{
        Content, ContentBuilder, PathItem, Ref, RefOr, ResponseBuilder,
        path::{Operation, Parameter, ParameterIn},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_axum::router::OpenApiRouter;

use crate::operations::{self, Who};

/// What the document says of itself.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Microloans",
        description = "A loan-management system for microlenders: accounts, products, loan applications with their \
            history, and statistics. Money is a string with exactly the currency's ISO 4217 decimals; business dates are \
            in the lender's time zone; instants are RFC 3339 in UTC.",
        license(name = "MIT", identifier = "MIT")
    ),
    tags(
        (name = "auth", description = "Registration, login, sessions, one's own profile"),
        (name = "users", description = "Users, agents and customers"),
        (name = "audit", description = "Who did what, when and from where"),
        (name = "products", description = "Loan products and their versions"),
        (name = "loans", description = "Applications, decisions, history"),
        (name = "portfolio", description = "Statistics of the whole book"),
        (name = "service", description = "Health and documentation")
    )
)]
struct Document;

/// The routes of all groups.
#[must_use]
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(auth::router())
        .merge(users::router())
        .merge(products::router())
        .merge(loans::router())
        .merge(portfolio::router())
        .merge(site::router())
}

/// The OpenAPI document, as it is checked in: pretty-printed JSON with a line break at the end.
///
/// # Errors
///
/// An operation that the table of [`operations`] does not have.
pub fn document() -> Result<String, String> {
    let mut document = router().into_openapi();
    let components = document.components.get_or_insert_default();
    // The table's schemas in one order, whatever order the routes were merged in.
    components.schemas.insert(ProblemBody::name().into_owned(), ProblemBody::schema());
    let mut nested = Vec::new();
    ProblemBody::schemas(&mut nested);
    components.schemas.extend(nested);
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    components.security_schemes.insert("access_token".into(), SecurityScheme::Http(bearer).into());
    let basic = HttpBuilder::new().scheme(HttpAuthScheme::Basic).build();
    components.security_schemes.insert("password".into(), SecurityScheme::Http(basic).into());

    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations_of(item) {
            complete(&method, path, operation)?;
        }
    }
    let mut text = document.to_pretty_json().map_err(|error| error.to_string())?;
    text.push('\n');
    Ok(text)
}

fn operations_of(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let PathItem { get, put, post, patch, delete, .. } = item;
    [
        (Method::GET, get.as_mut()),
        (Method::PUT, put.as_mut()),
        (Method::POST, post.as_mut()),
        (Method::PATCH, patch.as_mut()),
        (Method::DELETE, delete.as_mut()),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation?)))
}

/// Adds what follows from an operation's shape: its security, and the refusals every operation of that shape can give.
fn complete(method: &Method, path: &str, operation: &mut Operation) -> Result<(), String> {
    let row = operations::find(method, path)
        .ok_or_else(|| format!("{method} {path} has no row in the table of operations: who may call it?"))?;
    let parameters: Vec<Parameter> = operation.parameters.iter().flatten().filter_map(owned).collect();
    let has = |place: ParameterIn| parameters.iter().any(|parameter| parameter.parameter_in == place);
    let has_header = |name: &str| parameters.iter().any(|parameter| parameter.name == name);
    let mut refusals: Vec<(&str, &str)> = Vec::new();
    match row.who {
        // Login takes the password itself, as HTTP Basic or in the body.
        Who::Anyone if path == "/api/auth/login" => {
            operation.security = Some(vec![
                SecurityRequirement::new::<_, [&str; 0], &str>("password", []),
                SecurityRequirement::default(),
            ]);
        }
        Who::Anyone => operation.security = Some(Vec::new()),
        Who::Users(roles) => {
            operation.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>("access_token", [])]);
            let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
            let description = operation.description.take().unwrap_or_default();
            let by = format!("For: {}.", roles.join(", "));
            operation.description = Some(if description.is_empty() { by } else { format!("{description}\n\n{by}") });
            refusals.push(("401", "No token, or one that is not valid any more (`unauthenticated`)"));
            if roles.len() < 3 {
                refusals.push(("403", "The caller's role does not allow this (`forbidden`)"));
            }
        }
    }
    if has(ParameterIn::Path) {
        if has_uuid(path) {
            refusals.push(("400", "The id is none, or the request cannot be read"));
        }
        refusals.push(("404", "There is no such thing, or the caller may not know of it (`not_found`)"));
    }
    if has(ParameterIn::Query) {
        if parameters.iter().any(|parameter| parameter.name == "cursor") {
            refusals.push(("400", "The cursor is not one of this list (`bad_cursor`), or an id is none"));
        }
        refusals.push(("422", "A parameter is unknown, repeated or out of range; `errors` names it"));
    }
    if operation.request_body.is_some() {
        refusals.push(("400", "The request cannot be read"));
        refusals.push(("413", "The body is too large (`body_too_large`)"));
        refusals.push(("415", "The body is not sent as JSON (`unsupported_media_type`)"));
        refusals.push(("422", "A field is unknown, missing, or breaks a rule; `errors` names it"));
    }
    if has_header("If-Match") {
        refusals.push(("412", "`If-Match` names another version than the present one (`stale_version`)"));
        refusals.push(("428", "`If-Match` is missing (`if_match_required`)"));
    }
    if path.starts_with("/api/") {
        refusals.push(("500", "A defect of the service, logged under the request id (`internal_error`)"));
        refusals.push(("503", "The database cannot be reached (`unavailable`); try again after `Retry-After` seconds"));
    }
    for (status, description) in refusals {
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| problem(description));
    }
    for (status, response) in &mut operation.responses.responses {
        as_problem(status, response);
    }
    Ok(())
}

fn owned(parameter: &RefOr<Parameter>) -> Option<Parameter> {
    match parameter {
        RefOr::T(parameter) => Some(parameter.clone()),
        RefOr::Ref(_) => None,
    }
}

fn has_uuid(path: &str) -> bool {
    path.contains("{id}")
}

fn problem(description: &str) -> RefOr<utoipa::openapi::Response> {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    RefOr::T(ResponseBuilder::new().description(description).content("application/problem+json", content).build())
}

/// Problems that operations declare themselves: their content type is that of all problems.
fn as_problem(status: &str, response: &mut RefOr<utoipa::openapi::Response>) {
    let RefOr::T(response) = response else { return };
    let is_refusal = status.starts_with('4') || status.starts_with('5');
    let is_problem = |content: &RefOr<Content>| {
        let RefOr::T(content) = content else { return false };
        matches!(&content.schema, Some(RefOr::Ref(reference)) if reference.ref_location.ends_with("/Problem"))
    };
    if is_refusal && let Some(content) = response.content.shift_remove("application/json") {
        let name = if is_problem(&content) { "application/problem+json" } else { "application/json" };
        response.content.insert(name.into(), content);
    }
}
