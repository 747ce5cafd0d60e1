//! Logout: the session ends, and its token is refused from the next request on.

use backend::{
    auth::callers::AnyUser,
    http::{
        answer::Answer,
        command::{Outcome, conclude},
        problem::Problem,
        query::QueryString,
    },
    store::{
        audit::{self, Subject},
        sessions,
    },
};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

/// The query of a logout.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LogoutQuery {
    /// If true, all of the user's sessions end, not this one alone.
    #[serde(default)]
    #[param(value_type = Option<bool>, default = false)]
    all: bool,
}

/// Log out.
///
/// Ends this session or, with `all=true`, every session of the user. Their tokens are refused from the next request on.
#[utoipa::path(
    post, path = "/api/auth/logout", tag = "auth", params(LogoutQuery),
    responses(
        (status = 204, description = "The token is refused from the next request on"),
        (status = 429, description = "There were too many commands of this customer (`too_many_attempts`)"))
)]
pub(crate) async fn logout(user: AnyUser, query: QueryString) -> Result<Answer, Problem> {
    let LogoutQuery { all } = user.check(query.read()).await?;
    let (tx, caller, ()) = user.begin(()).await?;
    let ended = if all { sessions::end_all(caller.id) } else { sessions::end(caller.session) };
    let entry = audit::by(&caller, "auth.logout", &Subject::User(caller.id), json!({"all": all}));
    conclude(tx, Ok(Outcome::new(Answer::no_content(), vec![ended, entry]))).await
}
