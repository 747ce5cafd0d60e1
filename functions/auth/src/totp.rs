//! One's own second factor: begun, confirmed with a first code, taken away.

use axum::extract::State;
use backend::{
    app::App,
    auth::{
        callers::AnyUser,
        second_factor::{Presented, Refused},
        totp::{TotpSecret, recovery_codes},
    },
    db::{Statement, Tx},
    domain::{caller::Caller, users::User},
    http::{
        answer::Answer,
        body::Input,
        command::{Outcome, conclude},
        problem::Problem,
        query::QueryString,
    },
    store::{
        audit::{self, Subject},
        second_factors::{self, seal_of},
        sessions, users,
    },
    values::{password::PasswordAttempt, time::Instant},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// A second factor that has begun, and is not asked for yet. No other answer shows its secret again.
#[derive(Serialize, ToSchema)]
pub(crate) struct TotpSetup {
    /// The secret in base32, for typing.
    #[schema(example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    secret: String,
    /// The same, for scanning as a QR code.
    #[schema(example = "otpauth://totp/Microloans:agent.pune?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
        &issuer=Microloans&algorithm=SHA1&digits=6&period=30")]
    otpauth_url: String,
}

/// A code of the authenticator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "287082"}))]
pub(crate) struct TotpCode {
    /// The six digits that the authenticator shows.
    #[schema(value_type = String, example = "287082")]
    code: PasswordAttempt,
}

/// Codes for who has lost the authenticator. No other answer shows them again.
#[derive(Serialize, ToSchema)]
pub(crate) struct IssuedRecoveryCodes {
    /// Ten codes, each good once in place of a code of the authenticator.
    #[schema(example = json!(["gezd-gnbv-gy3t-qojq", "mfrg-g2dg-nv4s-a5dp"]))]
    recovery_codes: Vec<String>,
}

fn enabled() -> Problem {
    let detail = "There is a second factor. Remove it with DELETE /api/auth/totp before another begins.";
    Problem::conflict("totp_enabled", detail)
}

/// Create a second factor.
///
/// It is asked for once it is confirmed with a first code; until then another may begin in its place.
#[utoipa::path(
    post, path = "/api/auth/totp", tag = "auth",
    responses(
        (status = 200, description = "The secret, for the authenticator", body = TotpSetup),
        (status = 409, description = "There is a second factor already (`totp_enabled`)"))
)]
pub(crate) async fn create_totp(user: AnyUser, State(app): State<App>, query: QueryString) -> Result<Answer, Problem> {
    user.check(query.none()).await?;
    let secret = TotpSecret::random()?;
    let sealed = user.check(app.sealing.seal(&seal_of(user.id()), secret.bytes()).await).await?;
    let (tx, caller, me) = user.begin(users::lock(user.id())).await?;
    let outcome = me.ok_or_else(Problem::unauthenticated).and_then(|me| {
        if me.totp_since.is_some() {
            return Err(enabled());
        }
        let setup = TotpSetup { secret: secret.to_base32(), otpauth_url: secret.otpauth_url(&me.username) };
        let entry = audit::by(&caller, "auth.totp", &Subject::User(me.id), json!({}));
        Ok(Outcome::new(Answer::ok(&setup)?, vec![second_factors::begin(me.id, sealed), entry]))
    });
    conclude(tx, outcome).await
}

/// Confirm a second factor.
///
/// From then on it is asked for at login, with a new password, and with an activation code. Every other session ends.
#[utoipa::path(
    post, path = "/api/auth/totp/confirm", tag = "auth", request_body = TotpCode,
    responses(
        (status = 200, description = "Recovery codes, shown this once", body = IssuedRecoveryCodes),
        (status = 401, description = "The code is wrong, or no second factor has begun (`totp_invalid`)"),
        (status = 409, description = "There is a second factor already (`totp_enabled`)"),
        (status = 429, description = "There were too many wrong codes (`too_many_attempts`)"))
)]
pub(crate) async fn confirm_totp(user: AnyUser, State(app): State<App>, input: Input) -> Result<Answer, Problem> {
    let TotpCode { code: PasswordAttempt(code) } = user.check(input.read()).await?;
    let presented = Presented::new(&app, user.id(), &code);
    let (tx, caller, (me, found)) = user.begin((users::lock(user.id()), presented.statements())).await?;
    let me = me.ok_or_else(Problem::unauthenticated).and_then(|me| match me.totp_since {
        Some(_) => Err(enabled()),
        None => Ok(me),
    });
    match me {
        Err(problem) => conclude(tx, Err(problem)).await,
        Ok(me) => finish(tx, &caller, presented.check(found).await, |used| confirm(&caller, me, used)).await,
    }
}

