//! What money does to a loan: which transaction may be recorded, what then follows for the loan's row and for the books,
//! and what a loan was on any day as far as it was known at any instant. Pure: decided on rows that were read, by the
//! crate `lending`; what is to be written is given as statements.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use lending::{
    Account, Change, Conflict, ConflictReason, Contract, Event, EventId, EventKind, JournalEntry, Money, Outlook, Owed,
    Settlement, Shares, Standing, State, TransactionKind,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    db::Statement,
    domain::refusal::Refusal,
    http::csv::{Cell, Line},
    models::{
        ledger::{self, Cause},
        loans::{self, Action, Decision, Due, Figures, HistoryEntry, Loan, LoanStatus, Scope},
        portfolio::{self, Part, Step},
        transactions::{self, Notes, Transaction},
    },
    values::{
        moment::Moment,
        time::{BusinessDate, Instant},
    },
};

/// A loan that is locked, with all that happened to it.
pub struct Books {
    /// The loan.
    pub loan: Loan,
    /// What was recorded, in that order.
    pub transactions: Vec<Transaction>,
    /// The steps of its application.
    pub steps: Vec<Step>,
}

/// A transaction to be recorded.
#[derive(Clone, Debug)]
pub struct New {
    /// What happened.
    pub kind: EventKind,
    /// The business date from which it counts.
    pub on: Date,
    /// What was written about it.
    pub notes: Notes,
}

/// A transaction that fits, and what follows from it.
pub struct Recorded {
    /// The loan as it now is.
    pub loan: Loan,
    /// All transactions, the new one last.
    transactions: Vec<Transaction>,
    state: State,
    entries: Vec<JournalEntry>,
    steps: Vec<Step>,
    /// What it changes in the figures of the portfolio.
    figures: portfolio::Figures,
    today: Date,
}

impl Loan {
    /// What was agreed.
    #[must_use]
    pub fn contract(&self) -> Contract {
        Contract { amount: self.amount, terms: self.terms.clone() }
    }

    /// That money can be recorded for it.
    ///
    /// # Errors
    ///
    /// 409 if it was not paid out.
    pub fn disbursed(&self) -> Result<(), Refusal> {
        if self.status.is_disbursed() {
            return Ok(());
        }
        let detail = format!("The loan is not disbursed; it is {}.", self.status.as_str());
        Err(Refusal::conflict("not_disbursed", detail))
    }

    /// That something can still be owed of it.
    ///
    /// # Errors
    ///
    /// 409 if it was written off.
    fn not_written_off(&self) -> Result<(), Refusal> {
        if self.status != LoanStatus::Defaulted {
            return Ok(());
        }
        let reason = ConflictReason::AlreadyWrittenOff;
        Err(Refusal::conflict(reason.code(), format!("It cannot be recorded: {reason}.")))
    }

    /// That something is still owed of it.
    ///
    /// # Errors
    ///
    /// 409 if it is repaid or was written off.
    pub fn not_closed(&self) -> Result<(), Refusal> {
        self.not_written_off()?;
        if self.status != LoanStatus::Repaid {
            return Ok(());
        }
        let reason = ConflictReason::NothingToReschedule;
        Err(Refusal::conflict(reason.code(), format!("It cannot be recorded: {reason}.")))
    }

    /// That it can be paid out.
    ///
    /// # Errors
    ///
    /// 409 if it was paid out already, or is not approved.
    pub fn disbursable(&self) -> Result<(), Refusal> {
        match self.status {
            LoanStatus::Approved => Ok(()),
            status if status.is_disbursed() => {
                Err(Refusal::conflict("already_disbursed", "The loan is disbursed already."))
            }
            status => {
                let detail = format!("Only an approved loan can be disbursed; this one is {}.", status.as_str());
                Err(Refusal::conflict("not_approved", detail))
            }
        }
    }
}

impl Books {
    /// The value date of a charge that is recorded today: see [`lending::levied_on`]. One that fell due by the day of a
    /// write-off is entered late, as a payment or a waiver of a day before is.
    ///
    /// # Errors
    ///
    /// 409 for a charge that falls due after a write-off; 500 if the loan cannot be folded: a defect.
    pub fn levied_on(&self, due_on: Date, today: Date) -> Result<Date, Refusal> {
        let events: Vec<Event> = self.transactions.iter().map(event_of).collect();
        let state = lending::fold(&self.loan.contract(), &events, today, Timestamp::MAX).map_err(Refusal::defect)?;
        if state.written_off_on.is_some_and(|written_off_on| due_on > written_off_on) {
            self.loan.not_written_off()?;
        }
        Ok(lending::levied_on(due_on, today, &events, &state.rows))
    }
}

