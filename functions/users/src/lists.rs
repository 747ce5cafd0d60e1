//! What the lists of this group have in common.

use axum::Json;
use backend::{
    auth::callers::{Guard, Kind},
    http::{
        pagination::{Limit, Page, Position},
        problem::Problem,
        query::QueryString,
    },
    models::users::{self, Filter, User},
};

/// A page of users for a caller who may see them.
pub(crate) async fn page<K: Kind>(
    caller: &Guard<K>,
    query: &QueryString,
    filter: Filter,
    limit: Option<Limit>,
    cursor: Option<String>,
) -> Result<Json<Page<User>>, Problem> {
    let binding = caller.binding(query).await?;
    let after = cursor.map(|cursor| Position::from_cursor(&cursor, &binding)).transpose();
    let after = caller.check(after).await?;
    let limit = limit.unwrap_or_default();
    let (_, users) = caller.read(users::list(filter, after.as_ref(), limit)).await?;
    Ok(Json(Page::new(users, limit, &binding, |last| Position(last.created_at.0, last.id))))
}
