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
        headers::SeenVersion,
        path::PathParameter,
        problem::Problem,
    },
    store::{customers, duties, loans},
    values::{moment::Moment, text::Reason},
    views::loan::LoanView,
};
use serde::{Deserialize, de::DeserializeOwned};
use utoipa::ToSchema;

/// A note, kept in the history.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"note": "known to us for three years"}))]
pub(crate) struct ForwardingNote {
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

impl HasReason for ForwardingNote {
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
    let kyc = matches!(action, Action::Approve).then(|| customers::kyc_of_loan(id));
    let batch = (loans::lock(id, scope), duties::same_hand(id, guard.id()), kyc);
    let (tx, caller, (loan, same_hand, kyc)) = guard.begin(batch).await?;
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
        if let Some(kyc) = kyc.flatten() {
            kyc.require(at.today)?;
        }
        shared::step(&loan, &next, action, &caller, reason, at)
    };
    let outcome = step();
    conclude(tx, outcome).await
}

/// Forward an application to the admins.
///
/// An agent puts a customer's own pending application forward, in the agent's name.
#[utoipa::path(
    post, path = "/api/loans/{id}/forward", tag = "loans", request_body(content = Option<ForwardingNote>),
    responses(
        (status = 200, description = "The loan as it now is", body = LoanView),
        (status = 409, description = "The loan is not pending (`not_pending`) or an agent has it already \
            (`already_forwarded`)"))
)]
pub(crate) async fn forward_loan(
    agent: Agent,
    State(app): State<App>,
    path: PathParameter,
    input: Input,
) -> Result<Answer, Problem> {
    let forward = |loan: &Loan, caller: &Caller, _, at: Moment<'_>| applications::forward(loan, caller.id, at);
    take_step::<_, ForwardingNote>(agent, &app, &path, &input, Versioned::No, Action::Forward, forward).await
}

/// Approve a pending loan.
///
/// Nobody approves a loan that they made or last changed, nor one of a person whose password they set: its borrower,
/// creator, last editor or agent.
#[utoipa::path(
    post, path = "/api/loans/{id}/approve", tag = "loans", request_body(content = Option<OptionalReason>),
    params(SeenVersion),
    responses(
        (status = 200, description = "The loan as it now is", body = LoanView),
        (status = 403, description = "The caller made or last changed the application, or set the password of \
            somebody involved in it (`own_application`)"),
        (status = 409, description = "The loan is not pending (`not_pending`), or its product requires a verified \
            customer and this one is not verified (`kyc_required`)"))
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

/// Reject a pending loan.
///
/// Whoever may not approve a loan may not reject it either. An edit makes a rejected application pending again.
#[utoipa::path(
    post, path = "/api/loans/{id}/reject", tag = "loans", request_body = RequiredReason, params(SeenVersion),
    responses(
        (status = 200, description = "The loan as it now is", body = LoanView),
        (status = 403, description = "The caller made or last changed the application, or set the password of \
            somebody involved in it (`own_application`)"),
        (status = 409, description = "The loan is not pending (`not_pending`)"))
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

/// Withdraw an application.
///
/// A customer withdraws its own, an agent one that it is the agent of, while it is pending or approved.
#[utoipa::path(
    post, path = "/api/loans/{id}/withdraw", tag = "loans", request_body(content = Option<OptionalReason>),
    responses(
        (status = 200, description = "The loan as it now is", body = LoanView),
        (status = 403, description = "The caller is an agent, but not the loan's (`not_the_loans_agent`)"),
        (status = 409, description = "The loan is neither pending nor approved (`not_withdrawable`)"),
        (status = 429, description = "There were too many commands of this customer (`too_many_attempts`)"))
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

/// Undo the approval of a loan.
///
/// The loan is pending again. It must not be paid out yet.
#[utoipa::path(
    post, path = "/api/loans/{id}/undo-approval", tag = "loans", request_body = RequiredReason,
    responses(
        (status = 200, description = "The loan as it now is", body = LoanView),
        (status = 409, description = "The loan is not approved (`not_approved`)"))
)]
pub(crate) async fn undo_loan_approval(
    admin: Admin,
    State(app): State<App>,
    path: PathParameter,
    input: Input,
) -> Result<Answer, Problem> {
    let undo = |loan: &Loan, _: &Caller, _, at: Moment<'_>| applications::undo_approval(loan, at);
    take_step::<_, RequiredReason>(admin, &app, &path, &input, Versioned::No, Action::UndoApproval, undo).await
}
