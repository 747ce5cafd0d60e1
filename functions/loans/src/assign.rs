//! Assigning a loan to another agent: for admins. It makes no version; its history says it.

use axum::extract::State;
use backend::{
    app::App,
    auth::{callers::Admin, profile::agent_not_found},
    domain::{
        caller::Caller,
        loan::{Loan, Scope},
        portfolio::{LoanInPortfolio, PortfolioDelta},
        transaction::Transaction,
    },
    http::{
        answer::Answer,
        body::Input,
        command::{Outcome, conclude},
        path::PathParameter,
        problem::Problem,
    },
    store::{
        audit::{self, Subject},
        customers, loans, transactions,
    },
    values::moment::Moment,
    views::loan::LoanView,
};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::shared;

/// Whose loan it is from now on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"agent_id": "01957d3a-7c4e-7a10-9d2b-6f1f4f0c2a11"}))]
pub(crate) struct Assignment {
    /// An active agent.
    agent_id: Uuid,
}

/// Change the agent of a loan.
///
/// The loan may be in any status. Its version stays, and its history says from whom to whom. Collections follow; what
/// was earned stays with who earned it.
#[utoipa::path(
    post, path = "/api/loans/{id}/assign", tag = "loans", request_body = Assignment,
    responses((status = 200, description = "The loan as it now is", body = LoanView))
)]
pub(crate) async fn assign_loan(
    admin: Admin,
    State(app): State<App>,
    path: PathParameter,
    input: Input,
) -> Result<Answer, Problem> {
    let id = admin.check(path.uuid()).await?;
    // The agent is looked up with the loan, so the body is read early; its errors are reported in their turn.
    let agent = input.read::<Assignment>().ok().map(|asked| customers::active_agent(asked.agent_id));
    let batch = (agent, loans::lock(id, Scope::All), transactions::of_loan(id, None));
    let (tx, caller, (is_agent, loan, transactions)) = Box::pin(admin.begin(batch)).await?;
    let at = app.moment(&caller);
    conclude(tx, assign(&caller, loan, &transactions, is_agent, &input, at)).await
}

fn assign(
    caller: &Caller,
    loan: Option<Loan>,
    transactions: &[Transaction],
    is_agent: Option<bool>,
    input: &Input,
    at: Moment<'_>,
) -> Result<Outcome, Problem> {
    let loan = loan.ok_or_else(Problem::not_found)?;
    let Assignment { agent_id } = input.read()?;
    if is_agent != Some(true) {
        return Err(agent_not_found("/agent_id").into());
    }
    if loan.agent_id == Some(agent_id) {
        return Ok(Outcome::unchanged(shared::answer(&loan, caller.role, at)?));
    }
    let assigned = loan.assigned(agent_id, at.now)?;

    let mut writes = vec![loans::assign(vec![loan.id], agent_id, caller.id, at.now)];
    let part = |loan| LoanInPortfolio { loan, steps: &[], exposures: &[], transactions };
    let figures = PortfolioDelta::between(part(&loan), part(&assigned), at);
    // The exposures were moved above, as with a whole book; an application that nobody had counts for the first who
    // has it.
    writes.extend(PortfolioDelta { agents: figures.agents, ..PortfolioDelta::default() }.changes());
    let detail = json!({"from": loan.agent_id, "to": agent_id});
    writes.push(audit::by(caller, "loan.assign", &Subject::Loan(loan.id), detail));
    Ok(Outcome::new(shared::answer(&assigned, caller.role, at)?, writes))
}
