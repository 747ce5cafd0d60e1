//! Transactions of a loan: which may be recorded, and their effects on the loan's row, the journal and the figures.
//! Pure: decided on rows that were read, by the crate `lending`. [`Recorded`] holds the effects; `store::servicing`
//! makes its statements, `views::transaction` its answer.

use jiff::{SignedDuration, Timestamp, civil::Date};
use lending::{Change, Conflict, ConflictReason, Event, EventId, EventKind, JournalEntry, State};
use uuid::Uuid;

use crate::{
    domain::{
        ledger::{self, LedgerAccount},
        loan::{Loan, LoanStatus},
        loan_money::{LoanMoney, event_of, last_day},
        portfolio::{self, ApplicationStep, LoanInPortfolio},
        refusal::Refusal,
        transaction::{Notes, Transaction},
    },
    values::moment::Moment,
};

/// A locked loan with its transactions and steps.
pub struct LockedLoan {
    /// The loan.
    pub loan: Loan,
    /// The recorded transactions, in the order of recording.
    pub transactions: Vec<Transaction>,
    /// The steps of its application.
    pub steps: Vec<ApplicationStep>,
}

/// A transaction to be recorded.
#[derive(Clone, Debug)]
pub struct NewTransaction {
    /// The event.
    pub kind: EventKind,
    /// The business date from which it counts.
    pub on: Date,
    /// The words written about it.
    pub notes: Notes,
}

/// An accepted transaction with its effects. `writes` is in `store::servicing`, `view` in `views::transaction`.
pub struct Recorded {
    /// The loan as it now is.
    pub loan: Loan,
    /// All transactions, the new one last.
    pub(crate) transactions: Vec<Transaction>,
    pub(crate) state: State,
    pub(crate) entries: Vec<JournalEntry<LedgerAccount>>,
    steps: Vec<ApplicationStep>,
    /// The change of the figures of the portfolio.
    pub(crate) figures: portfolio::PortfolioDelta,
}

impl LockedLoan {
    /// The value date of a charge that is recorded today: see [`lending::levied_on`]. A charge that fell due by the day
    /// of a write-off is entered late, like a payment or a waiver of an earlier day.
    ///
    /// # Errors
    ///
    /// A conflict for a charge that falls due after a write-off; a defect if the loan cannot be folded.
    pub fn levied_on(&self, due_on: Date, today: Date) -> Result<Date, Refusal> {
        let events: Vec<Event> = self.transactions.iter().map(event_of).collect();
        let state = lending::fold(&self.loan.contract(), &events, today, Timestamp::MAX).map_err(Refusal::defect)?;
        if state.written_off_on.is_some_and(|written_off_on| due_on > written_off_on) {
            self.loan.not_written_off()?;
        }
        Ok(lending::levied_on(due_on, today, &events, &state.rows))
    }
}

/// The most transactions of a loan, not counting reversals (at most one for each): each command folds all of them.
pub const MAX_TRANSACTIONS: usize = 10_000;

/// The most transactions times instalments of a loan: the work of a command.
pub const MAX_WORK: usize = 1_500_000;

