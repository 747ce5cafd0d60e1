//! All users, for admins.

use axum::Json;
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::lists::page;
use backend::{
    auth::{
        callers::{Admin, AdminInPerson},
        passwords,
        profile::UserPatch,
    },
    domain::{
        refusal::Refusal,
        users::{NewUser, Role, User, UserStatus},
    },
    http::{
        answer::Answer,
        body::Input,
        command::{Outcome, conclude},
        pagination::{Page, PageQuery},
        path::PathParameter,
        problem::{Problem, both},
        query::{QueryString, unless_empty},
    },
    store::{
        activations,
        audit::{self, Subject},
        customers, sessions,
        users::{self, Filter},
    },
    values::{
        names::{MetadataPatch, Names, NamesPatch},
        password::Password,
        search::{SearchText, SearchWords},
        text::{Email, ExternalId, Name, Phone, Username},
    },
    views::user::UserView,
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
    /// The user that another system of the lender's has under this id.
    #[serde(default, deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>, example = "crm-20417")]
    external_id: Option<SearchText>,
}

/// List users.
///
/// Newest first, of all roles.
#[utoipa::path(
    get, path = "/api/users", tag = "users", params(UsersQuery, PageQuery),
    responses((status = 200, description = "A page of users", body = Page<UserView>))
)]
pub(crate) async fn list_users(admin: Admin, query: QueryString) -> Result<Json<Page<UserView>>, Problem> {
    let (UsersQuery { role, status, q, external_id }, asked) = admin.check(query.read_with()).await?;
    let external_id = external_id.map(SearchText::into_string);
    let filter = Filter { role, status, q, external_id, ..Filter::default() };
    page(&admin, &query, filter, asked).await
}

/// Get a user.
///
/// Of any role and status.
#[utoipa::path(
    get, path = "/api/users/{id}", tag = "users",
    responses((status = 200, description = "The user", body = UserView))
)]
pub(crate) async fn get_user(admin: Admin, path: PathParameter, query: QueryString) -> Result<Json<UserView>, Problem> {
    let id = admin.check(path.uuid()).await?;
    let (_, user) = admin.read(users::by_id(id)).await?;
    let user = user.ok_or_else(Problem::not_found)?;
    query.none()?;
    Ok(Json(user.view(admin.role())))
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
    /// The id in another system of the lender's, unique among users.
    external_id: Option<ExternalId>,
    /// Texts of the lender's other systems, under keys.
    metadata: Option<MetadataPatch>,
}

/// Create a user.
///
/// Of any role, and active at once.
#[utoipa::path(
    post, path = "/api/users", tag = "users", request_body = UserCreation,
    responses(
        (status = 201, description = "The new user", body = UserView),
        (status = 409, description = "The username (`username_taken`), the e-mail address (`email_taken`) or the \
            `external_id` (`external_id_taken`) is taken"),
        (status = 429, description = "Too many passwords are set at once (`too_many_attempts`)"))
)]
pub(crate) async fn create_user(admin: AdminInPerson, input: Input) -> Result<Answer, Problem> {
    let creation: UserCreation = admin.check(input.read()).await?;
    let UserCreation { username, password, email, phone, role, full_name, external_id, metadata } = creation;
    let password = password.of_user(username.as_str(), email.as_str(), "/password");
    let names = NamesPatch::new(external_id, metadata).over(&Names::default());
    let (password, names) = admin.check(both(password, names)).await?;
    let new = NewUser {
        username,
        email: Some(email),
        phone: Some(phone),
        full_name,
        role,
        status: UserStatus::Active,
        agent_id: None,
        names,
    };
    let (_, taken) = admin.read(new.taken()).await?;
    taken.refuse()?;
    let hash = passwords::hash(password).await?;

    let (tx, caller, ()) = admin.begin(()).await?;
    let user = new.made(caller.now);
    let outcome = Answer::created(format!("/api/users/{}", user.id), &user.view(caller.role)).map(|answer| {
        let entry = audit::by(&caller, "user.create", &Subject::User(user.id), json!({"role": role}));
        Outcome::new(answer, {
            let set_by = users::note_password_set_by(user.id, Some(caller.id));
            vec![users::insert(&user, Some(hash)), set_by, entry]
        })
    });
    conclude(tx, outcome).await
}

/// Update a user's profile.
///
/// Omitted fields keep their values. Username and role never change. Another agent ends a code that was handed out for
/// the customer; another name ends a verification.
#[utoipa::path(
    patch, path = "/api/users/{id}", tag = "users", request_body = UserPatch,
    responses(
        (status = 200, description = "The user as it now is", body = UserView),
        (status = 409, description = "The e-mail address (`email_taken`) or the `external_id` (`external_id_taken`) is \
            taken, or the user is erased (`user_erased`)"))
)]
pub(crate) async fn update_user(admin: Admin, path: PathParameter, input: Input) -> Result<Answer, Problem> {
    let id = admin.check(path.uuid()).await?;
    // The agent is looked up with the user, so the body is read early; its errors are reported in their turn.
    let agent = input.read::<UserPatch>().ok().and_then(|patch| patch.agent()).map(customers::active_agent);
    let (tx, caller, (user, is_agent)) = admin.begin((users::lock(id), agent)).await?;
    let is_agent = is_agent.unwrap_or(false);
    let apply = |user: User| input.read::<UserPatch>()?.apply(&caller, &user, is_agent);
    let outcome = user.ok_or_else(Problem::not_found).and_then(apply);
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
pub(crate) async fn reset_user_password(
    admin: AdminInPerson,
    path: PathParameter,
    input: Input,
) -> Result<Answer, Problem> {
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
            activations::end(id),
            sessions::end_all(id),
            audit::by(&caller, "user.password", &Subject::User(id), json!({})),
        ];
        Outcome::new(Answer::no_content(), writes)
    });
    conclude(tx, outcome).await
}
