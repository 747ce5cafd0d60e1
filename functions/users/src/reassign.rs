//! An agent's whole book goes to another agent: all customers, and all loans that are not closed, in one transaction.

use backend::{
    auth::{callers::Admin, profile::agent_not_found},
    db::allow_long,
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
        customers,
        loans::{self, Id},
        users,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

/// To whom the book goes, and what of it.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"to": "01957d3a-7c4e-7a10-9d2b-6f1f4f0c2a11"}))]
pub(crate) struct Reassignment {
    /// Another agent, who is active.
    to: Uuid,
    /// True if loans go: those pending, approved, disbursed or defaulted.
    #[serde(default = "yes")]
    #[schema(default = true)]
    loans: bool,
    /// True if customers go.
    #[serde(default = "yes")]
    #[schema(default = true)]
    customers: bool,
}

const fn yes() -> bool {
    true
}

/// The size of the book that went.
#[derive(Serialize, ToSchema)]
pub(crate) struct Reassigned {
    /// How many customers.
    #[schema(example = 212)]
    customers: usize,
    /// How many loans.
    #[schema(example = 187)]
    loans: usize,
}

/// Change the agent of a whole book.
///
/// An agent's customers and open loans go to another agent, all of them or none. Collections follow at once. What was
/// earned stays with who earned it: a loan's application counts for its first agent, money for whose loan it was when
/// that was recorded. Codes that were handed out for the customers end.
#[utoipa::path(
    post, path = "/api/agents/{id}/reassign", tag = "agents", request_body = Reassignment,
    responses((status = 200, description = "How much went", body = Reassigned))
)]
pub(crate) async fn reassign_agent(admin: Admin, path: PathParameter, input: Input) -> Result<Answer, Problem> {
    let id = admin.check(path.uuid()).await?;
    // The customers and loans are locked with the agents, so the body is read early; its errors are reported in their
    // turn.
    let asked = input.read::<Reassignment>().ok();
    let to = asked.as_ref().map_or(id, |asked| asked.to);
    let of = |goes: fn(&Reassignment) -> bool| asked.as_ref().is_some_and(goes).then_some(id);
    let book = of(|asked| asked.loans).map(loans::lock_book);
    let clients = of(|asked| asked.customers).map(customers::lock_customers);
    let batch = (allow_long(), users::lock_both(id, to), book, clients);
    let (tx, caller, ((), agents, book, clients)) = Box::pin(admin.begin(batch)).await?;
    let outcome = reassign(&caller, id, &agents, &input, book.unwrap_or_default(), clients.unwrap_or_default());
    conclude(tx, outcome).await
}

fn reassign(
    caller: &Caller,
    from: Uuid,
    agents: &[User],
    input: &Input,
    loans: Vec<Id>,
    clients: Vec<Id>,
) -> Result<Outcome, Problem> {
    let is_agent = |id: Uuid| agents.iter().find(|user| user.id == id && user.role == Role::Agent);
    is_agent(from).ok_or_else(Problem::not_found)?;
    let Reassignment { to, .. } = input.read()?;
    if to == from {
        return Err(Problem::field("/to", "same_agent", "must be another agent"));
    }
    if is_agent(to).is_none_or(|agent| agent.status != UserStatus::Active) {
        return Err(agent_not_found("/to").into());
    }
    let ids = |ids: Vec<Id>| ids.into_iter().map(|Id(id)| id).collect::<Vec<_>>();
    let (loans, clients) = (ids(loans), ids(clients));
    let body = Reassigned { customers: clients.len(), loans: loans.len() };
    let answer = Answer::ok(&body)?;
    let mut writes = Vec::new();
    if !loans.is_empty() {
        writes.push(loans::assign(loans, to, caller.id, caller.now));
    }
    if !clients.is_empty() {
        writes.push(activations::end_all(clients.clone()));
        writes.push(customers::give(clients, to, caller.now));
    }
    if !writes.is_empty() {
        let detail = json!({"to": to, "customers": body.customers, "loans": body.loans});
        writes.push(audit::by(caller, "agent.reassign", &Subject::User(from), detail));
    }
    Ok(Outcome::new(answer, writes))
}
