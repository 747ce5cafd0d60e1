//! Loans: their rows, their lists, their history. Which step an application may take is decided in
//! [`applications`](super::applications).

use std::str::FromStr;

use jiff::{Timestamp, civil::Date};
use lending::{AnnualRate, Currency, MAX_INSTALMENTS, Money, Schedule, Terms, TermsPatch};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize};
use tokio_postgres::{Row, types::Json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, schema::Type},
};
use uuid::Uuid;

use crate::{
    db::{DbError, FromRow, Sql, Statement, column},
    domain::{refusal::Refusal, users::Role},
    http::csv::{Cell, Line},
    models::{columns, portfolio, terms::TermsSchema},
    values::{
        fields::UserRef,
        moment::Moment,
        page::{Limit, Part, Position},
        refusal::refusal,
        time::{BusinessDate, Instant, Period},
        version::Version,
    },
};

/// The rules by which rows of loans and their part of the journal follow from terms and transactions. Counted up by a release
/// in which the same transactions lead to anything else, a column or an entry: loans that are there are then stated again.
pub const RULES: i32 = 1;

/// Where a loan stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LoanStatus {
    /// Applied for; waits for a decision.
    Pending,
    /// Granted, not paid out yet.
    Approved,
    /// Turned down.
    Rejected,
    /// Taken back by the customer or the agent.
    Withdrawn,
    /// Paid out; being repaid.
    Disbursed,
    /// Nothing is owed any more.
    Repaid,
    /// Written off.
    Defaulted,
}

impl LoanStatus {
    /// All of them, in the order of a loan's life.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Approved,
        Self::Rejected,
        Self::Withdrawn,
        Self::Disbursed,
        Self::Repaid,
        Self::Defaulted,
    ];

    /// As the interface and the database write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Disbursed => "disbursed",
            Self::Repaid => "repaid",
            Self::Defaulted => "defaulted",
        }
    }

    /// Whether money has been paid out.
    #[must_use]
    pub const fn is_disbursed(self) -> bool {
        matches!(self, Self::Disbursed | Self::Repaid | Self::Defaulted)
    }
}

impl FromStr for LoanStatus {
    type Err = ();

    /// In any case; `new` means pending.
    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.to_ascii_lowercase();
        if text == "new" {
            return Ok(Self::Pending);
        }
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(())
    }
}

/// What to collect of a loan on a day: principal, interest, fees and penalties.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Collection {
    /// The loan.
    pub loan_id: Uuid,
    /// The customer's username.
    #[schema(example = "usr_india_002")]
    pub customer: String,
    /// The customer's name.
    #[schema(example = "Asha Patel")]
    pub full_name: Option<String>,
    /// The customer's phone.
    #[schema(example = "+919812345678")]
    pub phone: String,
    /// ISO 4217.
    #[schema(value_type = String, example = "INR")]
    pub currency: Currency,
    /// What falls due that day, penalties among it.
    #[schema(value_type = String, example = "2142.40")]
    pub due: Money,
    /// What fell due before and is unpaid, penalties among it.
    #[schema(value_type = String, example = "0.00")]
    pub overdue: Money,
    /// How much of both are penalties: late fees and charged ones.
    #[schema(value_type = String, example = "0.00")]
    pub penalties: Money,
    /// When the first of that fell due.
    pub due_since: BusinessDate,
    /// Days that the oldest unpaid instalment will then be past due; penalties alone do not count.
    #[schema(example = 0)]
    pub days_past_due: i32,
}

impl FromRow for Collection {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let currency = columns::currency(row, "currency")?;
        Ok(Self {
            loan_id: column(row, "id")?,
            customer: column(row, "username")?,
            full_name: column(row, "full_name")?,
            phone: column(row, "phone")?,
            currency,
            due: columns::money(row, "due", currency)?,
            overdue: columns::money(row, "overdue", currency)?,
            penalties: columns::money(row, "penalties", currency)?,
            due_since: BusinessDate(column(row, "due_since")?),
            days_past_due: column(row, "days_past_due")?,
        })
    }
}

impl Line for Collection {
    const COLUMNS: &'static [&'static str] =
        &["loan_id", "customer", "full_name", "phone", "currency", "due", "overdue", "due_since", "days_past_due"];

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::value(&self.loan_id),
            Cell::text(Some(&self.customer)),
            Cell::text(self.full_name.as_deref()),
            Cell::text(Some(&self.phone)),
            Cell::value(&self.currency),
            Cell::value(&self.due),
            Cell::value(&self.overdue),
            Cell::value(&self.due_since),
            Cell::value(&self.days_past_due),
        ]
    }
}

/// A loan as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Loan {
    /// Names the loan.
    pub id: Uuid,
    /// Who borrows.
    pub borrower_id: Uuid,
    /// The borrower's username.
    pub borrower_username: String,
    /// The agent who applied for the customer, or was the first to forward or edit the customer's own application.
    pub agent_id: Option<Uuid>,
    /// The product's code.
    pub product: String,
    /// The version of the product that the terms were taken from.
    pub product_version: Version,
    /// What is lent; its currency is the loan's.
    pub amount: Money,
    /// The complete terms.
    pub terms: Terms,
    /// Figures of the schedule.
    pub figures: Figures,
    /// When it was paid out, if it was.
    pub disbursed_on: Option<Date>,
    /// Principal outstanding; zero before disbursement.
    pub outstanding: Money,
    /// Overpayments held: from a day on so much, where anything is held or will pay a charge.
    pub held: Vec<Due>,
    /// Principal that a write-off gave up.
    pub written_off: Money,
    /// Principal, interest and fees that are unpaid, by due date, past and to come, the oldest first.
    pub owed: Vec<Due>,
    /// Penalties that are unpaid, by due date: late fees to come are there already, as they arise while nothing is paid.
    pub penalties: Vec<Due>,
    /// When the oldest instalment was or is due of which some of what is owed is unpaid: a charge is late with its instalment.
    pub oldest_unpaid_due_on: Option<Date>,
    /// Where it stands.
    pub status: LoanStatus,
    /// Changes with every step of the application.
    pub version: Version,
    /// The business date of that version.
    pub version_on: Date,
    /// Who applied.
    pub created_by: Uuid,
    /// Who last changed what is applied for.
    pub edited_by: Uuid,
    /// When it was applied for.
    pub created_at: Timestamp,
    /// When what is applied for last changed.
    pub edited_at: Timestamp,
    /// When it last changed, by a step or by money.
    pub updated_at: Timestamp,
    /// Who decided, if someone has.
    pub decision: Option<Decision>,
}

