//! Login: by HTTP Basic (RFC 7617) or with a JSON body. Neither the answer nor its time reveals if a user exists; only
//! a caller with the right password learns that an account is suspended or waits for approval.

use axum::{extract::State, http::HeaderMap};
use backend::{
    app::App,
    auth::{
        attempts::Attempt,
        keys::LIFETIME,
        limits::Guesses,
        passwords::Check,
        second_factor::{self, Presented, Refused},
    },
    db::Statement,
    domain::users::{User, UserStatus},
    http::{
        answer::Answer,
        body::Input,
        command::{Outcome, conclude, refuse},
        credentials,
        problem::Problem,
    },
    store::{
        audit::{self, Subject},
        sessions,
        users::{self, Credentials},
    },
    values::{address::ClientAddress, password::PasswordAttempt, text::Username, time::Instant},
    views::user::UserView,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

/// Who logs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"username": "usr_india_999", "password": "correct horse battery"}))]
pub(crate) struct Login {
    /// The username, in any case.
    username: String,
    /// The password.
    password: PasswordAttempt,
    /// The second factor, for a user who has one: six digits of the authenticator, or a recovery code.
    #[schema(value_type = Option<String>, example = "287082")]
    totp: Option<PasswordAttempt>,
}

/// A session that has begun.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoginAnswer {
    /// The access token: send it as `Authorization: Bearer`.
    #[schema(example = "eyJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJtaWNyb2xvYW5zIn0.c2lnbmF0dXJl")]
    access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds until the token expires.
    #[schema(example = 3600)]
    expires_in: u64,
    /// When the token expires.
    expires_at: Instant,
    /// Who has logged in.
    user: UserView,
}

/// A username and a password as they came, and a second factor if one did.
struct Typed {
    username: String,
    password: SecretString,
    totp: Option<SecretString>,
}

impl Typed {
    /// From the `Authorization` header if that is Basic, else from the body; the second factor from the body.
    fn read(headers: &HeaderMap, input: &Input) -> Result<Self, Problem> {
        if let Some(token) = credentials::basic(headers) {
            let totp = input.text_field("totp").map(SecretString::from);
            return Self::from_basic(token).map(|typed| Self { totp, ..typed }).ok_or_else(wrong);
        }
        let Login { username, password: PasswordAttempt(password), totp } = input.read()?;
        Ok(Self { username, password, totp: totp.map(|PasswordAttempt(totp)| totp) })
    }

    /// The header's token: base64 of `username:password`, in UTF-8 as RFC 7617 prefers, else in Latin-1, which older
    /// clients send.
    fn from_basic(token: &[u8]) -> Option<Self> {
        let latin_1 = |bytes: Vec<u8>| bytes.into_iter().map(char::from).collect();
        let text = String::from_utf8(STANDARD.decode(token).ok()?).unwrap_or_else(|error| latin_1(error.into_bytes()));
        let (username, password) = text.split_once(':')?;
        Some(Self { username: username.to_owned(), password: SecretString::from(password), totp: None })
    }
}

/// The layers add a Basic challenge for a client that came with Basic.
fn wrong() -> Problem {
    Problem::unauthorized("invalid_credentials", "The username or the password is wrong.")
}

/// Why a user with the right password may not log in: the code, as in the audit log, and the answer.
fn shut_out(status: UserStatus) -> Option<Problem> {
    match status {
        UserStatus::Active => None,
        UserStatus::Pending => {
            Some(Problem::forbidden("agent_not_approved", "An admin has not approved this agent's account yet."))
        }
        UserStatus::Rejected => {
            Some(Problem::forbidden("agent_not_approved", "An admin has turned this agent's account down."))
        }
        UserStatus::Suspended => Some(Problem::forbidden("account_suspended", "An admin has suspended this account.")),
        // The account no longer exists.
        UserStatus::Erased => Some(wrong()),
    }
}

