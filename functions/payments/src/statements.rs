//! Statements of a source's account: each credit becomes a payment, or is one already; the rest is reported.

use axum::{Json, extract::State};
use backend::{
    app::App,
    auth::callers::Admin,
    domain::{
        notices::{Told, ToldTime, Via},
        sources::Source,
        statement_report::{Difference, DifferenceReason, Report},
        statements::{Credit, Recorded, Statement, credits},
    },
    http::{
        answer::Answer,
        body::{FileKind, Input},
        command::{Outcome, conclude},
        path::PathParameter,
        problem::Problem,
        query::QueryString,
    },
    store::{
        audit::{self, Subject},
        sources, statements,
    },
    values::time::BusinessDate,
};
use jiff::{ToSpan, civil::Date};
use lending::{Currency, Money};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    arrive::{Arrival, Entered, enter},
    camt,
    sources::SourceCode,
    spreadsheet,
};

/// The most credits of a file: each is recorded in a transaction of its own, and all within one request.
const MOST_CREDITS: usize = 1000;

/// Record a statement of a source's account.
///
/// Booked credits become payments, unless they are there already; the answer compares both. The same file again has the
/// same answer. A request that breaks off is sent again, and goes on where it was.
#[utoipa::path(
    post, path = "/api/payment-sources/{code}/statements", tag = "payments",
    request_body(description = "ISO 20022 camt.053.001.02 to .08, or a spreadsheet; at most 1 MiB", content(
        (String = "application/xml", example = "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"/>"),
        (String = "text/csv", example = "external_id,paid_on,amount,currency,reference,payer_name,payer_account\n"))),
    responses(
        (status = 201, description = "The report", body = Report),
        (status = 400, description = "The body is not XML (`not_xml`)"),
        (status = 422, description = "No statement in it is of the source's account and currency \
            (`another_account`), or its entries do not lead from its opening to its closing balance (`not_balanced`)"))
)]
pub(crate) async fn record_statement(
    admin: Admin,
    State(app): State<App>,
    path: PathParameter,
    input: Input,
) -> Result<Answer, Problem> {
    let code = admin.check(SourceCode::of(&path)).await?;
    let file = input.file();
    let digest = file.as_ref().ok().map(|(_, text)| Sha256::digest(text).into());
    let earlier = digest.map(|digest: [u8; 32]| statements::report(code, &digest));
    let (_, (source, earlier)) = admin.read((sources::source(code), earlier)).await?;
    let source = source.ok_or_else(Problem::not_found)?;
    let (kind, text) = file?;
    if let Some(report) = earlier.flatten() {
        return answer(code, &report);
    }
    let file = File::read(kind, text, &source)?;
    let (_, recorded) = admin.read(statements::recorded(code, file.texts(), file.days())).await?;
    let mut comparison = Comparison::new(&file, recorded, &source);
    for credit in &file.credits {
        comparison.take(&admin, &app, &source, credit).await?;
    }
    finish(&admin, &source, &file, comparison).await
}

fn answer(code: &str, report: &Report) -> Result<Answer, Problem> {
    let (from, to) = (report.from.0, report.to.0);
    Answer::created(format!("/api/payment-sources/{code}/reconciliation?from={from}&to={to}"), report)
}

/// A file that was read.
struct File {
    digest: [u8; 32],
    from: Date,
    to: Date,
    opening: Option<Money>,
    closing: Option<Money>,
    credits: Vec<Credit>,
}

impl File {
    fn read(kind: FileKind, text: &str, source: &Source) -> Result<Self, Problem> {
        let read: Vec<Statement> = match kind {
            FileKind::Xml => camt::read(text, source)?,
            FileKind::Csv => spreadsheet::read(text, source)?.into_iter().collect(),
        };
        let (Some(first), Some(last)) = (read.first(), read.last()) else {
            return Err(Problem::unprocessable(
                "another_account",
                "No statement is of the source's account and currency.",
            ));
        };
        if !read.iter().all(Statement::is_balanced) {
            let detail = "The entries do not lead from the opening to the closing balance.";
            return Err(Problem::unprocessable("not_balanced", detail));
        }
        let days = || read.iter().flat_map(|statement| [statement.from, statement.to]).flatten();
        let (Some(from), Some(to)) = (days().min(), days().max()) else {
            return Err(Problem::unprocessable("required", "The statement says no day that it covers."));
        };
        let (opening, closing) = (first.opening, last.closing);
        let credits = credits(&source.account, &read);
        if credits.len() > MOST_CREDITS {
            let detail = format!("must have at most {MOST_CREDITS} credits: send it in parts");
            return Err(Problem::field("", "too_many", detail));
        }
        let digest = Sha256::digest(text.as_bytes()).into();
        Ok(Self { digest, from, to, opening, closing, credits })
    }