/// An amount of a day: what is unpaid of what falls due then, or what is held from then on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Due {
    /// The day.
    pub on: Date,
    /// How much.
    pub amount: Money,
}

/// An approval or a rejection.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The admin.
    pub by: Uuid,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Option<String>,
}

/// What a schedule adds up to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// The equal instalment, or the first one.
    pub instalment: Money,
    /// Interest of all rows.
    pub total_interest: Money,
    /// Everything all rows ask for.
    pub total_due: Money,
}

impl From<&Schedule> for Figures {
    fn from(schedule: &Schedule) -> Self {
        let Schedule { instalment, total_interest, total_due, .. } = *schedule;
        Self { instalment, total_interest, total_due }
    }
}

/// The schedule as if disbursed on a day. A first due date that has passed by then is left out: a disbursement has to give
/// another.
///
/// # Errors
///
/// When there is none: see [`lending::schedule`].
pub fn projection(amount: Money, on: Date, terms: &Terms) -> Result<Schedule, lending::Refusal> {
    lending::schedule(amount, on, &terms.clone().disbursed_on(on))
}

impl Loan {
    /// The schedule: from the disbursement or, before it, as if disbursed on the date of the loan's version.
    ///
    /// # Errors
    ///
    /// When there is none: see [`lending::schedule`]. Terms that are stored have one.
    pub fn schedule(&self) -> Result<Schedule, lending::Refusal> {
        projection(self.amount, self.disbursed_on.unwrap_or(self.version_on), &self.terms)
    }

    /// The overpayment held on a day.
    #[must_use]
    pub fn held_on(&self, today: Date) -> Money {
        let step = self.held.iter().rev().find(|step| step.on <= today);
        step.map_or(Money::zero(self.amount.currency()), |step| step.amount)
    }

    /// Whether it is approved, or was until money moved or it was taken back.
    #[must_use]
    pub fn was_approved(&self) -> bool {
        // A withdrawn loan keeps the decision that it had, which no rejected one is withdrawn with.
        let is_withdrawn = self.status == LoanStatus::Withdrawn && self.decision.is_some();
        self.status == LoanStatus::Approved || self.status.is_disbursed() || is_withdrawn
    }

    /// When the next unpaid instalment is due.
    #[must_use]
    pub fn next_due_on(&self, today: Date) -> Option<Date> {
        self.owed.iter().map(|due| due.on).find(|due_on| *due_on >= today)
    }

    /// Days since the oldest unpaid instalment was due; 0 if none is late.
    #[must_use]
    pub fn days_past_due(&self, today: Date) -> i32 {
        let due_on = self.oldest_unpaid_due_on.unwrap_or(today);
        // At most the days of 300 years.
        (today - due_on).get_days().max(0)
    }

    /// The loan as the interface shows it.
    #[must_use]
    pub fn view(&self, today: Date) -> LoanView {
        let decision = self.decision.as_ref();
        LoanView {
            id: self.id,
            borrower_id: self.borrower_id,
            borrower_username: self.borrower_username.clone(),
            agent_id: self.agent_id,
            product: self.product.clone(),
            amount: self.amount,
            currency: self.amount.currency(),
            status: self.status,
            term_months: self.terms.term_months(),
            interest_rate_apr: self.terms.interest_rate_apr(),
            terms: self.terms.clone(),
            instalment: self.figures.instalment,
            total_interest: self.figures.total_interest,
            total_due: self.figures.total_due,
            outstanding: self.outstanding,
            held: self.held_on(today),
            next_due_on: self.next_due_on(today).map(BusinessDate),
            days_past_due: self.days_past_due(today),
            version: self.version,
            created_by: self.created_by,
            created_at: Instant(self.created_at),
            edited_by: self.edited_by,
            edited_at: Instant(self.edited_at),
            updated_at: Instant(self.updated_at),
            decided_by: decision.map(|decision| decision.by),
            decided_at: decision.map(|decision| Instant(decision.at)),
            decision_reason: decision.and_then(|decision| decision.reason.clone()),
        }
    }
}

impl FromRow for Loan {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let currency = columns::currency(row, "currency")?;
        let created_at = column(row, "created_at")?;
        let decision = match (column(row, "decided_by")?, column(row, "decided_at")?) {
            (Some(by), Some(at)) => Some(Decision { by, at, reason: column(row, "decision_reason")? }),
            _ => None,
        };
        Ok(Self {
            id: column(row, "id")?,
            borrower_id: column(row, "borrower_id")?,
            borrower_username: column(row, "borrower_username")?,
            agent_id: column(row, "agent_id")?,
            product: column(row, "product_code")?,
            product_version: Version(column(row, "product_version")?),
            amount: columns::money(row, "amount", currency)?,
            terms: columns::terms(row, "terms")?,
            figures: figures(row, currency)?,
            disbursed_on: column(row, "disbursed_on")?,
            outstanding: columns::money(row, "outstanding", currency)?,
            written_off: columns::money(row, "written_off", currency)?,
            owed: dues(row, "owed_on", "owed", currency)?,
            penalties: dues(row, "penalties_on", "penalties", currency)?,
            held: dues(row, "held_on", "held", currency)?,
            oldest_unpaid_due_on: column(row, "oldest_unpaid_due_on")?,
            status: status(row)?,
            version: Version(column(row, "version")?),
            version_on: column(row, "version_on")?,
            created_by: column(row, "created_by")?,
            edited_by: column(row, "edited_by")?,
            created_at,
            edited_at: column::<Option<Timestamp>>(row, "edited_at")?.unwrap_or(created_at),
            updated_at: column(row, "updated_at")?,
            decision,
        })
    }
}