fn event_of(transaction: &Transaction) -> Event {
    transaction.event.clone()
}

/// Today, or the last value date if that is later.
fn last_day(events: &[Event], today: Date) -> Date {
    events.iter().map(|event| event.on).fold(today, Date::max)
}

/// The most transactions of a loan, but for reversals, of which each has at most one: each command folds all of them.
pub const MAX_TRANSACTIONS: usize = 10_000;

/// The most transactions times instalments of a loan: what a command folds.
pub const MAX_WORK: usize = 1_500_000;

/// Records a transaction. `on` is where the request has its date, for errors.
///
/// # Errors
///
/// 422 for what breaks a rule, at its field; 409 where the loan's state does not allow it, where it has as many
/// transactions as it may have ([`MAX_TRANSACTIONS`]), and where a transaction recorded before could no longer stand.
pub fn record(books: Books, new: New, by: Uuid, at: Moment<'_>, on: &'static str) -> Result<Recorded, Refusal> {
    let Books { loan, mut transactions, steps } = books;
    // What was recorded by mistake can be taken back.
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
    // Later than everything that is known of the loan, whatever two clocks say.
    let next_instant = loan.updated_at.checked_add(SignedDuration::from_micros(1)).map_err(Refusal::defect)?;
    let recorded_at = at.now.max(next_instant);
    let id = EventId(Uuid::now_v7().as_u128());
    let New { kind, on: value_date, notes } = new;
    let amount = match kind {
        EventKind::Disbursement { .. } => Some(loan.amount),
        _ => kind.amount(),
    };
    let event = Event { id, on: value_date, recorded_at, kind };
    let known = transactions.len();
    let mut events: Vec<Event> = transactions.iter().map(event_of).collect();
    let last = last_day(&events, at.today.max(value_date));
    let changed = lending::change(&contract, &events, &event, last);
    events.push(event.clone());
    transactions.push(Transaction { event, amount, paid_out: None, recorded_by: by, notes });

    let refused = |conflict: Conflict| {
        // What is known could stand before: that it cannot any more is because of the new one.
        match lending::fold(&contract, &events[..known], last, Timestamp::MAX) {
            Ok(_) => refusal(&conflict, id, &transactions, on),
            Err(defect) => Refusal::defect(defect),
        }
    };
    let Change { before, after: follows, state, outlook } = changed.map_err(refused)?;
    let money = Position { contract, state, outlook };
    let entries = lending::journal_entries(&follows.postings, &before.postings);

    if let Some(new) = transactions.last_mut() {
        let folded = money.state.transaction(id);
        new.paid_out = folded.and_then(|folded| folded.paid_out);
        if matches!(new.event.kind, EventKind::WriteOff | EventKind::Reschedule { .. }) {
            new.amount = folded.map(|folded| folded.amount);
        }
    }
    let after = money.apply(Loan { updated_at: recorded_at, ..loan.clone() }, LoanStatus::Approved);
    let part = Part { loan: &loan, steps: &steps, exposures: &before.exposures, transactions: &transactions[..known] };
    let new_part = Part { loan: &after, exposures: &follows.exposures, transactions: &transactions, ..part };
    let figures = portfolio::Figures::between(part, new_part, at);
    Ok(Recorded { loan: after, transactions, state: money.state, entries, steps, figures, today: at.today })
}

/// What a loan should be by its transactions and the steps of its application, whatever its row says: for the consistency
/// check.
///
/// # Errors
///
/// 500 if the transactions cannot stand.
pub fn recompute(loan: &Loan, transactions: &[Transaction], steps: &[Step], today: Date) -> Result<Loan, Refusal> {
    let events: Vec<Event> = transactions.iter().map(event_of).collect();
    let last = last_day(&events, today);
    let money = Position::of(&loan.contract(), &events, last, Timestamp::MAX).map_err(Refusal::defect)?;
    let applied = steps.last().map_or(loan.status, |step| step.status);
    Ok(money.apply(loan.clone(), applied))
}

