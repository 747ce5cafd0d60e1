//! The loan as of a business date, from events recorded by an instant.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::accruing::Accruing;
use super::events::{EventId, EventKind};
use super::postings::Posting;
use super::shares::Shares;
use crate::Money;
#[cfg(feature = "openapi")]
use crate::openapi::BusinessDate;
use crate::words::words;

words! {
    /// The standing of a loan after its approval.
    Standing {
        /// Not disbursed, or the disbursement was reversed.
        Approved = "approved",
        /// Something is outstanding.
        Disbursed = "disbursed",
        /// Nothing is outstanding.
        Repaid = "repaid",
        /// Written off, whatever was recovered since.
        Defaulted = "defaulted",
    }
}

/// Money by component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Components {
    /// Principal.
    pub principal: Money,
    /// Interest.
    pub interest: Money,
    /// Fees of instalments and charged fees.
    pub fees: Money,
    /// Late fees and charged penalties.
    pub penalties: Money,
}

/// One instalment as it stands. `due = paid + outstanding + written_off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "n": 1, "due_on": "2026-04-02", "days": 31, "principal": "1902.39", "interest": "240.01", "fees": "0.00",
    "penalties": "0.00", "due": "2142.40", "paid": "2142.40", "outstanding": "0.00", "written_off": "0.00",
    "paid_on": "2026-04-02", "balance": "10098.11"})))]
pub struct Instalment {
    /// Counted from 1.
    pub n: u32,
    /// When it falls due. Charges in it may fall due before, in the last row also later; late fees
    /// fall due after it.
    #[cfg_attr(feature = "openapi", schema(value_type = BusinessDate))]
    pub due_on: Date,
    /// Calendar days since the due date before, or since the disbursement.
    pub days: u32,
    /// The principal due.
    pub principal: Money,
    /// The interest due: as charged, less waivers.
    pub interest: Money,
    /// The instalment's fees and charged fees, less waivers.
    pub fees: Money,
    /// Late fees and charged penalties, less waivers.
    pub penalties: Money,
    /// All four together.
    pub due: Money,
    /// The part paid.
    pub paid: Money,
    /// The part unpaid.
    pub outstanding: Money,
    /// The part written off.
    pub written_off: Money,
    /// The day on which the last of it was paid or waived, where something is due and nothing is
    /// outstanding or written off.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<BusinessDate>))]
    pub paid_on: Option<Date>,
    /// The principal left afterwards by the schedule.
    pub balance: Money,
}

/// The sums of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "principal": "12000.50", "interest": "853.89", "fees": "0.00", "penalties": "0.00", "due": "12854.39",
    "paid": "2142.40", "outstanding": "10711.99", "written_off": "0.00"})))]
pub struct InstalmentTotals {
    /// The principal due: the amount of the loan.
    pub principal: Money,
    /// The interest due.
    pub interest: Money,
    /// The fees due, without those at disbursement.
    pub fees: Money,
    /// The penalties due.
    pub penalties: Money,
    /// All four together.
    pub due: Money,
    /// The part paid.
    pub paid: Money,
    /// The part unpaid.
    pub outstanding: Money,
    /// The part written off.
    pub written_off: Money,
}

/// The unpaid part of the amounts that fall due on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Owed {
    /// The day: that of the instalment, for charges and late fees their own.
    pub due_on: Date,
    /// The part unpaid.
    #[serde(flatten)]
    pub unpaid: Components,
}

words! {
    /// The kind of a transaction.
    TransactionKind {
        /// The loan was paid out.
        Disbursement = "disbursement",
        /// A payment.
        Repayment = "repayment",
        /// A payment after the write-off.
        Recovery = "recovery",
        /// An overpayment was paid back.
        Refund = "refund",
        /// A charge.
        Charge = "charge",
        /// A waiver.
        Waiver = "waiver",
        /// The unpaid rest was written off.
        WriteOff = "write_off",
        /// Rows were replaced by new ones.
        Reschedule = "reschedule",
        /// Another transaction never counted.
        Reversal = "reversal",
    }
}

impl TransactionKind {
    /// The kind under which an event is recorded: a payment is a repayment, also after a write-off.
    #[must_use]
    pub const fn of(event: &EventKind) -> Self {
        match event {
            EventKind::Disbursement { .. } => Self::Disbursement,
            EventKind::Repayment { .. } => Self::Repayment,
            EventKind::Charge { .. } => Self::Charge,
            EventKind::Waiver { .. } => Self::Waiver,
            EventKind::Refund { .. } => Self::Refund,
            EventKind::WriteOff => Self::WriteOff,
            EventKind::Reschedule { .. } => Self::Reschedule,
            EventKind::Reversal { .. } => Self::Reversal,
        }
    }
}

/// The outcome of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The event.
    pub id: EventId,
    /// Its kind.
    pub kind: TransactionKind,
    /// Its value date.
    pub on: Date,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Paid out before fees, paid, charged, waived, refunded; the principal that was written off or
    /// amortised again; of a reversal the amount of the reversed transaction, zero for a write-off
    /// or a reschedule.
    pub amount: Money,
    /// The parts of a repayment, a waiver or a write-off. Of a recovery only the overpayment: it pays
    /// nothing that is outstanding. `None` for other kinds, and for reversed transactions, which paid
    /// nothing.
    pub allocation: Option<Shares>,
    /// Of a recovery: the part booked against the amount given up.
    pub recovered: Option<Money>,
    /// The principal outstanding after it. Events of one day count in the order of their kinds,
    /// not of their recording; for reversed events, and for reversals, it is that at the end of the
    /// day.
    pub balance: Money,
    /// Of a disbursement: the amount less the fees; negative if those are more.
    pub paid_out: Option<Money>,
    /// Of a reversal: the event that it reverses.
    pub reverses: Option<EventId>,
    /// The reversal of it.
    pub reversed_by: Option<EventId>,
}