fn dues(row: &Row, days: &str, amounts: &str, currency: Currency) -> Result<Vec<Due>, DbError> {
    let (days, amounts): (Vec<Date>, Vec<Decimal>) = (column(row, days)?, column(row, amounts)?);
    let due = |(on, amount)| {
        let amount = Money::from_decimal(amount, currency).map_err(|error| DbError::Unexpected(Box::new(error)))?;
        Ok(Due { on, amount })
    };
    days.into_iter().zip(amounts).map(due).collect()
}

fn figures(row: &Row, currency: Currency) -> Result<Figures, DbError> {
    Ok(Figures {
        instalment: columns::money(row, "instalment", currency)?,
        total_interest: columns::money(row, "total_interest", currency)?,
        total_due: columns::money(row, "total_due", currency)?,
    })
}

fn status(row: &Row) -> Result<LoanStatus, DbError> {
    let text: &str = column(row, "status")?;
    text.parse().map_err(|()| DbError::unexpected("a stored status is none"))
}

/// A loan. Before disbursement its figures are as if it were disbursed on the day of its version.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Loan)]
pub struct LoanView {
    /// Names the loan.
    pub id: Uuid,
    /// Who borrows.
    pub borrower_id: Uuid,
    /// The borrower's username.
    #[schema(example = "usr_india_999")]
    pub borrower_username: String,
    /// The agent who applied for the customer, or was the first to forward or edit the customer's own application.
    pub agent_id: Option<Uuid>,
    /// The product's code.
    #[schema(example = "microloan-inr")]
    pub product: String,
    /// What is lent.
    #[schema(value_type = String, example = "12000.50")]
    pub amount: Money,
    /// ISO 4217.
    #[schema(value_type = String, example = "INR")]
    pub currency: Currency,
    /// Where it stands.
    pub status: LoanStatus,
    /// Instalments times months between them; null where instalments are not monthly.
    #[schema(example = 6)]
    pub term_months: Option<u32>,
    /// Percent a year.
    #[schema(value_type = String, example = "24.00")]
    pub interest_rate_apr: AnnualRate,
    /// The complete terms.
    #[schema(value_type = TermsSchema)]
    pub terms: Terms,
    /// Principal and interest of a regular instalment of the schedule in force: fixed by the disbursement, the last
    /// payment that reduced principal or the last reschedule; under equal principal that of the first instalment.
    #[schema(value_type = String, example = "2142.40")]
    pub instalment: Money,
    /// Interest of all instalments, without what was waived or dropped.
    #[schema(value_type = String, example = "853.89")]
    pub total_interest: Money,
    /// Everything all instalments ask for, with charges, without late fees and without what was waived or dropped.
    #[schema(value_type = String, example = "12854.39")]
    pub total_due: Money,
    /// Principal outstanding; zero before disbursement.
    #[schema(value_type = String, example = "0.00")]
    pub outstanding: Money,
    /// The overpayment held; zero before disbursement.
    #[schema(value_type = String, example = "0.00")]
    pub held: Money,
    /// When the next unpaid instalment is due; null before disbursement and when nothing falls due any more.
    pub next_due_on: Option<BusinessDate>,
    /// Days since the oldest unpaid instalment was due; 0 if none is late.
    #[schema(minimum = 0, example = 0)]
    pub days_past_due: i32,
    /// Changes with every step of the application.
    #[schema(value_type = i32, example = 1)]
    pub version: Version,
    /// Who applied.
    pub created_by: Uuid,
    /// When it was applied for.
    pub created_at: Instant,
    /// Who last changed what is applied for; who applied where nobody has.
    pub edited_by: Uuid,
    /// When that was.
    pub edited_at: Instant,
    /// When it last changed, by a step or by money.
    pub updated_at: Instant,
    /// The admin who approved or rejected it.
    pub decided_by: Option<Uuid>,
    /// When that was.
    pub decided_at: Option<Instant>,
    /// Why.
    pub decision_reason: Option<String>,
}

/// Everything but the terms, which are no cell; of them the number of instalments.
impl Line for LoanView {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "borrower_id",
        "borrower_username",
        "agent_id",
        "product",
        "amount",
        "currency",
        "status",
        "term_months",
        "instalments",
        "interest_rate_apr",
        "instalment",
        "total_interest",
        "total_due",
        "outstanding",
        "held",
        "next_due_on",
        "days_past_due",
        "version",
        "created_by",
        "created_at",
        "edited_by",
        "edited_at",
        "updated_at",
        "decided_by",
        "decided_at",
        "decision_reason",
    ];

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::value(&self.id),
            Cell::value(&self.borrower_id),
            Cell::text(Some(&self.borrower_username)),
            Cell::optional(self.agent_id.as_ref()),
            Cell::text(Some(&self.product)),
            Cell::value(&self.amount),
            Cell::value(&self.currency),
            Cell::value(self.status.as_str()),
            Cell::optional(self.term_months.as_ref()),
            Cell::value(&self.terms.instalments()),
            Cell::value(&self.interest_rate_apr),
            Cell::value(&self.instalment),
            Cell::value(&self.total_interest),
            Cell::value(&self.total_due),
            Cell::value(&self.outstanding),
            Cell::value(&self.held),
            Cell::optional(self.next_due_on.as_ref()),
            Cell::value(&self.days_past_due),
            Cell::value(&self.version),
            Cell::value(&self.created_by),
            Cell::value(&self.created_at),
            Cell::value(&self.edited_by),
            Cell::value(&self.edited_at),
            Cell::value(&self.updated_at),
            Cell::optional(self.decided_by.as_ref()),
            Cell::optional(self.decided_at.as_ref()),
            Cell::text(self.decision_reason.as_deref()),
        ]
    }
}

