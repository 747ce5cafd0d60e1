//! A transaction as the interface shows it.

use std::collections::HashMap;

use jiff::{civil::Date, tz::TimeZone};
use lending::{Account, EventId, EventKind, Money, Shares, State, TransactionKind};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    domain::{loan_as_of::LoanAsOf, refusal::Refusal, servicing::Recorded, transaction::Transaction},
    table_line,
    values::{
        table::Cell,
        time::{BusinessDate, Instant},
    },
};

impl Recorded {
    /// The new transaction as the interface shows it.
    ///
    /// # Errors
    ///
    /// 500 if the engine does not know the transaction: a defect.
    pub fn view(&self, zone: &TimeZone) -> Result<TransactionView, Refusal> {
        let find = |id| self.transactions.iter().find(|transaction| transaction.event.id == id);
        let new = self.transactions.last().and_then(|new| self.state.transaction(new.event.id));
        new.and_then(|folded| view(&self.state, folded, find, zone))
            .ok_or_else(|| Refusal::defect("the engine does not know a recorded transaction"))
    }
}

impl LoanAsOf {
    /// The transactions that count, in the order in which they were recorded.
    #[must_use]
    pub fn transactions(&self, zone: &TimeZone) -> Vec<TransactionView> {
        views(&self.state, &self.transactions, zone)
    }
}

/// A transaction as the interface shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Transaction, example = json!({
    "amount": "2142.40", "balance": "10098.11", "paid_out": "12000.50", "settled": "8057.60"}))]
pub struct TransactionView {
    /// Names the transaction.
    pub id: Uuid,
    /// The kind. A payment after a write-off is a recovery.
    pub kind: TransactionKind,
    /// The business date; of a charge that falls due later, the day on which it was recorded.
    pub on: BusinessDate,
    /// The amount paid, charged, waived or paid back; of a disbursement the amount of the loan, of a write-off or a
    /// reschedule the principal, of a reversal the amount of the reversed transaction.
    pub amount: Money,
    /// ISO 4217.
    pub currency: lending::Currency,
    /// The parts that a repayment paid, a waiver waived, or a write-off gave up; null for other kinds and for reversed
    /// transactions.
    pub allocation: Option<Shares>,
    /// The allocation of money that was held or paid before, less the amounts taken back: of a repayment or a waiver
    /// that closes the loan, of a reschedule, of a charge that held money has paid; null otherwise.
    pub applied: Option<AppliedView>,
    /// The business date of that, if it is another day: held money pays a charge on its due date.
    pub applied_on: Option<BusinessDate>,
    /// How the other side names it.
    #[schema(example = "receipt 1047")]
    pub reference: Option<String>,
    /// How a repayment came in.
    #[schema(example = "cash")]
    pub channel: Option<String>,
    /// Of a repayment: the payment that it is from.
    pub payment_id: Option<Uuid>,
    /// Of a disbursement or a refund: the source that it was paid from.
    #[schema(example = "paybill-kenya")]
    pub source: Option<String>,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// Who recorded it.
    pub recorded_by: Uuid,
    /// Of a reversal: the transaction that it takes back.
    pub reverses: Option<Uuid>,
    /// The reversal that takes it back.
    pub reversed_by: Option<Uuid>,
    /// The principal outstanding after it.
    pub balance: Money,
    /// Of a disbursement: the amount less the fees taken then, and less `settled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Money, required = false)]
    pub paid_out: Option<Money>,
    /// Of a disbursement that refinances: the sum of the settlements that it pays.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Money, required = false)]
    pub settled: Option<Money>,
    /// Of a repayment that is such a settlement: the disbursement.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Uuid, required = false)]
    pub settled_by: Option<Uuid>,
    /// Of a disbursement or a reschedule: the version of the calendar that it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u32, required = false, example = 1)]
    pub calendar_version: Option<u32>,
}

/// The allocation of money that was held or paid before: a held overpayment, and payments of interest and fees that are
/// no longer owed, which are negative. The sum is the amount held before less the amount held afterwards.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = Reallocation, example = json!({
    "penalty": "0.00", "fee": "0.00", "interest": "-608.32", "principal": "608.32"}))]
pub struct AppliedView {
    /// Late fees and charged penalties.
    pub penalty: Money,
    /// Fees.
    pub fee: Money,
    /// Interest.
    pub interest: Money,
    /// Principal.
    pub principal: Money,
}

impl From<Shares> for AppliedView {
    fn from(shares: Shares) -> Self {
        let Shares { penalty, fee, interest, principal, .. } = shares;
        Self { penalty, fee, interest, principal }
    }
}

