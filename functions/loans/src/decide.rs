//! The steps of an application: forwarded, approved, rejected, withdrawn, an approval undone.

use crate::shared;
use axum::extract::State;
use backend::{
    app::App,
    auth::callers::{Admin, Agent, Applicant, Guard, Kind},
    domain::{
        applications,
        caller::Caller,
        duties::SameHand,
        loan::{Loan, LoanStatus, Scope},
        loan_history::Action,
        refusal::Refusal,
    },
    http::{
        answer::Answer,
        body::{Input, require_version},
        command::conclude,
        path::PathParameter,
        problem::{Problem, ProblemBody},
    },
    store::{duties, loans},
    values::{moment::Moment, text::Reason},
    views::loan::LoanView,
};
use serde::{Deserialize, de::DeserializeOwned};
use utoipa::ToSchema;

/// A note, kept in the history.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"note": "known to us for three years"}))]
pub(crate) struct Note {
    /// The note.
    note: Option<Reason>,
}

/// A reason, if there is one; kept in the history.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "income confirmed"}))]
pub(crate) struct OptionalReason {
    /// Why.
    reason: Option<Reason>,
}

/// A reason, kept in the history.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "income too low"}))]
pub(crate) struct RequiredReason {
    /// Why.
    reason: Reason,
}

/// A body that may give a reason.
trait HasReason: DeserializeOwned + ToSchema {
    fn reason(self) -> Option<String>;
}

impl HasReason for Note {
    fn reason(self) -> Option<String> {
        self.note.map(Reason::into_string)
    }
}

impl HasReason for OptionalReason {
    fn reason(self) -> Option<String> {
        self.reason.map(Reason::into_string)
    }
}

impl HasReason for RequiredReason {
    fn reason(self) -> Option<String> {
        Some(self.reason.into_string())
    }
}

/// If a step requires the version that the caller has seen.
enum Versioned {
    Yes,
    No,
}

/// Carries out one step: the loan is locked, the body read, the step decided and written.
async fn take_step<K: Kind, B: HasReason>(
    guard: Guard<K>,
    app: &App,
    path: &PathParameter,
    input: &Input,
    versioned: Versioned,
    action: Action,
    decide: impl FnOnce(&Loan, &Caller, Option<String>, Moment<'_>) -> Result<Loan, Refusal>,
) -> Result<Answer, Problem> {
    let id = guard.check(path.uuid()).await?;
    let scope = Scope::of(guard.role(), guard.id());
    let batch = (loans::lock(id, scope), duties::same_hand(id, guard.id()));
    let (tx, caller, (loan, same_hand)) = guard.begin(batch).await?;
    let at = app.moment(&caller);
    let step = || {
        let loan = loan.ok_or_else(Problem::not_found)?;
        let reason = match versioned {
            Versioned::No => input.read::<B>()?.reason(),
            Versioned::Yes => {
                let (if_match, body) = input.read_versioned::<B>()?;
                require_version(&if_match, loan.version)?;
                body.reason()
            }
        };
        if matches!(action, Action::Approve | Action::Reject) {
            SameHand::from(same_hand).may_decide(&loan)?;
        }
        let next = decide(&loan, &caller, reason.clone(), at)?;
        shared::step(&loan, &next, action, &caller, reason, at)
    };
    let outcome = step();
    conclude(tx, outcome).await
}

/// Puts a customer's own pending application before the admin, in the agent's name.
#[utoipa::path(
    post, path = "/api/loans/{id}/forward", tag = "loans", request_body(content = Option<Note>),
    params(("id" = uuid::Uuid, Path, description = "The loan's id")),
    responses(
        (status = 200, description = "The loan as it now is", body = LoanView,
            headers(("ETag" = String, description = "The loan's version, for If-Match"))),
        (status = 409, description = "The loan is not pending (`not_pending`) or an agent has it already \
            (`already_forwarded`)", body = ProblemBody))
)]
pub(crate) async fn forward_loan(
    agent: Agent,
    State(app): State<App>,
    path: PathParameter,
    input: Input,
) -> Result<Answer, Problem> {
    let forward = |loan: &Loan, caller: &Caller, _, at: Moment<'_>| applications::forward(loan, caller.id, at);
    take_step::<_, Note>(agent, &app, &path, &input, Versioned::No, Action::Forward, forward).await
}