/// What a step of an application is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Applied for.
    Create,
    /// Amount, product, term or rate changed, or a rejected application submitted again.
    Edit,
    /// Put before the admin in an agent's name.
    Forward,
    /// Back to what an earlier version asked for.
    Revert,
    /// Granted.
    Approve,
    /// Turned down.
    Reject,
    /// Taken back.
    Withdraw,
    /// An approval taken back.
    UndoApproval,
}

impl Action {
    /// As the interface and the database write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Edit => "edit",
            Self::Forward => "forward",
            Self::Revert => "revert",
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Withdraw => "withdraw",
            Self::UndoApproval => "undo_approval",
        }
    }

    /// As the audit log writes it.
    #[must_use]
    pub const fn audit(self) -> &'static str {
        match self {
            Self::Create => "loan.create",
            Self::Edit => "loan.edit",
            Self::Forward => "loan.forward",
            Self::Revert => "loan.revert",
            Self::Approve => "loan.approve",
            Self::Reject => "loan.reject",
            Self::Withdraw => "loan.withdraw",
            Self::UndoApproval => "loan.undo_approval",
        }
    }

    const ALL: [Self; 8] = [
        Self::Create,
        Self::Edit,
        Self::Forward,
        Self::Revert,
        Self::Approve,
        Self::Reject,
        Self::Withdraw,
        Self::UndoApproval,
    ];
}

/// One version of a loan, as the history shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HistoryEntry {
    /// The version.
    #[schema(value_type = i32, example = 2)]
    pub version: Version,
    /// The step that made it.
    pub action: Action,
    /// When.
    pub at: Instant,
    /// Who.
    pub by: Uuid,
    /// Why, if that was said.
    pub reason: Option<String>,
    /// The fields that differ from the version before.
    #[schema(example = json!(["amount"]))]
    pub changed: Vec<String>,
    /// What the loan then was.
    pub state: LoanState,
}

/// What a version of a loan was.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct LoanState {
    /// Where it stood.
    pub status: LoanStatus,
    /// The agent.
    pub agent_id: Option<Uuid>,
    /// The product's code.
    #[schema(example = "microloan-inr")]
    pub product: String,
    /// The version of the product that the terms were taken from.
    #[schema(value_type = i32, example = 1)]
    pub product_version: Version,
    /// What was applied for.
    #[schema(value_type = String, example = "12000.50")]
    pub amount: Money,
    /// ISO 4217.
    #[schema(value_type = String, example = "INR")]
    pub currency: Currency,
    /// Instalments times months between them; null where instalments are not monthly.
    #[schema(example = 6)]
    pub term_months: Option<u32>,
    /// Percent a year.
    #[schema(value_type = String, example = "24.00")]
    pub interest_rate_apr: AnnualRate,
    /// The complete terms.
    #[schema(value_type = TermsSchema)]
    pub terms: Terms,
    /// The equal instalment, or the first one.
    #[schema(value_type = String, example = "2142.40")]
    pub instalment: Money,
    /// Interest of all instalments.
    #[schema(value_type = String, example = "853.89")]
    pub total_interest: Money,
    /// Everything all instalments ask for.
    #[schema(value_type = String, example = "12854.39")]
    pub total_due: Money,
}

impl FromRow for LoanState {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let currency = columns::currency(row, "currency")?;
        let Figures { instalment, total_interest, total_due } = figures(row, currency)?;
        let terms = columns::terms(row, "terms")?;
        Ok(Self {
            status: status(row)?,
            agent_id: column(row, "agent_id")?,
            product: column(row, "product_code")?,
            product_version: Version(column(row, "product_version")?),
            amount: columns::money(row, "amount", currency)?,
            currency,
            term_months: terms.term_months(),
            interest_rate_apr: terms.interest_rate_apr(),
            terms,
            instalment,
            total_interest,
            total_due,
        })
    }
}

impl FromRow for HistoryEntry {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let action: &str = column(row, "action")?;
        let action = Action::ALL.into_iter().find(|known| known.as_str() == action);
        Ok(Self {
            version: Version(column(row, "version")?),
            action: action.ok_or_else(|| DbError::unexpected("a stored action is none"))?,
            at: Instant(column(row, "at")?),
            by: column(row, "by_id")?,
            reason: column(row, "reason")?,
            changed: column(row, "changed")?,
            state: LoanState::from_row(row)?,
        })
    }
}

/// Whose loans a caller may know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everybody's.
    All,
    /// Those of this borrower.
    Borrower(Uuid),
}

impl Scope {
    /// What a user of this role may know of.
    #[must_use]
    pub const fn of(role: Role, user: Uuid) -> Self {
        match role {
            Role::Customer => Self::Borrower(user),
            Role::Agent | Role::Admin => Self::All,
        }
    }

    fn borrower(self) -> Option<Uuid> {
        match self {
            Self::All => None,
            Self::Borrower(id) => Some(id),
        }
    }
}

/// Loans with the borrower's name. It is looked up, not joined: that takes half as long to plan, which is what a read of one
/// loan takes most of its time for.
pub const SELECT: &str =
    "SELECT l.*, (SELECT username FROM users WHERE id = l.borrower_id) AS borrower_username FROM loans l";

/// The versions of a loan.
pub const HISTORY: &str = "SELECT * FROM loan_versions WHERE loan_id = $1";

