//! Applying a payment to a loan: a repayment of all or some of what is in suspense.

use axum::extract::State;
use backend::{
    app::App,
    auth::callers::Admin,
    domain::{
        caller::Caller,
        loan::{Loan, Scope},
        payments::{Application, MatchedBy, Payment},
        portfolio::ApplicationStep,
        refusal::Refusal,
        servicing::{self, LockedLoan, NewTransaction},
        sources::Source,
        transaction::Transaction,
    },
    http::{
        answer::Answer,
        body::Input,
        command::{Outcome, conclude},
        headers::RequiredKey,
        idempotency::{Claim, Claimed, Fingerprinted, IdempotencyKey, Key},
        path::PathParameter,
        problem::Problem,
    },
    store::{
        audit::{self, Subject},
        loans, payments, portfolio, sources, transactions,
    },
    telemetry::Count,
    values::{moment::Moment, number::NumberText, time::BusinessDate},
    views::transaction::TransactionView,
};
use jiff::civil::Date;
use lending::EventKind;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

/// How a payment is applied.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"loan_id": "01957d3a-7c4e-7a10-9d2b-6f1f4f0c2a11", "amount": "1500.00"}))]
pub(crate) struct NewApplication {
    /// The loan that it pays.
    loan_id: Uuid,
    /// How much of it; default: all that is unapplied.
    amount: Option<NumberText>,
    /// The business date of the repayment, from that of the payment to today; default: the later one of that and the
    /// disbursement.
    on: Option<BusinessDate>,
}

impl Fingerprinted for NewApplication {
    fn amount(&mut self) -> Option<&mut NumberText> {
        self.amount.as_mut()
    }
}

type Locked =
    (Option<Claimed>, Option<Loan>, Vec<Transaction>, (Vec<ApplicationStep>, Option<Payment>, Option<Source>));

/// Apply a payment to a loan.
///
/// All of it or some, as a repayment.
#[utoipa::path(
    post, path = "/api/payments/{id}/apply", tag = "payments", request_body = NewApplication, params(RequiredKey),
    responses(
        (status = 201, description = "The transaction", body = TransactionView),
        (status = 409, description = "The loan is not disbursed (`not_disbursed`), has as many transactions as it may \
            have (`too_many_transactions`), or a later transaction could no longer stand \
            (`later_event_depends_on_it`)"),
        (status = 422, description = "More than is unapplied (`above_unapplied`), there is no such loan \
            (`loan_not_found`), or the date is before the disbursement (`before_disbursement`)"))
)]
pub(crate) async fn apply_payment(
    admin: Admin,
    State(app): State<App>,
    path: PathParameter,
    key: IdempotencyKey,
    input: Input,
) -> Result<Answer, Problem> {
    let id = admin.check(path.uuid()).await?;
    let request = key.read().and_then(Key::required).and_then(|key| {
        let body: NewApplication = input.read()?;
        let claim = key.of(format!("POST /api/payments/{id}/apply")).claim(admin.id(), &body)?;
        Ok((claim, body))
    });
    let take = request.as_ref().ok().and_then(|(claim, _)| claim.take());
    let loan = request.as_ref().map_or_else(|_| Uuid::nil(), |(_, body)| body.loan_id);
    // The loan first, then the payment: as everywhere.
    let rest = (portfolio::steps(loan), payments::lock(id), sources::of_payment(id));
    let batch = (take, loans::lock(loan, Scope::All), transactions::of_loan(loan, None), rest);
    let (tx, caller, locked): (_, _, Locked) = Box::pin(admin.begin(batch)).await?;
    let at = app.moment(&caller);
    conclude(tx, apply(&app, &caller, request, locked, at)).await
}

fn apply(
    app: &App,
    caller: &Caller,
    request: Result<(Claim, NewApplication), Problem>,
    (claimed, loan, transactions, (steps, payment, source)): Locked,
    at: Moment<'_>,
) -> Result<Outcome, Problem> {
    let payment = payment.ok_or_else(Problem::not_found)?;
    let source = source.ok_or_else(Problem::not_found)?;
    let (claim, body) = request?;
    if let Some(answer) = claim.earlier_answer(claimed)? {
        return Ok(Outcome::unchanged(answer));
    }
    let NewApplication { loan_id, amount, on } = body;
    let currency = payment.amount.currency();
    let amount = amount.map(|text| text.money("/amount", currency)).transpose()?;
    let on = on.map(|on| date(on, &payment, at)).transpose()?;
    let loan = loan.ok_or_else(|| Refusal::rule("/loan_id", "loan_not_found", "there is no loan of this id"))?;
    if loan.amount.currency() != currency {
        let detail = format!("must be a loan in {currency}, as the payment is");
        return Err(Refusal::field("/loan_id", "currency_mismatch", detail).into());
    }
    loan.disbursed()?;
    let amount = payment.part(amount)?;
    let default = loan.disbursed_on.map_or(payment.paid_on, |disbursed_on| disbursed_on.max(payment.paid_on));
    let on = on.unwrap_or(default);
    let new = NewTransaction { kind: EventKind::Repayment { amount }, on, notes: payment.notes(&source) };
    let recorded = servicing::record(LockedLoan { loan, transactions, steps }, new, caller.id, at, "/on")?;
    let transaction_id = recorded.transaction();
    let answer =
        Answer::created(format!("/api/loans/{loan_id}/transactions/{transaction_id}"), &recorded.view(&app.zone)?)?;
    let application = Application { loan_id, transaction_id, amount, reversed_by: None };
    let payment = payment.with_application(application, MatchedBy::Manual);
    let mut writes = recorded.writes();
    writes.push(payments::update_details(&payment));
    let detail = json!({"transaction": transaction_id, "loan": loan_id, "on": on.to_string(), "amount": amount});
    writes.push(audit::by(caller, "payment.apply", &Subject::Payment(payment.id), detail));
    writes.extend(claim.keep(&answer));
    Ok(Outcome::new(answer, writes).counting(Some(Count::Collected(amount))))
}

/// A business date from that of the payment to today.
pub(crate) fn date(on: BusinessDate, payment: &Payment, at: Moment<'_>) -> Result<Date, Problem> {
    date_at("/on", on, payment, at)
}

/// The same, of another field.
pub(crate) fn date_at(
    pointer: &'static str,
    on: BusinessDate,
    payment: &Payment,
    at: Moment<'_>,
) -> Result<Date, Problem> {
    if on.0 > at.today {
        let detail = format!("must not be in the future; today is {}", at.today);
        return Err(Problem::field(pointer, "in_the_future", detail));
    }
    if on.0 < payment.paid_on {
        let detail = format!("must not be before the payment, which is of {}", payment.paid_on);
        return Err(Problem::field(pointer, "before_payment", detail));
    }
    Ok(on.0)
}
