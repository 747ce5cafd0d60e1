//! The steps of a loan application: who may take which step from which state, and the resulting loan. Pure: a step is
//! decided on the loan as it was read and locked; [`loans::step`](crate::store::loans::step) writes it.

use jiff::civil::Date;
use lending::{AnnualRate, Money, Terms, TermsPatch};
use uuid::Uuid;

use crate::{
    domain::{
        caller::Caller,
        loan::{self, Borrower, Decision, Loan, LoanStatus, ScheduleFigures},
        loan_history::LoanState,
        products::{LimitPointers, Product},
        refusal::Refusal,
        users::Role,
    },
    values::{moment::Moment, names::Names, pay_ref::PayRef, refusal::FieldError, version::Version},
};

/// The proposed loan: the part that edits change.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The amount to be lent.
    pub amount: Money,
    /// The product, as it is now: it sets the limits.
    pub product: Product,
    /// The version of the product that the terms were taken from.
    pub product_version: Version,
    /// The complete terms.
    pub terms: Terms,
}

/// Where the request has its fields, for errors.
#[derive(Clone, Copy, Debug)]
pub struct Pointers {
    /// `/term_months` or `/instalments`, whichever the request used.
    pub instalments: &'static str,
}

impl Pointers {
    /// For a request that names none of them.
    pub const PLAIN: Self = Self { instalments: "/instalments" };

    fn limits(self) -> LimitPointers {
        LimitPointers { amount: "/amount", instalments: self.instalments, rate: "/interest_rate_apr" }
    }

    /// A refusal of the engine, at the field of the request that it comes from.
    fn refusal(self, refusal: &lending::Refusal) -> Refusal {
        let pointer = match refusal.pointer() {
            "/instalments" => self.instalments,
            pointer @ ("/amount" | "/interest_rate_apr") => pointer,
            // Everything else comes from the product's terms.
            _ => "/product",
        };
        Refusal::of_engine(pointer, refusal)
    }
}

/// How long a request wants the loan to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// A number of instalments.
    Instalments(u32),
    /// A number of months.
    Months(u32),
}

impl Term {
    /// The number of instalments, on terms like these.
    ///
    /// # Errors
    ///
    /// An invalid field for months where instalments are not monthly, or if the months are not a whole number of
    /// periods.
    pub fn instalments(self, terms: &Terms) -> Result<u32, Refusal> {
        let months = match self {
            Self::Instalments(instalments) => return Ok(instalments),
            Self::Months(months) => months,
        };
        let refuse = |code, detail: String| Err(Refusal::field("/term_months", code, detail));
        if terms.term_months().is_none() {
            return refuse("not_monthly", "the product's instalments are not monthly; give instalments".into());
        }
        let every = terms.repay_every();
        if !months.is_multiple_of(every) {
            return refuse("not_divisible", format!("the product has an instalment every {every} months"));
        }
        Ok(months / every)
    }
}

impl Proposal {
    /// On the product's terms, except where the request gives others. The product's limits are not checked yet.
    ///
    /// # Errors
    ///
    /// An invalid field for an impossible term or impossible terms.
    pub fn new(
        product: Product,
        amount: Money,
        term: Option<Term>,
        rate: Option<AnnualRate>,
        pointers: Pointers,
    ) -> Result<Self, Refusal> {
        let (terms, version) = (product.terms.clone(), product.version);
        let proposal = Self { amount, product, product_version: version, terms }.with(term, rate, pointers)?;
        proposal.bears_late_fees(pointers)
    }

