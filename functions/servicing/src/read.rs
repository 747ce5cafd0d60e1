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
        as_of::AsOfQuery,
        csv,
        format::Format,
        pagination::{ExportPageQuery, Page},
        path::PathParameter,
        problem::Problem,
        query::QueryString,
    },
    store::loan_as_of,
    values::{page::Position, time::BusinessDate},
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

/// The query of a settlement.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SettlementQuery {
    /// The day of the payment, in the future too, and the default of `as_of`; default: `as_of`, or today.
    on: Option<BusinessDate>,
}

/// The amount that closes a loan on a day.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "principal": "10098.11", "interest": "101.00", "fees": "0.00", "penalties": "0.00", "credit": "0.00",
    "total": "10199.11"}))]
pub(crate) struct LoanSettlement {
    /// The day.
    on: BusinessDate,
    /// ISO 4217.
    currency: Currency,
    /// Unpaid principal.
    principal: Money,
    /// Unpaid interest of the periods that ended, and of the running one so far.
    interest: Money,
    /// Unpaid fees: all charged, and those of instalments due.
    fees: Money,
    /// Unpaid penalties.
    penalties: Money,
    /// Payments of each beyond the charges so far, and the overpayment held.
    credit: Money,
    /// The four together less the credit, not below zero: the smallest payment that closes the loan that day.
    total: Money,
}

/// Get the settlement of a loan.
///
/// The smallest payment that closes the loan on a day, and its parts.
#[utoipa::path(
    get, path = "/api/loans/{id}/settlement", tag = "servicing", params(SettlementQuery, AsOfQuery),
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
    let query = query.read_with::<SettlementQuery, AsOfQuery>();
    let reading = |(SettlementQuery { on }, asked): &(_, AsOfQuery)| {
        let asked = asked.reading();
        Reading { as_of: asked.as_of.or(on.map(|on| on.0)), ..asked }
    };
    let (file, (SettlementQuery { on }, _)) = file(&user, &app, id, query, reading).await?;
    let on = on.map_or(file.as_of, |on| on.0);
    let lending::Settlement { principal, interest, fees, penalties, credit, total } = file.settlement(on)?;
    let currency = file.loan.amount.currency();
    Ok(Json(LoanSettlement { on: BusinessDate(on), currency, principal, interest, fees, penalties, credit, total }))
}

/// List the transactions of a loan.
///
/// Disbursement, repayments and all other movements of its money, the last recorded first.
#[utoipa::path(
    get, path = "/api/loans/{id}/transactions", tag = "servicing", params(AsOfQuery, ExportPageQuery),
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
    let read = query.read_with::<AsOfQuery, ExportPageQuery>().and_then(|(asked, page)| {
        let (limit, after) = page.page::<Timestamp, Uuid>(&binding, format)?;
        Ok((asked.reading(), limit, after))
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
    get, path = "/api/loans/{id}/transactions/{tid}", tag = "servicing", params(AsOfQuery),
    responses((status = 200, description = "The transaction", body = TransactionView))
)]
pub(crate) async fn get_loan_transaction(
    user: AnyUser,
    State(app): State<App>,
    path: PathParameter,
    query: QueryString,
) -> Result<Response, Problem> {
    let (id, transaction) = user.check(path.uuids()).await?;
    let (file, _) = file(&user, &app, id, query.read::<AsOfQuery>(), AsOfQuery::reading).await?;
    let found = file.transactions(&app.zone).into_iter().find(|known| known.id == transaction);
    Ok(Json(found.ok_or_else(Problem::not_found)?).into_response())
}
