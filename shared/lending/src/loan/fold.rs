//! The fold of a loan's events, day by day, in whole smallest units of its currency.

mod allocate;
mod apply;
mod days;
mod effect;
mod payments;

use jiff::civil::Date;

pub(super) use days::FoldByDay;
pub(super) use effect::{AppliedAmounts, Effect, Split};

use super::conflict::ConflictReason;
use super::contract::Contract;
use super::events::EventId;
use super::history::History;
use super::late_fees::LateFees;
use super::postings::{Account, Movements, Posting};
use super::rows::LoanRows;
use super::state::Rescheduled;
use crate::terms::Component;
use crate::{Currency, Money};
use allocate::AllocatedAmounts;

/// The fold of a loan up to a day.
#[derive(Clone)]
pub(super) struct LoanFold<'a> {
    contract: &'a Contract,
    /// `None` before the disbursement.
    pub(super) rows: Option<LoanRows<'a>>,
    late_fees: Option<LateFees>,
    /// The amount paid out at the disbursement.
    pub(super) paid_out: i128,
    /// Unpaid principal.
    pub(super) balance: i128,
    /// Overpayments held.
    pub(super) held: i128,
    pub(super) refunded: i128,
    pub(super) written_off_on: Option<Date>,
    /// The amounts written off, by component.
    pub(super) written_off: [i128; 4],
    pub(super) recovered: i128,
    /// The effect of each known event; `None` for reversed ones.
    pub(super) effects: Vec<Option<Effect>>,
    /// The balance at the end of each day on which something happened.
    pub(super) balances: Vec<(Date, i128)>,
    /// The sum of the payments before a write-off.
    paid_in: i128,
    pub(super) applied: Vec<AppliedAmounts>,
    pub(super) rescheduled: Vec<Rescheduled>,
    pub(super) postings: Vec<Posting>,
    /// The movements so far on the day being folded.
    moved: Movements,
    /// Empty between payments; kept to reuse its memory.
    allocated: AllocatedAmounts,
}

impl<'a> LoanFold<'a> {
    pub(super) const fn contract_amount(&self) -> i128 {
        self.contract.amount.units()
    }

    pub(super) const fn currency(&self) -> Currency {
        self.contract.amount.currency()
    }

    /// A loan before its first event.
    pub(super) fn new(contract: &'a Contract, history: &History<'_>) -> Self {
        Self {
            contract,
            rows: None,
            late_fees: None,
            paid_out: 0,
            balance: 0,
            held: 0,
            refunded: 0,
            written_off_on: None,
            written_off: [0; 4],
            recovered: 0,
            paid_in: 0,
            effects: vec![None; history.known.len()],
            balances: Vec::new(),
            applied: Vec::new(),
            rescheduled: Vec::new(),
            postings: Vec::with_capacity(history.effective.len() * 3),
            moved: Movements::default(),
            allocated: AllocatedAmounts::default(),
        }
    }

    /// The rows of a loan that is disbursed and not written off.
    fn open_rows(&mut self) -> Result<&mut LoanRows<'a>, ConflictReason> {
        if self.written_off_on.is_some() {
            return Err(ConflictReason::AlreadyWrittenOff);
        }
        self.rows.as_mut().ok_or(ConflictReason::NotDisbursed)
    }

    /// Moves money already paid, or held, to other amounts.
    fn move_paid(&mut self, on: Date, by: EventId, moved: [i128; 4]) {
        if moved == [0; 4] {
            return;
        }
        let taken: i128 = moved.iter().sum();
        self.held -= taken;
        self.balance -= moved[Component::Principal as usize];
        self.post(&[(Account::OverpaymentsPayable, taken)]);
        self.post_paid(moved);
        self.applied.push(AppliedAmounts { on, by, by_component: moved });
    }

    fn post_paid(&mut self, paid: [i128; 4]) {
        self.post(&[
            (Account::PenaltyIncome, -paid[Component::Penalty as usize]),
            (Account::FeeIncome, -paid[Component::Fee as usize]),
            (Account::InterestIncome, -paid[Component::Interest as usize]),
            (Account::PrincipalReceivable, -paid[Component::Principal as usize]),
        ]);
    }

    fn post(&mut self, amounts: &[(Account, i128)]) {
        for (account, amount) in amounts {
            self.moved[*account as usize] += amount;
        }
    }

    /// Makes postings of the movements of a day.
    fn post_day(&mut self, on: Date) {
        let moved = std::mem::take(&mut self.moved);
        let currency = self.contract.amount.currency();
        for (account, amount) in Account::ALL.into_iter().zip(moved) {
            if amount != 0 {
                self.postings.push(Posting { on, account, amount: Money::computed(amount, currency) });
            }
        }
    }
}
