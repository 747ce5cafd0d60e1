//! Commands that reverse, pay back, give up or reschedule.

use crate::command::{self, Command, Duty};
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
        number::{Instalments, NumberText},
        text::{ProductCode, Reason},
        time::BusinessDate,
    },
    views::transaction::TransactionView,
};
use lending::{AnnualRate, EventKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A reversal.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "the cheque bounced"}))]
pub(crate) struct NewReversal {
    /// Why.
    reason: Reason,
}

impl Fingerprinted for NewReversal {}

/// A refund.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": "10.00", "paid_on": "2026-09-14"}))]
pub(crate) struct NewRefund {
    /// In the loan's currency, more than zero, at most the amount held.
    amount: NumberText,
    /// The business date, today or past, not before the disbursement.
    paid_on: BusinessDate,
    /// The code of the source that it is paid from; default: the cash that has no source.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    source: Option<ProductCode>,
}

impl Fingerprinted for NewRefund {
    fn amount(&mut self) -> Option<&mut NumberText> {
        Some(&mut self.amount)
    }
}

/// A write-off.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"on": "2026-12-31", "reason": "the borrower cannot be found"}))]
pub(crate) struct NewWriteOff {
    /// The business date, today or past, not before the disbursement.
    on: BusinessDate,
    /// Why.
    reason: Reason,
}

impl Fingerprinted for NewWriteOff {}

/// A reschedule.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": "2026-06-02", "instalments": 9, "reason": "a bad harvest"}))]
pub(crate) struct NewReschedule {
    /// The due date of an instalment: the amounts due then and later are spread again.
    from: BusinessDate,
    /// How many instalments instead; default: as many as remained.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 600)]
    instalments: Option<Instalments>,
    /// Percent a year; default: the rate so far.
    #[schema(value_type = Option<NumberText>)]
    interest_rate_apr: Option<AnnualRate>,
    /// When the first of them is due; default: on `from`.
    first_due_on: Option<BusinessDate>,
    /// Why.
    reason: Reason,
}

impl Fingerprinted for NewReschedule {}

/// Reverse a transaction.
///
/// It counts as if it had never been; both stay in the list of transactions. With a disbursement go the settlements
/// that it paid.
#[utoipa::path(
    post, path = "/api/loans/{id}/transactions/{tid}/reversal", tag = "servicing", request_body = NewReversal,
    params(RequiredKey),
    responses(
        (status = 201, description = "The transaction", body = TransactionView),
        (status = 403, description = "The caller set the password of the user who recorded it \
            (`own_application`)"),
        (status = 409, description = "It was reversed before (`already_reversed`), is itself a reversal \
            (`reversal_of_reversal`), is a settlement, which goes with its disbursement (`settled_by_disbursement`), \
            or a later transaction could no longer stand (`later_event_depends_on_it`)"))
)]
pub(crate) async fn reverse_transaction(
    admin: Admin,
    State(app): State<App>,
    path: PathParameter,
    key: IdempotencyKey,
    input: Input,
) -> Result<Answer, Problem> {
    let (id, transaction) = admin.check(path.uuids()).await?;
    let command = Command {
        loan: id,
        transaction: Some(transaction),
        operation: format!("POST /api/loans/{id}/transactions/{transaction}/reversal"),
        audit: "loan.reverse",
        on: "",
        duty: Duty::Reverse,
    };
    command::run(&admin, &app, command, key, &input, |body: NewReversal, locked, _| {
        let reversed = locked.transactions.iter().find(|known| known.id() == transaction);
        let reversed = reversed.ok_or_else(Problem::not_found)?;
        if let Some(disbursement) = reversed.notes.settled_by {
            let detail = format!("The disbursement {disbursement} paid it: reverse that.");
            return Err(Refusal::conflict_with(disbursement, "settled_by_disbursement", detail).into());
        }
        let notes = Notes { reason: Some(body.reason.into_string()), ..Notes::default() };
        Ok(NewTransaction { kind: EventKind::Reversal { of: reversed.event.id }, on: reversed.event.on, notes })
    })
    .await
}

