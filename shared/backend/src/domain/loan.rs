//! A loan, and the figures of its schedule.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp, civil::Date};
use lending::{Accruing, Money, Schedule, Terms};
use uuid::Uuid;

use crate::{
    domain::{refusal::Refusal, users::Role},
    values::{names::Names, pay_ref::PayRef, version::Version, words::words},
};

words! {
    /// Where a loan stands.
    LoanStatus {
        /// Applied for; waits for a decision.
        Pending = "pending",
        /// Granted, not paid out yet.
        Approved = "approved",
        /// Turned down.
        Rejected = "rejected",
        /// Taken back by the customer or the agent.
        Withdrawn = "withdrawn",
        /// Paid out; being repaid.
        Disbursed = "disbursed",
        /// Nothing is owed any longer.
        Repaid = "repaid",
        /// Written off.
        Defaulted = "defaulted",
    }
}

impl LoanStatus {
    /// True if money has been paid out.
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

/// A loan as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Loan {
    /// Names the loan.
    pub id: Uuid,
    /// The account number a borrower types to pay.
    pub pay_ref: PayRef,
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
    /// The amount lent; its currency is the loan's.
    pub amount: Money,
    /// The complete terms.
    pub terms: Terms,
    /// Figures of the schedule: see [`Loan::figures_on`].
    pub figures: ScheduleFigures,
    /// The interest that moves with the day, where it follows the balance of each day and is not over.
    pub accruing: Option<Accruing>,
    /// When it was paid out, if it was.
    pub disbursed_on: Option<Date>,
    /// Principal outstanding; zero before disbursement.
    pub outstanding: Money,
    /// Overpayments held: the amount from each day on, while anything is held or will pay a charge.
    pub held: Vec<Due>,
    /// Principal that a write-off gave up.
    pub written_off: Money,
    /// Unpaid principal, interest and fees by due date, past and future, the oldest first.
    pub owed: Vec<Due>,
    /// Unpaid penalties by due date, including the late fees that will arise if nothing is paid.
    pub penalties: Vec<Due>,
    /// The due date of the oldest instalment that is partly unpaid: a charge is late with its instalment.
    pub oldest_unpaid_due_on: Option<Date>,
    /// Where it stands.
    pub status: LoanStatus,
    /// Changes with every step of the application.
    pub version: Version,
    /// The business date of that version.
    pub version_on: Date,
    /// Who applied.
    pub created_by: Uuid,
    /// Who last changed the proposal.
    pub edited_by: Uuid,
    /// When it was applied for.
    pub created_at: Timestamp,
    /// When the proposal last changed, if it has since it was made.
    pub edited_at: Option<Timestamp>,
    /// When it last changed, by a step or by money.
    pub updated_at: Timestamp,
    /// Who decided, if someone has.
    pub decision: Option<Decision>,
    /// The agents before the present one, oldest first; empty until the loan is assigned.
    pub agents_before: Vec<AgentBefore>,
    /// The names that the lender's other systems have for the loan.
    pub names: Names,
}

/// An earlier agent of a loan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentBefore {
    /// When the loan was assigned to the next one.
    pub until: Timestamp,
    /// The agent; `None` if the loan had none until then.
    pub agent: Option<Uuid>,
}

/// An amount of a day: the unpaid part of what falls due then, or the amount held from then on.
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

/// The sums of a schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScheduleFigures {
    /// The equal instalment, or the first one.
    pub instalment: Money,
    /// Interest of all rows.
    pub total_interest: Money,
    /// The total of all rows.
    pub total_due: Money,
}

impl From<&Schedule> for ScheduleFigures {
    fn from(schedule: &Schedule) -> Self {
        let Schedule { instalment, total_interest, total_due, .. } = *schedule;
        Self { instalment, total_interest, total_due }
    }
}

impl ScheduleFigures {
    /// The same with the interest as of a day.
    #[must_use]
    pub fn accrued(self, accruing: &Accruing, on: Date) -> Self {
        let total_interest = accruing.total_interest(on, self.total_interest);
        let total_due =
            self.total_due.checked_sub(self.total_interest).and_then(|rest| rest.checked_add(total_interest));
        Self { total_interest, total_due: total_due.unwrap_or(self.total_due), ..self }
    }
}