    /// The texts by which payments are looked up.
    fn texts(&self) -> Vec<String> {
        let texts =
            |credit: &Credit| credit.texts().map(str::to_owned).chain([credit.external_id.clone()]).collect::<Vec<_>>();
        let mut all: Vec<String> = self.credits.iter().flat_map(texts).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn days(&self) -> (Date, Date) {
        (self.from, self.to)
    }
}

/// The comparison of a file's credits with payments.
struct Comparison {
    recorded: Vec<Recorded>,
    found: Vec<(String, Uuid)>,
    report: Report,
}

impl Comparison {
    fn new(file: &File, recorded: Vec<Recorded>, source: &Source) -> Self {
        let report = Report {
            id: Uuid::now_v7(),
            from: BusinessDate(file.from),
            to: BusinessDate(file.to),
            opening: file.opening.map(|amount| amount.to_string()),
            closing: file.closing.map(|amount| amount.to_string()),
            currency: source.currency.code().to_owned(),
            credits: file.credits.iter().filter(|credit| !credit.is_reversed).count(),
            created: 0,
            matched: 0,
            differing: Vec::new(),
            only_here: Vec::new(),
        };
        Self { recorded, found: Vec::new(), report }
    }

    /// Records a credit, unless it is there already.
    async fn take(&mut self, admin: &Admin, app: &App, source: &Source, credit: &Credit) -> Result<(), Problem> {
        let found = credit.find(&self.recorded).cloned();
        if credit.is_reversed {
            self.differs(credit, DifferenceReason::Reversed, found.map(|it| (it.payment_id, it.amount)));
            return Ok(());
        }
        let (payment_id, amount, is_new) = match &found {
            // Recorded by an earlier statement.
            Some(known) if known.found_by.is_some() => (known.payment_id, known.amount, false),
            _ => {
                let receipt = found.as_ref().map_or(&credit.external_id, |known| &known.external_id);
                let (code, raw) = (source.code.clone(), credit.detail.raw.clone());
                let arrival = Arrival::new(code, Via::Statement, raw, told(receipt, credit));
                let Entered { payment, is_new } = enter(admin, app, arrival, |_| true).await?;
                (payment.id, payment.amount, is_new)
            }
        };
        self.found.push((credit.external_id.clone(), payment_id));
        self.remember(credit, payment_id, amount);
        if amount != credit.detail.amount {
            self.differs(credit, DifferenceReason::Amount, Some((payment_id, amount)));
        } else if is_new {
            self.report.created += 1;
        } else {
            self.report.matched += 1;
        }
        Ok(())
    }

    /// Of other credits of the file none finds the payment again, unless it takes this one back.
    fn remember(&mut self, credit: &Credit, payment_id: Uuid, amount: Money) {
        let found_by = Some(credit.external_id.clone());
        if let Some(known) = self.recorded.iter_mut().find(|known| known.payment_id == payment_id) {
            known.found_by = found_by;
            return;
        }
        let (external_id, reference) = (credit.external_id.clone(), credit.detail.remittance.clone());
        self.recorded.push(Recorded { payment_id, external_id, amount, paid_on: credit.on, reference, found_by });
    }

