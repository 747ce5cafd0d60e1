//! Reading loans: a customer its own, agents and admins all of them.

use axum::{Json, extract::State, response::Response};
use lending::{Currency, Money};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::shared;
use backend::{
    app::App,
    auth::callers::AnyUser,
    domain::{
        loan::{LoanStatus, Scope},
        loan_as_of::{LoanAsOf, Reading},
        loan_history::HistoryEntry,
        users::Role,
    },
    http::{
        answer::Answer,
        as_of::AsOfQuery,
        csv,
        format::Format,
        pagination::{ExportPageQuery, Page, PageQuery, bad_cursor},
        path::PathParameter,
        problem::Problem,
        query::{QueryString, unless_empty},
    },
    store::{
        loan_as_of,
        loans::{self, Filter, Sort},
    },
    values::{
        moment::Moment,
        page::{Limit, Position},
        pay_ref::PayRef,
        search::SearchText,
        text::ProductCode,
        time::{BusinessDate, Period},
        user_ref::UserRef,
    },
    views::loan::LoanView,
};

/// The query of a list of loans. Filters combine.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// One or several, comma-separated, in any case; `new` means pending, empty means all.
    #[param(value_type = Option<Vec<LoanStatus>>, style = Form, explode = false,
        example = json!(["pending", "approved"]))]
    #[serde(default)]
    status: Statuses,
    /// The borrower's id or username.
    #[serde(default, deserialize_with = "unless_empty")]
    borrower_id: Option<UserRef>,
    /// The agent's id or username, or `me`.
    #[serde(default, deserialize_with = "unless_empty")]
    agent_id: Option<UserRef>,
    /// The account number a borrower types to pay; blanks, hyphens and a leading `#` are dropped.
    #[serde(default, deserialize_with = "unless_empty")]
    #[param(value_type = Option<PayRef>)]
    pay_ref: Option<PayRef>,
    /// The product's code.
    #[serde(default, deserialize_with = "unless_empty")]
    product: Option<ProductCode>,
    /// ISO 4217.
    #[serde(default, deserialize_with = "unless_empty")]
    currency: Option<Currency>,
    /// The one that another system of the lender's has under this id; for staff.
    #[serde(default, deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>, example = "core-77120")]
    external_id: Option<SearchText>,
    /// Applied for on this date or later.
    created_from: Option<BusinessDate>,
    /// Applied for on this date or before; the date includes its whole day.
    created_to: Option<BusinessDate>,
    /// Last changed on this date or later.
    updated_from: Option<BusinessDate>,
    /// Last changed on this date or before; the date includes its whole day.
    updated_to: Option<BusinessDate>,
    /// At least this amount; needs `currency`.
    #[param(example = "1000.00")]
    min_amount: Option<String>,
    /// At most this amount; needs `currency`.
    #[param(example = "20000.00")]
    max_amount: Option<String>,
    /// `-created_at` (default), `created_at`, `-updated_at`, `updated_at`; with `currency`, `-amount` and `amount` too.
    #[param(inline)]
    sort: Option<Sort>,
}

/// Statuses, comma-separated.
#[derive(Default)]
struct Statuses(Vec<LoanStatus>);

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let statuses: Result<Vec<LoanStatus>, ()> = parts.map(str::parse).collect();
        let mut statuses = statuses.map_err(|()| {
            let all = LoanStatus::ALL.map(LoanStatus::as_str).join(", ");
            backend::values::refusal::refusal("unknown_value", format!("is a comma-separated list of: {all}, new"))
        })?;
        statuses.sort_unstable();
        statuses.dedup();
        Ok(Self(statuses))
    }
}

impl ListQuery {
    fn filter(&self, app: &App, caller: Uuid, role: Role) -> Result<Filter, Problem> {
        let created = Period::new(&app.zone, self.created_from, self.created_to, "/created_from")?;
        let updated = Period::new(&app.zone, self.updated_from, self.updated_to, "/updated_from")?;
        let sort = self.sort.unwrap_or_default();
        if sort.is_by_amount() && self.currency.is_none() {
            return Err(Problem::field(
                "/sort",
                "currency_required",
                "amounts compare within one currency: give currency",
            ));
        }
        let min_amount = self.amount("/min_amount", self.min_amount.as_deref())?;
        let max_amount = self.amount("/max_amount", self.max_amount.as_deref())?;
        if let (Some(min), Some(max)) = (min_amount, max_amount)
            && min > max
        {
            return Err(Problem::field("/min_amount", "above_maximum", "must not be above max_amount"));
        }
        let agent = self.agent_id.clone().map(|agent| agent.or_me(caller));
        if self.external_id.is_some() && role == Role::Customer {
            return Err(Problem::field(
                "/external_id",
                "not_allowed",
                "a customer does not see the names of other systems",
            ));
        }
        Ok(Filter {
            status: self.status.0.clone(),
            borrower: self.borrower_id.clone(),
            agent,
            pay_ref: self.pay_ref.clone(),
            product: self.product.clone().map(ProductCode::into_string),
            currency: self.currency,
            external_id: self.external_id.clone().map(SearchText::into_string),
            created,
            updated,
            min_amount,
            max_amount,
        })
    }

