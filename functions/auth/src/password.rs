//! One's own password.

use axum::extract::State;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use backend::{
    app::App,
    auth::{
        attempts::Attempt,
        callers::AnyUser,
        limits::Guesses,
        passwords::{self, Check},
        second_factor::{self, Presented, Refused},
    },
    http::{
        answer::Answer,
        body::Input,
        command::{Outcome, conclude, refuse},
        problem::Problem,
    },
    store::{
        activations,
        audit::{self, Subject},
        sessions,
        users::{self, Credentials},
    },
    values::password::{Password, PasswordAttempt},
};

/// A new password, and the one it replaces.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"current_password": "correct horse battery", "new_password": "staple of the battery"}))]
pub(crate) struct PasswordChange {
    /// The password that is replaced.
    current_password: PasswordAttempt,
    /// Neither the username nor the e-mail address.
    new_password: Password,
    /// The second factor, for a user who has one: six digits of the authenticator, or a recovery code.
    #[schema(value_type = Option<String>, example = "287082")]
    totp: Option<PasswordAttempt>,
}

/// Not 401, which would say that the token is no longer valid.
fn wrong() -> Problem {
    Problem::field("/current_password", "wrong_password", "is not the current password")
}

/// Change your own password.
///
/// Every other session of the user ends; this one stays. A wrong `current_password` counts as a failed login.
#[utoipa::path(
    put, path = "/api/auth/password", tag = "auth", request_body = PasswordChange,
    responses(
        (status = 204, description = "The new password is set"),
        (status = 401, description = "The current password is right, and the second factor is missing \
            (`totp_required`) or wrong (`totp_invalid`)"),
        (status = 429, description = "There were too many wrong passwords, or there are too many logins at once \
            (`too_many_attempts`)"))
)]
pub(crate) async fn change_password(State(app): State<App>, user: AnyUser, input: Input) -> Result<Answer, Problem> {
    let change: PasswordChange = user.check(input.read()).await?;
    let PasswordChange { current_password: PasswordAttempt(current), new_password, totp } = change;
    let (caller, seen) = user.read(users::credentials_by_id(user.id())).await?;
    let Credentials { user: me, .. } = seen.ok_or_else(Problem::unauthenticated)?;
    let new_password = new_password.of_user(&me.username, me.email.as_deref().unwrap_or_default(), "/new_password")?;

    let guesses = Guesses::new(&app.limits, &me.username, &caller.address);
    let (attempt, seen) = Attempt::reserve(&app.db, guesses, &users::credentials_by_id(me.id)).await?;
    let Credentials { user: me, password_hash } = seen.ok_or_else(Problem::unauthenticated)?;
    if attempt.check(current.clone(), Some(password_hash.clone())).await? == Check::Wrong {
        let mut writes = attempt.fail();
        writes.push(audit::by(&caller, "auth.password_failed", &Subject::User(caller.id), json!({})));
        return refuse(&app.db, writes, wrong()).await;
    }
    let presented = match Presented::of(&app, &me, totp.as_ref().map(|PasswordAttempt(totp)| totp)) {
        Ok(presented) => presented,
        Err(missing) => return refuse(&app.db, attempt.give_back(), missing).await,
    };
    let is_new = new_password.expose_secret() != passwords::form(&current).expose_secret();
    let hash = attempt.hash(new_password).await?;

    let batch = (users::lock_credentials(user.id()), presented.as_ref().map(Presented::statements));
    let (tx, caller, (locked, found)) = Box::pin(user.begin(batch)).await?;
    let Credentials { user: me, password_hash: now } = locked.ok_or_else(Problem::unauthenticated)?;
    // Another new password, or the same one upgraded by another login.
    if now != password_hash && attempt.check(current, Some(now)).await? == Check::Wrong {
        let mut writes = attempt.fail();
        writes.extend(presented.as_ref().map(Presented::give_back));
        tx.commit(writes).await?;
        return Err(wrong());
    }
    let mut writes = attempt.give_back();
    match second_factor::admit(&me, presented.zip(found)).await {
        Ok(spent) => writes.extend(spent),
        Err(Refused { problem, is_wrong, writes: counted }) => {
            writes.extend(counted);
            let about = Subject::User(caller.id);
            writes.extend(is_wrong.then(|| audit::by(&caller, "auth.totp_failed", &about, json!({}))));
            tx.commit(writes).await?;
            return Err(problem);
        }
    }
    let me = me.updated(caller.now);
    // The user who set the same password before still knows it.
    let set_by = is_new.then(|| users::note_password_set_by(me.id, None));
    writes.extend([
        users::update_password(&me, hash),
        activations::end(me.id),
        sessions::end_others(me.id, caller.session),
        audit::by(&caller, "auth.password", &Subject::User(me.id), json!({})),
    ]);
    writes.extend(set_by);
    conclude(tx, Ok(Outcome::new(Answer::no_content(), writes))).await
}