/// Refund an overpayment.
///
/// Pays back money that is held for the borrower.
#[utoipa::path(
    post, path = "/api/loans/{id}/refund", tag = "servicing", request_body = NewRefund, params(RequiredKey),
    responses(
        (status = 201, description = "The transaction", body = TransactionView),
        (status = 403, description = "The caller set the password of somebody who made or last changed the loan, or \
            recorded a transaction of it (`own_application`)"),
        (status = 409, description = "The loan is not disbursed (`not_disbursed`), has as many transactions as \
            allowed (`too_many_transactions`), or a later transaction could no longer stand \
            (`later_event_depends_on_it`)"),
        (status = 422, description = "More than is held that day (`above_held`), or the date is before the \
            disbursement (`before_disbursement`)"))
)]
pub(crate) async fn refund_overpayment(
    admin: Admin,
    State(app): State<App>,
    path: PathParameter,
    key: IdempotencyKey,
    input: Input,
) -> Result<Answer, Problem> {
    let id = admin.check(path.uuid()).await?;
    let command = Command::on_loan(id, "refund", "loan.refund", "/paid_on").with_duty(Duty::GiveUp);
    command::run(&admin, &app, command, key, &input, |body: NewRefund, locked, at| {
        let amount = command::amount(&body.amount, locked.loan.amount.currency());
        let (amount, on) = both(amount, command::past(body.paid_on, at, "/paid_on"))?;
        locked.loan.disbursed()?;
        let notes = Notes { source: body.source.map(ProductCode::into_string), ..Notes::default() };
        Ok(NewTransaction { kind: EventKind::Refund { amount }, on, notes })
    })
    .await
}

/// Write off a loan.
///
/// Gives up the unpaid amounts. The loan is defaulted; a later payment is a recovery.
#[utoipa::path(
    post, path = "/api/loans/{id}/write-off", tag = "servicing", request_body = NewWriteOff, params(RequiredKey),
    responses(
        (status = 201, description = "The transaction", body = TransactionView),
        (status = 403, description = "The caller set the password of somebody who made or last changed the loan, or \
            recorded a transaction of it (`own_application`)"),
        (status = 409, description = "The loan is not disbursed (`not_disbursed`), was written off before \
            (`already_written_off`), owes nothing that day (`nothing_to_write_off`), has as many transactions as \
            allowed (`too_many_transactions`), or a later transaction could no longer stand \
            (`later_event_depends_on_it`)"),
        (status = 422, description = "The date is before the disbursement (`before_disbursement`)"))
)]
pub(crate) async fn write_off_loan(
    admin: Admin,
    State(app): State<App>,
    path: PathParameter,
    key: IdempotencyKey,
    input: Input,
) -> Result<Answer, Problem> {
    let id = admin.check(path.uuid()).await?;
    let command = Command::on_loan(id, "write-off", "loan.write_off", "/on").with_duty(Duty::GiveUp);
    command::run(&admin, &app, command, key, &input, |body: NewWriteOff, locked, at| {
        let on = command::past(body.on, at, "/on")?;
        locked.loan.disbursed()?;
        let notes = Notes { reason: Some(body.reason.into_string()), ..Notes::default() };
        Ok(NewTransaction { kind: EventKind::WriteOff, on, notes })
    })
    .await
}

/// Reschedule a loan.
///
/// Spreads the amounts from a due date on over new instalments. Earlier instalments stay, with their unpaid parts.
///
/// It counts from today or, where `from` has passed, from that day.
#[utoipa::path(
    post, path = "/api/loans/{id}/reschedule", tag = "servicing", request_body = NewReschedule, params(RequiredKey),
    responses(
        (status = 201, description = "The transaction", body = TransactionView),
        (status = 409, description = "The loan is not disbursed (`not_disbursed`), was written off \
            (`already_written_off`), has no principal left from that date on (`nothing_to_reschedule`), has as many \
            transactions as allowed (`too_many_transactions`), or a later transaction could no longer stand \
            (`later_event_depends_on_it`)"),
        (status = 422, description = "No instalment is due on `from` (`not_a_due_date`), the first due date is not \
            after the due date before it (`not_after_due_date_before`), or the loan would never be repaid \
            (`does_not_amortise`)"))
)]
pub(crate) async fn reschedule_loan(
    admin: Admin,
    State(app): State<App>,
    path: PathParameter,
    key: IdempotencyKey,
    input: Input,
) -> Result<Answer, Problem> {
    let id = admin.check(path.uuid()).await?;
    let command = Command::on_loan(id, "reschedule", "loan.reschedule", "/from");
    command::run(&admin, &app, command, key, &input, |body: NewReschedule, locked, at| {
        locked.loan.disbursed()?;
        locked.loan.not_closed()?;
        if let Some(instalments) = body.instalments {
            let refused =
                |refusal: lending::Refusal| Refusal::rule("/instalments", refusal.code(), refusal.to_string());
            locked.loan.terms.check_late_fees(instalments.get()).map_err(refused)?;
        }
        let from = body.from.0;
        let kind = EventKind::Reschedule {
            from,
            instalments: body.instalments.map(Instalments::get),
            interest_rate_apr: body.interest_rate_apr,
            first_due_on: body.first_due_on.map(|date| date.0),
            calendar: None,
        };
        // Before the disbursement nothing is due: the date itself is wrong then.
        let earliest = locked.loan.disbursed_on.unwrap_or(from);
        let notes = Notes { reason: Some(body.reason.into_string()), ..Notes::default() };
        Ok(NewTransaction { kind, on: from.min(at.today).max(earliest), notes })
    })
    .await
}