impl Recorded {
    /// The new transaction as the interface shows it.
    ///
    /// # Errors
    ///
    /// 500 if the engine does not know it: a defect.
    pub fn view(&self, zone: &TimeZone) -> Result<TransactionView, Refusal> {
        let find = |id| self.transactions.iter().find(|transaction| transaction.event.id == id);
        let new = self.transactions.last().and_then(|new| self.state.transaction(new.event.id));
        new.and_then(|folded| view(&self.state, folded, find, zone))
            .ok_or_else(|| Refusal::defect("a transaction was recorded that does not count"))
    }

    /// The loan and its books once that is written, for the next transaction.
    #[must_use]
    pub fn into_books(self) -> Books {
        Books { loan: self.loan, transactions: self.transactions, steps: self.steps }
    }

    /// What makes it so.
    #[must_use]
    pub fn writes(&self) -> Vec<Statement<()>> {
        let Some(new) = self.transactions.last() else { return Vec::new() };
        let currency = self.loan.amount.currency();
        let mut writes = vec![transactions::insert(self.loan.id, currency, new)];
        let recorded_at = new.event.recorded_at;
        let cause = Cause { loan: self.loan.id, transaction: new.id(), currency, recorded_at, restates: false };
        writes.extend(ledger::insert(cause, &self.entries));
        writes.push(loans::update_money(&self.loan, self.today));
        writes.extend(self.figures.changes());
        writes
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
        _ => on,
    };
    Refusal::rule(pointer, reason.code(), reason.to_string())
}

/// Where a loan's money stands at the end of a day, and where that leads by itself.
struct Position {
    contract: Contract,
    state: State,
    outlook: Outlook,
}

impl Position {
    fn of(contract: &Contract, events: &[Event], as_of: Date, known_at: Timestamp) -> Result<Self, Conflict> {
        let (state, outlook) = lending::fold_on(contract, events, as_of, known_at)?;
        Ok(Self { contract: contract.clone(), state, outlook })
    }

    /// The loan with what money did to it; `undisbursed` is where it stands if that is nothing.
    fn apply(&self, loan: Loan, undisbursed: LoanStatus) -> Loan {
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
            disbursed_on: self.state.disbursed_on,
            outstanding: self.state.unpaid.principal,
            held: self.held(),
            written_off: self.state.written_off.principal,
            // What is held pays a charge on the day it is due, and nobody is told to pay it.
            owed: owed(|Owed { unpaid, .. }| unpaid.principal.checked_add(unpaid.interest)?.checked_add(unpaid.fees)),
            penalties: owed(|owed| Some(owed.unpaid.penalties)),
            oldest_unpaid_due_on: self.outlook.oldest_unpaid_due_on.filter(|_| is_disbursed),
            status,
            ..loan
        }
    }

    /// What is held from a day on: from the last value date, shown with the day of the disbursement, and from each day after
    /// it on which some of it pays a charge.
    fn held(&self) -> Vec<Due> {
        let Self { state, outlook, .. } = self;
        let last = state.transactions.iter().map(|transaction| transaction.on).max();
        let later = || outlook.applied.iter().filter(move |applied| Some(applied.on) > last);
        let taken = |on: Option<Date>| {
            later().filter(move |applied| Some(applied.on) > on).map(|applied| applied.shares.overpayment)
        };
        // What is held in the end, and what was taken of it since.
        let from = |on| taken(on).try_fold(outlook.overpayment, Money::checked_sub);
        let first = state.disbursed_on.filter(|_| later().next().is_some() || !outlook.overpayment.is_zero());
        let first = first.and_then(|on| Some(Due { on, amount: from(last)? }));
        let steps = later().filter_map(|it| Some(Due { on: it.on, amount: from(Some(it.on))? }));
        first.into_iter().chain(steps).collect()
    }

    /// What the rows add up to; before the disbursement as if on the day of the loan's version.
    fn figures(&self, loan: &Loan) -> Figures {
        let Contract { amount, terms } = &self.contract;
        if self.state.disbursed_on.is_none() {
            let schedule = loans::projection(*amount, loan.version_on, terms);
            return schedule.map_or(loan.figures, |schedule| Figures::from(&schedule));
        }
        Figures {
            instalment: self.state.instalment,
            total_interest: self.state.totals.interest,
            total_due: self.state.total_due,
        }
    }
}