    fn amount(&self, pointer: &str, text: Option<&str>) -> Result<Option<Decimal>, Problem> {
        let Some(text) = text else { return Ok(None) };
        let Some(currency) = self.currency else {
            let detail = "amounts compare within one currency: give currency";
            return Err(Problem::field(pointer, "currency_required", detail));
        };
        let amount = Money::parse(text, currency);
        let amount = amount.map_err(|error| Problem::field(pointer, error.code(), error.to_string()))?;
        Ok(Some(amount.to_decimal()))
    }
}

/// List loans.
///
/// Customers list their own, agents and admins all. Newest first, unless `sort` says otherwise.
#[utoipa::path(
    get, path = "/api/loans", tag = "loans", params(ListQuery, ExportPageQuery),
    responses((status = 200, description = "A page of loans", content(
        (Page<LoanView> = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn list_loans(
    user: AnyUser,
    State(app): State<App>,
    format: Format,
    query: QueryString,
) -> Result<Response, Problem> {
    let binding = user.binding(&query).await?;
    let read = || -> Result<_, Problem> {
        let (list, page) = query.read_with::<ListQuery, ExportPageQuery>()?;
        let sort = list.sort.unwrap_or_default();
        let (limit, after) = page.page(&binding, format)?;
        let filter = list.filter(&app, user.id(), user.role())?;
        let scope = Scope::of(user.role(), user.id());
        Ok((loans::list(filter, scope, sort, after, limit).ok_or_else(bad_cursor)?, sort, limit))
    };
    let (list, sort, limit) = user.check(read()).await?;
    let (caller, loans) = user.read(list).await?;
    let today = app.date_of(caller.now);
    let loans = loans.iter().map(|loan| loan.view(today, caller.role)).collect();
    csv::page(loans, limit, format, (&query, &binding), |last| sort.position(last))
}

/// Get a loan.
///
/// As it is, or as it was on a day, as far as that was known at an instant.
#[utoipa::path(
    get, path = "/api/loans/{id}", tag = "loans", params(AsOfQuery),
    responses((status = 200, description = "The loan", body = LoanView))
)]
pub(crate) async fn get_loan(
    user: AnyUser,
    State(app): State<App>,
    path: PathParameter,
    query: QueryString,
) -> Result<Answer, Problem> {
    let id = user.check(path.uuid()).await?;
    let scope = Scope::of(user.role(), user.id());
    let asked = query.read::<AsOfQuery>().map(|asked| asked.reading());
    let Ok(Reading { as_of: None, known_at: None }) = asked else {
        return Box::pin(get_loan_as_of(&user, &app, id, scope, asked)).await;
    };
    let (caller, loan) = user.read(loans::by_id(id, scope)).await?;
    shared::answer(&loan.ok_or_else(Problem::not_found)?, caller.role, app.moment(&caller))
}

async fn get_loan_as_of(
    user: &AnyUser,
    app: &App,
    id: Uuid,
    scope: Scope,
    asked: Result<Reading, Problem>,
) -> Result<Answer, Problem> {
    let known_at = asked.as_ref().ok().and_then(|asked| asked.known_at);
    let (caller, (_, loan, versions, transactions)) = user.read(loan_as_of::statements(id, scope, known_at)).await?;
    let loan = loan.ok_or_else(Problem::not_found)?;
    // Access to the loan is checked before the query.
    let asked = asked?;
    let at = app.moment(&caller);
    let file = LoanAsOf::new(loan, &versions, transactions, asked, at, &app.zone)?;
    shared::answer(&file.loan, caller.role, Moment { today: file.as_of, ..at })
}

/// Get the history of a loan.
///
/// Every version, newest first: who did what, when and why. With `as_of` and `known_at`, the steps taken by then.
#[utoipa::path(
    get, path = "/api/loans/{id}/history", tag = "loans", params(AsOfQuery, PageQuery),
    responses((status = 200, description = "A page of the history", body = Page<HistoryEntry>))
)]
pub(crate) async fn get_loan_history(
    user: AnyUser,
    State(app): State<App>,
    path: PathParameter,
    query: QueryString,
) -> Result<Json<Page<HistoryEntry>>, Problem> {
    let id = user.check(path.uuid()).await?;
    let binding = user.binding(&query).await?;
    let read = query.read_with::<AsOfQuery, PageQuery>().and_then(|(asked, page)| {
        let (limit, before) = page.page(&binding)?;
        let asked = asked.reading();
        let taken = Period::new(&app.zone, None, asked.as_of.map(BusinessDate), "/as_of")?;
        Ok((asked, taken.before, before, limit))
    });
    // Access to the loan is checked before the query.
    let (asked, taken_before, before, limit) = match &read {
        Ok((asked, taken_before, before, limit)) => (*asked, *taken_before, before.clone(), *limit),
        Err(_) => (Reading::default(), None, None, Limit::default()),
    };
    let scope = Scope::of(user.role(), user.id());
    let entries = loans::history(id, taken_before, asked.known_at, before, limit);
    let file = loan_as_of::statements(id, scope, asked.known_at);
    let (caller, ((_, loan, versions, transactions), entries)) = Box::pin(user.read((file, entries))).await?;
    let loan = loan.ok_or_else(Problem::not_found)?;
    read?;
    // Requires a loan that existed that day, as everywhere.
    LoanAsOf::new(loan, &versions, transactions, asked, app.moment(&caller), &app.zone)?;
    Ok(Json(Page::new(entries, limit, &binding, |last| Position((last.version.0, last.n), id))))
}
