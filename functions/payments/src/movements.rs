//! Other decisions on a payment: money goes back, or was our own, or its amount is put right.

use axum::extract::State;
use backend::{
    app::App,
    auth::callers::{Admin, Guard, Kind},
    domain::{
        payments::{Movement, MovementKind, Payment},
        refusal::Refusal,
        sources::Source,
    },
    http::{
        answer::Answer,
        body::Input,
        command::{Outcome, conclude},
        headers::RequiredKey,
        idempotency::{Fingerprinted, IdempotencyKey, Key},
        path::PathParameter,
        problem::Problem,
    },
    store::{
        audit::{self, Subject},
        payments, sources,
    },
    values::{
        moment::Moment,
        number::NumberText,
        text::{ProductCode, Reason, Reference},
        time::BusinessDate,
    },
    views::payment::PaymentView,
};
use jiff::civil::Date;
use lending::Money;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::apply;

/// Money that goes back to the payer.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"paid_on": "2026-03-04", "reference": "reversal RKT99", "reason": "paid by mistake"}))]
pub(crate) struct NewReturn {
    /// How much of it; default: all that is unapplied.
    amount: Option<NumberText>,
    /// The business date, from that of the payment to today.
    paid_on: BusinessDate,
    /// How the other side names it.
    reference: Option<Reference>,
    /// Why.
    reason: Reason,
}

impl Fingerprinted for NewReturn {
    fn amount(&mut self) -> Option<&mut NumberText> {
        self.amount.as_mut()
    }
}

/// Money of our own.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": "paybill-kenya", "reason": "sweep to the bank"}))]
pub(crate) struct NewTransfer {
    /// The code of the source that it came from.
    #[schema(value_type = String)]
    from: ProductCode,
    /// Why.
    reason: Reason,
}

impl Fingerprinted for NewTransfer {}

/// The right amount of a payment.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": "100.00", "reason": "a nought was missing"}))]
pub(crate) struct NewCorrection {
    /// The amount that the payment should have.
    amount: NumberText,
    /// Why.
    reason: Reason,
}

impl Fingerprinted for NewCorrection {
    fn amount(&mut self) -> Option<&mut NumberText> {
        Some(&mut self.amount)
    }
}

/// A movement as decided on the locked payment.
struct Decided {
    kind: MovementKind,
    amount: Money,
    on: Date,
    from: Option<String>,
    reference: Option<String>,
    reason: String,
}

/// Carries out a command on a payment. `from` is another source that it names.
async fn run<K: Kind, B: DeserializeOwned + Fingerprinted + ToSchema>(
    (guard, app): (&Guard<K>, &App),
    (id, part, action): (Uuid, &'static str, &'static str),
    (key, input): (IdempotencyKey, &Input),
    from: impl Fn(&B) -> Option<String>,
    decide: impl FnOnce(B, &Payment, Option<Source>, Moment<'_>) -> Result<Decided, Problem>,
) -> Result<Answer, Problem> {
    let request = key.read().and_then(Key::required).and_then(|key| {
        let body: B = input.read()?;
        let claim = key.of(format!("POST /api/payments/{id}/{part}")).claim(guard.id(), &body)?;
        Ok((claim, body))
    });
    let take = request.as_ref().ok().and_then(|(claim, _)| claim.take());
    let named = request.as_ref().ok().and_then(|(_, body)| from(body)).map(|code| sources::source(&code));
    let (tx, caller, (claimed, payment, named)) = Box::pin(guard.begin((take, payments::lock(id), named))).await?;
    let at = app.moment(&caller);
    let outcome = || -> Result<Outcome, Problem> {
        let payment = payment.ok_or_else(Problem::not_found)?;
        let (claim, body) = request?;
        if let Some(answer) = claim.earlier_answer(claimed)? {
            return Ok(Outcome::unchanged(answer));
        }
        let Decided { kind, amount, on, from, reference, reason } = decide(body, &payment, named.flatten(), at)?;
        let (id, recorded_at, recorded_by) = (Uuid::now_v7(), at.now, caller.id);
        let movement = Movement { id, kind, amount, on, from, reference, reason, recorded_at, recorded_by };
        let mut writes = payments::insert_movement(&payment, &movement);
        let detail = json!({"movement": id, "on": on.to_string(), "amount": amount, "reason": movement.reason});
        writes.push(audit::by(&caller, action, &Subject::Payment(payment.id), detail));
        let payment = payment.with_movement(movement);
        let answer = Answer::created(format!("/api/payments/{}", payment.id), &payment.view())?;
        writes.extend(claim.keep(&answer));
        Ok(Outcome::new(answer, writes))
    };
    conclude(tx, outcome()).await
}

/// Return a payment.
///
/// Records that all of it or some went back to the payer.
#[utoipa::path(
    post, path = "/api/payments/{id}/return", tag = "payments", request_body = NewReturn, params(RequiredKey),
    responses(
        (status = 201, description = "The payment", body = PaymentView),
        (status = 422, description = "More than is unapplied (`above_unapplied`)"))
)]
pub(crate) async fn return_payment(
    admin: Admin,
    State(app): State<App>,
    path: PathParameter,
    key: IdempotencyKey,
    input: Input,
) -> Result<Answer, Problem> {
    let id = admin.check(path.uuid()).await?;
    let what = (id, "return", "payment.return");
    run(
        (&admin, &app),
        what,
        (key, &input),
        |_| None,
        |body: NewReturn, payment, _, at| {
            let currency = payment.amount.currency();
            let amount = body.amount.map(|text| text.money("/amount", currency)).transpose()?;
            let on = apply::date_at("/paid_on", body.paid_on, payment, at)?;
            Ok(Decided {
                kind: MovementKind::Return,
                amount: payment.part(amount)?,
                on,
                from: None,
                reference: body.reference.map(Reference::into_string),
                reason: body.reason.into_string(),
            })
        },
    )
    .await
}