/// Earlier money that pays something else: a held overpayment pays a charge on its due date; where a loan
/// closes, held money and payments of unearned interest and fees pay the unpaid amounts; where a reschedule
/// makes rows with less interest than was paid, the rest pays principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// The day.
    pub on: Date,
    /// Its cause: the event that closes the loan, the reschedule, or the charge that is paid.
    pub by: EventId,
    /// The amounts paid, less those taken back; `overpayment` is the change of the money held: less than
    /// zero where held money pays.
    pub shares: Shares,
}

/// A reschedule that replaced rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rescheduled {
    /// The event. The old rows are those of a reading as of the day before, or known before it.
    pub id: EventId,
    /// Its value date.
    pub on: Date,
    /// The number of the first row that it made.
    pub first_row: u32,
}

/// The loan as of a business date, from events recorded by an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Its standing.
    pub standing: Standing,
    /// The value date of the disbursement, once that is reached.
    pub disbursed_on: Option<Date>,
    /// The instalments; none before the disbursement.
    pub rows: Vec<Instalment>,
    /// Their sums.
    pub totals: InstalmentTotals,
    /// Principal and interest of a regular instalment of the schedule in force: fixed by the disbursement, a
    /// payment that reduces principal, or a reschedule. Without fees, charges, interest deferred to a row, and
    /// what replaced rows had paid. Zero before the disbursement.
    pub instalment: Money,
    /// The sum of the rows without late fees: allocated, unpaid, lapsed or written off.
    pub total_due: Money,
    /// The unpaid amounts, due or not. Their principal is the principal outstanding.
    pub unpaid: Components,
    /// The unpaid amounts by due date. Where interest follows the balance of each day, those of later due dates are
    /// what will fall due if nothing more is recorded, not what the rows ask for as of this day.
    pub owed: Vec<Owed>,
    /// The unpaid part of the amounts that fell due before this day.
    pub past_due: Components,
    /// The first due date from this day on for which something is unpaid.
    pub next_due_on: Option<Date>,
    /// The due date of the oldest instalment with principal, interest or fees unpaid, in the future
    /// too; for a charge that falls due after its instalment its own.
    pub oldest_unpaid_due_on: Option<Date>,
    /// Days since that date, if it is past. Zero on the due date itself.
    pub days_past_due: u32,
    /// The payments by component, those from held overpayments included, recoveries excluded.
    pub paid: Components,
    /// The overpayment held.
    pub overpayment: Money,
    /// The sum of the refunds.
    pub refunded: Money,
    /// The value date of the write-off.
    pub written_off_on: Option<Date>,
    /// The amounts written off; interest, fees and penalties lapse.
    pub written_off: Components,
    /// The part recovered since.
    pub recovered: Money,
    /// One for each event with a value date up to this day, in order of recording.
    pub transactions: Vec<Transaction>,
    /// Allocations of money that was held or paid before, by day.
    pub applied: Vec<Applied>,
    /// The reschedules that replaced rows, in the order in which they count. A later one may have
    /// replaced the rows of an earlier one.
    pub rescheduled: Vec<Rescheduled>,
    /// The movements on the ledger up to this day, by value date and account.
    pub postings: Vec<Posting>,
}

/// The future of a loan if nothing more is recorded: late fees arise until the last possible one,
/// and held money pays charges on their due dates. It is the same from whatever day it is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// The standing in the end: repaid if the held money pays all that is left.
    pub standing: Standing,
    /// The amounts unpaid in the end, by due date. On any day the amounts due by then are unpaid,
    /// except charges that held money pays later.
    pub owed: Vec<Owed>,
    /// See [`State::oldest_unpaid_due_on`].
    pub oldest_unpaid_due_on: Option<Date>,
    /// The overpayment that is left.
    pub overpayment: Money,
    /// Allocations of money that was held or paid before, by day, including future days.
    pub applied: Vec<Applied>,
    /// The interest that moves with the day, where interest follows the balance of each day and is not over.
    pub accruing: Option<Accruing>,
}

impl State {
    /// The transaction of an event.
    #[must_use]
    pub fn transaction(&self, id: EventId) -> Option<&Transaction> {
        self.transactions.iter().find(|transaction| transaction.id == id)
    }
}

/// The price of closing a loan on a day: the charges until then, less payments not refunded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Settlement {
    /// Unpaid principal.
    pub principal: Money,
    /// Unpaid interest of the periods that ended, and of the running one so far.
    pub interest: Money,
    /// Unpaid fees: all charged, and those of instalments due.
    pub fees: Money,
    /// Unpaid penalties.
    pub penalties: Money,
    /// Payments beyond the charges so far, and money held.
    pub credit: Money,
    /// The four together less the credit, not below zero: the smallest payment that closes the loan.
    pub total: Money,
}
