//! Payments: entered by hand, listed, read, and the loans to which they may belong.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use backend::{
    app::App,
    auth::callers::{Admin, Staff},
    domain::{
        notices::{Told, Via},
        payments::{Payment, PaymentState},
        sources::{Provider, Source},
        users::Role,
    },
    http::{
        answer::Answer,
        body::Input,
        csv,
        format::Format,
        pagination::{ExportPageQuery, Page},
        path::PathParameter,
        problem::Problem,
        query::{QueryString, unless_empty},
    },
    store::payments::{self, Filter, Readings},
    values::{
        number::NumberText,
        page::Position,
        search::SearchText,
        text::{ProductCode, Reference},
        time::BusinessDate,
    },
    views::payment::{PaymentView, RawView, SuggestionView},
};
use jiff::civil::Date;
use lending::Currency;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    arrive::{Arrival, Entered, enter},
    signed::{PaidAt, SignedPayer},
};

/// A payment that an admin enters.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"source": "till", "external_id": "deposit slip 4711", "amount": "1500.00", "currency": "KES",
    "paid_at": "2026-03-02", "reference": "3141592659", "payer": {"name": "John Kamau"}}))]
pub(crate) struct NewPayment {
    /// The code of a source whose provider is `manual`.
    #[schema(value_type = String)]
    source: ProductCode,
    /// The receipt, unique within the source.
    external_id: Reference,
    /// More than zero.
    amount: NumberText,
    /// ISO 4217: the source's.
    #[schema(value_type = Currency)]
    currency: String,
    /// When it was paid: an instant, a time of the source's zone, or a date.
    paid_at: PaidAt,
    /// The account number or text that the payer wrote.
    reference: Option<Reference>,
    /// Who paid.
    payer: Option<SignedPayer>,
}

/// Record a payment by hand.
///
/// It is merged and matched as if it had arrived.
#[utoipa::path(
    post, path = "/api/payments", tag = "payments", request_body = NewPayment,
    responses((status = 201, description = "The payment", body = PaymentView))
)]
pub(crate) async fn create_payment(admin: Admin, State(app): State<App>, input: Input) -> Result<Answer, Problem> {
    let body: NewPayment = admin.check(input.read()).await?;
    let raw = admin.check(input.json_text()).await?.to_owned();
    let NewPayment { source, external_id, amount, currency, paid_at, reference, payer } = body;
    let told = Told {
        external_id: external_id.into_string(),
        amount: amount.as_str().to_owned(),
        currency: Some(currency),
        account: None,
        time: paid_at.0,
        reference: reference.map(Reference::into_string),
        payer: payer.unwrap_or_default().into(),
    };
    let arrival = Arrival::new(source.into_string(), Via::Manual, raw, told);
    let is_manual = |source: &Source| source.provider == Provider::Manual;
    let Entered { payment, .. } = enter(&admin, &app, arrival, is_manual).await?;
    Answer::created(format!("/api/payments/{}", payment.id), &payment.view())
}

/// The query of a list of payments. Filters combine.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PaymentsQuery {
    /// Where they stand.
    #[serde(default, deserialize_with = "unless_empty")]
    #[param(value_type = Option<PaymentState>)]
    state: Option<PaymentState>,
    /// The source's code.
    #[serde(default, deserialize_with = "unless_empty")]
    #[param(value_type = Option<ProductCode>)]
    source: Option<ProductCode>,
    /// The account number or text that the payer typed.
    #[serde(default, deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>)]
    reference: Option<SearchText>,
    /// The receipt.
    #[serde(default, deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>)]
    external_id: Option<SearchText>,
    /// The payer's telephone number, account or name.
    #[serde(default, deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>)]
    payer: Option<SearchText>,
    /// Paid on this business date or later.
    #[param(value_type = Option<BusinessDate>)]
    from: Option<BusinessDate>,
    /// Paid on this business date or before.
    #[param(value_type = Option<BusinessDate>)]
    to: Option<BusinessDate>,
}

/// List payments.
///
/// The latest `paid_on` first.
#[utoipa::path(
    get, path = "/api/payments", tag = "payments", params(PaymentsQuery, ExportPageQuery),
    responses((status = 200, description = "A page of payments", content(
        (Page<PaymentView> = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn list_payments(staff: Staff, format: Format, query: QueryString) -> Result<Response, Problem> {
    let binding = staff.binding(&query).await?;
    let read = || -> Result<_, Problem> {
        let (list, page) = query.read_with::<PaymentsQuery, ExportPageQuery>()?;
        let (from, to) = (list.from.map(|date| date.0), list.to.map(|date| date.0));
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            return Err(Problem::field("/from", "after_end", format!("must not be after {to}")));
        }
        let (limit, after) = page.page::<Date, Uuid>(&binding, format)?;
        let filter = Filter {
            state: list.state,
            source: list.source.map(ProductCode::into_string),
            reference: list.reference.map(SearchText::into_string),
            external_id: list.external_id.map(SearchText::into_string),
            payer: list.payer.map(SearchText::into_string),
            from,
            to,
        };
        Ok((payments::list(filter, after.as_ref(), limit), limit))
    };
    let (list, limit) = staff.check(read()).await?;
    let (_, payments) = staff.read(list).await?;
    let payments: Vec<PaymentView> = payments.iter().map(Payment::view).collect();
    csv::page(payments, limit, format, (&query, &binding), |last| Position(last.paid_on.0, last.id))
}

/// Get a payment.
///
/// Admins see its notices as they were sent, too.
#[utoipa::path(
    get, path = "/api/payments/{id}", tag = "payments",
    responses((status = 200, description = "The payment", body = PaymentView))
)]
pub(crate) async fn get_payment(staff: Staff, path: PathParameter, query: QueryString) -> Result<Response, Problem> {
    let id = staff.check(path.uuid()).await?;
    let notices = (staff.role() == Role::Admin).then(|| payments::notices(id));
    let (_, (payment, notices)) = staff.read((payments::by_id(id), notices)).await?;
    let payment = payment.ok_or_else(Problem::not_found)?;
    query.none()?;
    let raw = notices.map(|notices| notices.into_iter().map(RawView::from).collect());
    Ok(Json(PaymentView { raw, ..payment.view() }).into_response())
}

/// Loans to which a payment may belong.
#[derive(Serialize, ToSchema)]
pub(crate) struct Suggestions {
    /// The likeliest first; at most 20.
    data: Vec<SuggestionView>,
}

/// List suggestions for a payment.
///
/// Loans to which it may belong, the likeliest first, with the reasons.
#[utoipa::path(
    get, path = "/api/payments/{id}/suggestions", tag = "payments",
    responses(
        (status = 200, description = "The loans", body = Suggestions))
)]
pub(crate) async fn list_suggestions(
    staff: Staff,
    path: PathParameter,
    query: QueryString,
) -> Result<Json<Suggestions>, Problem> {
    let id = staff.check(path.uuid()).await?;
    // Its reference is read by the rules of this program, once it is known.
    let (_, payment) = staff.read(payments::by_id(id)).await?;
    let payment = payment.ok_or_else(Problem::not_found)?;
    query.none()?;
    let reading = Readings::of(payment.details.reference.as_deref());
    let (_, loans) = staff.read(payments::suggestions(id, reading)).await?;
    Ok(Json(Suggestions { data: loans.into_iter().map(SuggestionView::from).collect() }))
}
