//! The audit log, for admins.

use axum::{Json, extract::State};
use backend::{
    app::App,
    auth::callers::Admin,
    http::{
        pagination::{Page, PageQuery},
        problem::Problem,
        query::{QueryString, unless_empty},
    },
    store::audit::{self, Entry, Filter},
    values::{
        page::Position,
        search::SearchText,
        time::{BusinessDate, Period},
        user_ref::UserRef,
    },
};
use serde::Deserialize;
use utoipa::IntoParams;

/// The query of the audit log.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EntriesQuery {
    /// Who did it: a user's id or username.
    #[serde(default, deserialize_with = "unless_empty")]
    #[param(example = "admin")]
    actor: Option<UserRef>,
    /// The work done.
    #[serde(default, deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>, example = "user.suspend")]
    action: Option<SearchText>,
    /// To what: `user:`, `loan:` or `product:` and its id or code, or `nobody`.
    #[serde(default, deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>, example = "user:01957d3a-7c4e-7a10-9d2b-6f1f4f0c2a12")]
    subject: Option<SearchText>,
    /// The first business date.
    #[serde(default, deserialize_with = "unless_empty")]
    from: Option<BusinessDate>,
    /// The last business date, included whole.
    #[serde(default, deserialize_with = "unless_empty")]
    to: Option<BusinessDate>,
}

impl EntriesQuery {
    fn filter(&self, app: &App) -> Result<Filter, Problem> {
        Ok(Filter {
            actor: self.actor.clone(),
            action: self.action.clone().map(SearchText::into_string),
            subject: self.subject.clone().map(SearchText::into_string),
            period: Period::new(&app.zone, self.from, self.to, "/from")?,
        })
    }
}

/// List entries of the audit log.
///
/// Each action with its actor and its subject, newest first.
#[utoipa::path(
    get, path = "/api/audit", tag = "audit", params(EntriesQuery, PageQuery),
    responses((status = 200, description = "A page of the audit log", body = Page<Entry>))
)]
pub(crate) async fn list_audit_entries(
    State(app): State<App>,
    admin: Admin,
    query: QueryString,
) -> Result<Json<Page<Entry>>, Problem> {
    let (read, page) = admin.check(query.read_with::<EntriesQuery, PageQuery>()).await?;
    let filter = admin.check(read.filter(&app)).await?;
    let binding = admin.binding(&query).await?;
    let (limit, after) = admin.check(page.page(&binding)).await?;
    let (_, entries) = admin.read(audit::list(&filter, after.as_ref(), limit)).await?;
    Ok(Json(Page::new(entries, limit, &binding, |last| Position(last.at.0, last.id))))
}
