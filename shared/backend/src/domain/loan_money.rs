//! A loan's money on a day: the loan's row as computed from its transactions.

use jiff::{Timestamp, civil::Date};
use lending::{Conflict, ConflictReason, Contract, Event, Money, Outlook, Owed, Standing, State};

use crate::domain::{
    loan::{self, Due, Loan, LoanStatus, ScheduleFigures},
    portfolio::ApplicationStep,
    refusal::Refusal,
    transaction::Transaction,
};

impl Loan {
    /// The amount and the terms agreed.
    #[must_use]
    pub fn contract(&self) -> Contract {
        Contract { amount: self.amount, terms: self.terms.clone() }
    }

    /// Requires a loan for which money can be recorded.
    ///
    /// # Errors
    ///
    /// A conflict if it was not paid out.
    pub fn disbursed(&self) -> Result<(), Refusal> {
        if self.status.is_disbursed() {
            return Ok(());
        }
        let detail = format!("The loan is not disbursed; it is {}.", self.status.as_str());
        Err(Refusal::conflict("not_disbursed", detail))
    }

    /// Requires a loan that was not written off.
    ///
    /// # Errors
    ///
    /// A conflict if it was written off.
    pub(super) fn not_written_off(&self) -> Result<(), Refusal> {
        if self.status != LoanStatus::Defaulted {
            return Ok(());
        }
        let reason = ConflictReason::AlreadyWrittenOff;
        Err(Refusal::conflict(reason.code(), format!("It cannot be recorded: {reason}.")))
    }

    /// Requires a loan with something still owed.
    ///
    /// # Errors
    ///
    /// A conflict if it is repaid or was written off.
    pub fn not_closed(&self) -> Result<(), Refusal> {
        self.not_written_off()?;
        if self.status != LoanStatus::Repaid {
            return Ok(());
        }
        let reason = ConflictReason::NothingToReschedule;
        Err(Refusal::conflict(reason.code(), format!("It cannot be recorded: {reason}.")))
    }

    /// Requires a loan that can be paid out.
    ///
    /// # Errors
    ///
    /// A conflict if it was paid out already, or is not approved.
    pub fn disbursable(&self) -> Result<(), Refusal> {
        match self.status {
            LoanStatus::Approved => Ok(()),
            LoanStatus::Disbursed | LoanStatus::Repaid | LoanStatus::Defaulted => {
                Err(Refusal::conflict("already_disbursed", "The loan is disbursed already."))
            }
            status @ (LoanStatus::Pending | LoanStatus::Rejected | LoanStatus::Withdrawn) => {
                let detail = format!("Only an approved loan can be disbursed; this one is {}.", status.as_str());
                Err(Refusal::conflict("not_approved", detail))
            }
        }
    }
}

pub(super) fn event_of(transaction: &Transaction) -> Event {
    transaction.event.clone()
}

/// Today, or the last value date if that is later.
pub(super) fn last_day(events: &[Event], today: Date) -> Date {
    events.iter().map(|event| event.on).fold(today, Date::max)
}

/// The loan as computed from its transactions and the steps of its application, whatever its row says: for the
/// consistency check.
///
/// # Errors
///
/// A defect if the transactions cannot stand.
pub fn recompute(
    loan: &Loan,
    transactions: &[Transaction],
    steps: &[ApplicationStep],
    today: Date,
) -> Result<Loan, Refusal> {
    let events: Vec<Event> = transactions.iter().map(event_of).collect();
    let last = last_day(&events, today);
    let money = LoanMoney::of(&loan.contract(), &events, last, Timestamp::MAX).map_err(Refusal::defect)?;
    let applied = steps.last().map_or(loan.status, |step| step.status);
    Ok(money.apply(loan.clone(), applied))
}

/// The state of a loan's money at the end of a day, and its future if nothing is paid.
pub(super) struct LoanMoney {
    pub(super) contract: Contract,
    pub(super) state: State,
    pub(super) outlook: Outlook,
}

