//! Registration: open to anyone, as a customer or as an agent who then waits for approval.

use axum::extract::State;
use backend::{
    app::App,
    auth::{
        limits::{Bucket, address_part},
        passwords::Turn,
    },
    domain::users::{NewUser, Role, UserStatus},
    http::{answer::Answer, body::Input, problem::Problem},
    store::{
        audit::{self, Subject},
        users,
    },
    values::{
        address::ClientAddress,
        names::Names,
        password::Password,
        text::{Email, Name, Phone, Username},
    },
    views::user::UserView,
};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

/// A role that a new user may choose.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum RegistrationRole {
    Customer,
    Agent,
}

/// Who registers.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "username": "usr_india_999", "password": "correct horse battery", "email": "asha@example.com",
    "phone": "+919812345678", "role": "customer", "full_name": "Asha Patel"}))]
pub(crate) struct Registration {
    /// The name to log in with.
    username: Username,
    /// Neither the username nor the e-mail address.
    password: Password,
    /// The e-mail address.
    email: Email,
    /// The telephone number.
    phone: Phone,
    /// The role; fixed from then on.
    role: RegistrationRole,
    /// The name people see.
    full_name: Option<Name>,
}

/// Register a customer or an agent.
///
/// A customer is active at once; an agent is pending until an admin approves it.
///
/// The number of registrations from one network address is limited; one with a taken username or e-mail address counts
/// too.
#[utoipa::path(
    post, path = "/api/auth/register", tag = "auth", request_body = Registration,
    responses(
        (status = 201, description = "The new user", body = UserView),
        (status = 409, description = "The username (`username_taken`) or the e-mail address (`email_taken`) is taken"),
        (status = 429, description = "There were too many registrations from this address, or there are too many at \
            once (`too_many_attempts`)"))
)]
pub(crate) async fn register(State(app): State<App>, address: ClientAddress, input: Input) -> Result<Answer, Problem> {
    let Registration { username, password, email, phone, role, full_name } = input.read()?;
    let password = password.of_user(username.as_str(), email.as_str(), "/password")?;
    let (role, status) = match role {
        RegistrationRole::Customer => (Role::Customer, UserStatus::Active),
        RegistrationRole::Agent => (Role::Agent, UserStatus::Pending),
    };
    let new = NewUser {
        username,
        email: Some(email),
        phone: Some(phone),
        full_name,
        role,
        status,
        agent_id: None,
        names: Names::default(),
    };

    // Before anything is counted: a request asked to come again was not an attempt.
    let turn = Turn::wait().await?;
    // Counted before the costly hash, and kept whatever the outcome: simultaneous attempts cost no more than the limit.
    let bucket = Bucket::new("register_address", &[&address_part(address.0)], app.limits.register_address);
    let (tx, (level, taken)) = app.db.begin(&(bucket.count(), new.taken())).await?;
    if let Err(problem) = bucket.allow(level) {
        tx.rollback().await;
        return Err(problem);
    }
    tx.commit(Vec::new()).await?;
    taken.refuse()?;

    let hash = turn.hash(password).await?;
    let user = new.made(level.now);
    // Where the user can read the account, if it is a customer, or the admin who is to approve it.
    let location = match role {
        Role::Agent => format!("/api/agents/{}", user.id),
        Role::Customer | Role::Admin => format!("/api/customers/{}", user.id),
    };
    let answer = Answer::created(location, &user.view(user.role))?;
    let entry = audit::record(None, &address, "auth.register", &Subject::User(user.id), json!({"role": role}));
    let (tx, ()) = app.db.begin(&()).await?;
    tx.commit(vec![users::insert(&user, Some(hash)), entry]).await?;
    Ok(answer)
}
