//! Code shared by the lists of this group.

use axum::Json;
use jiff::Timestamp;

use backend::{
    auth::callers::{Guard, Kind},
    http::{pagination::Page, problem::Problem, query::QueryString, seal::Binding},
    store::users::{self, Filter},
    values::page::{Limit, Position},
    views::user::UserView,
};

/// The rows of a page of users for a caller who may see them, and the binding of the list's cursors.
pub(crate) async fn rows<K: Kind>(
    caller: &Guard<K>,
    query: &QueryString,
    filter: Filter,
    limit: Limit,
    cursor: Option<String>,
) -> Result<(Vec<UserView>, Binding), Problem> {
    let binding = caller.binding(query).await?;
    let after = cursor.map(|cursor| Position::from_cursor(&cursor, &binding)).transpose();
    let after = caller.check(after).await?;
    let (_, users) = caller.read(users::list(filter, after.as_ref(), limit)).await?;
    Ok((users.iter().map(|user| user.view(caller.role())).collect(), binding))
}

/// Where a page that ends with this user ends.
pub(crate) fn position(last: &UserView) -> Position<Timestamp> {
    Position(last.created_at.0, last.id)
}

/// A page of users for a caller who may see them.
pub(crate) async fn page<K: Kind>(
    caller: &Guard<K>,
    query: &QueryString,
    filter: Filter,
    limit: Limit,
    cursor: Option<String>,
) -> Result<Json<Page<UserView>>, Problem> {
    let (users, binding) = rows(caller, query, filter, limit, cursor).await?;
    Ok(Json(Page::new(users, limit, &binding, position)))
}