/// Transfer a payment.
///
/// Records that it is the lender's own money, from another source, such as a sweep to the bank.
#[utoipa::path(
    post, path = "/api/payments/{id}/transfer", tag = "payments", request_body = NewTransfer, params(RequiredKey),
    responses(
        (status = 201, description = "The payment", body = PaymentView),
        (status = 422, description = "Nothing is unapplied (`above_unapplied`)"))
)]
pub(crate) async fn transfer_payment(
    admin: Admin,
    State(app): State<App>,
    path: PathParameter,
    key: IdempotencyKey,
    input: Input,
) -> Result<Answer, Problem> {
    let id = admin.check(path.uuid()).await?;
    let what = (id, "transfer", "payment.transfer");
    let from = |body: &NewTransfer| Some(body.from.as_str().to_owned());
    run((&admin, &app), what, (key, &input), from, |body: NewTransfer, payment, source, _| {
        let is_other = |source: &Source| source.code != payment.source && source.currency == payment.amount.currency();
        if source.as_ref().is_none_or(|source| !is_other(source)) {
            let detail = "must be the code of another source of the payment's currency";
            return Err(Refusal::field("/from", "unknown_source", detail).into());
        }
        Ok(Decided {
            kind: MovementKind::Transfer,
            amount: payment.part(None)?,
            on: payment.paid_on,
            from: Some(body.from.into_string()),
            reference: None,
            reason: body.reason.into_string(),
        })
    })
    .await
}

/// Correct the amount of a payment.
///
/// The difference is an entry on the payment's date.
#[utoipa::path(
    post, path = "/api/payments/{id}/correction", tag = "payments", request_body = NewCorrection, params(RequiredKey),
    responses(
        (status = 201, description = "The payment", body = PaymentView),
        (status = 409, description = "Less than what stands applied and returned (`below_decided`)"))
)]
pub(crate) async fn correct_payment(
    admin: Admin,
    State(app): State<App>,
    path: PathParameter,
    key: IdempotencyKey,
    input: Input,
) -> Result<Answer, Problem> {
    let id = admin.check(path.uuid()).await?;
    let what = (id, "correction", "payment.correct");
    run(
        (&admin, &app),
        what,
        (key, &input),
        |_| None,
        |body: NewCorrection, payment, _, _| {
            let right = body.amount.money("/amount", payment.amount.currency())?;
            if right == payment.amount {
                return Err(Problem::field("/amount", "unchanged", "is the amount that the payment has"));
            }
            let decided = payment.applied.units() + payment.returned.units();
            if right.units() < decided {
                let detail =
                    format!("{} of the payment is applied and {} returned.", payment.applied, payment.returned);
                return Err(Problem::conflict("below_decided", detail));
            }
            let amount = right.checked_sub(payment.amount);
            Ok(Decided {
                kind: MovementKind::Correction,
                amount: amount.ok_or_else(|| Problem::internal("a difference that no amount is"))?,
                on: payment.paid_on,
                from: None,
                reference: None,
                reason: body.reason.into_string(),
            })
        },
    )
    .await
}
