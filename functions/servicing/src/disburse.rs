//! Paying a loan out.

use axum::extract::State;
use backend::{
    app::App,
    auth::callers::Admin,
    fields::Reference,
    http::{
        answer::Answer,
        body::Input,
        idempotency::IdempotencyKey,
        path::PathParameter,
        problem::{Problem, ProblemBody},
        time::BusinessDate,
    },
    models::{
        servicing::{New, TransactionView},
        transactions::Notes,
    },
};
use lending::EventKind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::command::{self, Command, Duty};

/// A disbursement.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"disbursed_on": "2026-03-02", "reference": "transfer 2291"}))]
pub(crate) struct NewDisbursement {
    /// The business date, today or past: before the application too, for loans on paper that are entered later.
    disbursed_on: BusinessDate,
    /// How the other side names it.
    reference: Option<Reference>,
}

/// Pays an approved loan out. That fixes its schedule.
#[utoipa::path(
    post, path = "/api/loans/{id}/disbursements", tag = "servicing", request_body = NewDisbursement,
    params(
        ("id" = uuid::Uuid, Path, description = "The loan's id"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 characters; the same key gives the same answer")),
    responses(
        (status = 201, description = "The transaction", body = TransactionView,
            headers(("Location" = String, description = "Where the transaction can be read"))),
        (status = 400, description = "The Idempotency-Key is missing (`idempotency_key_required`)", body = ProblemBody),
        (status = 403, description = "The caller set the password of the loan's borrower, creator, last editor or agent \
            (`own_application`)", body = ProblemBody),
        (status = 409, description = "The loan is not approved (`not_approved`), was paid out before (`already_disbursed`) or \
            has as many transactions as it may have (`too_many_transactions`)", body = ProblemBody))
)]
pub(crate) async fn disburse_loan(
    admin: Admin,
    State(app): State<App>,
    path: PathParameter,
    key: IdempotencyKey,
    input: Input,
) -> Result<Answer, Problem> {
    let id = admin.check(path.uuid()).await?;
    let command = Command::on_loan(id, "disbursements", "loan.disburse", "/disbursed_on").with_duty(Duty::PayOut);
    command::run(&admin, &app, command, key, &input, |body: NewDisbursement, books, at| {
        let on = command::past(body.disbursed_on, at, "/disbursed_on")?;
        books.loan.disbursable()?;
        let notes = Notes { reference: body.reference.map(Reference::into_string), ..Notes::default() };
        Ok(New { kind: EventKind::Disbursement, on, notes })
    })
    .await
}
