//! All users, for admins.

use axum::Json;
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::lists::page;
use backend::{
    auth::{callers::Admin, passwords, profile::ProfilePatch},
    domain::{
        refusal::Refusal,
        users::{NewUser, Role, User, UserStatus},
    },
    http::{
        answer::Answer,
        body::Input,
        command::{Outcome, conclude},
        pagination::Page,
        path::PathParameter,
        problem::Problem,
        query::{QueryString, unless_empty},
    },
    store::{
        audit::{self, Subject},
        sessions,
        users::{self, Filter},
    },
    values::{
        page::Limit,
        password::Password,
        search::SearchWords,
        text::{Email, Name, Phone, Username},
    },
};

/// The query of a list of users.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UsersQuery {
    /// Users of this role.
    #[serde(default, deserialize_with = "unless_empty")]
    role: Option<Role>,
    /// Users of this status.
    #[serde(default, deserialize_with = "unless_empty")]
    status: Option<UserStatus>,
    #[serde(default, deserialize_with = "unless_empty")]
    q: Option<SearchWords>,
    limit: Option<Limit>,
    cursor: Option<String>,
}

/// List users.
///
/// Newest first, of all roles.
#[utoipa::path(
    get, path = "/api/users", tag = "users", params(UsersQuery),
    responses((status = 200, description = "A page of users", body = Page<User>))
)]
pub(crate) async fn list_users(admin: Admin, query: QueryString) -> Result<Json<Page<User>>, Problem> {
    let UsersQuery { role, status, q, limit, cursor } = admin.check(query.read()).await?;
    page(&admin, &query, Filter { role, status, q }, limit.unwrap_or_default(), cursor).await
}

/// Get a user.
///
/// Of any role and status.
#[utoipa::path(
    get, path = "/api/users/{id}", tag = "users",
    responses((status = 200, description = "The user", body = User))
)]
pub(crate) async fn get_user(admin: Admin, path: PathParameter, query: QueryString) -> Result<Json<User>, Problem> {
    let id = admin.check(path.uuid()).await?;
    let (_, user) = admin.read(users::by_id(id)).await?;
    let user = user.ok_or_else(Problem::not_found)?;
    query.none()?;
    Ok(Json(user))
}

/// A new user of any role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewUser, example = json!({
    "username": "agent.pune", "password": "correct horse battery", "email": "pune@example.com",
    "phone": "+912025512345", "role": "agent", "full_name": "Ravi Kulkarni"}))]
pub(crate) struct UserCreation {
    /// The name to log in with.
    username: Username,
    /// Neither the username nor the e-mail address.
    password: Password,
    /// The e-mail address.
    email: Email,
    /// The telephone number.
    phone: Phone,
    /// The role; fixed from then on.
    role: Role,
    /// The name people see.
    full_name: Option<Name>,
}

/// Create a user.
///
/// Of any role, and active at once.
#[utoipa::path(
    post, path = "/api/users", tag = "users", request_body = UserCreation,
    responses(
        (status = 201, description = "The new user", body = User),
        (status = 409, description = "The username (`username_taken`) or the e-mail address (`email_taken`) is taken"),
        (status = 429, description = "Too many passwords are set at once (`too_many_attempts`)"))
)]
pub(crate) async fn create_user(admin: Admin, input: Input) -> Result<Answer, Problem> {
    let creation: UserCreation = admin.check(input.read()).await?;
    let UserCreation { username, password, email, phone, role, full_name } = creation;
    let password = admin.check(password.of_user(username.as_str(), email.as_str(), "/password")).await?;
    let new = NewUser { username, email, phone, full_name, role, status: UserStatus::Active };
    let (_, taken) = admin.read(new.taken()).await?;
    taken.refuse()?;
    let hash = passwords::hash(password).await?;

    let (tx, caller, ()) = admin.begin(()).await?;
    let user = new.made(caller.now);
    let outcome = Answer::created(format!("/api/users/{}", user.id), &user).map(|answer| {
        let entry = audit::by(&caller, "user.create", &Subject::User(user.id), json!({"role": role}));
        Outcome::new(answer, {
            let set_by = users::note_password_set_by(user.id, Some(caller.id));
            vec![users::insert(&user, hash), set_by, entry]
        })
    });
    conclude(tx, outcome).await
}

/// Update a user's profile.
///
/// Omitted fields keep their values. Username and role never change.
#[utoipa::path(
    patch, path = "/api/users/{id}", tag = "users", request_body = ProfilePatch,
    responses(
        (status = 200, description = "The user as it now is", body = User),
        (status = 409, description = "The e-mail address is taken (`email_taken`), or the user is erased \
            (`user_erased`)"))
)]
pub(crate) async fn update_user(admin: Admin, path: PathParameter, input: Input) -> Result<Answer, Problem> {
    let id = admin.check(path.uuid()).await?;
    let (tx, caller, user) = admin.begin(users::lock(id)).await?;
    let outcome =
        user.ok_or_else(Problem::not_found).and_then(|user| input.read::<ProfilePatch>()?.apply(&caller, &user));
    conclude(tx, outcome).await
}

/// A new password for another user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"new_password": "staple of the battery"}))]
pub(crate) struct PasswordReset {
    /// Neither the username nor the e-mail address.
    new_password: Password,
}

/// Reset a user's password.
///
/// All sessions of that user end. Nobody resets their own password: `PUT /api/auth/password` changes it.
#[utoipa::path(
    put, path = "/api/users/{id}/password", tag = "users", request_body = PasswordReset,
    responses(
        (status = 204, description = "The new password is set"),
        (status = 403, description = "It is the admin's own password (`own_account`), which `PUT /api/auth/password` \
            changes"),
        (status = 409, description = "The user is erased (`user_erased`)"),
        (status = 429, description = "Too many passwords are set at once (`too_many_attempts`)"))
)]
pub(crate) async fn reset_user_password(admin: Admin, path: PathParameter, input: Input) -> Result<Answer, Problem> {
    let id = admin.check(path.uuid()).await?;
    if id == admin.id() {
        let detail = "Change your own password with PUT /api/auth/password, which asks for the current one.";
        return admin.check(Err(Problem::forbidden("own_account", detail))).await;
    }
    let (_, user) = admin.read(users::by_id(id)).await?;
    let user = user.ok_or_else(Problem::not_found)?;
    let PasswordReset { new_password } = input.read()?;
    if user.status == UserStatus::Erased {
        return Err(Refusal::user_erased().into());
    }
    let email = user.email.as_deref().unwrap_or_default();
    let hash = passwords::hash(new_password.of_user(&user.username, email, "/new_password")?).await?;

    let (tx, caller, user) = admin.begin(users::lock(id)).await?;
    let outcome = user.ok_or_else(Problem::not_found).map(|user| {
        let user = user.updated(caller.now);
        let writes = vec![
            users::update_password(&user, hash),
            users::note_password_set_by(id, Some(caller.id)),
            sessions::end_all(id),
            audit::by(&caller, "user.password", &Subject::User(id), json!({})),
        ];
        Outcome::new(Answer::no_content(), writes)
    });
    conclude(tx, outcome).await
}
