//! One's own profile.

use axum::Json;
use backend::{
    auth::{callers::AnyUser, profile::ProfilePatch},
    http::{
        answer::Answer,
        body::Input,
        command::conclude,
        problem::{Problem, ProblemBody},
        query::QueryString,
    },
    models::users::{self, User},
};

/// Shows one's own profile.
#[utoipa::path(
    get, path = "/api/auth/me", tag = "auth",
    responses((status = 200, description = "The caller", body = User))
)]
pub(crate) async fn get_me(user: AnyUser, query: QueryString) -> Result<Json<User>, Problem> {
    user.check(query.none()).await?;
    let (_, me) = user.read(users::by_id(user.id())).await?;
    me.map(Json).ok_or_else(Problem::unauthenticated)
}

/// Changes one's own profile.
#[utoipa::path(
    patch, path = "/api/auth/me", tag = "auth", request_body = ProfilePatch,
    responses(
        (status = 200, description = "The caller as it now is", body = User),
        (status = 409, description = "The e-mail address is taken (`email_taken`)", body = ProblemBody))
)]
pub(crate) async fn update_me(user: AnyUser, input: Input) -> Result<Answer, Problem> {
    let patch: ProfilePatch = user.check(input.read()).await?;
    let (tx, caller, me) = user.begin(users::lock(user.id())).await?;
    let outcome = me.ok_or_else(Problem::unauthenticated).and_then(|me| patch.apply(&caller, &me));
    conclude(tx, outcome).await
}
