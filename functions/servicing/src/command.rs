//! How every command of this group goes: key and body are read, the key is claimed, the loan locked, the transaction
//! decided and written with all that follows from it. Two round trips.

use backend::{
    app::App,
    auth::callers::{Guard, Kind},
    db::{Statement, Tx},
    domain::{
        caller::Caller,
        duties::SameHand,
        kyc::KycOfLoan,
        loan::{Loan, Scope},
        portfolio::ApplicationStep,
        refusal::Refusal,
        servicing::{self, LockedLoan, NewTransaction, Recorded},
        settling::Settling,
        transaction::Transaction,
    },
    http::{
        answer::Answer,
        body::Input,
        command::{Outcome, conclude},
        idempotency::{Claim, Claimed, Fingerprinted, IdempotencyKey, Key},
        problem::Problem,
    },
    store::{
        audit::{self, Subject},
        customers, duties, loans,
        payments::{self, Id, Turn},
        portfolio,
        settling::{self, OtherLoans},
        transactions,
    },
    telemetry::Count,
    values::{moment::Moment, number::NumberText, time::BusinessDate},
};
use jiff::civil::Date;
use lending::{Currency, EventKind, Money};
use serde::de::DeserializeOwned;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

/// A command on a loan.
pub(crate) struct Command {
    /// The loan.
    pub(crate) loan: Uuid,
    /// The transaction that the path names, if it names one.
    pub(crate) transaction: Option<Uuid>,
    /// Method and path, with ids as we write them.
    pub(crate) operation: String,
    /// As the audit log writes it.
    pub(crate) audit: &'static str,
    /// Where the request has its date, for errors.
    pub(crate) on: &'static str,
    /// Who may not do it.
    pub(crate) duty: Duty,
}

/// Which duty a command is, of those that are kept apart.
#[derive(Clone, Copy)]
pub(crate) enum Duty {
    /// None.
    Free,
    /// To pay a loan out.
    PayOut,
    /// To reverse a transaction.
    Reverse,
    /// To refund or write off.
    GiveUp,
}

impl Duty {
    fn check(self, same_hand: &SameHand, locked: &LockedLoan, named: Option<Uuid>) -> Result<(), Refusal> {
        match self {
            Self::Free => Ok(()),
            Self::PayOut => same_hand.may_decide(&locked.loan),
            Self::Reverse => {
                let reversed = locked.transactions.iter().find(|transaction| Some(transaction.id()) == named);
                reversed.map_or(Ok(()), |transaction| same_hand.may_reverse(transaction))
            }
            Self::GiveUp => same_hand.may_give_up(&locked.loan, &locked.transactions),
        }
    }
}

impl Command {
    /// A command that is posted to `part` of the loan.
    pub(crate) fn on_loan(loan: Uuid, part: &'static str, audit: &'static str, on: &'static str) -> Self {
        let operation = format!("POST /api/loans/{loan}/{part}");
        Self { loan, transaction: None, operation, audit, on, duty: Duty::Free }
    }

    /// Locks the loan together with others that its disbursement settles, or that the one to be reversed settled.
    fn others(&self, settles: &[Uuid]) -> Option<settling::LockOthers> {
        let reversed = self.transaction.filter(|_| matches!(self.duty, Duty::Reverse));
        (reversed.is_some() || !settles.is_empty()).then(|| settling::lock(self.loan, settles, reversed))
    }

    /// The same, as a duty that is kept apart.
    pub(crate) fn with_duty(self, duty: Duty) -> Self {
        Self { duty, ..self }
    }
}

/// The rows of the lock and of the reads behind it.
type Locked = (Option<Claimed>, Loans, Vec<Transaction>, Rest);

/// The rows read beside the loan.
type Rest = (Vec<ApplicationStep>, Vec<duties::Account>, Receipt, Option<Option<KycOfLoan>>);

/// The loan that the command is on, and the other loans that it changes.
type Loans = (Option<OtherLoans>, Option<Loan>);

/// The turn of the receipt that the request names, and the payment that has it.
type Receipt = Option<(Turn, Option<Id>)>;

/// Carries out a command whose key and body were sent as usual.
pub(crate) async fn run<K: Kind, B: DeserializeOwned + Fingerprinted + ToSchema>(
    guard: &Guard<K>,
    app: &App,
    command: Command,
    key: IdempotencyKey,
    input: &Input,
    decide: impl FnOnce(B, &LockedLoan, Moment) -> Result<NewTransaction, Problem>,
) -> Result<Answer, Problem> {
    let key = key.read().and_then(Key::required);
    run_with(guard, app, command, key, input.read::<B>(), decide).await
}

