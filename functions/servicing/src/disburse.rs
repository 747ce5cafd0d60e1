//! Paying a loan out.

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
        problem::Problem,
    },
    values::{
        refusal::refusal,
        text::{ProductCode, Reference},
        time::BusinessDate,
    },
    views::transaction::TransactionView,
};
use lending::EventKind;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A disbursement.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"disbursed_on": "2026-03-02", "reference": "transfer 2291"}))]
pub(crate) struct NewDisbursement {
    /// The business date, today or past: before the application too, for loans on paper that are entered later.
    disbursed_on: BusinessDate,
    /// When the first instalment is due; default: as in the terms. Required if the date of the terms is not after the
    /// disbursement.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_due_on: Option<BusinessDate>,
    /// The code of the source that it is paid from; default: the cash that has no source.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    source: Option<ProductCode>,
    /// How the other side names it.
    reference: Option<Reference>,
    /// Loans of the same borrower and currency that it settles, at most 5: what closes them that day is not paid out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Uuid>>, max_items = 5)]
    settles: Option<Settles>,
}

/// The most loans that a disbursement settles.
const MOST_SETTLED: usize = 5;

/// Loans that a disbursement settles, each once.
#[derive(Clone, Serialize)]
struct Settles(Vec<Uuid>);

impl<'de> Deserialize<'de> for Settles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let loans = Vec::<Uuid>::deserialize(deserializer)?;
        if loans.len() > MOST_SETTLED {
            return Err(refusal("too_many", format!("must be at most {MOST_SETTLED} loans")));
        }
        if loans.iter().enumerate().any(|(place, loan)| loans[..place].contains(loan)) {
            return Err(refusal("repeated", "must have each loan once"));
        }
        Ok(Self(loans))
    }
}

impl Fingerprinted for NewDisbursement {
    fn settles(&self) -> &[Uuid] {
        self.settles.as_ref().map(|settles| settles.0.as_slice()).unwrap_or_default()
    }
}

/// Disburse an approved loan.
///
/// Records that the money is paid out. That fixes the schedule. Loans that it settles are repaid from it at once:
/// refinancing.
#[utoipa::path(
    post, path = "/api/loans/{id}/disbursements", tag = "servicing", request_body = NewDisbursement,
    params(RequiredKey),
    responses(
        (status = 201, description = "The transaction", body = TransactionView),
        (status = 403, description = "The caller set the password of the loan's borrower, creator, last editor or \
            agent (`own_application`)"),
        (status = 409, description = "The loan is not approved (`not_approved`), was paid out before \
            (`already_disbursed`) or has as many transactions as allowed (`too_many_transactions`), or its product \
            requires a verified customer and this one is not verified (`kyc_required`), or a loan cannot be settled: \
            it is another borrower's, in another currency, not disbursed, or has a transaction after that day \
            (`not_settleable`)"),
        (status = 422, description = "`first_due_on` is not after the disbursement (`not_after_disbursement`), or is \
            needed: the date of the terms is not (`required`); there is no such loan to settle (`loan_not_found`), \
            or the settlements are more than is paid out (`above_paid_out`)"))
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
    command::run(&admin, &app, command, key, &input, |body: NewDisbursement, locked, at| {
        let on = command::past(body.disbursed_on, at, "/disbursed_on")?;
        let first_due_on = body.first_due_on.map(|date| date.0);
        if first_due_on.is_some_and(|first| first <= on) {
            let detail = "must be after the disbursement";
            return Err(Problem::field("/first_due_on", "not_after_disbursement", detail));
        }
        locked.loan.disbursable()?;
        if first_due_on.is_none() && locked.loan.terms.first_due_on().is_some_and(|first| first <= on) {
            let detail = "must be given: the first due date of the terms is not after the disbursement";
            return Err(Refusal::rule("/first_due_on", "required", detail).into());
        }
        let reference = body.reference.map(Reference::into_string);
        let source = body.source.map(ProductCode::into_string);
        let notes = Notes { reference, source, ..Notes::default() };
        Ok(NewTransaction { kind: EventKind::Disbursement { first_due_on, calendar: None }, on, notes })
    })
    .await
}