/// One version of a loan.
pub const VERSION: &str = "SELECT * FROM loan_versions WHERE loan_id = $1 AND version = $2";

/// Makes a loan.
pub const INSERT: &str = "\
INSERT INTO loans (id, borrower_id, agent_id, product_code, product_version, currency, amount, terms, instalments,
    interest_rate_apr, instalment, total_interest, total_due, status, version, version_on, created_by, edited_by,
    created_at, updated_at, rules_version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)";

/// A step of an application.
pub const UPDATE: &str = "\
UPDATE loans SET agent_id = $2, product_code = $3, product_version = $4, amount = $5, terms = $6, instalments = $7,
    interest_rate_apr = $8, instalment = $9, total_interest = $10, total_due = $11, status = $12, version = $13,
    version_on = $14, edited_by = $15, updated_at = $16, decided_by = $17, decided_at = $18, decision_reason = $19,
    edited_at = $20, rules_version = $21
WHERE id = $1";

/// What money did to a loan.
pub const UPDATE_MONEY: &str = "\
UPDATE loans SET instalment = $2, total_interest = $3, total_due = $4, disbursed_on = $5, outstanding = $6, next_due_on = $7,
    oldest_unpaid_due_on = $8, owed_on = $9, owed = $10, written_off = $11,
    status = $12, updated_at = $13, held_on = $14, held = $15, penalties_on = $16, penalties = $17,
    rules_version = $18
WHERE id = $1";

/// Loans of which something is unpaid, with what is due on a day and what was before.
pub const TO_COLLECT: &str = "\
SELECT l.id, u.username, u.full_name, u.phone, l.currency, least(l.owed_on[1], l.penalties_on[1]) AS due_since,
    greatest($1 - l.oldest_unpaid_due_on, 0) AS days_past_due,
    (SELECT coalesce(sum(unpaid.amount), 0) FROM unnest(l.owed_on || l.penalties_on, l.owed || l.penalties) AS unpaid (due_on, amount)
        WHERE due_on = $1) AS due,
    (SELECT coalesce(sum(unpaid.amount), 0) FROM unnest(l.owed_on || l.penalties_on, l.owed || l.penalties) AS unpaid (due_on, amount)
        WHERE due_on < $1) AS overdue,
    (SELECT coalesce(sum(unpaid.amount), 0) FROM unnest(l.penalties_on, l.penalties) AS unpaid (due_on, amount)
        WHERE due_on <= $1) AS penalties
FROM loans l JOIN users u ON u.id = l.borrower_id
WHERE l.status = 'disbursed'";

/// Notes the rules that rows follow.
pub const NOTE_RULES: &str = "UPDATE loans SET rules_version = $2 WHERE id = ANY ($1)";

/// Waits for whoever is changing a loan.
pub const SHARE: &str = "SELECT FROM loans WHERE id = $1";

/// Records the version that the loan now has.
pub const RECORD_VERSION: &str = "\
INSERT INTO loan_versions (loan_id, version, action, at, by_id, reason, changed, status, agent_id, product_code,
    product_version, currency, amount, terms, instalment, total_interest, total_due)
SELECT id, version, $2, updated_at, $3, $4, $5, status, agent_id, product_code, product_version, currency, amount, terms,
    instalment, total_interest, total_due
FROM loans WHERE id = $1";

/// An active customer, by id; locked, so that of several who apply for it at once each sees the ones before.
pub const BORROWER_BY_ID: &str =
    "SELECT id, username FROM users WHERE id = $1 AND role = 'customer' AND status = 'active' FOR NO KEY UPDATE";

/// As [`BORROWER_BY_ID`], by username.
pub const BORROWER_BY_USERNAME: &str =
    "SELECT id, username FROM users WHERE username = $1 AND role = 'customer' AND status = 'active' FOR NO KEY UPDATE";

/// How many pending applications a borrower has, by id; so many are counted.
pub const PENDING_BY_ID: &str =
    "SELECT count(*) FROM (SELECT FROM loans WHERE borrower_id = $1 AND status = 'pending' LIMIT $2) pending";

/// As [`PENDING_BY_ID`], by username.
pub const PENDING_BY_USERNAME: &str = "\
SELECT count(*) FROM (
    SELECT FROM loans WHERE borrower_id = (SELECT id FROM users WHERE username = $1) AND status = 'pending' LIMIT $2
) pending";

/// Who may borrow: an active customer.
#[derive(Clone, Debug)]
pub struct Borrower {
    /// The user's id.
    pub id: Uuid,
    /// The user's name.
    pub username: String,
}

impl FromRow for Borrower {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self { id: column(row, "id")?, username: column(row, "username")? })
    }
}

/// An active customer, by either name.
#[must_use]
pub fn borrower(user: &UserRef) -> Statement<Option<Borrower>> {
    match user {
        UserRef::Id(id) => Sql::new(BORROWER_BY_ID).bind(*id).optional(),
        UserRef::Username(name) => Sql::new(BORROWER_BY_USERNAME).bind(name.clone()).optional(),
    }
}

/// How many applications wait.
#[derive(Clone, Copy, Debug)]
pub struct Pending(i64);

impl FromRow for Pending {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self(column(row, "count")?))
    }
}

impl Pending {
    /// # Errors
    ///
    /// 409 where there are as many as a borrower may have.
    pub fn room(self, most: u32) -> Result<(), Refusal> {
        if self.0 < i64::from(most) {
            return Ok(());
        }
        let detail = format!("A borrower has at most {most} pending applications at once.");
        Err(Refusal::conflict("too_many_pending", detail))
    }
}

/// How many pending applications a borrower has, counted up to `most`. To be asked when the borrower is locked.
#[must_use]
pub fn pending(user: &UserRef, most: u32) -> Statement<Pending> {
    match user {
        UserRef::Id(id) => Sql::new(PENDING_BY_ID).bind(*id).bind(i64::from(most)).one(),
        UserRef::Username(name) => Sql::new(PENDING_BY_USERNAME).bind(name.clone()).bind(i64::from(most)).one(),
    }
}