/// Carries out a command. Errors of its key or body are reported once the loan is known to exist.
pub(crate) async fn run_with<K: Kind, B: Fingerprinted>(
    guard: &Guard<K>,
    app: &App,
    command: Command,
    key: Result<Key, Problem>,
    body: Result<B, Problem>,
    decide: impl FnOnce(B, &LockedLoan, Moment) -> Result<NewTransaction, Problem>,
) -> Result<Answer, Problem> {
    let request = key.and_then(|key| {
        let body = body?;
        let claim = key.of(command.operation.clone()).claim(guard.id(), &body)?;
        Ok((claim, body))
    });
    let take = request.as_ref().ok().and_then(|(claim, _)| claim.take());
    let id = command.loan;
    let settles = request.as_ref().map_or_else(|_| Vec::new(), |(_, body)| body.settles().to_vec());
    let others = command.others(&settles);
    let receipt = request.as_ref().ok().and_then(|(_, body)| body.receipt());
    let receipt = receipt.map(|receipt| (payments::turn(receipt), payments::of_receipt(receipt)));
    let kyc = matches!(command.duty, Duty::PayOut).then(|| customers::kyc_of_loan(id));
    let rest = (portfolio::steps(id), duties::same_hand(id, guard.id()), receipt, kyc);
    // The transactions are read after the lock, by a statement with a snapshot of its own: they are all there are.
    let batch = (take, (others, loans::lock(id, Scope::All)), transactions::of_loan(id, None), rest);
    let (tx, caller, locked): (Tx, Caller, Locked) = Box::pin(guard.begin(batch)).await?;
    let at = app.moment(&caller);
    conclude(tx, carry_out(app, &caller, &command, request, locked, at, decide)).await
}

fn carry_out<B: Fingerprinted>(
    app: &App,
    caller: &Caller,
    command: &Command,
    request: Result<(Claim, B), Problem>,
    (claimed, (others, loan), transactions, (steps, same_hand, receipt, kyc)): Locked,
    at: Moment<'_>,
    decide: impl FnOnce(B, &LockedLoan, Moment) -> Result<NewTransaction, Problem>,
) -> Result<Outcome, Problem> {
    let loan = loan.ok_or_else(Problem::not_found)?;
    if let Some(named) = command.transaction
        && !transactions.iter().any(|transaction| transaction.id() == named)
    {
        return Err(Problem::not_found());
    }
    let (claim, body) = request?;
    if let Some(answer) = claim.earlier_answer(claimed)? {
        return Ok(Outcome::unchanged(answer));
    }
    if let Some((_, Some(Id(payment)))) = receipt {
        let detail = "A payment has this receipt. Apply it instead.";
        return Err(Problem::conflict("payment_exists", detail).naming_payment(payment));
    }
    let locked = LockedLoan { loan, transactions, steps };
    command.duty.check(&SameHand::from(same_hand), &locked, command.transaction)?;
    let settles = body.settles().to_vec();
    let new = decide(body, &locked, at)?;
    if let Some(kyc) = kyc.flatten() {
        kyc.require(at.today)?;
    }
    let reason = new.notes.reason.clone();
    let count = match new.kind {
        EventKind::Disbursement { .. } => Some(Count::Disbursed(locked.loan.amount)),
        EventKind::Repayment { amount } => Some(Count::Collected(amount)),
        EventKind::Charge { .. }
        | EventKind::Waiver { .. }
        | EventKind::Refund { .. }
        | EventKind::WriteOff
        | EventKind::Reschedule { .. }
        | EventKind::Reversal { .. } => None,
    };
    let others = others.map_or_else(Vec::new, settling::locked);
    all_there(&settles, &others)?;
    let (new, settling) = Settling::with(new, &locked.loan, others)?;
    let recorded = servicing::record(locked, new, caller.id, at, command.on)?;
    let beside = settling.record(&recorded, caller.id, at)?;
    let view = recorded.view(&app.zone)?;
    let location = format!("/api/loans/{}/transactions/{}", command.loan, view.id);
    let answer = Answer::created(location, &view)?;
    let detail = json!({"transaction": view.id, "on": view.on, "amount": view.amount, "reason": reason});
    let mut writes = recorded.writes();
    writes.push(audit::by(caller, command.audit, &Subject::Loan(command.loan), detail));
    for other in &beside {
        writes.extend(other.writes());
        writes.push(logged(caller, other, view.id));
    }
    writes.extend(claim.keep(&answer));
    Ok(Outcome::new(answer, writes).counting(count))
}

/// Requires that each loan to settle is there.
fn all_there(settles: &[Uuid], found: &[LockedLoan]) -> Result<(), Refusal> {
    let is_missing = |id: &Uuid| !found.iter().any(|other| other.loan.id == *id);
    match settles.iter().position(is_missing) {
        Some(place) => Err(Refusal::rule(format!("/settles/{place}"), "loan_not_found", "there is no loan of this id")),
        None => Ok(()),
    }
}

/// The audit log's entry of a transaction on another loan, which came with that of the command.
fn logged(caller: &Caller, other: &Recorded, with: Uuid) -> Statement<()> {
    let event = other.event();
    let is_reversal = event.is_some_and(|event| event.kind.reverses().is_some());
    let action = if is_reversal { "loan.reverse" } else { "loan.repay" };
    let amount = event.and_then(|event| event.kind.amount());
    let on = event.map(|event| event.on.to_string());
    let detail = json!({"transaction": other.transaction(), "on": on, "amount": amount, "with": with});
    audit::by(caller, action, &Subject::Loan(other.loan.id), detail)
}

/// An amount of a request, more than zero.
pub(crate) fn amount(text: &NumberText, currency: Currency) -> Result<Money, Problem> {
    let amount = text.money("/amount", currency)?;
    if amount.is_zero() {
        return Err(Problem::field("/amount", "not_positive", "must be more than zero"));
    }
    Ok(amount)
}

/// A date of money: past or today.
pub(crate) fn past(date: BusinessDate, at: Moment<'_>, pointer: &'static str) -> Result<Date, Problem> {
    if date.0 > at.today {
        let detail = format!("must not be in the future; today is {}", at.today);
        return Err(Problem::field(pointer, "in_the_future", detail));
    }
    Ok(date.0)
}