/// The transactions of a state, in the order in which they were recorded, with the records beside.
fn views(state: &State, transactions: &[Transaction], zone: &TimeZone) -> Vec<TransactionView> {
    let recorded: HashMap<EventId, &Transaction> = transactions.iter().map(|it| (it.event.id, it)).collect();
    let find = |id| recorded.get(&id).copied();
    state.transactions.iter().filter_map(|folded| view(state, folded, find, zone)).collect()
}

/// A transaction of a state with its record, which `recorded` finds.
fn view<'a>(
    state: &State,
    folded: &lending::Transaction,
    recorded: impl Fn(EventId) -> Option<&'a Transaction>,
    zone: &TimeZone,
) -> Option<TransactionView> {
    let recorded_one = recorded(folded.id)?;
    // A reversal shows the transaction that it reverses.
    let about = match folded.reverses {
        Some(reversed) => recorded(reversed)?,
        None => recorded_one,
    };
    // Later transactions may have changed the state. A loan may have been paid out again on other terms since: the
    // recorded amount stands.
    let follows = matches!(about.event.kind, EventKind::WriteOff | EventKind::Reschedule { .. })
        && folded.reversed_by.is_none()
        && folded.reverses.is_none();
    let amount = if follows { folded.amount } else { about.amount.unwrap_or(folded.amount) };
    let (on, balance) = match about.event.kind.due_on() {
        Some(due_on) => {
            let on = due_on.min(zone.to_datetime(about.event.recorded_at).date());
            (on, if on > folded.on { balance_before(state, on) } else { folded.balance })
        }
        None => (folded.on, folded.balance),
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
        payment_id: recorded_one.notes.payment,
        source: recorded_one.notes.source.clone(),
        recorded_at: Instant(folded.recorded_at),
        recorded_by: recorded_one.recorded_by,
        reverses: folded.reverses.map(|id| Uuid::from_u128(id.0)),
        reversed_by: folded.reversed_by.map(|id| Uuid::from_u128(id.0)),
        balance,
        paid_out: recorded_one.paid_out,
        settled: recorded_one.notes.settled,
        settled_by: recorded_one.notes.settled_by,
        calendar_version: recorded_one.event.kind.calendar().map(lending::Calendar::version),
    })
}

/// The principal outstanding when a day begins.
fn balance_before(state: &State, day: Date) -> Money {
    let postings = state.postings.iter().filter(|it| it.account == Account::PrincipalReceivable && it.on < day);
    let zero = Money::zero(state.overpayment.currency());
    postings.fold(zero, |sum, posting| sum.checked_add(posting.amount).unwrap_or(sum))
}

table_line! {
    TransactionView as transaction {
        "id": Cell::value(&transaction.id),
        "kind": Cell::value(&transaction.kind.as_str()),
        "on": Cell::value(&transaction.on),
        "amount": Cell::value(&transaction.amount),
        "currency": Cell::value(&transaction.currency),
        "penalty": share(transaction, |shares| shares.penalty),
        "fee": share(transaction, |shares| shares.fee),
        "interest": share(transaction, |shares| shares.interest),
        "principal": share(transaction, |shares| shares.principal),
        "overpayment": share(transaction, |shares| shares.overpayment),
        "applied_penalty": applied(transaction, |applied| applied.penalty),
        "applied_fee": applied(transaction, |applied| applied.fee),
        "applied_interest": applied(transaction, |applied| applied.interest),
        "applied_principal": applied(transaction, |applied| applied.principal),
        "reference": Cell::text(transaction.reference.as_deref()),
        "channel": Cell::text(transaction.channel.as_deref()),
        "payment_id": Cell::optional(transaction.payment_id.as_ref()),
        "source": Cell::text(transaction.source.as_deref()),
        "recorded_at": Cell::value(&transaction.recorded_at),
        "recorded_by": Cell::value(&transaction.recorded_by),
        "reverses": Cell::optional(transaction.reverses.as_ref()),
        "reversed_by": Cell::optional(transaction.reversed_by.as_ref()),
        "balance": Cell::value(&transaction.balance),
        "paid_out": Cell::optional(transaction.paid_out.as_ref()),
        "settled": Cell::optional(transaction.settled.as_ref()),
        "settled_by": Cell::optional(transaction.settled_by.as_ref()),
        "calendar_version": Cell::optional(transaction.calendar_version.as_ref()),
    }
}

/// A part of the allocation.
fn share(transaction: &TransactionView, of: fn(&Shares) -> Money) -> Cell {
    Cell::optional(transaction.allocation.as_ref().map(of).as_ref())
}

/// A part of what was applied.
fn applied(transaction: &TransactionView, of: fn(&AppliedView) -> Money) -> Cell {
    Cell::optional(transaction.applied.as_ref().map(of).as_ref())
}
