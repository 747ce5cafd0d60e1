//! All that is held about a customer, for the customer and for admins.

use axum::{Json, extract::State};
use backend::{
    app::App,
    auth::callers::CustomerOrAdmin,
    domain::users::Role,
    http::{pagination::bad_cursor, path::PathParameter, problem::Problem, query::QueryString},
    store::{
        audit::Entry,
        rights::{self, ContactChange, Held, HeldPage, HeldProfile, HeldSession, HeldVersion},
        transactions::TransactionRow,
        users,
    },
    values::page::{Limit, Position},
    views::{loan::LoanView, user::UserView},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The query of an export.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportQuery {
    /// How many things on a page, all kinds together.
    #[param(value_type = Option<u8>, minimum = 1, maximum = 200, default = 200)]
    limit: Option<Limit>,
    cursor: Option<String>,
}

/// A page of all that is held about a customer: of each kind the newest first, and nothing that is newer on a later
/// page.
#[derive(Serialize, ToSchema)]
pub(crate) struct CustomerExport {
    /// The customer, on every page. The hash of the password is held too, and never shown.
    customer: UserView,
    /// Loans, as they now are.
    loans: Vec<LoanView>,
    /// The loans applied for and decided, version by version.
    loan_versions: Vec<HeldVersion>,
    /// The transactions of the loans, as recorded.
    transactions: Vec<TransactionRow>,
    /// E-mail address, telephone number and name before they changed, and after.
    contact_changes: Vec<ContactChange>,
    /// Versions of the profile. Customers see numbers of identities masked.
    profiles: Vec<HeldProfile>,
    /// Sessions.
    sessions: Vec<HeldSession>,
    /// The customer's actions and those on the customer's account; addresses are the customer's own.
    audit: Vec<Entry>,
    /// Send it as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

/// Export the data of a customer.
///
/// Customers export their own data. Most people's is one page; where it is more, `next_cursor` leads to the rest.
#[utoipa::path(
    get, path = "/api/customers/{id}/export", tag = "customers", params(ExportQuery),
    responses((status = 200, description = "A page of the data held", body = CustomerExport))
)]
pub(crate) async fn export_customer(
    State(app): State<App>,
    caller: CustomerOrAdmin,
    path: PathParameter,
    query: QueryString,
) -> Result<Json<CustomerExport>, Problem> {
    let id = caller.check(path.uuid()).await?;
    let binding = caller.binding(&query).await?;
    let read = || -> Result<_, Problem> {
        let ExportQuery { limit, cursor } = query.read()?;
        let after = cursor.map(|cursor| Position::from_cursor(&cursor, &binding)).transpose()?;
        let limit = limit.unwrap_or(Limit::MOST);
        Ok((rights::held(id, after.as_ref(), limit).ok_or_else(bad_cursor)?, limit))
    };
    let may = caller.role() == Role::Admin || caller.id() == id;
    // Errors of the query are only for callers who may see the customer.
    let (held, limit) = match read() {
        Ok((held, limit)) => (Some(held).filter(|_| may), Ok(limit)),
        Err(problem) => (None, Err(problem)),
    };
    let (caller, (customer, held)) = caller.read((users::by_id(id), held)).await?;
    let customer = customer.filter(|customer| may && customer.role == Role::Customer).ok_or_else(Problem::not_found)?;
    let limit = limit?;
    let held = held.ok_or_else(Problem::not_found)?;
    let HeldPage { loans, versions, transactions, changes, profiles, sessions, entries, end } =
        Held::new(held).page(limit);
    let today = app.date_of(caller.now);
    Ok(Json(CustomerExport {
        customer: customer.view(Role::Admin),
        loans: loans.iter().map(|loan| loan.view(today, Role::Admin)).collect(),
        loan_versions: versions,
        transactions,
        contact_changes: changes,
        profiles: profiles.into_iter().map(|held| held.seen_by(caller.role)).collect(),
        sessions,
        audit: entries,
        next_cursor: end.map(|end| end.to_cursor(&binding)),
    }))
}
