//! A loan's statement of account: the changes of its principal between two days, from the oldest on.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use backend::{
    app::App,
    auth::callers::AnyUser,
    http::{
        as_of::AsOfQuery,
        csv,
        format::Format,
        pagination::{ExportPageQuery, Page},
        path::PathParameter,
        problem::Problem,
        query::QueryString,
    },
    table_line,
    values::{
        page::Position,
        table::Cell,
        time::{BusinessDate, Instant},
    },
    views::transaction::{AppliedView, TransactionView},
};
use jiff::{Timestamp, civil::Date};
use lending::{Currency, Money, TransactionKind};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::read;

/// The query of a statement.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatementQuery {
    /// From this business date on; default: from the first transaction.
    from: Option<BusinessDate>,
    /// Up to this business date, the whole day; default: the last transaction.
    to: Option<BusinessDate>,
}

/// A statement of account. Reversed transactions and reversals are not on it.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"opening_balance": "12000.50", "closing_balance": "10098.11"}))]
pub(crate) struct LoanStatement {
    /// The first day, if one was asked for.
    from: Option<BusinessDate>,
    /// The last day, if one was asked for.
    to: Option<BusinessDate>,
    /// The business date asked about.
    as_of: BusinessDate,
    /// Only transactions recorded by then count.
    known_at: Instant,
    /// ISO 4217.
    currency: Currency,
    /// Principal outstanding before the first day.
    opening_balance: Money,
    /// Principal outstanding after the last day.
    closing_balance: Money,
    /// The transactions that stand, in the order in which they count.
    data: Vec<LoanStatementLine>,
    /// Send it as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

/// One line of a statement.
#[derive(Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "amount": "2142.40", "principal": "1902.39", "interest": "240.01", "fees": "0.00", "penalties": "0.00",
    "overpayment": "0.00", "balance": "10098.11"}))]
pub(crate) struct LoanStatementLine {
    /// The business date.
    on: BusinessDate,
    /// The transaction.
    transaction_id: Uuid,
    /// The kind.
    kind: TransactionKind,
    /// The amount.
    amount: Money,
    /// The principal in it.
    principal: Option<Money>,
    /// The interest in it.
    interest: Option<Money>,
    /// The fees in it.
    fees: Option<Money>,
    /// The penalties in it.
    penalties: Option<Money>,
    /// The unallocated rest.
    overpayment: Option<Money>,
    /// The amounts paid because of it that day with money that was there already; null elsewhere.
    applied: Option<AppliedView>,
    /// How the other side names it.
    #[schema(example = "receipt 1047")]
    reference: Option<String>,
    /// The principal outstanding after it.
    balance: Money,
    /// The sort key.
    #[serde(skip)]
    key: Key,
}

impl From<TransactionView> for LoanStatementLine {
    fn from(view: TransactionView) -> Self {
        let shares = view.allocation;
        Self {
            key: key(&view),
            on: view.on,
            transaction_id: view.id,
            kind: view.kind,
            amount: view.amount,
            principal: shares.map(|shares| shares.principal),
            interest: shares.map(|shares| shares.interest),
            fees: shares.map(|shares| shares.fee),
            penalties: shares.map(|shares| shares.penalty),
            overpayment: shares.map(|shares| shares.overpayment),
            applied: view.applied,
            reference: view.reference,
            balance: view.balance,
        }
    }
}

table_line! {
    LoanStatementLine as line {
        "on": Cell::value(&line.on),
        "transaction_id": Cell::value(&line.transaction_id),
        "kind": Cell::value(&line.kind.as_str()),
        "amount": Cell::value(&line.amount),
        "principal": Cell::optional(line.principal.as_ref()),
        "interest": Cell::optional(line.interest.as_ref()),
        "fees": Cell::optional(line.fees.as_ref()),
        "penalties": Cell::optional(line.penalties.as_ref()),
        "overpayment": Cell::optional(line.overpayment.as_ref()),
        "applied_principal": applied(line, |applied| applied.principal),
        "applied_interest": applied(line, |applied| applied.interest),
        "applied_fees": applied(line, |applied| applied.fee),
        "applied_penalties": applied(line, |applied| applied.penalty),
        "reference": Cell::text(line.reference.as_deref()),
        "balance": Cell::value(&line.balance),
    }
}