/// The schedule as if disbursed on a day. A first due date that has passed by then is ignored: a disbursement has to
/// give another.
///
/// # Errors
///
/// When there is no schedule: see [`lending::schedule`].
pub fn projection(amount: Money, on: Date, terms: &Terms) -> Result<Schedule, lending::Refusal> {
    lending::schedule(amount, on, &terms.clone().disbursed_on(on))
}

impl Loan {
    /// The schedule: from the disbursement or, before it, as if disbursed on the date of the loan's version.
    ///
    /// # Errors
    ///
    /// When there is no schedule: see [`lending::schedule`]. Stored terms have one.
    pub fn schedule(&self) -> Result<Schedule, lending::Refusal> {
        projection(self.amount, self.disbursed_on.unwrap_or(self.version_on), &self.terms)
    }

    /// The figures on a day. Where interest follows the balance of each day, those stored are as of the last
    /// transaction.
    #[must_use]
    pub fn figures_on(&self, today: Date) -> ScheduleFigures {
        self.accruing.as_ref().map_or(self.figures, |accruing| self.figures.accrued(accruing, today))
    }

    /// The overpayment held on a day.
    #[must_use]
    pub fn held_on(&self, today: Date) -> Money {
        let step = self.held.iter().rev().find(|step| step.on <= today);
        step.map_or(Money::zero(self.amount.currency()), |step| step.amount)
    }

    /// When the proposal last changed.
    #[must_use]
    pub fn edited_at(&self) -> Timestamp {
        self.edited_at.unwrap_or(self.created_at)
    }

    /// The loan, assigned to another agent: from an instant on that is later than all that is known of it, whatever two
    /// clocks say.
    ///
    /// # Errors
    ///
    /// A defect if there is no later instant.
    pub fn assigned(&self, agent: Uuid, now: Timestamp) -> Result<Self, Refusal> {
        let next = self.updated_at.checked_add(SignedDuration::from_micros(1)).map_err(Refusal::defect)?;
        let until = now.max(next);
        let mut agents_before = self.agents_before.clone();
        agents_before.push(AgentBefore { until, agent: self.agent_id });
        Ok(Self { agent_id: Some(agent), agents_before, updated_at: until, ..self.clone() })
    }

    /// The agent of the loan at an instant. Money recorded then counts for that agent.
    #[must_use]
    pub fn agent_at(&self, at: Timestamp) -> Option<Uuid> {
        self.agents_before.iter().find(|before| at < before.until).map_or(self.agent_id, |before| before.agent)
    }

    /// The first agent of the loan. The application counts for that agent.
    #[must_use]
    pub fn first_agent(&self) -> Option<Uuid> {
        self.agents_before.iter().find_map(|before| before.agent).or(self.agent_id)
    }

    /// True if the loan is approved, or was until money moved or it was withdrawn.
    #[must_use]
    pub fn was_approved(&self) -> bool {
        // A withdrawn loan keeps its approval; a rejected loan cannot be withdrawn.
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
}

/// The loans that a caller may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everybody's.
    All,
    /// Those of this borrower.
    Borrower(Uuid),
}

impl Scope {
    /// The loans that a user of this role may see.
    #[must_use]
    pub const fn of(role: Role, user: Uuid) -> Self {
        match role {
            Role::Customer => Self::Borrower(user),
            Role::Agent | Role::Admin => Self::All,
        }
    }

    pub(crate) fn borrower(self) -> Option<Uuid> {
        match self {
            Self::All => None,
            Self::Borrower(id) => Some(id),
        }
    }
}

/// Who may borrow: an active customer.
#[derive(Clone, Debug)]
pub struct Borrower {
    /// The user's id.
    pub id: Uuid,
    /// The user's name.
    pub username: String,
}

/// How many applications are pending.
#[derive(Clone, Copy, Debug)]
pub struct Pending(pub(crate) i64);

impl Pending {
    /// # Errors
    ///
    /// A conflict if the borrower has as many as allowed.
    pub fn room(self, most: u32) -> Result<(), Refusal> {
        if self.0 < i64::from(most) {
            return Ok(());
        }
        let detail = format!("A borrower has at most {most} pending applications at once.");
        Err(Refusal::conflict("too_many_pending", detail))
    }
}
