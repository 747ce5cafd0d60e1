//! One's own password.

use axum::extract::State;
use backend::{
    app::App,
    auth::{
        callers::{AnyUser, Caller},
        limits::Guesses,
        passwords::{self, Check},
    },
    fields::{Password, PasswordAttempt},
    http::{
        answer::Answer,
        body::Input,
        command::{Outcome, conclude},
        problem::{Problem, ProblemBody},
    },
    models::{
        audit::{self, Subject},
        sessions,
        users::{self, Credentials},
    },
};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

/// A new password, and the one it replaces.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"current_password": "correct horse battery", "new_password": "staple of the battery"}))]
pub(crate) struct PasswordChange {
    /// The password that is replaced.
    current_password: PasswordAttempt,
    /// Neither the username nor the e-mail address.
    new_password: Password,
}

/// Not 401, which would say that the token is not valid any more.
fn wrong() -> Problem {
    Problem::field("/current_password", "wrong_password", "is not the current password")
}

/// Changes one's own password. Every other session of the user ends; this one stays.
///
/// A wrong `current_password` counts as a failed login.
#[utoipa::path(
    put, path = "/api/auth/password", tag = "auth", request_body = PasswordChange,
    responses(
        (status = 204, description = "The new password is set"),
        (status = 429, description = "There were too many wrong passwords (`too_many_attempts`)", body = ProblemBody))
)]
pub(crate) async fn change_password(State(app): State<App>, user: AnyUser, input: Input) -> Result<Answer, Problem> {
    let PasswordChange { current_password: PasswordAttempt(current), new_password } = user.check(input.read()).await?;
    let (caller, seen) = user.read(users::credentials_by_id(user.id())).await?;
    let Credentials { user: me, password_hash } = seen.ok_or_else(Problem::unauthenticated)?;
    let new_password = new_password.of_user(&me.username, me.email.as_deref().unwrap_or_default(), "/new_password")?;

    let guesses = Guesses::new(&app.limits, &me.username, &caller.address);
    let (by_username, by_address) = app.db.read(&guesses.look()).await?;
    guesses.allow(by_username.as_ref(), by_address.as_ref())?;
    if passwords::check(current.clone(), Some(password_hash.clone())).await? == Check::Wrong {
        return fail(&app, &caller, &guesses).await;
    }
    let hash = passwords::hash(new_password).await?;

    let (tx, caller, locked) = user.begin(users::lock_credentials(user.id())).await?;
    let decided = async {
        let Credentials { user: me, password_hash: now } = locked.ok_or_else(Problem::unauthenticated)?;
        // Another new password, or the same one upgraded by another login.
        if now != password_hash && passwords::check(current, Some(now)).await? == Check::Wrong {
            return Err(wrong());
        }
        let me = me.updated(caller.now);
        let writes = vec![
            users::update_password(&me, hash),
            sessions::end_others(me.id, caller.session),
            audit::by(&caller, "auth.password", &Subject::User(me.id), json!({})),
        ];
        Ok(Outcome::new(Answer::no_content(), writes))
    };
    conclude(tx, decided.await).await
}

/// Counts and records a wrong guess at the current password.
async fn fail(app: &App, caller: &Caller, guesses: &Guesses) -> Result<Answer, Problem> {
    let (tx, (by_username, by_address)) = app.db.begin(&guesses.count()).await?;
    tx.commit(vec![audit::by(caller, "auth.password_failed", &Subject::User(caller.id), json!({}))]).await?;
    guesses.allow(Some(&by_username), Some(&by_address))?;
    Err(wrong())
}