/// Log in with a username and a password.
///
/// Send them as HTTP Basic or as a JSON body; with both, Basic counts. A user with a second factor sends `totp` too, in
/// the body, beside Basic as well.
///
/// Answers a token that is valid for an hour, or until logout, a new password or suspension ends its session. Only
/// failed attempts count towards the limits on guessing. Attempts at once wait for each other, for five seconds at
/// most, and may then be asked to try again a second later.
#[utoipa::path(
    post, path = "/api/auth/login", tag = "auth",
    request_body(content = Login, description = "Needed unless the Authorization header is Basic"),
    responses(
        (status = 200, description = "The session", body = LoginAnswer),
        (status = 401, description = "The username or the password is wrong (`invalid_credentials`); both are right, \
            and the second factor is missing (`totp_required`) or wrong (`totp_invalid`)"),
        (status = 403, description = "The password is right, but the agent is not approved (`agent_not_approved`) or \
            the account is suspended (`account_suspended`)"),
        (status = 429, description = "There were too many failed logins, or there are too many at once \
            (`too_many_attempts`)"))
)]
pub(crate) async fn login(
    State(app): State<App>,
    address: ClientAddress,
    headers: HeaderMap,
    input: Input,
) -> Result<Answer, Problem> {
    let typed = Typed::read(&headers, &input)?;
    let guesses = Guesses::new(&app.limits, &typed.username, &address);
    let known = Username::parse(&typed.username).map(|name| users::credentials(name.into_string()));
    let (attempt, credentials) = Attempt::reserve(&app.db, guesses, &known).await?;

    let credentials = credentials.flatten();
    let stored = credentials.as_ref().map(|credentials| credentials.password_hash.clone());
    let check = attempt.check(typed.password.clone(), stored).await?;
    match credentials {
        Some(credentials) if check != Check::Wrong => open(&app, &address, &attempt, typed, credentials, check).await,
        credentials => fail(&app, &address, &attempt, credentials).await,
    }
}

/// Records a wrong guess. Neither the entry nor anything else keeps a name that is no user's: people type their
/// password there.
async fn fail(
    app: &App,
    address: &ClientAddress,
    attempt: &Attempt,
    credentials: Option<Credentials>,
) -> Result<Answer, Problem> {
    let (subject, reason) = match credentials {
        Some(credentials) => (Subject::User(credentials.user.id), "wrong_password"),
        None => (Subject::Nobody, "unknown_username"),
    };
    let mut writes = attempt.fail();
    writes.push(audit::record(None, address, "auth.login_failed", &subject, json!({"reason": reason})));
    refuse(&app.db, writes, wrong()).await
}