    /// On the loan's present terms, except where the request gives others. The present limits of its product are not
    /// checked yet.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn changing(
        loan: &Loan,
        product: Product,
        amount: Money,
        term: Option<Term>,
        rate: Option<AnnualRate>,
        pointers: Pointers,
    ) -> Result<Self, Refusal> {
        let (terms, product_version) = (loan.terms.clone(), loan.product_version);
        let proposal = Self { amount, product, product_version, terms }.with(term, rate, pointers)?;
        if proposal.terms.instalments() == loan.terms.instalments() {
            return Ok(proposal);
        }
        proposal.bears_late_fees(pointers)
    }

    fn bears_late_fees(self, pointers: Pointers) -> Result<Self, Refusal> {
        let instalments = self.terms.instalments();
        self.terms.check_late_fees(instalments).map_err(|refusal| pointers.refusal(&refusal))?;
        Ok(self)
    }

    fn with(self, term: Option<Term>, rate: Option<AnnualRate>, pointers: Pointers) -> Result<Self, Refusal> {
        let instalments = term.map(|term| term.instalments(&self.terms)).transpose()?;
        let patch = TermsPatch { instalments, interest_rate_apr: rate, ..TermsPatch::default() };
        let terms = patch.over(&self.terms, self.amount.currency()).map_err(|refusal| pointers.refusal(&refusal))?;
        Ok(Self { terms, ..self })
    }

    /// Checks the product's limits.
    ///
    /// # Errors
    ///
    /// An invalid field, naming each field that is outside.
    fn within_limits(self, pointers: Pointers) -> Result<Self, Refusal> {
        if !self.product.active {
            let detail = format!("{} is no longer open for applications", self.product.code);
            return Err(Refusal::field("/product", "product_not_active", detail));
        }
        let errors: Vec<FieldError> = self.product.broken_limits(self.amount, &self.terms, pointers.limits());
        if errors.is_empty() { Ok(self) } else { Err(Refusal::Invalid(errors)) }
    }

    fn figures(&self, on: Date, pointers: Pointers) -> Result<ScheduleFigures, Refusal> {
        let schedule = loan::projection(self.amount, on, &self.terms);
        schedule.map(|schedule| ScheduleFigures::from(&schedule)).map_err(|refusal| pointers.refusal(&refusal))
    }
}

/// A new application.
///
/// # Errors
///
/// An invalid field for anything the product does not allow, or if there is no schedule for it.
pub fn create(
    (borrower, pay_ref): (Borrower, PayRef),
    proposal: Proposal,
    by: Uuid,
    agent_id: Option<Uuid>,
    at: Moment<'_>,
    pointers: Pointers,
) -> Result<Loan, Refusal> {
    let proposal = proposal.within_limits(pointers)?;
    let figures = proposal.figures(at.today, pointers)?;
    let Proposal { amount, product, product_version, terms } = proposal;
    Ok(Loan {
        id: Uuid::now_v7(),
        pay_ref,
        borrower_id: borrower.id,
        borrower_username: borrower.username,
        agent_id,
        product: product.code,
        product_version,
        amount,
        terms,
        figures,
        disbursed_on: None,
        outstanding: Money::zero(amount.currency()),
        accruing: None,
        written_off: Money::zero(amount.currency()),
        owed: Vec::new(),
        held: Vec::new(),
        penalties: Vec::new(),
        oldest_unpaid_due_on: None,
        status: LoanStatus::Pending,
        version: Version(1),
        version_on: at.today,
        created_by: by,
        edited_by: by,
        created_at: at.now,
        edited_at: None,
        updated_at: at.now,
        decision: None,
        agents_before: Vec::new(),
        names: Names::default(),
    })
}

/// The loan's next version, with its figures as of today. If the first due date of its terms has passed, there is no
/// schedule from today on, and it keeps its figures: the right to decide or withdraw must not depend on that.
fn next(loan: &Loan, status: LoanStatus, at: Moment<'_>) -> Loan {
    let (figures, version_on) = match loan::projection(loan.amount, at.today, &loan.terms) {
        Ok(schedule) => (ScheduleFigures::from(&schedule), at.today),
        Err(_) => (loan.figures, loan.version_on),
    };
    Loan {
        figures,
        status,
        version: loan.version.next(),
        version_on,
        // Two clocks may differ by a little; time goes forward all the same.
        updated_at: at.now.max(loan.updated_at),
        ..loan.clone()
    }
}

/// Requires a loan whose proposal may still change.
///
/// # Errors
///
/// A conflict if it may not.
pub fn editable(loan: &Loan) -> Result<(), Refusal> {
    let states = [LoanStatus::Pending, LoanStatus::Rejected];
    require_state(loan, &states, "not_editable", "Only a pending or rejected loan can be edited")
}

/// A new proposal in place of the old one, by an agent, who becomes the loan's where it has none; a rejected loan
/// becomes pending again. `None` if nothing changes.
///
/// # Errors
///
/// An invalid field for anything the product does not allow, or if there is no schedule for it.
pub fn edit(
    loan: &Loan,
    proposal: Proposal,
    by: Uuid,
    at: Moment<'_>,
    pointers: Pointers,
) -> Result<Option<Loan>, Refusal> {
    let same = (proposal.amount, &proposal.product.code, &proposal.terms) == (loan.amount, &loan.product, &loan.terms);
    if same && loan.status == LoanStatus::Pending {
        return Ok(None);
    }
    resubmit(loan, proposal, by, at, pointers).map(Some)
}

