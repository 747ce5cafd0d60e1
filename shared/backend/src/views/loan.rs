//! The loan as the interface shows it.

use jiff::civil::Date;
use lending::{AnnualRate, Currency, Money, Terms};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    domain::{
        loan::{Loan, LoanStatus},
        users::Role,
    },
    store::loans::Sort,
    table_line,
    values::{
        names::Metadata,
        page::Position,
        pay_ref::PayRef,
        table::Cell,
        time::{BusinessDate, Instant},
        version::Version,
    },
    views::names::{cell_of, shown_to},
};

impl Loan {
    /// The loan as the interface shows it to a caller of this role.
    #[must_use]
    pub fn view(&self, today: Date, viewer: Role) -> LoanView {
        let decision = self.decision.as_ref();
        let names = shown_to(&self.names, Some(viewer));
        let figures = self.figures_on(today);
        LoanView {
            id: self.id,
            pay_ref: self.pay_ref.clone(),
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
            instalment: figures.instalment,
            total_interest: figures.total_interest,
            total_due: figures.total_due,
            outstanding: self.outstanding,
            held: self.held_on(today),
            next_due_on: self.next_due_on(today).map(BusinessDate),
            days_past_due: self.days_past_due(today),
            version: self.version,
            created_by: self.created_by,
            created_at: Instant(self.created_at),
            edited_by: self.edited_by,
            edited_at: Instant(self.edited_at()),
            updated_at: Instant(self.updated_at),
            decided_by: decision.map(|decision| decision.by),
            decided_at: decision.map(|decision| Instant(decision.at)),
            decision_reason: decision.and_then(|decision| decision.reason.clone()),
            external_id: names.external_id,
            metadata: names.metadata,
        }
    }
}

/// A loan. Before disbursement its figures are as if it were disbursed on the day of its version.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Loan, example = json!({
    "amount": "12000.50", "instalment": "2142.40", "total_interest": "853.89", "total_due": "12854.39",
    "outstanding": "0.00", "held": "0.00"}))]
pub struct LoanView {
    /// Names the loan.
    pub id: Uuid,
    /// The account number a borrower types to pay.
    pub pay_ref: PayRef,
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
    /// The amount lent.
    pub amount: Money,
    /// ISO 4217.
    pub currency: Currency,
    /// Where it stands.
    pub status: LoanStatus,
    /// Instalments times months between them; null where instalments are not monthly.
    #[schema(example = 6)]
    pub term_months: Option<u32>,
    /// Percent a year.
    pub interest_rate_apr: AnnualRate,
    /// The complete terms.
    pub terms: Terms,
    /// Principal and interest of a regular instalment of the schedule in force: fixed by the disbursement, the last
    /// payment that reduced principal or the last reschedule; under equal principal that of the first instalment.
    pub instalment: Money,
    /// Interest of all instalments, without waived or dropped amounts.
    pub total_interest: Money,
    /// The total of all instalments, with charges, without late fees and without waived or dropped amounts.
    pub total_due: Money,
    /// Principal outstanding; zero before disbursement.
    pub outstanding: Money,
    /// The overpayment held; zero before disbursement.
    pub held: Money,
    /// When the next unpaid instalment is due; null before disbursement and once nothing more falls due.
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
    /// Who last changed the proposal; initially the applicant.
    pub edited_by: Uuid,
    /// When the proposal last changed.
    pub edited_at: Instant,
    /// When it last changed, by a step or by money.
    pub updated_at: Instant,
    /// The admin who approved or rejected it.
    pub decided_by: Option<Uuid>,
    /// When it was decided.
    pub decided_at: Option<Instant>,
    /// The reason given.
    pub decision_reason: Option<String>,
    /// The id in another system of the lender's; null for everybody but staff.
    #[schema(example = "core-77120")]
    pub external_id: Option<String>,
    /// Texts of the lender's other systems, under keys; empty for everybody but staff.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"branch": "pune-2"}))]
    pub metadata: Metadata,
}

table_line! {
    /// Every field, except that the number of instalments stands for the terms.
    LoanView as loan {
        "id": Cell::value(&loan.id),
        "pay_ref": Cell::value(&loan.pay_ref),
        "borrower_id": Cell::value(&loan.borrower_id),
        "borrower_username": Cell::text(Some(&loan.borrower_username)),
        "agent_id": Cell::optional(loan.agent_id.as_ref()),
        "product": Cell::text(Some(&loan.product)),
        "amount": Cell::value(&loan.amount),
        "currency": Cell::value(&loan.currency),
        "status": Cell::value(loan.status.as_str()),
        "term_months": Cell::optional(loan.term_months.as_ref()),
        "instalments": Cell::value(&loan.terms.instalments()),
        "interest_rate_apr": Cell::value(&loan.interest_rate_apr),
        "instalment": Cell::value(&loan.instalment),
        "total_interest": Cell::value(&loan.total_interest),
        "total_due": Cell::value(&loan.total_due),
        "outstanding": Cell::value(&loan.outstanding),
        "held": Cell::value(&loan.held),
        "next_due_on": Cell::optional(loan.next_due_on.as_ref()),
        "days_past_due": Cell::value(&loan.days_past_due),
        "version": Cell::value(&loan.version),
        "created_by": Cell::value(&loan.created_by),
        "created_at": Cell::value(&loan.created_at),
        "edited_by": Cell::value(&loan.edited_by),
        "edited_at": Cell::value(&loan.edited_at),
        "updated_at": Cell::value(&loan.updated_at),
        "decided_by": Cell::optional(loan.decided_by.as_ref()),
        "decided_at": Cell::optional(loan.decided_at.as_ref()),
        "decision_reason": Cell::text(loan.decision_reason.as_deref()),
        "external_id": Cell::text(loan.external_id.as_deref()),
        "metadata": cell_of(&loan.metadata),
    }
}

impl Sort {
    /// The position of a page that ends with this loan.
    #[must_use]
    pub fn position(self, loan: &LoanView) -> Position<String> {
        let key = match self {
            Self::CreatedDescending | Self::Created => loan.created_at.0.to_string(),
            Self::UpdatedDescending | Self::Updated => loan.updated_at.0.to_string(),
            Self::AmountDescending | Self::Amount => loan.amount.to_string(),
        };
        Position(key, loan.id)
    }
}