    fn differs(&mut self, credit: &Credit, reason: DifferenceReason, payment: Option<(Uuid, Money)>) {
        self.report.differing.push(Difference {
            external_id: credit.external_id.clone(),
            reason,
            on: BusinessDate(credit.on),
            amount: credit.detail.amount.to_string(),
            payment_id: payment.map(|(id, _)| id),
            recorded: payment.map(|(_, amount)| amount.to_string()),
        });
    }
}

/// A credit as a notice of a receipt.
fn told(receipt: &str, credit: &Credit) -> Told {
    Told {
        external_id: receipt.to_owned(),
        amount: credit.detail.amount.to_string(),
        currency: None,
        account: None,
        time: ToldTime::On(credit.on),
        reference: credit.detail.remittance.clone(),
        payer: credit.detail.payer.clone(),
    }
}

/// Keeps the report. Of two requests with one file the second has the first's report.
async fn finish(admin: &Admin, source: &Source, file: &File, comparison: Comparison) -> Result<Answer, Problem> {
    let Comparison { found, report, .. } = comparison;
    let payments = found.iter().map(|(_, payment)| *payment);
    let payments = payments.chain(report.differing.iter().filter_map(|it| it.payment_id)).collect();
    let first = (
        sources::lock(&source.code),
        statements::report(&source.code, &file.digest),
        statements::only_here(&source.code, file.days(), payments),
    );
    let (tx, caller, (_, earlier, only_here)) = Box::pin(admin.begin(first)).await?;
    let outcome = || -> Result<Outcome, Problem> {
        if let Some(report) = earlier {
            return Ok(Outcome::unchanged(answer(&source.code, &report)?));
        }
        let report = Report { only_here, ..report };
        let answer = answer(&source.code, &report)?;
        let mut writes = statements::insert(&source.code, &file.digest, &report, &found, caller.id);
        let detail = json!({"statement": report.id, "from": report.from, "to": report.to, "credits": report.credits,
            "created": report.created, "differing": report.differing.len()});
        writes.push(audit::by(&caller, "source.statement", &Subject::Source(source.code.clone()), detail));
        Ok(Outcome::new(answer, writes))
    };
    conclude(tx, outcome()).await
}

/// The days of a reconciliation.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReconciliationQuery {
    /// The first business date; default: 30 days before the last.
    from: Option<BusinessDate>,
    /// The last business date; default: today.
    to: Option<BusinessDate>,
}

/// The payments of a source by day.
#[derive(Serialize, ToSchema)]
pub(crate) struct Reconciliation {
    /// The source's code.
    #[schema(example = "paybill-kenya")]
    source: String,
    /// The source's currency.
    currency: Currency,
    /// Each day, the earliest first.
    data: Vec<statements::Day>,
}

/// The most days of a reconciliation.
const MOST_DAYS: i32 = 366;

/// Get the reconciliation of a payment source.
///
/// The payments of each day: how much arrived, what became of it until now, and whether a statement covers the day.
#[utoipa::path(
    get, path = "/api/payment-sources/{code}/reconciliation", tag = "payments", params(ReconciliationQuery),
    responses((status = 200, description = "The days", body = Reconciliation))
)]
pub(crate) async fn get_reconciliation(
    admin: Admin,
    State(app): State<App>,
    path: PathParameter,
    query: QueryString,
) -> Result<Json<Reconciliation>, Problem> {
    let code = admin.check(SourceCode::of(&path)).await?;
    let days = query.read().and_then(|query: ReconciliationQuery| days(&query, app.today()));
    let read = days.as_ref().ok().map(|days| statements::days(code, *days));
    let (_, (source, data)) = admin.read((sources::source(code), read)).await?;
    let source = source.ok_or_else(Problem::not_found)?;
    days?;
    let currency = source.currency;
    Ok(Json(Reconciliation { source: source.code, currency, data: data.unwrap_or_default() }))
}

fn days(query: &ReconciliationQuery, today: Date) -> Result<(Date, Date), Problem> {
    let to = query.to.map_or(today, |to| to.0);
    let from = query.from.map_or_else(|| to.saturating_sub(30.days()), |from| from.0);
    if from > to {
        return Err(Problem::field("/from", "after_end", format!("must not be after {to}")));
    }
    if to.since(from).map_or(i32::MAX, |span| span.get_days()) >= MOST_DAYS {
        return Err(Problem::field("/to", "too_many", format!("must be within {MOST_DAYS} days of /from")));
    }
    Ok((from, to))
}