/// Records a transaction. `on` is where the request has its date, for errors.
///
/// # Errors
///
/// An invalid field, at its place, for a broken rule; a conflict if the loan's state does not allow it, if it has as
/// many transactions as allowed ([`MAX_TRANSACTIONS`]), or if a transaction recorded before could no longer stand.
pub fn record(
    locked: LockedLoan,
    new: NewTransaction,
    by: Uuid,
    at: Moment<'_>,
    on: &'static str,
) -> Result<Recorded, Refusal> {
    let LockedLoan { loan, mut transactions, steps } = locked;
    // A mistaken record can always be reversed.
    let is_reversal = matches!(new.kind, EventKind::Reversal { .. });
    if !is_reversal && transactions.len() >= MAX_TRANSACTIONS {
        let detail = format!("A loan has at most {MAX_TRANSACTIONS} transactions.");
        return Err(Refusal::conflict("too_many_transactions", detail));
    }
    let contract = loan.contract();
    let rows = contract.terms.instalments() as usize;
    if !is_reversal && (transactions.len() + 1).saturating_mul(rows) > MAX_WORK {
        let detail = format!("A loan has at most {MAX_WORK} instalments times transactions.");
        return Err(Refusal::conflict("too_many_transactions", detail));
    }
    // Later than everything known of the loan, whatever two clocks say.
    let next_instant = loan.updated_at.checked_add(SignedDuration::from_micros(1)).map_err(Refusal::defect)?;
    let recorded_at = at.now.max(next_instant);
    let id = EventId(Uuid::now_v7().as_u128());
    let NewTransaction { kind, on: value_date, notes } = new;
    // The newest version, read with the lock.
    let kind = kind.with_calendar(contract.terms.known_calendar().cloned());
    let is_disbursement = matches!(kind, EventKind::Disbursement { .. });
    let amount = if is_disbursement { Some(loan.amount) } else { kind.amount() };
    let event = Event { id, on: value_date, recorded_at, kind };
    let known = transactions.len();
    let mut events: Vec<Event> = transactions.iter().map(event_of).collect();
    let last = last_day(&events, at.today.max(value_date));
    let changed = lending::change(&contract, &events, &event, last);
    events.push(event.clone());
    transactions.push(Transaction { event, amount, paid_out: None, recorded_by: by, notes });

    let refused = |conflict: Conflict| {
        // The earlier transactions could stand before, so a failure now is due to the new one.
        match lending::fold(&contract, &events[..known], last, Timestamp::MAX) {
            Ok(_) => refusal(&conflict, id, &transactions, on),
            Err(defect) => Refusal::defect(defect),
        }
    };
    let Change { before, after: follows, state, outlook } = changed.map_err(refused)?;
    let money = LoanMoney { contract, state, outlook };
    if let Some(new) = transactions.last_mut() {
        let folded = money.state.transaction(id);
        new.paid_out = new.notes.less_settled(folded.and_then(|folded| folded.paid_out))?;
        if matches!(new.event.kind, EventKind::WriteOff | EventKind::Reschedule { .. }) {
            new.amount = folded.map(|folded| folded.amount);
        }
    }
    let from = Some(value_date);
    let follow = ledger::through_accounts(&follows.postings, &transactions, from);
    let entries =
        lending::journal_entries(&follow, &ledger::through_accounts(&before.postings, &transactions[..known], from));
    let after = money.apply(Loan { updated_at: recorded_at, ..loan.clone() }, LoanStatus::Approved);
    let part = LoanInPortfolio {
        loan: &loan,
        steps: &steps,
        exposures: &before.exposures,
        transactions: &transactions[..known],
    };
    let new_part = LoanInPortfolio { loan: &after, exposures: &follows.exposures, transactions: &transactions, ..part };
    let figures = portfolio::PortfolioDelta::between(part, new_part, at);
    Ok(Recorded { loan: after, transactions, state: money.state, entries, steps, figures })
}

impl Recorded {
    /// Names the new transaction.
    #[must_use]
    pub fn transaction(&self) -> Uuid {
        self.transactions.last().map_or_else(Uuid::nil, Transaction::id)
    }

    /// Its event.
    #[must_use]
    pub fn event(&self) -> Option<&Event> {
        self.transactions.last().map(|new| &new.event)
    }

    /// The loan and its books after the write, for the next transaction.
    #[must_use]
    pub fn into_locked(self) -> LockedLoan {
        LockedLoan { loan: self.loan, transactions: self.transactions, steps: self.steps }
    }
}

/// A conflict as a refusal: of the new transaction, at its field; or because of an older one.
fn refusal(conflict: &Conflict, new: EventId, transactions: &[Transaction], on: &'static str) -> Refusal {
    let Conflict { event, reason } = conflict;
    if *event != new {
        let id = Uuid::from_u128(event.0);
        let older = transactions.iter().find(|transaction| transaction.event.id == *event);
        let date = older.map_or_else(String::new, |older| format!(" of {}", older.event.on));
        let detail = format!("The transaction {id}{date} could no longer stand: {reason}.");
        return Refusal::conflict_with(id, "later_event_depends_on_it", detail);
    }
    if reason.is_of_state() {
        return Refusal::conflict(reason.code(), format!("It cannot be recorded: {reason}."));
    }
    let pointer = match reason {
        ConflictReason::NotPositive
        | ConflictReason::TooLarge
        | ConflictReason::OtherCurrency
        | ConflictReason::AboveUnpaid { .. }
        | ConflictReason::AboveHeld { .. } => "/amount",
        ConflictReason::NotADueDate => "/from",
        ConflictReason::NotAfterDueDateBefore => "/first_due_on",
        ConflictReason::InstalmentsOutOfRange => "/instalments",
        ConflictReason::Schedule(refusal) => {
            let pointer = match refusal.pointer() {
                pointer @ ("/instalments" | "/interest_rate_apr" | "/first_due_on") if on == "/from" => pointer,
                _ => on,
            };
            return Refusal::rule(pointer, refusal.code(), refusal.to_string());
        }
        // Wrong for its date, or for the state: refused above.
        ConflictReason::NotDisbursed
        | ConflictReason::AlreadyDisbursed
        | ConflictReason::BeforeDisbursement
        | ConflictReason::AlreadyWrittenOff
        | ConflictReason::DateOutOfRange
        | ConflictReason::NothingToWriteOff
        | ConflictReason::NothingToReschedule
        | ConflictReason::UnknownEvent
        | ConflictReason::ReversalOfReversal
        | ConflictReason::AlreadyReversed
        | ConflictReason::OtherValueDate
        | ConflictReason::RecordedTwice => on,
    };
    Refusal::rule(pointer, reason.code(), reason.to_string())
}
