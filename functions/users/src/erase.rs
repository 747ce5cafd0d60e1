//! Erasing a person, and earlier contact data.

use axum::Json;
use backend::{
    auth::callers::{Admin, AdminInPerson},
    domain::{
        caller::Caller,
        refusal::Refusal,
        users::{User, UserStatus},
    },
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
        rights::{self, ContactChange},
        users,
    },
    values::{page::Position, text::Reason},
    views::user::UserView,
};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

/// List the changes of a user's contact data.
///
/// The e-mail address, telephone number and name before and after each change, newest first.
#[utoipa::path(
    get, path = "/api/users/{id}/changes", tag = "users", params(PageQuery),
    responses(
        (status = 200, description = "A page of changes; none once the user is erased", body = Page<ContactChange>))
)]
pub(crate) async fn list_user_changes(
    admin: Admin,
    path: PathParameter,
    query: QueryString,
) -> Result<Json<Page<ContactChange>>, Problem> {
    let id = admin.check(path.uuid()).await?;
    let binding = admin.binding(&query).await?;
    let read = || -> Result<_, Problem> {
        let (limit, after) = query.read::<PageQuery>()?.page(&binding)?;
        Ok((rights::changes(id, after.as_ref(), limit), limit))
    };
    // Errors of the query are only for callers who name an existing user.
    let (list, limit) = match read() {
        Ok((list, limit)) => (Some(list), Ok(limit)),
        Err(problem) => (None, Err(problem)),
    };
    let (_, (user, changes)) = admin.read((users::by_id(id), list)).await?;
    user.ok_or_else(Problem::not_found)?;
    let limit = limit?;
    Ok(Json(Page::new(changes.unwrap_or_default(), limit, &binding, |last| Position(last.at.0, last.id))))
}

/// Why a person is erased.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "asked for it in writing on 2026-03-02"}))]
pub(crate) struct ErasureRequest {
    /// Why, for the audit log. It stays: it should name nobody.
    reason: Reason,
}

/// Erase a person, for good.
///
/// Name, e-mail address, telephone number and password go, with their former values, sessions, and the network
/// addresses of the person's requests. Ids, amounts, dates, references and reasons stay, under a username of `erased-`
/// and 12 digits. The old username is free.
#[utoipa::path(
    post, path = "/api/users/{id}/erase", tag = "users", request_body = ErasureRequest,
    responses(
        (status = 200, description = "The user as it now is", body = UserView),
        (status = 403, description = "It is the admin's own account (`own_account`)"),
        (status = 409, description = "A loan of this person is pending, approved or disbursed, or money is held for \
            one (`loans_open`); the user is erased already (`user_erased`), or the last active admin (`last_admin`)"))
)]
pub(crate) async fn erase_user(admin: AdminInPerson, path: PathParameter, input: Input) -> Result<Answer, Problem> {
    let id = admin.check(path.uuid()).await?;
    if id == admin.id() {
        return admin.check(Err(Problem::forbidden("own_account", "Nobody erases themself."))).await;
    }
    let (tx, caller, mut users) = admin.begin(users::lock_with_admins(id)).await?;
    // As when admins suspend each other: the second one is no longer an active admin.
    let outcome = if users.iter().any(|user| user.id == caller.id) {
        let user = users.iter().position(|user| user.id == id).map(|at| users.swap_remove(at));
        erase(&caller, user, &input)
    } else {
        Err(Problem::unauthenticated())
    };
    conclude(tx, outcome).await
}

fn erase(caller: &Caller, user: Option<User>, input: &Input) -> Result<Outcome, Problem> {
    let user = user.ok_or_else(Problem::not_found)?;
    let ErasureRequest { reason } = input.read()?;
    if user.status == UserStatus::Erased {
        return Err(Refusal::user_erased().into());
    }
    let detail = json!({"from": user.status, "reason": reason});
    let erased = rights::erased(&user, caller.now);
    // The database looks there if anything of the person's is open, where nothing opens meanwhile.
    let writes = vec![rights::erase(&erased), audit::by(caller, "user.erase", &Subject::User(erased.id), detail)];
    Ok(Outcome::new(Answer::ok(&erased.view(caller.role))?, writes))
}
