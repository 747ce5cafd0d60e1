//! Activation: a person who has a code sets a password with it. That is how somebody whom staff enrolled logs in for
//! the first time, and how a forgotten password is replaced. An unknown user, a wrong code and none at all are refused
//! alike, in the same time.

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
};
use backend::{
    app::App,
    auth::{attempts::Attempt, limits::Guesses, passwords::Check},
    http::{
        answer::Answer,
        body::Input,
        command::{Outcome, conclude},
        problem::Problem,
    },
    store::{
        activations::{self, Activation},
        audit::{self, Subject},
        sessions, users,
    },
    values::{
        address::ClientAddress,
        password::{Password, PasswordAttempt},
        text::Username,
    },
};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

/// A code and the password that is set with it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"username": "c204177310", "code": "4071882635", "new_password": "correct horse battery"}))]
pub(crate) struct ActivationAttempt {
    /// The username, in any case.
    username: String,
    /// The ten digits that staff handed out.
    #[schema(value_type = String, example = "4071882635")]
    code: PasswordAttempt,
    /// Neither the username nor the e-mail address.
    new_password: Password,
}

fn wrong() -> Problem {
    let detail = "There is no such code for this user, or not any more.";
    Problem::new(StatusCode::UNAUTHORIZED, "invalid_code", detail)
        .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

/// Change a password with a code.
///
/// The code is good once. Every session of the user ends. A code can be tried five times. Failed attempts count towards
/// the limits on guessing as failed logins do.
#[utoipa::path(
    post, path = "/api/auth/activate", tag = "auth", request_body = ActivationAttempt,
    responses(
        (status = 204, description = "The password is set: log in with it"),
        (status = 401, description = "The user is unknown, or the code is wrong, used, ended or tried too often \
            (`invalid_code`)"),
        (status = 429, description = "There were too many wrong codes or passwords, or there are too many logins at \
            once \
            (`too_many_attempts`)"))
)]
pub(crate) async fn activate(State(app): State<App>, address: ClientAddress, input: Input) -> Result<Answer, Problem> {
    let ActivationAttempt { username, code: PasswordAttempt(code), new_password } = input.read()?;
    new_password.differs_from_username(&username, "/new_password")?;
    let guesses = Guesses::new(&app.limits, &username, &address);
    let known = Username::parse(&username).map(|name| activations::try_code(name.into_string()));
    let (attempt, found) = Attempt::reserve(&app.db, guesses, &known).await?;

    let found = found.flatten();
    let stored = found.as_ref().map(|found| found.code_hash.clone());
    let check = attempt.check(code, stored).await?;
    let Some(found) = found.filter(|_| check != Check::Wrong) else {
        return fail(&app, &address, &attempt).await;
    };
    let email = found.user.email.as_deref().unwrap_or_default();
    // Told to who has the right code: it says what the e-mail address is.
    let new_password = match new_password.of_user(&found.user.username, email, "/new_password") {
        Ok(new_password) => new_password,
        Err(error) => {
            let mut writes = attempt.give_back();
            writes.push(activations::take_back(&found));
            let (tx, ()) = app.db.begin(&()).await?;
            tx.commit(writes).await?;
            return Err(error.into());
        }
    };
    let hash = attempt.hash(new_password).await?;

    // From here on neither status nor code changes until the password is there.
    let (tx, now) = app.db.begin(&activations::lock(found.user.id)).await?;
    let Some(Activation { user, made_by, at, .. }) = now.filter(|now| now.code_hash == found.code_hash) else {
        tx.commit(attempt.fail()).await?;
        return Err(wrong());
    };
    let user = user.updated(at);
    let mut writes = vec![
        users::update_password(&user, hash),
        // Whoever handed the code out could have used it.
        users::note_password_set_by(user.id, Some(made_by)),
        activations::end(user.id),
        sessions::end_all(user.id),
        audit::record(Some(user.id), &address, "auth.activate", &Subject::User(user.id), json!({})),
    ];
    writes.extend(attempt.give_back());
    conclude(tx, Ok(Outcome::new(Answer::no_content(), writes))).await
}

/// Records a wrong guess, as a failed login: no name that is no user's is kept.
async fn fail(app: &App, address: &ClientAddress, attempt: &Attempt) -> Result<Answer, Problem> {
    let mut writes = attempt.fail();
    writes.push(audit::record(None, address, "auth.activation_failed", &Subject::Nobody, json!({})));
    let (tx, ()) = app.db.begin(&()).await?;
    tx.commit(writes).await?;
    Err(wrong())
}