/// What is unpaid in the end, by due date.
fn dues(outlook: &Outlook, of: impl Fn(&Owed) -> Option<Money>) -> Vec<Due> {
    let due = |owed: &Owed| of(owed).filter(|amount| !amount.is_zero()).map(|amount| Due { on: owed.due_on, amount });
    outlook.owed.iter().filter_map(due).collect()
}

/// Which day is asked about, and what was known when.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    /// The business date; today where nothing is said. A later one brings no further transactions.
    pub as_of: Option<Date>,
    /// Only what had been recorded by then counts; everything where nothing is said.
    pub known_at: Option<Timestamp>,
}

/// How long after an instant something may still commit that was recorded by then, and for clocks to differ.
const STILL_COMMITTING: SignedDuration = SignedDuration::from_secs(120);

/// Whether something may still commit that was recorded by this instant.
pub(super) fn may_grow(known_at: Timestamp) -> bool {
    known_at.duration_until(Timestamp::now()) < STILL_COMMITTING
}

/// What a loan's past is read from, in one round trip. See [`File::new`].
pub type FileStatements =
    (Option<Statement<()>>, Statement<Option<Loan>>, Statement<Vec<HistoryEntry>>, Statement<Vec<Transaction>>);

/// Reads a loan with its versions and transactions, if the caller may know of it. Whoever is changing it right now is
/// waited for where `known_at` is so recent that what they record could still count.
#[must_use]
pub fn file(id: Uuid, scope: Scope, known_at: Option<Timestamp>) -> FileStatements {
    let wait = known_at.filter(|known_at| may_grow(*known_at)).map(|_| loans::share(id, scope));
    (wait, loans::by_id(id, scope), loans::versions(id), transactions::of_loan(id, known_at))
}

/// A loan as of a day, as far as it was known at an instant.
pub struct File {
    /// The loan as it then was.
    pub loan: Loan,
    /// What had become of its money.
    pub state: State,
    /// The day.
    pub as_of: Date,
    /// The instant.
    pub known_at: Timestamp,
    transactions: Vec<Transaction>,
}

impl File {
    /// Of the rows of [`file`], which are there: a loan that is not, or may not be known of, is told before.
    ///
    /// # Errors
    ///
    /// 422 for a `known_at` in the future, 404 for a day or an instant on which there was no such loan.
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

        // A version that the loan does not have is none of it.
        let is_known = |step: &&HistoryEntry| step.at.0 <= known_at && step.version <= loan.version;
        let known = &versions[..versions.iter().take_while(is_known).count()];
        let current = known.last().ok_or_else(|| Refusal::NotFound)?;
        // What was agreed is the loan's; its history tells only what it was before that.
        let contract = if current.version == loan.version {
            loan.contract()
        } else {
            Contract { amount: current.state.amount, terms: current.state.terms.clone() }
        };
        let events: Vec<Event> = transactions.iter().map(event_of).collect();
        let position = Position::of(&contract, &events, as_of, known_at).map_err(Refusal::defect)?;
        // Money says that a loan is there even before its application was entered.
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

    /// The transactions that count, in the order in which they were recorded.
    #[must_use]
    pub fn transactions(&self, zone: &TimeZone) -> Vec<TransactionView> {
        views(&self.state, &self.transactions, zone)
    }