/// Opens a session for a user whose password is right, and whose second factor is, where one is needed.
async fn open(
    app: &App,
    address: &ClientAddress,
    attempt: &Attempt,
    typed: Typed,
    seen: Credentials,
    check: Check,
) -> Result<Answer, Problem> {
    let Credentials { user, password_hash } = seen;
    let failed = |user: &User, problem: &Problem| {
        let detail = json!({"reason": problem.code()});
        audit::record(None, address, "auth.login_failed", &Subject::User(user.id), detail)
    };
    if let Some(problem) = shut_out(user.status) {
        let mut writes = attempt.give_back();
        writes.push(failed(&user, &problem));
        return refuse(&app.db, writes, problem).await;
    }
    let presented = match Presented::of(app, &user, typed.totp.as_ref()) {
        Ok(presented) => presented,
        Err(missing) => return refuse(&app.db, attempt.give_back(), missing).await,
    };
    let upgraded = match check {
        Check::RightButOutdated => Some(attempt.hash(typed.password.clone()).await?),
        Check::Right | Check::Wrong => None,
    };
    let session = Uuid::now_v7();
    let (access_token, expires_at) = app.tokens.issue(user.id, user.role, session).await?;

    // From here on neither status, password nor second factor changes until the session is there for the change to end.
    let batch = (users::lock_credentials(user.id), presented.as_ref().map(Presented::statements));
    let (tx, (locked, found)) = app.db.begin(&batch).await?;
    // A new password, or the same one upgraded by another login.
    let still_right = match &locked {
        None => false,
        Some(now) if now.password_hash == password_hash => true,
        Some(now) => attempt.check(typed.password, Some(now.password_hash.clone())).await? != Check::Wrong,
    };
    let Some(Credentials { user, password_hash: now }) = locked.filter(|_| still_right) else {
        let mut writes = attempt.fail();
        writes.extend(presented.as_ref().map(Presented::give_back));
        tx.commit(writes).await?;
        return Err(wrong());
    };
    let mut writes = attempt.give_back();
    if let Some(problem) = shut_out(user.status) {
        writes.extend(presented.as_ref().map(Presented::give_back));
        tx.commit(writes).await?;
        return Err(problem);
    }
    match second_factor::admit(&user, presented.zip(found)).await {
        Ok(used) => writes.extend(used),
        Err(Refused { problem, is_wrong, writes: counted }) => {
            writes.extend(counted);
            writes.extend(is_wrong.then(|| failed(&user, &problem)));
            tx.commit(writes).await?;
            return Err(problem);
        }
    }
    writes.extend(upgraded.filter(|_| now == password_hash).map(|hash| users::upgrade_hash(user.id, hash)));
    let session = start(address, &user, session, (access_token, Instant(expires_at)), &mut writes);
    conclude(tx, Answer::ok(&session).map(|answer| Outcome::new(answer, writes))).await
}

/// A session of a user, and the writes that begin it.
fn start(
    address: &ClientAddress,
    user: &User,
    session: Uuid,
    (access_token, expires_at): (String, Instant),
    writes: &mut Vec<Statement<()>>,
) -> LoginAnswer {
    writes.extend([
        sessions::forget_expired(user.id),
        sessions::start(session, user.id, expires_at.0),
        audit::record(Some(user.id), address, "auth.login", &Subject::User(user.id), json!({})),
    ]);
    LoginAnswer {
        access_token,
        token_type: "Bearer",
        expires_in: LIFETIME.as_secs(),
        expires_at,
        user: user.own_view(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use secrecy::ExposeSecret;

    use super::*;

    fn pair(token: &str) -> Option<(String, String)> {
        let typed = Typed::from_basic(token.as_bytes())?;
        Some((typed.username, typed.password.expose_secret().to_owned()))
    }

    /// The first token is the example of RFC 7617, section 2; the second one the example of its section 2.1.
    #[test]
    fn basic_credentials_are_split_at_the_first_colon_and_read_as_utf_8_then_latin_1() {
        let expect = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(pair("QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), expect("Aladdin", "open sesame"));
        assert_eq!(pair("dGVzdDoxMjPCow=="), expect("test", "123£"));
        assert_eq!(pair(&STANDARD.encode(b"test:123\xa3")), expect("test", "123£"));
        assert_eq!(pair(&STANDARD.encode("a:b:c")), expect("a", "b:c"));
        assert_eq!(pair(&STANDARD.encode(":")), expect("", ""));
    }

    #[test]
    fn malformed_basic_credentials_are_none() {
        for token in ["", "*", "QWxhZGRpbg==", "dGVzdDoxMjPCow"] {
            assert_eq!(pair(token), None, "{token}");
        }
    }

    #[test]
    fn only_an_active_user_may_log_in() {
        let code = |status| shut_out(status).map(|problem| (problem.status().as_u16(), problem.code()));
        assert_eq!(code(UserStatus::Active), None);
        assert_eq!(code(UserStatus::Pending), Some((403, "agent_not_approved")));
        assert_eq!(code(UserStatus::Rejected), Some((403, "agent_not_approved")));
        assert_eq!(code(UserStatus::Suspended), Some((403, "account_suspended")));
        assert_eq!(code(UserStatus::Erased), Some((401, "invalid_credentials")));
    }
}
