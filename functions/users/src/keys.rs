//! Keys with which machines call: made, listed and revoked by admins.

use axum::{Json, extract::State};
use backend::{
    app::App,
    auth::{api_keys::NewKey, callers::AdminInPerson},
    domain::keys::{ApiKey, KeyRole, Scope},
    http::{
        answer::Answer,
        body::Input,
        command::{Outcome, conclude},
        pagination::{Page, PageQuery},
        path::PathParameter,
        problem::Problem,
        query::QueryString,
    },
    store::{
        audit::{self, Subject},
        keys,
    },
    values::{
        page::Position,
        refusal::FieldError,
        text::Name,
        time::{BusinessDate, Instant},
    },
};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

/// A new key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewKey, example = json!({
    "name": "Accounting package", "role": "admin", "scopes": ["loans:read", "servicing:write"]}))]
pub(crate) struct KeyRequest {
    /// For people.
    name: Name,
    /// As whom it calls: within this role its scopes count.
    role: KeyRole,
    /// What it may do; at least one.
    #[schema(min_items = 1)]
    scopes: Vec<Scope>,
    /// The last business date on which it is good, today or later; default: until it is revoked.
    expires_on: Option<BusinessDate>,
}

/// A key, with the text that is sent.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedKey {
    /// Names the key, as the user that it is in histories and in the audit log.
    #[schema(example = "01957d3a-7c4e-7a10-9d2b-6f1f4f0c2a11")]
    id: Uuid,
    /// For people.
    #[schema(example = "Accounting package")]
    name: String,
    /// As whom it calls.
    role: KeyRole,
    /// What it may do, within its role.
    #[schema(example = json!(["loans:read", "servicing:write"]))]
    scopes: Vec<Scope>,
    /// The admin who made it.
    created_by: Uuid,
    /// When it was made.
    created_at: Instant,
    /// The last business date on which it is good; null for no end.
    expires_on: Option<BusinessDate>,
    /// When it was last used: never yet.
    last_used_at: Option<Instant>,
    /// The key, to be sent as `Authorization: Bearer`; shown this once.
    #[schema(example = "mlk_AZV9OnxOehCdK28fT0wqEQL3wJm0V1bqYhT8ZQ9dQmE7uKxR2sNfGcLpWvXyBtHa1Q")]
    key: String,
}

impl CreatedKey {
    fn new(key: ApiKey, text: &SecretString) -> Self {
        let ApiKey { id, name, role, scopes, created_by, created_at, expires_on, last_used_at } = key;
        let key = text.expose_secret().to_owned();
        Self { id, name, role, scopes, created_by, created_at, expires_on, last_used_at, key }
    }
}

impl KeyRequest {
    /// The scopes in their order, each once, and the end of the last day.
    fn parse(self, zone: &TimeZone, today: Date) -> Result<(Self, Option<Timestamp>), Problem> {
        let Self { name, role, mut scopes, expires_on } = self;
        scopes.sort_unstable();
        scopes.dedup();
        let mut errors = Vec::new();
        if scopes.is_empty() {
            errors.push(FieldError::new("/scopes", "required", "must name at least one scope"));
        }
        if expires_on.is_some_and(|last| last.0 < today) {
            let detail = format!("must not be in the past; today is {today}");
            errors.push(FieldError::new("/expires_on", "in_the_past", detail));
        }
        if !errors.is_empty() {
            return Err(Problem::invalid(errors));
        }
        let end = |BusinessDate(last)| -> Result<Timestamp, jiff::Error> {
            Ok(last.checked_add(1.day())?.to_zoned(zone.clone())?.timestamp())
        };
        let until = expires_on.map(end).transpose().map_err(Problem::internal)?;
        Ok((Self { name, role, scopes, expires_on }, until))
    }
}

/// Create a key.
///
/// A machine calls with it instead of a person's password: within its role, what its scopes name. It is a user of its
/// own in histories and in the audit log; with the admin who made it it counts as one where duties are kept apart.
#[utoipa::path(
    post, path = "/api/keys", tag = "keys", request_body = KeyRequest,
    responses((status = 201, description = "The key, shown this once", body = CreatedKey))
)]
pub(crate) async fn create_key(admin: AdminInPerson, State(app): State<App>, input: Input) -> Result<Answer, Problem> {
    let request = input.read::<KeyRequest>().and_then(|request| request.parse(&app.zone, app.today()));
    let (request, until) = admin.check(request).await?;
    let KeyRequest { name, role, scopes, expires_on } = request;
    let id = Uuid::now_v7();
    let NewKey { text, digest } = admin.check(NewKey::random(id, role)).await?;
    let (tx, caller, ()) = admin.begin(()).await?;
    let created_at = Instant(caller.now);
    let name = name.into_string();
    let of = ApiKey { id, name, role, scopes, created_by: caller.id, created_at, expires_on, last_used_at: None };
    let mut writes = keys::insert(&of, digest, until);
    let detail = json!({"name": of.name, "role": role, "scopes": of.scopes, "expires_on": expires_on});
    writes.push(audit::by(&caller, "key.create", &Subject::User(id), detail));
    let body = CreatedKey::new(of, &text);
    let outcome = Answer::created(format!("/api/keys/{id}"), &body).map(|answer| Outcome::new(answer, writes));
    conclude(tx, outcome).await
}

/// List keys.
///
/// Newest first, without those that were revoked.
#[utoipa::path(
    get, path = "/api/keys", tag = "keys", params(PageQuery),
    responses((status = 200, description = "A page of keys", body = Page<ApiKey>))
)]
pub(crate) async fn list_keys(admin: AdminInPerson, query: QueryString) -> Result<Json<Page<ApiKey>>, Problem> {
    let binding = admin.binding(&query).await?;
    let page = query.read().and_then(|query: PageQuery| query.page::<Timestamp, Uuid>(&binding));
    let (limit, after) = admin.check(page).await?;
    let (_, found) = admin.read(keys::list(after.as_ref(), limit)).await?;
    Ok(Json(Page::new(found, limit, &binding, |last| Position(last.created_at.0, last.id))))
}

/// Get a key.
///
/// What it may do and when it was last used; never the key itself.
#[utoipa::path(
    get, path = "/api/keys/{id}", tag = "keys",
    responses((status = 200, description = "The key", body = ApiKey))
)]
pub(crate) async fn get_key(
    admin: AdminInPerson,
    path: PathParameter,
    query: QueryString,
) -> Result<Json<ApiKey>, Problem> {
    let id = admin.check(path.uuid()).await?;
    let (_, key) = admin.read(keys::by_id(id)).await?;
    let key = key.ok_or_else(Problem::not_found)?;
    query.none()?;
    Ok(Json(key))
}

/// Delete a key.
///
/// It is revoked: the next request with it is refused. Histories and the audit log keep whose it was.
#[utoipa::path(
    delete, path = "/api/keys/{id}", tag = "keys",
    responses((status = 204, description = "The key is refused from the next request on"))
)]
pub(crate) async fn delete_key(
    admin: AdminInPerson,
    path: PathParameter,
    query: QueryString,
) -> Result<Answer, Problem> {
    let id = admin.check(path.uuid()).await?;
    let (tx, caller, was_there) = admin.begin(keys::revoke(id)).await?;
    let outcome = if was_there { query.none() } else { Err(Problem::not_found()) }.map(|()| {
        let entry = audit::by(&caller, "key.revoke", &Subject::User(id), json!({}));
        Outcome::new(Answer::no_content(), vec![entry])
    });
    conclude(tx, outcome).await
}