/// A part of what was applied.
fn applied(line: &LoanStatementLine, of: fn(&AppliedView) -> Money) -> Cell {
    Cell::optional(line.applied.as_ref().map(of).as_ref())
}

/// The place of a transaction among those of its day.
const fn rank(kind: TransactionKind) -> u8 {
    match kind {
        TransactionKind::Disbursement => 0,
        TransactionKind::Reschedule => 1,
        TransactionKind::Charge => 2,
        TransactionKind::Waiver => 3,
        TransactionKind::Repayment | TransactionKind::Recovery => 4,
        TransactionKind::Refund => 5,
        TransactionKind::WriteOff | TransactionKind::Reversal => 6,
    }
}

/// A charge paid later by held money has two lines: on its own day, and on the day on which it is paid.
fn by_day(line: TransactionView) -> Vec<TransactionView> {
    let Some(applied_on) = line.applied_on else {
        return vec![line];
    };
    let paid = TransactionView { on: applied_on, amount: Money::zero(line.currency), ..line.clone() };
    vec![TransactionView { applied: None, ..line }, paid]
}

/// The sort key of a statement: the day, the place in it, the recording.
type Key = (Date, u8, Timestamp);

fn key(line: &TransactionView) -> Key {
    (line.on.0, rank(line.kind), line.recorded_at.0)
}

/// Get a statement of account.
///
/// The transactions of a loan between two days, with the balances before, after each and at the end.
#[utoipa::path(
    get, path = "/api/loans/{id}/statement", tag = "servicing", params(StatementQuery, AsOfQuery, ExportPageQuery),
    responses((status = 200, description = "The statement", content(
        (LoanStatement = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn get_loan_statement(
    user: AnyUser,
    State(app): State<App>,
    path: PathParameter,
    format: Format,
    query: QueryString,
) -> Result<Response, Problem> {
    let id = user.check(path.uuid()).await?;
    let binding = user.binding(&query).await?;
    let read = query.read_with::<StatementQuery, (AsOfQuery, ExportPageQuery)>().and_then(|(list, (asked, page))| {
        let (limit, after) = page.page::<Key, Uuid>(&binding, format)?;
        if let (Some(from), Some(to)) = (list.from, list.to)
            && from > to
        {
            return Err(Problem::field("/from", "after_end", format!("must not be after {to}")));
        }
        Ok((asked.reading(), list, limit, after))
    });
    let (file, (_, list, limit, after)) = read::file(&user, &app, id, read, |(asked, ..)| *asked).await?;

    let mut lines = file.transactions(&app.zone);
    lines.retain(|line| line.reversed_by.is_none() && line.kind != TransactionKind::Reversal);
    lines = lines.into_iter().flat_map(by_day).collect();
    lines.sort_by_key(key);
    let zero = Money::zero(file.loan.amount.currency());
    let balance_until = |is_before: &dyn Fn(Date) -> bool| {
        lines.iter().rev().find(|line| is_before(line.on.0)).map_or(zero, |line| line.balance)
    };
    let opening_balance = list.from.map_or(zero, |from| balance_until(&|on| on < from.0));
    let closing_balance = balance_until(&|on| list.to.is_none_or(|to| on <= to.0));
    lines.retain(|line| list.from.is_none_or(|from| line.on >= from) && list.to.is_none_or(|to| line.on <= to));
    if let Some(Position(last, _)) = after {
        lines.retain(|line| key(line) > last);
    }
    let lines: Vec<_> = lines.into_iter().map(LoanStatementLine::from).collect();
    let position = |last: &LoanStatementLine| Position(last.key, last.transaction_id);
    if format == Format::Csv {
        return csv::page(lines, limit, format, (&query, &binding), position);
    }
    let page = Page::new(lines, limit, &binding, position);
    Ok(Json(LoanStatement {
        from: list.from,
        to: list.to,
        as_of: BusinessDate(file.as_of),
        known_at: Instant(file.known_at),
        currency: file.loan.amount.currency(),
        opening_balance,
        closing_balance,
        data: page.data,
        next_cursor: page.next_cursor,
    })
    .into_response())
}
