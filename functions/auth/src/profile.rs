//! One's own profile.

use axum::{Json, extract::State};
use backend::{
    app::App,
    auth::{
        callers::AnyUser,
        limits::{Bucket, address_part},
        profile::ProfilePatch,
    },
    domain::refusal::Refusal,
    http::{answer::Answer, body::Input, command::conclude, problem::Problem, query::QueryString},
    store::users,
    views::user::UserView,
};

/// Get your own profile.
///
/// The user whose access token is sent.
#[utoipa::path(
    get, path = "/api/auth/me", tag = "auth",
    responses((status = 200, description = "The caller", body = UserView))
)]
pub(crate) async fn get_profile(user: AnyUser, query: QueryString) -> Result<Json<UserView>, Problem> {
    user.check(query.none()).await?;
    let (_, me) = user.read(users::by_id(user.id())).await?;
    me.map(|me| Json(me.own_view())).ok_or_else(Problem::unauthenticated)
}

/// Update your own profile.
///
/// Omitted fields keep their values. Changes of the e-mail address are limited, by user and by network address; a
/// change refused because the address is taken counts too.
#[utoipa::path(
    patch, path = "/api/auth/me", tag = "auth", request_body = ProfilePatch,
    responses(
        (status = 200, description = "The user as it now is", body = UserView),
        (status = 409, description = "The e-mail address is taken (`email_taken`)"),
        (status = 429, description = "There were too many changes of the e-mail address (`too_many_attempts`)"))
)]
pub(crate) async fn update_profile(State(app): State<App>, user: AnyUser, input: Input) -> Result<Answer, Problem> {
    let patch: ProfilePatch = user.check(input.read()).await?;
    let Some(email) = patch.email().map(str::to_owned) else {
        let (tx, caller, me) = user.begin(users::lock(user.id())).await?;
        let outcome = me.ok_or_else(Problem::unauthenticated).and_then(|me| patch.apply(&caller, &me));
        return conclude(tx, outcome).await;
    };
    let changes = EmailChanges::new(&app, &user);
    let (by_user, by_address) = (changes.user.count(), changes.address.count());
    let batch = (users::lock(user.id()), users::email_taken(user.id(), &email), by_user, by_address);
    let (tx, caller, (me, taken, by_user, by_address)) = Box::pin(user.begin(batch)).await?;
    let decided = me.ok_or_else(Problem::unauthenticated).and_then(|me| {
        if me.email.as_deref() == Some(email.as_str()) {
            return Ok((patch.apply(&caller, &me)?, false));
        }
        changes.user.allow(by_user)?;
        changes.address.allow(by_address)?;
        Ok((patch.apply(&caller, &me)?, true))
    });
    match decided {
        Ok((_, true)) if taken => {
            tx.commit(Vec::new()).await?;
            Err(Refusal::email_taken().into())
        }
        Ok((mut outcome, false)) if !outcome.writes.is_empty() => {
            outcome.writes.extend([changes.user.give_back(), changes.address.give_back()]);
            conclude(tx, Ok(outcome)).await
        }
        decided => conclude(tx, decided.map(|(outcome, _)| outcome)).await,
    }
}

/// The buckets of changes of an e-mail address.
struct EmailChanges {
    user: Bucket,
    address: Bucket,
}

impl EmailChanges {
    fn new(app: &App, user: &AnyUser) -> Self {
        let address = address_part(user.address().0);
        Self {
            user: Bucket::new("email_user", &[&user.id().to_string()], app.limits.email_user),
            address: Bucket::new("email_address", &[&address], app.limits.email_address),
        }
    }
}
