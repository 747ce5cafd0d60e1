//! Codes that let people set a password, handed out by admins, and by agents to their customers.

use backend::{
    auth::{callers::StaffInPerson, codes, passwords},
    domain::{
        refusal::Refusal,
        users::{Role, User, UserStatus},
    },
    http::{
        answer::Answer,
        command::{Outcome, conclude},
        path::PathParameter,
        problem::Problem,
        query::QueryString,
    },
    store::{
        activations,
        audit::{self, Subject},
        users,
    },
    values::time::Instant,
};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

/// A code, which no other answer shows again.
#[derive(Serialize, ToSchema)]
pub(crate) struct ActivationCode {
    /// Ten digits, good once.
    #[schema(example = "4071882635")]
    code: String,
    /// When it ends by itself.
    expires_at: Instant,
}

/// Create an activation code.
///
/// The user sets a password with it; a code that was there before ends. Admins make codes for anyone but themselves,
/// agents for their own customers. A code is good once, for 72 hours and five tries. It ends when the user gets another
/// agent, another password, or is suspended. Who handed it out decides on nothing that the user has to do with until
/// the user changes the password.
#[utoipa::path(
    post, path = "/api/users/{id}/activation", tag = "users",
    responses(
        (status = 201, description = "The code", body = ActivationCode),
        (status = 403, description = "It is the admin's own account (`own_account`), or an agent asks for a customer \
            who is not its own (`not_the_customers_agent`)"),
        (status = 409, description = "The user is not active (`user_not_active`)"),
        (status = 429, description = "Too many passwords and codes are set at once (`too_many_attempts`)"))
)]
pub(crate) async fn create_activation_code(
    staff: StaffInPerson,
    path: PathParameter,
    query: QueryString,
) -> Result<Answer, Problem> {
    let id = staff.check(path.uuid()).await?;
    if id == staff.id() {
        let detail = "Change your own password with PUT /api/auth/password, which asks for the current one.";
        return staff.check(Err(Problem::forbidden("own_account", detail))).await;
    }
    let (caller, user) = staff.read(users::by_id(id)).await?;
    let user = user.filter(|user| may_see(caller.role, user)).ok_or_else(Problem::not_found)?;
    query.none()?;
    may_hand_out(caller.role, caller.id, &user)?;
    let code = codes::random()?;
    let hash = passwords::hash(code.clone()).await?;

    let (tx, caller, user) = staff.begin(users::lock(id)).await?;
    let outcome = user.ok_or_else(Problem::not_found).and_then(|user| {
        may_hand_out(caller.role, caller.id, &user)?;
        let expires_at = caller.now.checked_add(codes::LIFETIME).map_err(Problem::internal)?;
        let body = ActivationCode { code: code.expose_secret().to_owned(), expires_at: Instant(expires_at) };
        let location = match user.role {
            Role::Customer => format!("/api/customers/{id}"),
            Role::Agent | Role::Admin => format!("/api/users/{id}"),
        };
        let writes = vec![
            activations::keep(id, hash, caller.id, expires_at),
            audit::by(&caller, "user.activation", &Subject::User(id), json!({"expires_at": body.expires_at})),
        ];
        Ok(Outcome::new(Answer::created(location, &body)?, writes))
    });
    conclude(tx, outcome).await
}

/// Agents know of customers alone.
fn may_see(role: Role, user: &User) -> bool {
    role == Role::Admin || user.role == Role::Customer
}

fn may_hand_out(role: Role, caller: Uuid, user: &User) -> Result<(), Refusal> {
    if role != Role::Admin && user.agent_id != Some(caller) {
        let detail = "Only an admin, or the customer's own agent, hands out a code for this customer.";
        return Err(Refusal::forbidden("not_the_customers_agent", detail));
    }
    match user.status {
        UserStatus::Active => Ok(()),
        UserStatus::Pending | UserStatus::Rejected | UserStatus::Suspended | UserStatus::Erased => {
            Err(Refusal::conflict("user_not_active", "Only an active user gets a code."))
        }
    }
}
