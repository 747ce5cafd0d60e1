//! Asking for more, and for less.

use crate::command::{self, Command};
use axum::extract::State;
use backend::{
    app::App,
    auth::callers::Admin,
    domain::{refusal::Refusal, servicing::NewTransaction, transaction::Notes},
    http::{
        answer::Answer,
        body::Input,
        headers::RequiredKey,
        idempotency::{Fingerprinted, IdempotencyKey},
        path::PathParameter,
        problem::{Problem, both},
    },
    values::{
        number::NumberText,
        text::{ChargeCode, Reason},
        time::BusinessDate,
    },
    views::transaction::TransactionView,
};
use lending::{ChargeKind, EventKind, Waivable};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A charge.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "bounced-cheque", "kind": "fee", "amount": "150.00", "due_on": "2026-04-02"}))]
pub(crate) struct NewCharge {
    /// The lender's name of it.
    code: ChargeCode,
    /// The kind.
    kind: Charged,
    /// In the loan's currency, more than zero.
    amount: NumberText,
    /// When it falls due, in the future too; not before the disbursement.
    due_on: BusinessDate,
}

impl Fingerprinted for NewCharge {
    fn amount(&mut self) -> Option<&mut NumberText> {
        Some(&mut self.amount)
    }
}

/// The component of a charge.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[schema(as = ChargeKind)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Charged {
    /// A fee.
    Fee,
    /// A penalty.
    Penalty,
}

/// A waiver.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"component": "penalty", "amount": "150.00", "on": "2026-04-02", "reason": "our mistake"}))]
pub(crate) struct NewWaiver {
    /// Of what.
    component: WaiverComponent,
    /// In the loan's currency, more than zero, at most the unpaid amount.
    amount: NumberText,
    /// The business date, today or past, not before the disbursement.
    on: BusinessDate,
    /// Why.
    reason: Reason,
}

impl Fingerprinted for NewWaiver {
    fn amount(&mut self) -> Option<&mut NumberText> {
        Some(&mut self.amount)
    }
}

/// The component to waive.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WaiverComponent {
    /// Late fees and charged penalties.
    Penalty,
    /// Fees of instalments and charged fees.
    Fee,
    /// Interest.
    Interest,
}

/// Charge a fee or a penalty.
///
/// The borrower owes it beside the fees of the schedule.
#[utoipa::path(
    post, path = "/api/loans/{id}/charges", tag = "servicing", request_body = NewCharge, params(RequiredKey),
    responses(
        (status = 201, description = "The transaction", body = TransactionView),
        (status = 409, description = "The loan is not disbursed (`not_disbursed`), was written off \
            (`already_written_off`), has as many transactions as allowed (`too_many_transactions`), or a later \
            transaction could no longer stand (`later_event_depends_on_it`)"),
        (status = 422, description = "It would fall due before the disbursement (`before_disbursement`)"))
)]
pub(crate) async fn charge_loan(
    admin: Admin,
    State(app): State<App>,
    path: PathParameter,
    key: IdempotencyKey,
    input: Input,
) -> Result<Answer, Problem> {
    let id = admin.check(path.uuid()).await?;
    let command = Command::on_loan(id, "charges", "loan.charge", "/due_on");
    command::run(&admin, &app, command, key, &input, |body: NewCharge, locked, at| {
        let amount = command::amount(&body.amount, locked.loan.amount.currency())?;
        let due_on = body.due_on.0;
        locked.loan.disbursed()?;
        if locked.loan.disbursed_on.is_some_and(|disbursed_on| due_on < disbursed_on) {
            let detail = "must not be before the disbursement";
            return Err(Refusal::rule("/due_on", "before_disbursement", detail).into());
        }
        let kind = match body.kind {
            Charged::Fee => ChargeKind::Fee,
            Charged::Penalty => ChargeKind::Penalty,
        };
        let notes = Notes { code: Some(body.code.into_string()), ..Notes::default() };
        let on = locked.levied_on(due_on, at.today)?;
        Ok(NewTransaction { kind: EventKind::Charge { kind, amount, due_on }, on, notes })
    })
    .await
}

/// Waive unpaid interest, fees or penalties.
///
/// The oldest first.
#[utoipa::path(
    post, path = "/api/loans/{id}/waivers", tag = "servicing", request_body = NewWaiver, params(RequiredKey),
    responses(
        (status = 201, description = "The transaction", body = TransactionView),
        (status = 409, description = "The loan is not disbursed (`not_disbursed`), was written off \
            (`already_written_off`), has as many transactions as allowed (`too_many_transactions`), or a later \
            transaction could no longer stand (`later_event_depends_on_it`)"),
        (status = 422, description = "More than is unpaid that day (`above_unpaid`), or the date is before the \
            disbursement (`before_disbursement`)"))
)]
pub(crate) async fn waive_charge(
    admin: Admin,
    State(app): State<App>,
    path: PathParameter,
    key: IdempotencyKey,
    input: Input,
) -> Result<Answer, Problem> {
    let id = admin.check(path.uuid()).await?;
    let command = Command::on_loan(id, "waivers", "loan.waive", "/on");
    command::run(&admin, &app, command, key, &input, |body: NewWaiver, locked, at| {
        let amount = command::amount(&body.amount, locked.loan.amount.currency());
        let (amount, on) = both(amount, command::past(body.on, at, "/on"))?;
        locked.loan.disbursed()?;
        let component = match body.component {
            WaiverComponent::Penalty => Waivable::Penalty,
            WaiverComponent::Fee => Waivable::Fee,
            WaiverComponent::Interest => Waivable::Interest,
        };
        let notes = Notes { reason: Some(body.reason.into_string()), ..Notes::default() };
        Ok(NewTransaction { kind: EventKind::Waiver { component, amount }, on, notes })
    })
    .await
}
