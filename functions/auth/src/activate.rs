//! Activation: a person who has a code sets a password with it. That is how somebody whom staff enrolled logs in for
//! the first time, and how a forgotten password is replaced. An unknown user, a wrong code and none at all are refused
//! alike, in the same time.

use axum::extract::State;
use backend::{
    app::App,
    auth::{
        attempts::Attempt,
        limits::Guesses,
        passwords::Check,
        second_factor::{self, Presented, Refused},
    },
    db::Statement,
    http::{
        answer::Answer,
        body::Input,
        command::{Outcome, conclude, refuse},
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
    /// The second factor, for a user who has one: six digits of the authenticator, or a recovery code.
    #[schema(value_type = Option<String>, example = "287082")]
    totp: Option<PasswordAttempt>,
}

fn wrong() -> Problem {
    let detail = "There is no such code for this user, or not any more.";
    Problem::unauthorized("invalid_code", detail)
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
            (`invalid_code`); the code is right and stays good, and the second factor is missing (`totp_required`) or \
            wrong (`totp_invalid`)"),
        (status = 429, description = "There were too many wrong codes or passwords, or there are too many logins at \
            once (`too_many_attempts`)"))
)]
pub(crate) async fn activate(State(app): State<App>, address: ClientAddress, input: Input) -> Result<Answer, Problem> {
    let ActivationAttempt { username, code: PasswordAttempt(code), new_password, totp } = input.read()?;
    new_password.differs_from_username(&username, "/new_password")?;
    let guesses = Guesses::new(&app.limits, &username, &address);
    let known = Username::parse(&username).map(|name| activations::try_code(name.into_string()));
    let (attempt, found) = Attempt::reserve(&app.db, guesses, &known).await?;

    let found = found.flatten();
    let stored = found.as_ref().map(|found| found.code_hash.clone());
    let check = attempt.check(code, stored).await?;
    let Some(found) = found.filter(|_| check != Check::Wrong) else {
        // As of a failed login: no name that is no user's is kept.
        let mut writes = attempt.fail();
        writes.push(audit::record(None, &address, "auth.activation_failed", &Subject::Nobody, json!({})));
        return refuse(&app.db, writes, wrong()).await;
    };
    let email = found.user.email.as_deref().unwrap_or_default();
    // Told to who has the right code: it says what the e-mail address is, and that a second factor is needed.
    let new_password = new_password.of_user(&found.user.username, email, "/new_password");
    let presented = Presented::of(&app, &found.user, totp.as_ref().map(|PasswordAttempt(totp)| totp));
    let (new_password, presented) = match (new_password, presented) {
        (Ok(new_password), Ok(presented)) => (new_password, presented),
        (Err(error), _) => return refuse(&app.db, no_try(&attempt, &found), error.into()).await,
        (_, Err(missing)) => return refuse(&app.db, no_try(&attempt, &found), missing).await,
    };
    let hash = attempt.hash(new_password).await?;

    // From here on neither status, code nor second factor changes until the password is there.
    let batch = (activations::lock(found.user.id), presented.as_ref().map(Presented::statements));
    let (tx, (now, factor)) = app.db.begin(&batch).await?;
    let Some(Activation { user, made_by, at, .. }) = now.filter(|now| now.code_hash == found.code_hash) else {
        let mut writes = attempt.fail();
        writes.extend(presented.as_ref().map(Presented::give_back));
        tx.commit(writes).await?;
        return Err(wrong());
    };
    let mut writes = match second_factor::admit(&user, presented.zip(factor)).await {
        Ok(used) => used,
        Err(Refused { problem, is_wrong, mut writes }) => {
            writes.extend(no_try(&attempt, &found));
            let about = Subject::User(user.id);
            writes.extend(is_wrong.then(|| audit::record(None, &address, "auth.totp_failed", &about, json!({}))));
            tx.commit(writes).await?;
            return Err(problem);
        }
    };
    let user = user.updated(at);
    writes.extend([
        users::update_password(&user, hash),
        // Whoever handed the code out could have used it.
        users::note_password_set_by(user.id, Some(made_by)),
        activations::end(user.id),
        sessions::end_all(user.id),
        audit::record(Some(user.id), &address, "auth.activate", &Subject::User(user.id), json!({})),
    ]);
    writes.extend(attempt.give_back());
    conclude(tx, Ok(Outcome::new(Answer::no_content(), writes))).await
}

/// The writes of an attempt with the right code that does not count: the code stays as good as it was.
fn no_try(attempt: &Attempt, found: &Activation) -> Vec<Statement<()>> {
    let mut writes = attempt.give_back();
    writes.push(activations::take_back(found));
    writes
}