    /// What closes the loan on a day.
    ///
    /// # Errors
    ///
    /// 409 if it is not disbursed, 422 for a day before the disbursement.
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
        return Ok(Loan { updated_at: last.at.0, ..loan });
    }
    let mut decision = None;
    for step in steps {
        decision = match step.action {
            Action::Approve | Action::Reject => {
                Some(Decision { by: step.by, at: step.at.0, reason: step.reason.clone() })
            }
            Action::Withdraw => decision,
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
    // A step taken when there was no schedule any more kept the figures of the one before.
    let dates = steps.iter().rev().map(|step| zone.to_datetime(step.at.0).date());
    let mut dates = dates.filter(|date| loans::projection(applied_for.amount, *date, &applied_for.terms).is_ok());
    Ok(Loan {
        agent_id: state.agent_id,
        figures: Figures {
            instalment: state.instalment,
            total_interest: state.total_interest,
            total_due: state.total_due,
        },
        status: state.status,
        version: last.version,
        version_on: dates.next().unwrap_or(applied_for.version_on),
        edited_by: edit.by,
        edited_at: edit.at.0,
        updated_at: last.at.0,
        decision,
        ..applied_for
    })
}

/// A transaction as the interface shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Transaction)]
pub struct TransactionView {
    /// Names the transaction.
    pub id: Uuid,
    /// What it is. A payment after a write-off is a recovery.
    #[schema(value_type = TransactionKindSchema)]
    pub kind: TransactionKind,
    /// The business date; of a charge that falls due later, the day on which it was recorded.
    pub on: BusinessDate,
    /// What it is about: paid, charged, waived or paid back; of a disbursement the amount of the loan, of a write-off or a
    /// reschedule the principal, of a reversal what is reversed.
    #[schema(value_type = String, example = "2142.40")]
    pub amount: Money,
    /// ISO 4217.
    #[schema(value_type = String, example = "INR")]
    pub currency: lending::Currency,
    /// What a repayment paid, a waiver waived, or a write-off gave up; null for other kinds and for what was reversed.
    #[schema(value_type = Option<AllocationSchema>)]
    pub allocation: Option<Shares>,
    /// What money that was there already paid because of it, less what it took back: of a repayment or a waiver that closes
    /// the loan, of a reschedule, of a charge that what is held has paid; null elsewhere.
    pub applied: Option<AppliedView>,
    /// The business date of that, where it is another day: what is held pays a charge on its due date.
    pub applied_on: Option<BusinessDate>,
    /// How the other side names it.
    #[schema(example = "receipt 1047")]
    pub reference: Option<String>,
    /// How a repayment came in.
    #[schema(example = "cash")]
    pub channel: Option<String>,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// Who recorded it.
    pub recorded_by: Uuid,
    /// Of a reversal: the transaction that it takes back.
    pub reverses: Option<Uuid>,
    /// The reversal that takes it back.
    pub reversed_by: Option<Uuid>,
    /// The principal outstanding after it.
    #[schema(value_type = String, example = "10098.11")]
    pub balance: Money,
    /// Of a disbursement: the amount less the fees taken then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "12000.50")]
    pub paid_out: Option<Money>,
}

/// What a transaction is.
#[derive(ToSchema)]
#[schema(as = TransactionKind, rename_all = "snake_case")]
pub enum TransactionKindSchema {
    /// The loan was paid out.
    Disbursement,
    /// A payment.
    Repayment,
    /// A payment after the write-off.
    Recovery,
    /// An overpayment was paid back.
    Refund,
    /// More was asked for.
    Charge,
    /// Less was asked for.
    Waiver,
    /// What was unpaid was given up.
    WriteOff,
    /// Rows were made anew.
    Reschedule,
    /// Another transaction never counted.
    Reversal,
}

/// What an amount was for.
#[derive(ToSchema)]
#[schema(as = TransactionAllocation)]
#[expect(dead_code, reason = "describes shares of the engine in the OpenAPI document")]
pub struct AllocationSchema {
    /// Late fees and charged penalties.
    #[schema(example = "0.00")]
    penalty: String,
    /// Fees.
    #[schema(example = "0.00")]
    fee: String,
    /// Interest.
    #[schema(example = "240.01")]
    interest: String,
    /// Principal.
    #[schema(example = "1902.39")]
    principal: String,
    /// What nothing took: held for the borrower.
    #[schema(example = "0.00")]
    overpayment: String,
}

/// What money that was there already paid: an overpayment that was held, and what was paid of interest and fees that are
/// no longer asked for, which are negative. The sum is what was held before less what is held then.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = Applied)]
pub struct AppliedView {
    /// Late fees and charged penalties.
    #[schema(value_type = String, example = "0.00")]
    pub penalty: Money,
    /// Fees.
    #[schema(value_type = String, example = "0.00")]
    pub fee: Money,
    /// Interest.
    #[schema(value_type = String, example = "-608.32")]
    pub interest: Money,
    /// Principal.
    #[schema(value_type = String, example = "608.32")]
    pub principal: Money,
}

impl From<Shares> for AppliedView {
    fn from(shares: Shares) -> Self {
        let Shares { penalty, fee, interest, principal, .. } = shares;
        Self { penalty, fee, interest, principal }
    }
}

/// The transactions of a state, in the order in which they were recorded, with what is known of them beside.
fn views(state: &State, transactions: &[Transaction], zone: &TimeZone) -> Vec<TransactionView> {
    let recorded: HashMap<EventId, &Transaction> = transactions.iter().map(|it| (it.event.id, it)).collect();
    let find = |id| recorded.get(&id).copied();
    state.transactions.iter().filter_map(|folded| view(state, folded, find, zone)).collect()
}

/// A transaction of a state, with what is known of it beside: `recorded` finds that.
fn view<'a>(
    state: &State,
    folded: &lending::Transaction,
    recorded: impl Fn(EventId) -> Option<&'a Transaction>,
    zone: &TimeZone,
) -> Option<TransactionView> {
    let recorded_one = recorded(folded.id)?;
    // A reversal shows what it is about.
    let about = match folded.reverses {
        Some(reversed) => recorded(reversed)?,
        None => recorded_one,
    };
    let amount = match about.event.kind {
        // What was recorded since may have changed it.
        EventKind::WriteOff | EventKind::Reschedule { .. }
            if folded.reversed_by.is_none() && folded.reverses.is_none() =>
        {
            folded.amount
        }
        // The loan may have been paid out anew on other terms since: what was recorded stands.
        _ => about.amount.unwrap_or(folded.amount),
    };
    let (on, balance) = match about.event.kind {
        EventKind::Charge { due_on, .. } => {
            let on = due_on.min(zone.to_datetime(about.event.recorded_at).date());
            (on, if on > folded.on { balance_before(state, on) } else { folded.balance })
        }
        _ => (folded.on, folded.balance),
    };
    let applied = state.applied.iter().find(|it| it.by == folded.id);
    Some(TransactionView {
        id: recorded_one.id(),
        kind: folded.kind,
        on: BusinessDate(on),
        amount,
        currency: folded.amount.currency(),
        allocation: folded.allocation,
        applied: applied.map(|it| it.shares.into()),
        applied_on: applied.filter(|it| it.on != on).map(|it| BusinessDate(it.on)),
        reference: recorded_one.notes.reference.clone(),
        channel: recorded_one.notes.channel.clone(),
        recorded_at: Instant(folded.recorded_at),
        recorded_by: recorded_one.recorded_by,
        reverses: folded.reverses.map(|id| Uuid::from_u128(id.0)),
        reversed_by: folded.reversed_by.map(|id| Uuid::from_u128(id.0)),
        balance,
        paid_out: recorded_one.paid_out,
    })
}

