//! A loan as of a business date, from what was recorded by an instant.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use lending::{ConflictReason, Contract, Event, Settlement, Standing, State};

use crate::{
    domain::{
        loan::{self, Decision, Loan, ScheduleFigures},
        loan_history::{Action, HistoryEntry},
        loan_money::{LoanMoney, event_of},
        refusal::Refusal,
        transaction::Transaction,
    },
    values::moment::Moment,
};

/// The day and the knowledge that a question is about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    /// The business date; today if absent. A later date brings no further transactions.
    pub as_of: Option<Date>,
    /// Only transactions recorded by then count; all if absent.
    pub known_at: Option<Timestamp>,
}

/// How long after an instant a transaction recorded by then may still commit, allowing for clocks that differ.
const STILL_COMMITTING: SignedDuration = SignedDuration::from_secs(120);

/// True if a transaction recorded by this instant may still commit.
pub(crate) fn may_grow(known_at: Timestamp) -> bool {
    known_at.duration_until(Timestamp::now()) < STILL_COMMITTING
}

/// The loan as of a business date, from transactions recorded by an instant.
pub struct LoanAsOf {
    /// The loan as it then was.
    pub loan: Loan,
    /// The state of its money.
    pub state: State,
    /// The day.
    pub as_of: Date,
    /// The instant.
    pub known_at: Timestamp,
    pub(crate) transactions: Vec<Transaction>,
}

impl LoanAsOf {
    /// From the rows that `store::loan_as_of` reads. They exist: a missing loan, or one the caller may not see, is
    /// refused before.
    ///
    /// # Errors
    ///
    /// An invalid field for a `known_at` in the future; not found for a day or an instant before the loan existed.
    pub fn new(
        loan: Loan,
        versions: &[HistoryEntry],
        transactions: Vec<Transaction>,
        reading: Reading,
        at: Moment<'_>,
        zone: &TimeZone,
    ) -> Result<Self, Refusal> {
        if reading.known_at.is_some_and(|known_at| known_at > at.now) {
            return Err(Refusal::field("/known_at", "in_the_future", "must not be in the future"));
        }
        let as_of = reading.as_of.unwrap_or(at.today);
        let last = transactions.last().map_or(at.now, |last| last.event.recorded_at.max(at.now));
        let known_at = reading.known_at.unwrap_or(last);
        let date = |instant: Timestamp| zone.to_datetime(instant).date();

        // A version that the loan does not have does not count.
        let is_known = |step: &&HistoryEntry| step.at.0 <= known_at && step.version <= loan.version;
        let known = &versions[..versions.iter().take_while(is_known).count()];
        let current = known.last().ok_or_else(|| Refusal::NotFound)?;
        // Asked about before its disbursement, a loan follows the newest version of its calendar.
        let terms = loan.terms.clone().with_calendar(current.state.terms.known_calendar().cloned());
        let loan = Loan { terms, ..loan };
        // The contract is the loan's; its history only has the earlier ones.
        let contract = if current.version == loan.version {
            loan.contract()
        } else {
            Contract { amount: current.state.amount, terms: current.state.terms.clone() }
        };
        let events: Vec<Event> = transactions.iter().map(event_of).collect();
        let position = LoanMoney::of(&contract, &events, as_of, known_at).map_err(Refusal::defect)?;
        // A transaction shows that the loan exists even before its application was entered.
        let steps = match position.state.standing {
            Standing::Approved => known.iter().take_while(|version| date(version.at.0) <= as_of).count(),
            Standing::Disbursed | Standing::Repaid | Standing::Defaulted => known.len(),
        };
        let loan = of_version(loan, &known[..steps], zone)?;
        let counted = transactions.iter().filter(|it| it.event.on <= as_of && it.event.recorded_at <= known_at);
        let moved_at = counted.map(|transaction| transaction.event.recorded_at).max();
        let loan = Loan { updated_at: moved_at.map_or(loan.updated_at, |at| at.max(loan.updated_at)), ..loan };
        let status = loan.status;
        let loan = position.apply(loan, status);
        Ok(Self { loan, state: position.state, as_of, known_at, transactions })
    }

    /// The amount that closes the loan on a day.
    ///
    /// # Errors
    ///
    /// A conflict if it is not disbursed, an invalid field for a day before the disbursement.
    pub fn settlement(&self, on: Date) -> Result<Settlement, Refusal> {
        self.loan.disbursed()?;
        let events: Vec<Event> =
            self.transactions.iter().map(event_of).filter(|event| event.on <= self.as_of).collect();
        let settlement = lending::settlement(&self.loan.contract(), &events, on, self.known_at);
        settlement.map_err(Refusal::defect)?.ok_or_else(|| {
            Refusal::rule(
                "/on",
                ConflictReason::BeforeDisbursement.code(),
                ConflictReason::BeforeDisbursement.to_string(),
            )
        })
    }
}

/// The loan as it was after the last of these steps of its application.
fn of_version(loan: Loan, steps: &[HistoryEntry], zone: &TimeZone) -> Result<Loan, Refusal> {
    let last = steps.last().ok_or_else(|| Refusal::NotFound)?;
    if last.version == loan.version && !loan.status.is_disbursed() {
        return Ok(Loan { agent_id: last.state.agent_id, updated_at: last.at.0, ..loan });
    }
    let mut decision = None;
    for step in steps {
        decision = match step.action {
            Action::Approve | Action::Reject => {
                Some(Decision { by: step.by, at: step.at.0, reason: step.reason.clone() })
            }
            Action::Withdraw | Action::Assign => decision,
            Action::Create | Action::Edit | Action::Forward | Action::Revert | Action::UndoApproval => None,
        };
    }
    let is_edit = |step: &&HistoryEntry| matches!(step.action, Action::Create | Action::Edit | Action::Revert);
    let edit = steps.iter().rfind(is_edit).ok_or_else(|| Refusal::NotFound)?;
    let state = &last.state;
    let applied_for = if last.version == loan.version {
        loan
    } else {
        Loan {
            product: state.product.clone(),
            product_version: state.product_version,
            amount: state.amount,
            terms: state.terms.clone(),
            ..loan
        }
    };
    // A step taken when there was no longer a schedule kept the figures of the one before.
    let dates = steps.iter().rev().map(|step| zone.to_datetime(step.at.0).date());
    let mut dates = dates.filter(|date| loan::projection(applied_for.amount, *date, &applied_for.terms).is_ok());
    Ok(Loan {
        agent_id: state.agent_id,
        figures: ScheduleFigures {
            instalment: state.instalment,
            total_interest: state.total_interest,
            total_due: state.total_due,
        },
        status: state.status,
        version: last.version,
        version_on: dates.next().unwrap_or(applied_for.version_on),
        edited_by: edit.by,
        edited_at: Some(edit.at.0),
        updated_at: last.at.0,
        decision,
        ..applied_for
    })
}
