//! Taking a payment.

use axum::extract::State;
use backend::{
    app::App,
    auth::callers::Staff,
    domain::{
        servicing::{LockedLoan, NewTransaction},
        transaction::Notes,
    },
    http::{
        answer::Answer,
        body::Input,
        headers::RequiredKey,
        idempotency::{Fingerprinted, IdempotencyKey},
        path::PathParameter,
        problem::{Problem, both},
    },
    values::{
        moment::Moment,
        number::NumberText,
        text::{Channel, Reference},
        time::BusinessDate,
    },
    views::transaction::TransactionView,
};
use lending::EventKind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::command::{self, Command};

/// A payment.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": "2142.40", "paid_on": "2026-04-02", "reference": "receipt 1047",
    "channel": "cash"}))]
pub(crate) struct NewRepayment {
    /// In the loan's currency, more than zero.
    pub(crate) amount: NumberText,
    /// The business date, today or past, not before the disbursement.
    pub(crate) paid_on: BusinessDate,
    /// How the other side names it.
    pub(crate) reference: Option<Reference>,
    /// How it came in.
    pub(crate) channel: Option<Channel>,
}

impl Fingerprinted for NewRepayment {
    fn receipt(&self) -> Option<&str> {
        self.reference.as_ref().map(Reference::as_str)
    }

    fn amount(&mut self) -> Option<&mut NumberText> {
        Some(&mut self.amount)
    }
}

impl NewRepayment {
    /// The command that records it.
    pub(crate) fn command(loan: Uuid) -> Command {
        Command::on_loan(loan, "repayments", "loan.repay", "/paid_on")
    }

    /// The transaction.
    pub(crate) fn decide(self, locked: &LockedLoan, at: Moment<'_>) -> Result<NewTransaction, Problem> {
        let amount = command::amount(&self.amount, locked.loan.amount.currency());
        let (amount, on) = both(amount, command::past(self.paid_on, at, "/paid_on"))?;
        locked.loan.disbursed()?;
        let notes = Notes {
            reference: self.reference.map(Reference::into_string),
            channel: self.channel.map(Channel::into_string),
            ..Notes::default()
        };
        Ok(NewTransaction { kind: EventKind::Repayment { amount }, on, notes })
    }
}

/// Record a repayment.
///
/// The payment is allocated as the loan's terms say. After a write-off it is a recovery.
#[utoipa::path(
    post, path = "/api/loans/{id}/repayments", tag = "servicing", request_body = NewRepayment, params(RequiredKey),
    responses(
        (status = 201, description = "The transaction", body = TransactionView),
        (status = 409, description = "The loan is not disbursed (`not_disbursed`), has as many transactions as \
            allowed (`too_many_transactions`), the reference is the receipt of a payment (`payment_exists`), or a \
            later transaction could no longer stand (`later_event_depends_on_it`)"),
        (status = 422, description = "The date is before the disbursement (`before_disbursement`)"))
)]
pub(crate) async fn record_repayment(
    staff: Staff,
    State(app): State<App>,
    path: PathParameter,
    key: IdempotencyKey,
    input: Input,
) -> Result<Answer, Problem> {
    let id = staff.check(path.uuid()).await?;
    let command = NewRepayment::command(id);
    command::run(&staff, &app, command, key, &input, |body: NewRepayment, locked, at| body.decide(locked, at)).await
}
