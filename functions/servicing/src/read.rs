//! Reading the transactions of a loan: a customer its own, agents and admins all.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use lending::{Currency, Money};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use backend::{
    app::App,
    auth::callers::AnyUser,
    domain::{
        loan::Scope,
        loan_as_of::{LoanAsOf, Reading},
    },
    http::{
        csv,
        format::Format,
        pagination::{ExportLimit, Page},
        path::PathParameter,
        problem::Problem,
        query::QueryString,
    },
    store::loan_as_of,
    values::{
        page::Position,
        time::{BusinessDate, Instant},
    },
    views::transaction::TransactionView,
};

/// Reads a loan as of a day. `query` is the request's question, read once the loan is known to exist.
pub(crate) async fn file<Q>(
    user: &AnyUser,
    app: &App,
    id: Uuid,
    query: Result<Q, Problem>,
    reading: impl FnOnce(&Q) -> Reading,
) -> Result<(LoanAsOf, Q), Problem> {
    let reading = query.as_ref().map(reading).unwrap_or_default();
    let scope = Scope::of(user.role(), user.id());
    let statements = loan_as_of::statements(id, scope, reading.known_at);
    let (caller, (_, loan, versions, transactions)) = Box::pin(user.read(statements)).await?;
    let loan = loan.ok_or_else(Problem::not_found)?;
    let query = query?;
    let at = app.moment(&caller);
    Ok((LoanAsOf::new(loan, &versions, transactions, reading, at, &app.zone)?, query))
}

/// The query of a reading: its business date and its instant.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AsOf {
    as_of: Option<BusinessDate>,
    known_at: Option<Instant>,
}

impl AsOf {
    pub(crate) fn reading(&self) -> Reading {
        reading(self.as_of, self.known_at)
    }
}

pub(crate) fn reading(as_of: Option<BusinessDate>, known_at: Option<Instant>) -> Reading {
    Reading { as_of: as_of.map(|date| date.0), known_at: known_at.map(|instant| instant.0) }
}

/// The query of a settlement.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SettlementQuery {
    /// The day of the payment, in the future too; default: `as_of`, or today.
    on: Option<BusinessDate>,
    /// Only transactions up to this business date count; default: `on`, or today.
    as_of: Option<BusinessDate>,
    known_at: Option<Instant>,
}

/// The amount that closes a loan on a day.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoanSettlement {
    /// The day.
    on: BusinessDate,
    /// ISO 4217.
    #[schema(value_type = String, example = "INR")]
    currency: Currency,
    /// Unpaid principal.
    #[schema(value_type = String, example = "10098.11")]
    principal: Money,
    /// Unpaid interest of the periods that ended, and of the running one so far.
    #[schema(value_type = String, example = "101.00")]
    interest: Money,
    /// Unpaid fees: all charged, and those of instalments due.
    #[schema(value_type = String, example = "0.00")]
    fees: Money,
    /// Unpaid penalties.
    #[schema(value_type = String, example = "0.00")]
    penalties: Money,
    /// Payments of each beyond the charges so far, and the overpayment held.
    #[schema(value_type = String, example = "0.00")]
    credit: Money,
    /// The four together less the credit, not below zero: the smallest payment that closes the loan that day.
    #[schema(value_type = String, example = "10199.11")]
    total: Money,
}

/// Get the settlement of a loan.
///
/// The smallest payment that closes the loan on a day, and its parts.
#[utoipa::path(
    get, path = "/api/loans/{id}/settlement", tag = "servicing", params(SettlementQuery),
    responses(
        (status = 200, description = "The settlement", body = LoanSettlement),
        (status = 409, description = "The loan is not disbursed (`not_disbursed`)"),
        (status = 422, description = "The day is before the disbursement (`before_disbursement`)"))
)]
pub(crate) async fn get_loan_settlement(
    user: AnyUser,
    State(app): State<App>,
    path: PathParameter,
    query: QueryString,
) -> Result<Json<LoanSettlement>, Problem> {
    let id = user.check(path.uuid()).await?;
    let reading = |query: &SettlementQuery| reading(query.as_of.or(query.on), query.known_at);
    let (file, query) = file(&user, &app, id, query.read::<SettlementQuery>(), reading).await?;
    let on = query.on.map_or(file.as_of, |on| on.0);
    let lending::Settlement { principal, interest, fees, penalties, credit, total } = file.settlement(on)?;
    let currency = file.loan.amount.currency();
    Ok(Json(LoanSettlement { on: BusinessDate(on), currency, principal, interest, fees, penalties, credit, total }))
}

/// The query of a list of transactions.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TransactionsQuery {
    as_of: Option<BusinessDate>,
    known_at: Option<Instant>,
    limit: Option<ExportLimit>,
    cursor: Option<String>,
}

/// List the transactions of a loan.
///
/// Disbursement, repayments and all other movements of its money, the last recorded first.
#[utoipa::path(
    get, path = "/api/loans/{id}/transactions", tag = "servicing", params(TransactionsQuery),
    responses((status = 200, description = "A page of transactions", content(
        (Page<TransactionView> = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn list_loan_transactions(
    user: AnyUser,
    State(app): State<App>,
    path: PathParameter,
    format: Format,
    query: QueryString,
) -> Result<Response, Problem> {
    let id = user.check(path.uuid()).await?;
    let binding = user.binding(&query).await?;
    let read = query.read::<TransactionsQuery>().and_then(|list| {
        let limit = ExportLimit::of(list.limit, format)?;
        let after = list.cursor.as_deref().map(|cursor| Position::<Timestamp>::from_cursor(cursor, &binding));
        Ok((reading(list.as_of, list.known_at), limit, after.transpose()?))
    });
    let (file, (_, limit, after)) = file(&user, &app, id, read, |(reading, ..)| *reading).await?;
    let mut transactions = file.transactions(&app.zone);
    transactions.reverse();
    if let Some(Position(recorded_at, _)) = after {
        transactions.retain(|transaction| transaction.recorded_at.0 < recorded_at);
    }
    csv::page(transactions, limit, format, (&query, &binding), |last| Position(last.recorded_at.0, last.id))
}

/// Get a transaction of a loan.
///
/// With its allocation, and the reversal that takes it back, if there is one.
#[utoipa::path(
    get, path = "/api/loans/{id}/transactions/{tid}", tag = "servicing", params(AsOf),
    responses((status = 200, description = "The transaction", body = TransactionView))
)]
pub(crate) async fn get_loan_transaction(
    user: AnyUser,
    State(app): State<App>,
    path: PathParameter,
    query: QueryString,
) -> Result<Response, Problem> {
    let (id, transaction) = user.check(path.uuids()).await?;
    let (file, _) = file(&user, &app, id, query.read::<AsOf>(), AsOf::reading).await?;
    let found = file.transactions(&app.zone).into_iter().find(|known| known.id == transaction);
    Ok(Json(found.ok_or_else(Problem::not_found)?).into_response())
}
