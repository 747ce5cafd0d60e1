//! A user's second factor, taken away by another admin: the authenticator is lost, and the recovery codes too.

use backend::{
    auth::callers::AdminInPerson,
    domain::users::User,
    http::{
        answer::Answer,
        command::{Outcome, conclude},
        path::PathParameter,
        problem::Problem,
        query::QueryString,
    },
    store::{
        audit::{self, Subject},
        second_factors, users,
    },
};
use serde_json::json;

/// Delete a user's second factor.
///
/// The user logs in with the password alone until another is confirmed. Sessions stay.
#[utoipa::path(
    delete, path = "/api/users/{id}/totp", tag = "users",
    responses(
        (status = 204, description = "There is none any more"),
        (status = 403, description = "It is the admin's own account (`own_account`), for which \
            `DELETE /api/auth/totp` asks for a code"))
)]
pub(crate) async fn delete_user_totp(
    admin: AdminInPerson,
    path: PathParameter,
    query: QueryString,
) -> Result<Answer, Problem> {
    let id = admin.check(path.uuid()).await?;
    if id == admin.id() {
        let detail = "Remove your own second factor with DELETE /api/auth/totp, which asks for a code.";
        return admin.check(Err(Problem::forbidden("own_account", detail))).await;
    }
    let (tx, caller, user) = admin.begin(users::lock(id)).await?;
    let outcome = user.filter(|user| user.totp_since.is_some()).ok_or_else(Problem::not_found).and_then(|user| {
        query.none()?;
        let user = User { totp_since: None, ..user }.updated(caller.now);
        let mut writes = second_factors::forget(&user);
        writes.push(audit::by(&caller, "user.totp_remove", &Subject::User(id), json!({})));
        Ok(Outcome::new(Answer::no_content(), writes))
    });
    conclude(tx, outcome).await
}
