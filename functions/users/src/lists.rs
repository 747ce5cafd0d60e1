//! Code shared by the lists of this group.

use axum::Json;
use jiff::Timestamp;

use backend::{
    auth::callers::{Guard, Kind},
    http::{
        pagination::{Page, PageQuery},
        problem::Problem,
        query::QueryString,
    },
    store::users::{self, Filter},
    values::page::Position,
    views::user::UserView,
};

/// Where a page that ends with this user ends.
pub(crate) fn position(last: &UserView) -> Position<Timestamp> {
    Position(last.created_at.0, last.id)
}

/// A page of users for a caller who may see them.
pub(crate) async fn page<K: Kind>(
    caller: &Guard<K>,
    query: &QueryString,
    filter: Filter,
    page: PageQuery,
) -> Result<Json<Page<UserView>>, Problem> {
    let binding = caller.binding(query).await?;
    let (limit, after) = caller.check(page.page(&binding)).await?;
    let (_, users) = caller.read(users::list(filter, after.as_ref(), limit)).await?;
    let users = users.iter().map(|user| user.view(caller.role())).collect();
    Ok(Json(Page::new(users, limit, &binding, position)))
}