/// One loan, if the caller may know of it.
#[must_use]
pub fn by_id(id: Uuid, scope: Scope) -> Statement<Option<Loan>> {
    select(id, scope).optional()
}

/// As [`by_id`], locked for a change until the transaction ends.
#[must_use]
pub fn lock(id: Uuid, scope: Scope) -> Statement<Option<Loan>> {
    select(id, scope).push(" FOR UPDATE").optional()
}

fn select(id: Uuid, scope: Scope) -> Sql {
    let sql = Sql::new(SELECT).push_bind(" WHERE l.id = {}", id);
    sql.push_if(" AND l.borrower_id = {}", scope.borrower())
}

/// So many loans that were last written by older rules than these, but for some; locked for a change. Those that somebody else
/// is changing are waited for, and are not among them if they are then written by these.
#[must_use]
pub fn of_older_rules(but_for: Vec<Uuid>, count: i64) -> Statement<Vec<Loan>> {
    let sql = Sql::new(SELECT).push_bind(" WHERE l.rules_version < {}", RULES);
    let sql = sql.push_bind(" AND l.id <> ALL ({}) ORDER BY l.rules_version, l.id", but_for);
    sql.push_bind(" LIMIT {} FOR UPDATE OF l", count).all()
}

/// Notes that what loans' rows say is what follows from these rules.
#[must_use]
pub fn note_rules(loans: Vec<Uuid>) -> Statement<()> {
    Sql::new(NOTE_RULES).bind(loans).bind(RULES).execute()
}

/// So many loans whose ids come after one, in the order of their ids.
#[must_use]
pub fn after(id: Uuid, count: i64) -> Statement<Vec<Loan>> {
    let sql = Sql::new(SELECT).push_bind(" WHERE l.id > {} ORDER BY l.id", id);
    sql.push_bind(" LIMIT {}", count).all()
}

/// Which loans are to be collected: those of which the oldest that is unpaid falls due that day, or fell due before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bucket {
    /// Nothing fell due before that day.
    Due,
    /// Something did.
    Overdue,
}

/// Reads what is to be collected in one round trip: loans that are due, then those that are overdue.
pub type Collecting = (Option<Statement<Vec<Collection>>>, Option<Statement<Vec<Collection>>>);

/// Loans of which something is unpaid that is due on a day or before: those that are due, then those that are overdue, the
/// longest first. Each is a walk along a range of one index; of both together, a page is the beginning.
#[must_use]
pub fn to_collect(
    on: Date,
    bucket: Option<Bucket>,
    agent: Option<Uuid>,
    after: Option<&Position<Date>>,
    limit: Limit,
) -> Collecting {
    let begin = || Sql::new(TO_COLLECT).bind(on).push_if(" AND l.agent_id = {}", agent);
    let end = |sql: Sql| {
        sql.push(" ORDER BY least(l.owed_on[1], l.penalties_on[1]), l.id").push_bind(" LIMIT {}", limit.and_one()).all()
    };
    // Whether a page before ended among those that are due.
    let is_among_due = after.is_none_or(|Position(due_since, _)| *due_since >= on);
    let due = (bucket != Some(Bucket::Overdue) && is_among_due).then(|| {
        let after = after.map(|Position(_, id)| *id);
        end(begin().push(" AND least(l.owed_on[1], l.penalties_on[1]) = $1").push_if(" AND l.id > {}", after))
    });
    let overdue = (bucket != Some(Bucket::Due)).then(|| {
        let sql = begin().push(" AND least(l.owed_on[1], l.penalties_on[1]) < $1");
        end(match after {
            Some(&Position(due_since, id)) if !is_among_due => sql
                .push_bind(" AND (least(l.owed_on[1], l.penalties_on[1]), l.id) > ({}, ", due_since)
                .push_bind("{})", id),
            _ => sql,
        })
    });
    (due, overdue)
}

/// Waits until nobody is changing the loan: whatever is recorded later is recorded after this.
#[must_use]
pub fn share(id: Uuid, scope: Scope) -> Statement<()> {
    Sql::new(SHARE).bind(id).push_if(" AND borrower_id = {}", scope.borrower()).push(" FOR SHARE").execute()
}

/// A page of a loan's history, newest first: of the steps taken before one instant and known by another.
#[must_use]
pub fn history(
    id: Uuid,
    taken_before: Option<Timestamp>,
    known_at: Option<Timestamp>,
    before: Option<Position<i32>>,
    limit: Limit,
) -> Statement<Vec<HistoryEntry>> {
    let sql = Sql::new(HISTORY).bind(id);
    let sql = sql.push_if(" AND at < {}", taken_before).push_if(" AND at <= {}", known_at);
    let sql = sql.push_if(" AND version < {}", before.map(|Position(version, _)| version));
    sql.push(" ORDER BY version DESC").push_bind(" LIMIT {}", limit.and_one()).all()
}

/// Every version of a loan, the oldest first.
#[must_use]
pub fn versions(id: Uuid) -> Statement<Vec<HistoryEntry>> {
    Sql::new(HISTORY).bind(id).push(" ORDER BY version").all()
}

/// What one version of a loan was.
#[must_use]
pub fn version(id: Uuid, version: i32) -> Statement<Option<LoanState>> {
    Sql::new(VERSION).bind(id).bind(version).optional()
}

