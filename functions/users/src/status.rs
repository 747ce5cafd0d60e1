//! Who may log in: suspension and reactivation of any user, approval and rejection of agents.

use backend::{
    auth::callers::AdminInPerson,
    domain::{
        caller::Caller,
        users::{Role, User, UserStatus},
    },
    http::{
        answer::Answer,
        body::Input,
        command::{Outcome, conclude},
        path::PathParameter,
        problem::Problem,
    },
    store::{
        activations,
        audit::{self, Subject},
        sessions, users,
    },
    values::text::Reason,
    views::user::UserView,
};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

/// Why it is done, for the audit log.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "identity confirmed"}))]
pub(crate) struct StatusChange {
    /// Why.
    reason: Option<Reason>,
}

/// A step of a user's status.
struct Step {
    action: &'static str,
    from: &'static [UserStatus],
    to: UserStatus,
    /// The refusal in any other status.
    refusal: (&'static str, &'static str),
}

const SUSPEND: Step = Step {
    action: "user.suspend",
    from: &[UserStatus::Active],
    to: UserStatus::Suspended,
    refusal: ("user_not_active", "Only an active user can be suspended."),
};

const REACTIVATE: Step = Step {
    action: "user.reactivate",
    from: &[UserStatus::Suspended],
    to: UserStatus::Active,
    refusal: ("user_not_suspended", "Only a suspended user can be reactivated."),
};

const APPROVE: Step = Step {
    action: "agent.approve",
    from: &[UserStatus::Pending, UserStatus::Rejected],
    to: UserStatus::Active,
    refusal: ("agent_not_pending", "Only an agent who is pending or rejected can be approved."),
};

const REJECT: Step = Step {
    action: "agent.reject",
    from: &[UserStatus::Pending],
    to: UserStatus::Rejected,
    refusal: ("agent_not_pending", "Only an agent who is pending can be rejected."),
};

impl Step {
    /// Takes the step for a user who is locked.
    fn take(&self, caller: &Caller, user: Option<User>, input: &Input) -> Result<Outcome, Problem> {
        let user = user.ok_or_else(Problem::not_found)?;
        let StatusChange { reason } = input.read()?;
        if !self.from.contains(&user.status) {
            return Err(Problem::conflict(self.refusal.0, self.refusal.1));
        }
        let detail = json!({"from": user.status, "reason": reason});
        let user = User { status: self.to, ..user }.updated(caller.now);
        let mut writes = vec![users::update_status(&user)];
        if user.status != UserStatus::Active {
            writes.push(sessions::end_all(user.id));
            writes.push(activations::end(user.id));
        }
        writes.push(audit::by(caller, self.action, &Subject::User(user.id), detail));
        Ok(Outcome::new(Answer::ok(&user.view(caller.role))?, writes))
    }
}

/// Suspend a user.
///
/// Every session ends, and the user cannot log in until reactivated. Nobody suspends themself. So the admin who
/// suspends another one stays, and there is always an active admin.
#[utoipa::path(
    post, path = "/api/users/{id}/suspend", tag = "users", request_body = Option<StatusChange>,
    responses(
        (status = 200, description = "The user as it now is", body = UserView),
        (status = 403, description = "It is the admin's own account (`own_account`)"),
        (status = 409, description = "The user is not active (`user_not_active`)"))
)]
pub(crate) async fn suspend_user(admin: AdminInPerson, path: PathParameter, input: Input) -> Result<Answer, Problem> {
    let id = admin.check(path.uuid()).await?;
    if id == admin.id() {
        return admin.check(Err(Problem::forbidden("own_account", "Nobody suspends themself."))).await;
    }
    let (tx, caller, mut users) = admin.begin(users::lock_with_admins(id)).await?;
    // Of two admins who suspend each other, the second one waits for the lock, and then is no longer an active admin.
    let outcome = if users.iter().any(|user| user.id == caller.id) {
        let user = users.iter().position(|user| user.id == id).map(|at| users.swap_remove(at));
        SUSPEND.take(&caller, user, &input)
    } else {
        Err(Problem::unauthenticated())
    };
    conclude(tx, outcome).await
}

/// Reactivate a suspended user.
///
/// The user can log in again.
#[utoipa::path(
    post, path = "/api/users/{id}/reactivate", tag = "users", request_body = Option<StatusChange>,
    responses(
        (status = 200, description = "The user as it now is", body = UserView),
        (status = 409, description = "The user is not suspended (`user_not_suspended`)"))
)]
pub(crate) async fn reactivate_user(
    admin: AdminInPerson,
    path: PathParameter,
    input: Input,
) -> Result<Answer, Problem> {
    let id = admin.check(path.uuid()).await?;
    let (tx, caller, user) = admin.begin(users::lock(id)).await?;
    conclude(tx, REACTIVATE.take(&caller, user, &input)).await
}

/// Approve an agent.
///
/// An agent who is pending or was rejected becomes active and can log in.
#[utoipa::path(
    post, path = "/api/agents/{id}/approve", tag = "agents", request_body = Option<StatusChange>,
    responses(
        (status = 200, description = "The user as it now is", body = UserView),
        (status = 409, description = "The agent is neither pending nor rejected (`agent_not_pending`)"))
)]
pub(crate) async fn approve_agent(admin: AdminInPerson, path: PathParameter, input: Input) -> Result<Answer, Problem> {
    step_of_agent(&APPROVE, admin, path, input).await
}

/// Reject a pending agent.
///
/// An admin can still approve it later.
#[utoipa::path(
    post, path = "/api/agents/{id}/reject", tag = "agents", request_body = Option<StatusChange>,
    responses(
        (status = 200, description = "The user as it now is", body = UserView),
        (status = 409, description = "The agent is not pending (`agent_not_pending`)"))
)]
pub(crate) async fn reject_agent(admin: AdminInPerson, path: PathParameter, input: Input) -> Result<Answer, Problem> {
    step_of_agent(&REJECT, admin, path, input).await
}

async fn step_of_agent(
    step: &Step,
    admin: AdminInPerson,
    path: PathParameter,
    input: Input,
) -> Result<Answer, Problem> {
    let id = admin.check(path.uuid()).await?;
    let (tx, caller, user) = admin.begin(users::lock(id)).await?;
    let agent = user.filter(|user| user.role == Role::Agent);
    conclude(tx, step.take(&caller, agent, &input)).await
}