impl LoanMoney {
    pub(super) fn of(
        contract: &Contract,
        events: &[Event],
        as_of: Date,
        known_at: Timestamp,
    ) -> Result<Self, Conflict> {
        let (state, outlook) = lending::fold_on(contract, events, as_of, known_at)?;
        Ok(Self { contract: contract.clone(), state, outlook })
    }

    /// The loan with the effects of its money; `undisbursed` is its status if there are none.
    pub(super) fn apply(&self, loan: Loan, undisbursed: LoanStatus) -> Loan {
        let status = match self.outlook.standing {
            Standing::Approved => undisbursed,
            Standing::Disbursed => LoanStatus::Disbursed,
            Standing::Repaid => LoanStatus::Repaid,
            Standing::Defaulted => LoanStatus::Defaulted,
        };
        let is_disbursed = status == LoanStatus::Disbursed;
        let owed = |of: fn(&Owed) -> Option<Money>| if is_disbursed { dues(&self.outlook, of) } else { Vec::new() };
        Loan {
            figures: self.figures(&loan),
            accruing: self.outlook.accruing.clone().filter(|_| is_disbursed),
            disbursed_on: self.state.disbursed_on,
            outstanding: self.state.unpaid.principal,
            held: self.held(),
            written_off: self.state.written_off.principal,
            // Held money pays a charge on its due date, and the borrower is not asked to pay it.
            owed: owed(|Owed { unpaid, .. }| unpaid.principal.checked_add(unpaid.interest)?.checked_add(unpaid.fees)),
            penalties: owed(|owed| Some(owed.unpaid.penalties)),
            oldest_unpaid_due_on: self.outlook.oldest_unpaid_due_on.filter(|_| is_disbursed),
            status,
            ..loan
        }
    }

    /// The amounts held, each from a day on: from the last value date, shown with the day of the disbursement, and from
    /// each later day on which a charge takes some of it.
    fn held(&self) -> Vec<Due> {
        let Self { state, outlook, .. } = self;
        let last = state.transactions.iter().map(|transaction| transaction.on).max();
        let later = || outlook.applied.iter().filter(move |applied| Some(applied.on) > last);
        let taken = |on: Option<Date>| {
            later().filter(move |applied| Some(applied.on) > on).map(|applied| applied.shares.overpayment)
        };
        // The amount held in the end, plus the amounts taken of it since.
        let from = |on| taken(on).try_fold(outlook.overpayment, Money::checked_sub);
        let first = state.disbursed_on.filter(|_| later().next().is_some() || !outlook.overpayment.is_zero());
        let first = first.and_then(|on| Some(Due { on, amount: from(last)? }));
        let steps = later().filter_map(|it| Some(Due { on: it.on, amount: from(Some(it.on))? }));
        first.into_iter().chain(steps).collect()
    }

    /// The sums of the rows; before the disbursement, as if disbursed on the day of the loan's version.
    fn figures(&self, loan: &Loan) -> ScheduleFigures {
        let Contract { amount, terms } = &self.contract;
        if self.state.disbursed_on.is_none() {
            let schedule = loan::projection(*amount, loan.version_on, terms);
            return schedule.map_or(loan.figures, |schedule| ScheduleFigures::from(&schedule));
        }
        let figures = ScheduleFigures {
            instalment: self.state.instalment,
            total_interest: self.state.totals.interest,
            total_due: self.state.total_due,
        };
        self.outlook.accruing.as_ref().map_or(figures, |accruing| figures.accrued(accruing, accruing.since))
    }
}

/// The amounts unpaid in the end, by due date.
fn dues(outlook: &Outlook, of: impl Fn(&Owed) -> Option<Money>) -> Vec<Due> {
    let due = |owed: &Owed| of(owed).filter(|amount| !amount.is_zero()).map(|amount| Due { on: owed.due_on, amount });
    outlook.owed.iter().filter_map(due).collect()
}
