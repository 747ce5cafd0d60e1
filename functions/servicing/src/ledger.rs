//! The books: the entries of a loan, the sums of the accounts, the chart of accounts.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use backend::{
    app::App,
    auth::callers::{Admin, AnyUser},
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
    store::{
        ledger::{self, AccountBalance, ChartAccount, Entry},
        loan_as_of,
    },
    values::{
        page::Limit,
        time::{BusinessDate, Instant},
    },
};

/// Get the ledger of a loan.
///
/// Its journal entries, newest first: with `as_of`, those with value dates up to it. CSV has a line for each line of an
/// entry.
#[utoipa::path(
    get, path = "/api/loans/{id}/ledger", tag = "servicing", params(AsOfQuery, ExportPageQuery),
    responses((status = 200, description = "A page of entries", content(
        (Page<Entry> = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn get_loan_ledger(
    user: AnyUser,
    State(app): State<App>,
    path: PathParameter,
    format: Format,
    query: QueryString,
) -> Result<Response, Problem> {
    let id = user.check(path.uuid()).await?;
    let binding = user.binding(&query).await?;
    let read = query.read_with::<AsOfQuery, ExportPageQuery>().and_then(|(asked, page)| {
        let (limit, after) = page.page(&binding, format)?;
        Ok((asked.reading(), limit, after))
    });
    let (asked, limit, after) = match &read {
        Ok((asked, limit, after)) => (*asked, *limit, after.clone()),
        Err(_) => (Reading::default(), Limit::default(), None),
    };
    let as_of = asked.as_of.unwrap_or_else(|| app.today());
    let entries = ledger::entries(id, as_of, asked.known_at, after.as_ref(), limit);
    let statements = loan_as_of::statements(id, Scope::of(user.role(), user.id()), asked.known_at);
    let (caller, ((_, loan, versions, transactions), entries)) = Box::pin(user.read((statements, entries))).await?;
    let loan = loan.ok_or_else(Problem::not_found)?;
    read?;
    // Requires a loan that existed that day, as everywhere.
    let at = app.moment(&caller);
    LoanAsOf::new(loan, &versions, transactions, asked, at, &app.zone)?;
    csv::page(entries, limit, format, (&query, &binding), Entry::position)
}

/// The sums of the accounts: zero for each currency.
#[derive(Serialize, ToSchema)]
pub(crate) struct TrialBalance {
    /// The business date.
    as_of: BusinessDate,
    /// Only transactions recorded by then count.
    known_at: Instant,
    /// One for each account and currency in which something was posted.
    data: Vec<AccountBalance>,
}

/// Get the trial balance.
///
/// The sum of every account, by currency.
#[utoipa::path(
    get, path = "/api/ledger/trial-balance", tag = "servicing", params(AsOfQuery),
    responses((status = 200, description = "The balances", content(
        (TrialBalance = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn get_trial_balance(
    admin: Admin,
    State(app): State<App>,
    format: Format,
    query: QueryString,
) -> Result<Response, Problem> {
    let asked = admin.check(query.read::<AsOfQuery>()).await?.reading();
    let as_of = asked.as_of.unwrap_or_else(|| app.today());
    let (caller, (_, data)) = admin.read(ledger::trial_balance(as_of, asked.known_at)).await?;
    if asked.known_at.is_some_and(|known_at| known_at > caller.now) {
        return Err(Problem::field("/known_at", "in_the_future", "must not be in the future"));
    }
    let known_at = Instant(asked.known_at.unwrap_or(caller.now));
    match format {
        Format::Csv => csv::answer(&data),
        Format::Json => Ok(Json(TrialBalance { as_of: BusinessDate(as_of), known_at, data }).into_response()),
    }
}

/// The chart of accounts.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChartOfAccounts {
    /// All of them.
    data: Vec<ChartAccount>,
}

/// Get the chart of accounts.
///
/// The accounts of the ledger, in their order.
#[utoipa::path(
    get, path = "/api/ledger/accounts", tag = "servicing",
    responses((status = 200, description = "The accounts", body = ChartOfAccounts))
)]
pub(crate) async fn get_chart_of_accounts(admin: Admin, query: QueryString) -> Result<Json<ChartOfAccounts>, Problem> {
    admin.check(query.none()).await?;
    let (_, data) = admin.read(ledger::accounts()).await?;
    Ok(Json(ChartOfAccounts { data }))
}
