//! The steps of a loan application: each makes a version, which stays.

use lending::{AnnualRate, Currency, MAX_INSTALMENTS, Money, Terms, TermsPatch};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    domain::loan::{Loan, LoanStatus},
    values::{time::Instant, version::Version, words::words},
};

words! {
    /// The name of a step of an application.
    #[schema(as = LoanAction)]
    Action {
        /// Applied for.
        Create = "create",
        /// Amount, product, term or rate changed, or a rejected application was submitted again.
        Edit = "edit",
        /// Put before the admin in an agent's name.
        Forward = "forward",
        /// Restored the proposal of an earlier version.
        Revert = "revert",
        /// Granted.
        Approve = "approve",
        /// Turned down.
        Reject = "reject",
        /// Taken back.
        Withdraw = "withdraw",
        /// An approval taken back.
        UndoApproval = "undo_approval",
        /// Assigned to another agent: the version stays.
        Assign = "assign",
    }
}

impl Action {
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
            Self::Assign => "loan.assign",
        }
    }
}

/// One version of a loan, as the history shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = LoanHistoryEntry)]
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
    /// The reason, if one was given.
    pub reason: Option<String>,
    /// The fields that differ from the version before.
    #[schema(example = json!(["amount"]))]
    pub changed: Vec<String>,
    /// The loan in that version.
    pub state: LoanState,
    /// Of an assignment: the agent before, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub from: Option<Uuid>,
    /// Of an assignment: the agent from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub to: Option<Uuid>,
    /// Of several assignments of one version: which.
    #[serde(skip)]
    pub n: i32,
}

/// The loan in one version.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "amount": "12000.50", "instalment": "2142.40", "total_interest": "853.89", "total_due": "12854.39"}))]
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
    /// The amount applied for.
    pub amount: Money,
    /// ISO 4217.
    pub currency: Currency,
    /// Instalments times months between them; null where instalments are not monthly.
    #[schema(example = 6)]
    pub term_months: Option<u32>,
    /// Percent a year.
    pub interest_rate_apr: AnnualRate,
    /// The complete terms.
    pub terms: Terms,
    /// The equal instalment, or the first one.
    pub instalment: Money,
    /// Interest of all instalments.
    pub total_interest: Money,
    /// The total of all instalments.
    pub total_due: Money,
}

impl HistoryEntry {
    /// The version that a step to this loan makes.
    #[must_use]
    pub fn new(before: Option<&Loan>, loan: &Loan, action: Action, by: Uuid, reason: Option<String>) -> Self {
        let changed = changed_fields(before, loan).into_iter().map(str::to_owned).collect();
        Self {
            version: loan.version,
            action,
            at: Instant(loan.updated_at),
            by,
            reason,
            changed,
            state: LoanState::of(loan),
            from: None,
            to: None,
            n: 0,
        }
    }
}

impl LoanState {
    /// The part of the loan that a version keeps.
    fn of(loan: &Loan) -> Self {
        Self {
            status: loan.status,
            agent_id: loan.agent_id,
            product: loan.product.clone(),
            product_version: loan.product_version,
            amount: loan.amount,
            currency: loan.amount.currency(),
            term_months: loan.terms.term_months(),
            interest_rate_apr: loan.terms.interest_rate_apr(),
            terms: loan.terms.clone(),
            instalment: loan.figures.instalment,
            total_interest: loan.figures.total_interest,
            total_due: loan.figures.total_due,
        }
    }
}

/// The fields that a step changed: those that somebody decided, not the figures that follow from them.
fn changed_fields(before: Option<&Loan>, after: &Loan) -> Vec<&'static str> {
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
    // All other terms come from a version of the product.
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
