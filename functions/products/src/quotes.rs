//! The cost of a loan: open to anyone, nothing is stored.

use crate::refused;
use axum::{Json, extract::State};
use backend::{
    app::App,
    domain::{calendars as calendars_of, products::named},
    http::{
        body::Input,
        problem::{Problem, both},
    },
    store::{calendars, products},
    values::{number::NumberText, text::ProductCode, time::BusinessDate},
};
use jiff::civil::Date;
use lending::{
    AnnualRate, Apr, AprMethod, Currency, Flow, MAX_FLOWS, Money, QuotedApr, ScheduledInstalment, Terms, TermsPatch,
    UnitPeriod, apr, schedule,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The loan that is asked about.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "amount": "12000.50", "currency": "INR", "disbursed_on": "2026-03-02", "product": "microloan-inr",
    "terms": {"instalments": 6, "fees": [{"code": "processing", "when": "disbursement", "percent": "2"}]}}))]
pub(crate) struct QuoteRequest {
    /// A string or a number, with no more decimals than the currency has.
    amount: NumberText,
    /// ISO 4217.
    currency: Currency,
    /// The day it is paid out; default: today.
    disbursed_on: Option<BusinessDate>,
    /// The product whose terms hold unless `terms` gives others; its limits do not apply here.
    #[schema(example = "microloan-inr")]
    product: Option<ProductCode>,
    /// The terms that differ from the product's; without a product at least rate and number of instalments.
    #[serde(default)]
    #[schema(required = false)]
    terms: TermsPatch,
}

/// The cost of a loan and its due dates.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "amount": "12000.50", "instalment": "2142.40", "total_interest": "853.89", "total_fees": "240.01",
    "total_due": "12854.39", "paid_out": "11760.49"}))]
pub(crate) struct Quote {
    /// The amount lent.
    amount: Money,
    /// ISO 4217.
    currency: Currency,
    /// The day it is paid out.
    disbursed_on: BusinessDate,
    /// Principal and interest of an instalment, by the method's formula; if the rows differ, of the first that repays
    /// principal.
    instalment: Money,
    /// The interest of all rows.
    total_interest: Money,
    /// The fees at disbursement and of all rows.
    total_fees: Money,
    /// The total of all rows.
    total_due: Money,
    /// The amount less the fees at disbursement; negative if the fees are more.
    paid_out: Money,
    /// The annual cost of the loan, fees included.
    apr: QuotedApr,
    /// One for each due date.
    rows: Vec<ScheduledInstalment>,
}

/// Quote a loan.
///
/// Instalments, interest, fees, annual percentage rates and the schedule. Nothing is stored.
#[utoipa::path(
    post, path = "/api/quotes", tag = "products", request_body = QuoteRequest,
    responses(
        (status = 200, description = "The quote", body = Quote),
        (status = 422, description = "The loan would never be repaid (`does_not_amortise`)"))
)]
pub(crate) async fn create_quote(State(app): State<App>, input: Input) -> Result<Json<Quote>, Problem> {
    let QuoteRequest { amount, currency, disbursed_on, product, terms } = input.read()?;
    let amount = amount.money("/amount", currency);
    let disbursed_on = disbursed_on.map_or_else(|| app.today(), |BusinessDate(date)| date);
    let terms = complete(&app, product, disbursed_on, &terms, currency).await;
    let (amount, terms) = both(amount, terms)?;
    terms.check_late_fees(terms.instalments()).map_err(|refusal| refused(&refusal))?;
    let schedule = schedule(amount, disbursed_on, &terms).map_err(|refusal| refused(&refusal))?;
    Ok(Json(Quote {
        amount,
        currency,
        disbursed_on: BusinessDate(disbursed_on),
        instalment: schedule.instalment,
        total_interest: schedule.total_interest,
        total_fees: schedule.total_fees,
        total_due: schedule.total_due,
        paid_out: schedule.paid_out,
        apr: schedule.apr(&terms),
        rows: schedule.rows,
    }))
}

/// The product's terms, if one is named, with those of the request over them, and with the newest version of their
/// calendar. A first due date of the product that has passed is left out.
async fn complete(
    app: &App,
    product: Option<ProductCode>,
    disbursed_on: Date,
    terms: &TermsPatch,
    currency: Currency,
) -> Result<Terms, Problem> {
    let calendar = calendars_of::named(terms);
    let (product, calendar) = match (product, calendar) {
        (None, None) => (None, None),
        (product, calendar) => {
            let product = product.map(|code| products::by_code(code.into_string()));
            let (product, calendar) = app.db.read(&(product, calendar.map(calendars::by_code))).await?;
            (product.map(|found| named(found)?.lending("/currency", currency)).transpose()?, calendar.flatten())
        }
    };
    let terms = match product {
        None => terms.complete(currency),
        Some(product) => terms.over(&product.terms.disbursed_on(disbursed_on), currency),
    };
    let terms = terms.map_err(|refusal| refused(&refusal))?;
    Ok(calendars_of::with_newest(terms, calendar.as_ref())?)
}

/// Flows whose annual percentage rate is asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "method": "reg_z", "unit_period": {"every": 1, "unit": "month"},
    "advances": [{"on": "1978-01-10", "amount": "5000.00"}],
    "payments": [{"on": "1978-02-10", "amount": "2600.00"}, {"on": "1978-03-10", "amount": "2500.00"}]}))]
pub(crate) struct AprRequest {
    /// How the rate is reckoned.
    method: AprMethod,
    /// The unit of the time between flows.
    unit_period: UnitPeriod,
    /// The amounts paid out; the term begins with the first.
    #[schema(max_items = 1000)]
    advances: Vec<Flow>,
    /// The amounts paid back. At most 1,000 flows together with the advances.
    #[schema(max_items = 1000)]
    payments: Vec<Flow>,
}

/// The rate of flows.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"apr": "16.0642"}))]
pub(crate) struct AprAnswer {
    /// Percent a year, with four decimals; null if no rate discounts the payments to the advances.
    #[schema(value_type = Option<AnnualRate>, required = true)]
    apr: Option<Apr>,
}

/// Calculate an APR.
///
/// The annual percentage rate of any flows of money. Nothing is stored.
#[utoipa::path(
    post, path = "/api/quotes/apr", tag = "products", request_body = AprRequest,
    responses((status = 200, description = "The rate", body = AprAnswer))
)]
pub(crate) async fn calculate_apr(input: Input) -> Result<Json<AprAnswer>, Problem> {
    let AprRequest { method, unit_period, advances, payments } = input.read()?;
    if advances.len() + payments.len() > MAX_FLOWS {
        // The list that alone is too long, else the second.
        let pointer = if advances.len() > MAX_FLOWS { "/advances" } else { "/payments" };
        let rule = format!("advances and payments are at most {MAX_FLOWS} together");
        return Err(Problem::field(pointer, "too_many_flows", rule));
    }
    Ok(Json(AprAnswer { apr: apr(method, unit_period, &advances, &payments) }))
}
