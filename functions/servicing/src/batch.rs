//! Many payments in one request, each as if it had been sent alone.

use std::time::{Duration, Instant};

use axum::{Extension, Json, extract::State};
use backend::{
    app::App,
    auth::callers::Staff,
    http::{
        answer::Answer,
        body::Input,
        idempotency::{Key, KeyText},
        layers::RequestId,
        problem::{Problem, ProblemBody},
        shape,
    },
    values::{number::NumberText, text::Reference, time::BusinessDate},
    views::transaction::TransactionView,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::time::timeout;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{command, repay::NewRepayment};

/// The most payments of one batch.
const MAX_ITEMS: usize = 500;

/// How long payments are taken: well before the request would end without an answer. The rest are answered with 503 and
/// can be sent again.
const TIME: Duration = Duration::from_secs(9);
/// How long the last of them may take: until just before then. It may have been recorded; repeating it shows.
const LAST: Duration = Duration::from_secs(11);

/// Payments.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RepaymentBatch {
    /// At most 500.
    #[schema(value_type = Vec<RepaymentBatchItem>, max_items = 500)]
    items: Vec<Box<RawValue>>,
}

/// One payment of a batch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "loan_id": "01957d3a-7c4e-7a10-9d2b-6f1f4f0c2a11", "amount": "2142.40", "paid_on": "2026-04-02",
    "reference": "receipt 1047", "idempotency_key": "receipt-1047"}))]
pub(crate) struct RepaymentBatchItem {
    /// The loan.
    loan_id: Uuid,
    /// In the loan's currency, more than zero.
    amount: NumberText,
    /// The business date, today or past, not before the disbursement.
    paid_on: BusinessDate,
    /// How the other side names it.
    reference: Option<Reference>,
    /// As if sent to that loan's `repayments`: 1 to 255 visible ASCII characters, no comma, blanks between them only.
    #[schema(value_type = String, min_length = 1, max_length = 255, pattern = r"^[!-+\--~]([ -+\--~]*[!-+\--~])?$")]
    idempotency_key: KeyText,
}

/// The answers of a batch.
#[derive(Serialize, ToSchema)]
pub(crate) struct RepaymentBatchResults {
    /// One for each item, in their order.
    data: Vec<RepaymentBatchResult>,
}

/// The answer to one payment: its transaction or its problem.
#[derive(Serialize, ToSchema)]
pub(crate) struct RepaymentBatchResult {
    /// The status that it would have had alone.
    #[schema(example = 201)]
    status: u16,
    /// The transaction, if it was recorded now or before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TransactionView, required = false)]
    transaction: Option<Box<RawValue>>,
    /// Why it was not; pointers are into the item.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ProblemBody, required = false)]
    problem: Option<ProblemBody>,
}

/// Record a batch of repayments.
///
/// Each payment counts by itself: one that fails stops no other. Where time runs out, the last ones are refused with
/// 503, and can be sent again as they are. Each has its own key, which works as if the payment had been sent to that
/// loan's `repayments`.
#[utoipa::path(
    post, path = "/api/repayments/batch", tag = "servicing", request_body = RepaymentBatch,
    responses((status = 200, description = "The answer to each payment, in their order", body = RepaymentBatchResults))
)]
pub(crate) async fn record_repayment_batch(
    staff: Staff,
    State(app): State<App>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    input: Input,
) -> Result<Json<RepaymentBatchResults>, Problem> {
    let RepaymentBatch { items } = staff.check(input.read::<RepaymentBatch>()).await?;
    if items.len() > MAX_ITEMS {
        let problem = Problem::field("/items", "too_many", format!("must have at most {MAX_ITEMS} items"));
        return staff.check(Err(problem)).await;
    }
    // The caller's right is checked before any item: an empty batch is for callers who may send one.
    staff.read(()).await?;
    let start = Instant::now();
    let mut data = Vec::with_capacity(items.len());
    for item in &items {
        let outcome = match start.elapsed() {
            elapsed if elapsed < TIME => {
                let recorded = timeout(LAST.saturating_sub(elapsed), record(&staff, &app, item)).await;
                recorded.unwrap_or_else(|late| Err(Problem::unavailable().caused_by(late)))
            }
            _ => Err(Problem::unavailable()),
        };
        data.push(match outcome.and_then(Answer::into_parts) {
            Ok((status, transaction)) => RepaymentBatchResult { status, transaction: Some(transaction), problem: None },
            Err(problem) => {
                let body = problem.body(&request_id);
                RepaymentBatchResult { status: body.status, transaction: None, problem: Some(body) }
            }
        });
    }
    Ok(Json(RepaymentBatchResults { data }))
}

async fn record(staff: &Staff, app: &App, item: &RawValue) -> Result<Answer, Problem> {
    let RepaymentBatchItem { loan_id, amount, paid_on, reference, idempotency_key } = shape::deserialize(item.get())?;
    let command = NewRepayment::command(loan_id);
    let key = Ok(Key::sent_to(idempotency_key, command.operation.clone()));
    let body = NewRepayment { amount, paid_on, reference, channel: None };
    command::run_with(staff, app, command, key, Ok(body), NewRepayment::decide).await
}