/// Makes a loan, with its first version.
#[must_use]
pub fn insert(loan: &Loan, reason: Option<String>, at: Moment<'_>) -> Vec<Statement<()>> {
    let terms = &loan.terms;
    let sql = Sql::new(INSERT)
        .bind(loan.id)
        .bind(loan.borrower_id)
        .bind(loan.agent_id)
        .bind(loan.product.clone())
        .bind(loan.product_version.0)
        .bind(loan.amount.currency().code())
        .bind(loan.amount.to_decimal())
        .bind(Json(terms.clone()))
        .bind(terms.instalments().cast_signed())
        .bind(terms.interest_rate_apr().to_decimal());
    let sql = bind_figures(sql, loan)
        .bind(loan.status.as_str())
        .bind(loan.version.0)
        .bind(loan.version_on)
        .bind(loan.created_by)
        .bind(loan.edited_by)
        .bind(loan.created_at)
        .bind(loan.updated_at)
        .bind(RULES);
    let changed = changed_fields(None, loan);
    let mut writes = vec![sql.execute(), record_version(loan.id, Action::Create, loan.created_by, reason, changed)];
    writes.extend(portfolio::step(None, loan, at));
    writes
}

/// Takes a step from `before` to `after`, with the version that makes.
#[must_use]
pub fn step(
    before: &Loan,
    after: &Loan,
    action: Action,
    by: Uuid,
    reason: Option<String>,
    at: Moment<'_>,
) -> Vec<Statement<()>> {
    let decision = after.decision.as_ref();
    let sql = Sql::new(UPDATE)
        .bind(after.id)
        .bind(after.agent_id)
        .bind(after.product.clone())
        .bind(after.product_version.0)
        .bind(after.amount.to_decimal())
        .bind(Json(after.terms.clone()))
        .bind(after.terms.instalments().cast_signed())
        .bind(after.terms.interest_rate_apr().to_decimal());
    let sql = bind_figures(sql, after)
        .bind(after.status.as_str())
        .bind(after.version.0)
        .bind(after.version_on)
        .bind(after.edited_by)
        .bind(after.updated_at)
        .bind(decision.map(|decision| decision.by))
        .bind(decision.map(|decision| decision.at))
        .bind(decision.and_then(|decision| decision.reason.clone()))
        .bind(after.edited_at)
        .bind(RULES);
    let changed = changed_fields(Some(before), after);
    let mut writes = vec![sql.execute(), record_version(after.id, action, by, reason, changed)];
    writes.extend(portfolio::step(Some(before), after, at));
    writes
}

/// Writes what money did to a loan, as of `today`.
#[must_use]
pub fn update_money(after: &Loan, today: Date) -> Statement<()> {
    let days = |dues: &[Due]| dues.iter().map(|due| due.on).collect::<Vec<_>>();
    let amounts = |dues: &[Due]| dues.iter().map(|due| due.amount.to_decimal()).collect::<Vec<_>>();
    bind_figures(Sql::new(UPDATE_MONEY).bind(after.id), after)
        .bind(after.disbursed_on)
        .bind(after.outstanding.to_decimal())
        .bind(after.next_due_on(today))
        .bind(after.oldest_unpaid_due_on)
        .bind(days(&after.owed))
        .bind(amounts(&after.owed))
        .bind(after.written_off.to_decimal())
        .bind(after.status.as_str())
        .bind(after.updated_at)
        .bind(days(&after.held))
        .bind(amounts(&after.held))
        .bind(days(&after.penalties))
        .bind(amounts(&after.penalties))
        .bind(RULES)
        .execute()
}

fn bind_figures(sql: Sql, loan: &Loan) -> Sql {
    let Figures { instalment, total_interest, total_due } = loan.figures;
    sql.bind(instalment.to_decimal()).bind(total_interest.to_decimal()).bind(total_due.to_decimal())
}

fn record_version(
    loan: Uuid,
    action: Action,
    by: Uuid,
    reason: Option<String>,
    changed: Vec<&'static str>,
) -> Statement<()> {
    Sql::new(RECORD_VERSION).bind(loan).bind(action.as_str()).bind(by).bind(reason).bind(changed).execute()
}

/// The fields that a step changed: what was decided by someone, not the figures that follow from it.
#[must_use]
pub fn changed_fields(before: Option<&Loan>, after: &Loan) -> Vec<&'static str> {
    let differs = |differs: fn(&Loan, &Loan) -> bool| before.is_none_or(|before| differs(before, after));
    let mut changed = Vec::new();
    let mut add = |name: &'static str, is_changed: bool| {
        if is_changed {
            changed.push(name);
        }
    };
    add("amount", differs(|a, b| a.amount != b.amount));
    add("product", differs(|a, b| a.product != b.product));
    // The term under the name it has for this loan.
    let term = if after.terms.term_months().is_some() { "term_months" } else { "instalments" };
    let periods = |loan: &Loan| (loan.terms.term_months(), loan.terms.instalments());
    add(term, before.is_none_or(|before| periods(before) != periods(after)));
    add("interest_rate_apr", differs(|a, b| a.terms.interest_rate_apr() != b.terms.interest_rate_apr()));
    // Everything else in them comes from a version of the product.
    let others = |loan: &Loan| {
        let same = TermsPatch {
            instalments: Some(MAX_INSTALMENTS),
            interest_rate_apr: Some(AnnualRate::ZERO),
            ..TermsPatch::default()
        };
        same.over(&loan.terms, loan.amount.currency())
    };
    add("terms", before.is_some_and(|before| others(before) != others(after)));
    add("agent_id", before.map_or(after.agent_id.is_some(), |before| before.agent_id != after.agent_id));
    add("status", differs(|a, b| a.status != b.status));
    changed
}

/// What a list of loans is narrowed to. All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Any of these; empty means all.
    pub status: Vec<LoanStatus>,
    /// The borrower.
    pub borrower: Option<UserRef>,
    /// The agent.
    pub agent: Option<UserRef>,
    /// The product's code.
    pub product: Option<String>,
    /// The currency.
    pub currency: Option<Currency>,
    /// When it was applied for.
    pub created: Period,
    /// When it last changed.
    pub updated: Period,
    /// At least this much.
    pub min_amount: Option<Decimal>,
    /// At most this much.
    pub max_amount: Option<Decimal>,
}