/// Restores the proposal of an earlier version, within the present limits of the product.
///
/// # Errors
///
/// An invalid field if the product no longer allows it, or there is no schedule for it now.
pub fn revert(loan: &Loan, earlier: LoanState, product: Product, by: Uuid, at: Moment<'_>) -> Result<Loan, Refusal> {
    let pointers = Pointers { instalments: "/version" };
    let LoanState { amount, product_version, terms, .. } = earlier;
    resubmit(loan, Proposal { amount, product, product_version, terms }, by, at, pointers)
}

fn resubmit(loan: &Loan, proposal: Proposal, by: Uuid, at: Moment<'_>, pointers: Pointers) -> Result<Loan, Refusal> {
    let proposal = proposal.within_limits(pointers)?;
    proposal.figures(at.today, pointers)?;
    let Proposal { amount, product, product_version, terms } = proposal;
    let product = product.code;
    // From now on a customer's own application belongs to the agent who changes it.
    let agent_id = loan.agent_id.or(Some(by));
    let changed =
        Loan { agent_id, amount, product, product_version, terms, edited_by: by, decision: None, ..loan.clone() };
    let next = next(&changed, LoanStatus::Pending, at);
    Ok(Loan { edited_at: Some(next.updated_at), ..next })
}

/// An agent puts the customer's own pending application before the admin.
///
/// # Errors
///
/// A conflict if it is not pending, or has an agent.
pub fn forward(loan: &Loan, agent: Uuid, at: Moment<'_>) -> Result<Loan, Refusal> {
    pending(loan)?;
    if loan.agent_id.is_some() {
        let detail = "An agent has this application already.";
        return Err(Refusal::conflict("already_forwarded", detail));
    }
    Ok(Loan { agent_id: Some(agent), ..next(loan, LoanStatus::Pending, at) })
}

/// An admin approves or rejects a pending application.
///
/// # Errors
///
/// Forbidden for who made or last changed it, a conflict if it is not pending.
pub fn decide(
    loan: &Loan,
    verdict: LoanStatus,
    by: Uuid,
    reason: Option<String>,
    at: Moment<'_>,
) -> Result<Loan, Refusal> {
    if by == loan.created_by || by == loan.edited_by {
        return Err(Refusal::own_application());
    }
    pending(loan)?;
    let next = next(loan, verdict, at);
    Ok(Loan { decision: Some(Decision { by, at: next.updated_at, reason }), ..next })
}

/// The customer, or the loan's agent, takes the application back.
///
/// # Errors
///
/// Forbidden for another agent, a conflict if it is neither pending nor approved.
pub fn withdraw(loan: &Loan, caller: &Caller, at: Moment<'_>) -> Result<Loan, Refusal> {
    if caller.role == Role::Agent && loan.agent_id != Some(caller.id) {
        return Err(Refusal::forbidden("not_the_loans_agent", "Only the loan's own agent may withdraw it."));
    }
    let states = [LoanStatus::Pending, LoanStatus::Approved];
    require_state(loan, &states, "not_withdrawable", "Only a pending or approved loan can be withdrawn")?;
    Ok(next(loan, LoanStatus::Withdrawn, at))
}

/// An admin takes an approval back.
///
/// # Errors
///
/// A conflict if the loan is not approved.
pub fn undo_approval(loan: &Loan, at: Moment<'_>) -> Result<Loan, Refusal> {
    require_state(loan, &[LoanStatus::Approved], "not_approved", "Only an approved loan's approval can be undone")?;
    Ok(Loan { decision: None, ..next(loan, LoanStatus::Pending, at) })
}

fn pending(loan: &Loan) -> Result<(), Refusal> {
    require_state(loan, &[LoanStatus::Pending], "not_pending", "Only a pending loan allows this")
}

/// Requires the loan to be in one of these states.
fn require_state(loan: &Loan, states: &[LoanStatus], code: &'static str, rule: &str) -> Result<(), Refusal> {
    if states.contains(&loan.status) {
        return Ok(());
    }
    Err(Refusal::conflict(code, format!("{rule}; this one is {}.", loan.status.as_str())))
}