/// The principal outstanding when a day begins.
fn balance_before(state: &State, day: Date) -> Money {
    let postings = state.postings.iter().filter(|it| it.account == Account::PrincipalReceivable && it.on < day);
    let zero = Money::zero(state.overpayment.currency());
    postings.fold(zero, |sum, posting| sum.checked_add(posting.amount).unwrap_or(sum))
}

impl Line for TransactionView {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "kind",
        "on",
        "amount",
        "currency",
        "penalty",
        "fee",
        "interest",
        "principal",
        "overpayment",
        "applied_penalty",
        "applied_fee",
        "applied_interest",
        "applied_principal",
        "reference",
        "channel",
        "recorded_at",
        "recorded_by",
        "reverses",
        "reversed_by",
        "balance",
        "paid_out",
    ];

    fn cells(&self) -> Vec<Cell> {
        let share = |of: fn(&Shares) -> Money| Cell::optional(self.allocation.as_ref().map(of).as_ref());
        let applied = |of: fn(&AppliedView) -> Money| Cell::optional(self.applied.as_ref().map(of).as_ref());
        vec![
            Cell::value(&self.id),
            Cell::value(&self.kind.as_str()),
            Cell::value(&self.on),
            Cell::value(&self.amount),
            Cell::value(&self.currency),
            share(|shares| shares.penalty),
            share(|shares| shares.fee),
            share(|shares| shares.interest),
            share(|shares| shares.principal),
            share(|shares| shares.overpayment),
            applied(|applied| applied.penalty),
            applied(|applied| applied.fee),
            applied(|applied| applied.interest),
            applied(|applied| applied.principal),
            Cell::text(self.reference.as_deref()),
            Cell::text(self.channel.as_deref()),
            Cell::value(&self.recorded_at),
            Cell::value(&self.recorded_by),
            Cell::optional(self.reverses.as_ref()),
            Cell::optional(self.reversed_by.as_ref()),
            Cell::value(&self.balance),
            Cell::optional(self.paid_out.as_ref()),
        ]
    }
}