/// How a list of loans is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Newest first.
    #[default]
    CreatedDescending,
    /// Oldest first.
    Created,
    /// Last changed first.
    UpdatedDescending,
    /// Last changed last.
    Updated,
    /// Largest first.
    AmountDescending,
    /// Smallest first.
    Amount,
}

/// In the OpenAPI document: the names that the interface has.
impl PartialSchema for Sort {
    fn schema() -> RefOr<utoipa::openapi::Schema> {
        let names = Self::ALL.map(|(name, _)| name);
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).default(Some(names[0].into())).into()
    }
}

impl ToSchema for Sort {}

impl Sort {
    /// Every sort, as the interface names it.
    pub const ALL: [(&'static str, Self); 6] = [
        ("-created_at", Self::CreatedDescending),
        ("created_at", Self::Created),
        ("-updated_at", Self::UpdatedDescending),
        ("updated_at", Self::Updated),
        ("-amount", Self::AmountDescending),
        ("amount", Self::Amount),
    ];

    /// Whether it compares amounts, which makes sense in one currency only.
    #[must_use]
    pub const fn is_by_amount(self) -> bool {
        matches!(self, Self::Amount | Self::AmountDescending)
    }

    /// Where a page that ends with this loan ends.
    #[must_use]
    pub fn position(self, loan: &LoanView) -> Position<String> {
        let key = match self {
            Self::CreatedDescending | Self::Created => loan.created_at.0.to_string(),
            Self::UpdatedDescending | Self::Updated => loan.updated_at.0.to_string(),
            Self::AmountDescending | Self::Amount => loan.amount.to_string(),
        };
        Position(key, loan.id)
    }

    /// Narrows to what comes after a position, and sorts.
    fn apply(self, sql: Sql, after: Option<Position<String>>) -> Option<Sql> {
        let sql = match after {
            None => sql,
            Some(Position(key, id)) => {
                let instant = || key.parse().ok().filter(Timestamp::is_storable);
                let amount = || key.parse::<Decimal>().ok();
                let sql = match self {
                    Self::CreatedDescending => sql.push_bind(" AND (l.created_at, l.id) < ({}, ", instant()?),
                    Self::Created => sql.push_bind(" AND (l.created_at, l.id) > ({}, ", instant()?),
                    Self::UpdatedDescending => sql.push_bind(" AND (l.updated_at, l.id) < ({}, ", instant()?),
                    Self::Updated => sql.push_bind(" AND (l.updated_at, l.id) > ({}, ", instant()?),
                    Self::AmountDescending => sql.push_bind(" AND (l.amount, l.id) < ({}, ", amount()?),
                    Self::Amount => sql.push_bind(" AND (l.amount, l.id) > ({}, ", amount()?),
                };
                sql.push_bind("{})", id)
            }
        };
        Some(sql.push(match self {
            Self::CreatedDescending => " ORDER BY l.created_at DESC, l.id DESC",
            Self::Created => " ORDER BY l.created_at, l.id",
            Self::UpdatedDescending => " ORDER BY l.updated_at DESC, l.id DESC",
            Self::Updated => " ORDER BY l.updated_at, l.id",
            Self::AmountDescending => " ORDER BY l.amount DESC, l.id DESC",
            Self::Amount => " ORDER BY l.amount, l.id",
        }))
    }
}

impl<'de> Deserialize<'de> for Sort {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let found = Self::ALL.into_iter().find(|(name, _)| *name == text);
        found.map(|(_, sort)| sort).ok_or_else(|| {
            refusal("unknown_value", "is one of -created_at, created_at, -updated_at, updated_at, -amount, amount")
        })
    }
}

/// A page of loans; `None` for a position in a list that is sorted otherwise.
pub fn list(
    filter: Filter,
    scope: Scope,
    sort: Sort,
    after: Option<Position<String>>,
    limit: Limit,
) -> Option<Statement<Vec<Loan>>> {
    let sql = Sql::new(SELECT).push(" WHERE true").push_if(" AND l.borrower_id = {}", scope.borrower());
    let sql = match filter.status.as_slice() {
        [] => sql,
        [status] => sql.push_bind(" AND l.status = {}", status.as_str()),
        several => {
            let several: Vec<&'static str> = several.iter().map(|status| status.as_str()).collect();
            sql.push_bind(" AND l.status = ANY ({})", several)
        }
    };
    let sql = match filter.borrower {
        None => sql,
        Some(UserRef::Id(id)) => sql.push_bind(" AND l.borrower_id = {}", id),
        Some(UserRef::Username(name)) => {
            sql.push_bind(" AND l.borrower_id = (SELECT id FROM users WHERE username = {})", name)
        }
    };
    let sql = match filter.agent {
        None => sql,
        Some(UserRef::Id(id)) => sql.push_bind(" AND l.agent_id = {}", id),
        Some(UserRef::Username(name)) => {
            sql.push_bind(" AND l.agent_id = (SELECT id FROM users WHERE username = {})", name)
        }
    };
    let sql = sql
        .push_if(" AND l.product_code = {}", filter.product)
        .push_if(" AND l.currency = {}", filter.currency.map(Currency::code))
        .push_if(" AND l.created_at >= {}", filter.created.from)
        .push_if(" AND l.created_at < {}", filter.created.before)
        .push_if(" AND l.updated_at >= {}", filter.updated.from)
        .push_if(" AND l.updated_at < {}", filter.updated.before)
        .push_if(" AND l.amount >= {}", filter.min_amount)
        .push_if(" AND l.amount <= {}", filter.max_amount);
    Some(sort.apply(sql, after)?.push_bind(" LIMIT {}", limit.and_one()).all())
}