/// Approves a pending loan. Whoever made or last changed it may not.
///
/// Neither may whoever set the password of its borrower, creator, last editor or agent.
#[utoipa::path(
    post, path = "/api/loans/{id}/approve", tag = "loans", request_body(content = Option<OptionalReason>),
    params(
        ("id" = uuid::Uuid, Path, description = "The loan's id"),
        ("If-Match" = String, Header, description = "The ETag of the version you have seen", example = "\"1\"")),
    responses(
        (status = 200, description = "The loan as it now is", body = LoanView,
            headers(("ETag" = String, description = "The loan's version, for If-Match"))),
        (status = 403, description = "The caller made or last changed the application, or set the password of \
            somebody involved in it (`own_application`)", body = ProblemBody),
        (status = 409, description = "The loan is not pending (`not_pending`)", body = ProblemBody))
)]
pub(crate) async fn approve_loan(
    admin: Admin,
    State(app): State<App>,
    path: PathParameter,
    input: Input,
) -> Result<Answer, Problem> {
    let approve = |loan: &Loan, caller: &Caller, reason, at: Moment<'_>| {
        applications::decide(loan, LoanStatus::Approved, caller.id, reason, at)
    };
    take_step::<_, OptionalReason>(admin, &app, &path, &input, Versioned::Yes, Action::Approve, approve).await
}

/// Rejects a pending loan. Whoever may not approve it may not reject it.
#[utoipa::path(
    post, path = "/api/loans/{id}/reject", tag = "loans", request_body = RequiredReason,
    params(
        ("id" = uuid::Uuid, Path, description = "The loan's id"),
        ("If-Match" = String, Header, description = "The ETag of the version you have seen", example = "\"1\"")),
    responses(
        (status = 200, description = "The loan as it now is", body = LoanView,
            headers(("ETag" = String, description = "The loan's version, for If-Match"))),
        (status = 403, description = "The caller made or last changed the application, or set the password of \
            somebody involved in it (`own_application`)", body = ProblemBody),
        (status = 409, description = "The loan is not pending (`not_pending`)", body = ProblemBody))
)]
pub(crate) async fn reject_loan(
    admin: Admin,
    State(app): State<App>,
    path: PathParameter,
    input: Input,
) -> Result<Answer, Problem> {
    let reject = |loan: &Loan, caller: &Caller, reason, at: Moment<'_>| {
        applications::decide(loan, LoanStatus::Rejected, caller.id, reason, at)
    };
    take_step::<_, RequiredReason>(admin, &app, &path, &input, Versioned::Yes, Action::Reject, reject).await
}

/// Takes an application back: the customer its own, or the loan's agent.
#[utoipa::path(
    post, path = "/api/loans/{id}/withdraw", tag = "loans", request_body(content = Option<OptionalReason>),
    params(("id" = uuid::Uuid, Path, description = "The loan's id")),
    responses(
        (status = 200, description = "The loan as it now is", body = LoanView,
            headers(("ETag" = String, description = "The loan's version, for If-Match"))),
        (status = 403, description = "The caller is an agent, but not the loan's (`not_the_loans_agent`)",
            body = ProblemBody),
        (status = 409, description = "The loan is neither pending nor approved (`not_withdrawable`)",
            body = ProblemBody),
        (status = 429, description = "There were too many commands of this customer (`too_many_attempts`)",
            body = ProblemBody))
)]
pub(crate) async fn withdraw_loan(
    applicant: Applicant,
    State(app): State<App>,
    path: PathParameter,
    input: Input,
) -> Result<Answer, Problem> {
    let withdraw = |loan: &Loan, caller: &Caller, _, at: Moment<'_>| applications::withdraw(loan, caller, at);
    take_step::<_, OptionalReason>(applicant, &app, &path, &input, Versioned::No, Action::Withdraw, withdraw).await
}

/// Takes an approval back: the loan is pending again.
#[utoipa::path(
    post, path = "/api/loans/{id}/undo-approval", tag = "loans", request_body = RequiredReason,
    params(("id" = uuid::Uuid, Path, description = "The loan's id")),
    responses(
        (status = 200, description = "The loan as it now is", body = LoanView,
            headers(("ETag" = String, description = "The loan's version, for If-Match"))),
        (status = 409, description = "The loan is not approved (`not_approved`)", body = ProblemBody))
)]
pub(crate) async fn undo_approval(
    admin: Admin,
    State(app): State<App>,
    path: PathParameter,
    input: Input,
) -> Result<Answer, Problem> {
    let undo = |loan: &Loan, _: &Caller, _, at: Moment<'_>| applications::undo_approval(loan, at);
    take_step::<_, RequiredReason>(admin, &app, &path, &input, Versioned::No, Action::UndoApproval, undo).await
}
