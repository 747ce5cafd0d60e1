//! The sums of a customer's loans.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use backend::{
    app::App,
    auth::callers::AnyUser,
    domain::{loan::LoanStatus, users::Role},
    http::{path::PathParameter, problem::Problem, query::QueryString},
    store::{
        loans::{self, SummaryRow},
        users,
    },
};
use jiff::civil::Date;
use lending::{Currency, Money};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// The sums of a customer's loans today.
#[derive(Serialize, ToSchema)]
pub(crate) struct CustomerSummary {
    /// The customer.
    customer_id: Uuid,
    /// All loans, applications too.
    #[schema(example = 4)]
    total_loans: i64,
    /// Loans by status, each of the seven.
    #[schema(example = json!({"pending": 0, "approved": 0, "rejected": 1, "withdrawn": 0, "disbursed": 1, "repaid": 2,
        "defaulted": 0}))]
    by_status: BTreeMap<&'static str, i64>,
    /// Loans that were paid back.
    #[schema(example = 2)]
    loans_repaid: i64,
    /// Days since the oldest unpaid instalment of any loan was due; 0 if none is late.
    #[schema(minimum = 0, example = 0)]
    longest_days_past_due: i32,
    /// Money, by currency.
    by_currency: BTreeMap<&'static str, CurrencySummary>,
}

/// The sums of a customer's loans of one currency today.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"outstanding": "8421.10", "past_due": "0.00", "held": "0.00"}))]
pub(crate) struct CurrencySummary {
    /// Principal outstanding.
    outstanding: Money,
    /// Principal, interest and fees fallen due and unpaid.
    past_due: Money,
    /// Overpayments held.
    held: Money,
}

/// Get the sums of a customer's loans.
///
/// They are of today: loans by status, money by currency, and the longest days past due.
#[utoipa::path(
    get, path = "/api/customers/{id}/summary", tag = "customers",
    responses((status = 200, description = "The sums", body = CustomerSummary))
)]
pub(crate) async fn get_customer_summary(
    user: AnyUser,
    State(app): State<App>,
    path: PathParameter,
    query: QueryString,
) -> Result<Json<CustomerSummary>, Problem> {
    let id = user.check(path.uuid()).await?;
    let today = app.today();
    let (caller, (customer, rows)) = user.read((users::by_id(id), loans::summary(id, today))).await?;
    customer
        .filter(|customer| customer.role == Role::Customer)
        .filter(|customer| caller.role != Role::Customer || customer.id == caller.id)
        .ok_or_else(Problem::not_found)?;
    query.none()?;
    CustomerSummary::new(id, &rows, today).map(Json)
}

impl CustomerSummary {
    fn new(customer_id: Uuid, rows: &[SummaryRow], today: Date) -> Result<Self, Problem> {
        let mut by_status: BTreeMap<_, _> = LoanStatus::ALL.map(|status| (status.as_str(), 0)).into();
        let mut by_currency: BTreeMap<&'static str, CurrencySummary> = BTreeMap::new();
        let mut oldest: Option<Date> = None;
        let too_large = || Problem::internal("the loans of a customer add up to more than there is");
        for row in rows {
            *by_status.entry(row.status.as_str()).or_default() += row.loans;
            oldest = oldest.into_iter().chain(row.oldest_unpaid_due_on).min();
            let currency: Currency = row.outstanding.currency();
            let zero = || CurrencySummary {
                outstanding: Money::zero(currency),
                past_due: Money::zero(currency),
                held: Money::zero(currency),
            };
            let sums = by_currency.entry(currency.code()).or_insert_with(zero);
            sums.outstanding = sums.outstanding.checked_add(row.outstanding).ok_or_else(too_large)?;
            sums.past_due = sums.past_due.checked_add(row.past_due).ok_or_else(too_large)?;
            sums.held = sums.held.checked_add(row.held).ok_or_else(too_large)?;
        }
        Ok(Self {
            customer_id,
            total_loans: by_status.values().sum(),
            loans_repaid: by_status.get(LoanStatus::Repaid.as_str()).copied().unwrap_or_default(),
            longest_days_past_due: oldest.map_or(0, |due_on| (today - due_on).get_days().max(0)),
            by_status,
            by_currency,
        })
    }
}