fn confirm(caller: &Caller, me: User, used: Vec<Statement<()>>) -> Result<Outcome, Problem> {
    let (codes, digests) = recovery_codes()?.into_iter().unzip();
    let me = User { totp_since: Some(Instant(caller.now)), ..me }.updated(caller.now);
    let mut writes = used;
    writes.extend(second_factors::confirm(&me, digests));
    writes.push(sessions::end_others(me.id, caller.session));
    writes.push(audit::by(caller, "auth.totp_confirm", &Subject::User(me.id), json!({})));
    Ok(Outcome::new(Answer::ok(&IssuedRecoveryCodes { recovery_codes: codes })?, writes))
}

/// Delete your own second factor.
///
/// With a code of the authenticator, or a recovery code.
#[utoipa::path(
    delete, path = "/api/auth/totp", tag = "auth", request_body = TotpCode,
    responses(
        (status = 204, description = "There is none any more"),
        (status = 401, description = "The code is wrong (`totp_invalid`)"),
        (status = 404, description = "There is no second factor (`not_found`)"),
        (status = 429, description = "There were too many wrong codes (`too_many_attempts`)"))
)]
pub(crate) async fn delete_totp(user: AnyUser, State(app): State<App>, input: Input) -> Result<Answer, Problem> {
    // The code is counted with the user, so the body is read early; its errors are reported in their turn.
    let typed = input.read::<TotpCode>().ok().map(|TotpCode { code: PasswordAttempt(code) }| code);
    let presented = typed.map(|code| Presented::new(&app, user.id(), &code));
    let batch = (users::lock(user.id()), presented.as_ref().map(Presented::statements));
    let (tx, caller, (me, found)) = user.begin(batch).await?;
    let me = me.ok_or_else(Problem::unauthenticated).and_then(|me| match me.totp_since {
        Some(_) => input.read::<TotpCode>().map(|_| me),
        None => Err(Problem::not_found()),
    });
    match (me, presented.zip(found)) {
        (Ok(me), Some((presented, found))) => {
            finish(tx, &caller, presented.check(found).await, |used| Ok(remove(&caller, me, used))).await
        }
        (Ok(_), None) => conclude(tx, Err(Problem::not_found())).await,
        (Err(problem), _) => conclude(tx, Err(problem)).await,
    }
}

fn remove(caller: &Caller, me: User, used: Vec<Statement<()>>) -> Outcome {
    let me = User { totp_since: None, ..me }.updated(caller.now);
    let mut writes = used;
    writes.extend(second_factors::forget(&me));
    writes.push(audit::by(caller, "auth.totp_remove", &Subject::User(me.id), json!({})));
    Outcome::new(Answer::no_content(), writes)
}

/// Ends the transaction with what follows from a right code, or with what counts a wrong one.
async fn finish(
    tx: Tx,
    caller: &Caller,
    checked: Result<Vec<Statement<()>>, Refused>,
    then: impl FnOnce(Vec<Statement<()>>) -> Result<Outcome, Problem>,
) -> Result<Answer, Problem> {
    match checked {
        Ok(used) => conclude(tx, then(used)).await,
        Err(Refused { problem, is_wrong, mut writes }) => {
            let about = Subject::User(caller.id);
            writes.extend(is_wrong.then(|| audit::by(caller, "auth.totp_failed", &about, json!({}))));
            tx.commit(writes).await?;
            Err(problem)
        }
    }
}
