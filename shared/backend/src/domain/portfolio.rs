//! The figures of the portfolio: the share of one loan, and how a change of it changes them.

use std::{
    collections::BTreeMap,
    ops::{AddAssign, SubAssign},
};

use jiff::{Timestamp, civil::Date};
use lending::{Currency, EventKind, Exposure, Money, Standing};
use uuid::Uuid;

use crate::{
    domain::{
        loan::{Loan, LoanStatus},
        transaction::Transaction,
    },
    values::{moment::Moment, words::words},
};

/// The date under which all loans of a group are summed, whatever their date; it is before any date of a loan.
pub(crate) const ALL: Date = Date::constant(1, 1, 1);

/// A loan's application from one step of it to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct ApplicationStep {
    /// When the step was taken.
    pub at: Timestamp,
    /// The state that it led to.
    pub status: LoanStatus,
    /// The amount asked for then.
    pub amount: Money,
}

impl ApplicationStep {
    /// The step that led to the loan's present state.
    #[must_use]
    pub const fn to(loan: &Loan) -> Self {
        Self { at: loan.updated_at, status: loan.status, amount: loan.amount }
    }
}

/// Sums of loans in one state and currency; money in smallest units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BookSums {
    /// How many.
    pub loans: i64,
    /// The sum of their amounts.
    pub amount: i128,
    /// Principal paid out.
    pub disbursed: i128,
    /// Principal paid back.
    pub repaid: i128,
    /// Principal outstanding.
    pub outstanding: i128,
    /// Principal, interest and fees fallen due and not paid.
    pub past_due: i128,
}

/// Sums of disbursed loans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExposureSums {
    /// How many.
    pub loans: i64,
    /// Principal outstanding, in smallest units.
    pub outstanding: i128,
}

/// Sums of an agent's loans; money in smallest units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgentSums {
    /// Applications.
    pub requests: i64,
    /// Of these, the approved ones, including those disbursed or withdrawn since.
    pub approved: i64,
    /// Of these, those that are rejected.
    pub rejected: i64,
    /// Principal paid out.
    pub disbursed: i128,
    /// Payments taken, refunds taken off.
    pub collected: i128,
}

macro_rules! sums {
    ($name:ident { $($field:ident),* }) => {
        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                $(self.$field += other.$field;)*
            }
        }

        impl SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                $(self.$field -= other.$field;)*
            }
        }
    };
}

sums!(BookSums { loans, amount, disbursed, repaid, outstanding, past_due });
sums!(ExposureSums { loans, outstanding });
sums!(AgentSums { requests, approved, rejected, disbursed, collected });

/// The key of a row of the book: the day from which it counts, the currency, the state.
pub type BookKey = (Date, Currency, LoanStatus);

/// The key of a row of exposures: grouping, group, currency, date of the oldest unpaid instalment. One more row under
/// [`ALL`] sums all loans of the group.
pub type ExposureKey = (Grouping, Option<String>, Currency, Option<Date>);

/// The key of a row of an agent: currency, agent, day.
pub type AgentKey = (Currency, Uuid, Date);

/// The share of loans in the figures of the portfolio, or how a change of one changes them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PortfolioDelta {
    /// Loans by state, and their money: the increment of each day.
    pub book: BTreeMap<BookKey, BookSums>,
    /// The outstanding loans.
    pub exposures: BTreeMap<ExposureKey, ExposureSums>,
    /// The results of agents' loans.
    pub agents: BTreeMap<AgentKey, AgentSums>,
}

/// The share of one loan in the book on a day.
#[derive(Clone, Copy, PartialEq)]
struct DayInPortfolio {
    status: LoanStatus,
    sums: BookSums,
}

/// A loan with the inputs of its figures.
#[derive(Clone, Copy, Debug)]
pub struct LoanInPortfolio<'a> {
    /// The loan as it is.
    pub loan: &'a Loan,
    /// The steps of its application.
    pub steps: &'a [ApplicationStep],
    /// The loan's exposure from day to day: see [`lending::follow`]. When a loan is compared before and after a change,
    /// the days before the first of these are the same: see [`lending::change`].
    pub exposures: &'a [Exposure],
    /// The transactions of its money.
    pub transactions: &'a [Transaction],
}

impl LoanInPortfolio<'_> {
    /// The loan's share in the book from each of these days on, in their order.
    fn positions(&self, at: Moment<'_>) -> impl Iterator<Item = (Date, DayInPortfolio)> {
        let Self { loan, steps, exposures, .. } = *self;
        // A transaction shows that the loan exists even before its application was entered, and its state from then on.
        let disbursed_on = loan.disbursed_on;
        let applied = steps.iter().map(move |step| (at.date_of(step.at), step));
        let applied = applied.filter(move |(on, _)| disbursed_on.is_none_or(|disbursed_on| *on < disbursed_on));
        let applied = applied.map(|(on, step)| (on, DayInPortfolio::applied(step)));
        applied.chain(exposures.iter().map(|exposure| (exposure.on, DayInPortfolio::out(exposure, loan.amount))))
    }
}

/// The part at the start that a loan has in common before and after a change: it cancels out.
#[derive(Clone, Copy, Debug, Default)]
struct CommonStart {
    positions: usize,
    transactions: usize,
}

impl CommonStart {
    fn of(before: LoanInPortfolio<'_>, after: LoanInPortfolio<'_>, at: Moment<'_>) -> Self {
        fn count<T: PartialEq>(before: impl Iterator<Item = T>, after: impl Iterator<Item = T>) -> usize {
            before.zip(after).take_while(|(before, after)| before == after).count()
        }
        // The same transactions, but another agent, or others before: nothing cancels out.
        let agents = |part: LoanInPortfolio<'_>| (part.loan.agent_id, part.loan.agents_before.len());
        let is_same_agent = agents(before) == agents(after);
        let transactions = count(before.transactions.iter(), after.transactions.iter());
        Self {
            positions: count(before.positions(at), after.positions(at)),
            transactions: if is_same_agent { transactions } else { 0 },
        }
    }
}

impl AddAssign for PortfolioDelta {
    fn add_assign(&mut self, other: Self) {
        other.book.into_iter().for_each(|(key, sums)| *self.book.entry(key).or_default() += sums);
        other.exposures.into_iter().for_each(|(key, sums)| *self.exposures.entry(key).or_default() += sums);
        other.agents.into_iter().for_each(|(key, sums)| *self.agents.entry(key).or_default() += sums);
    }
}

impl SubAssign for PortfolioDelta {
    fn sub_assign(&mut self, other: Self) {
        other.book.into_iter().for_each(|(key, sums)| *self.book.entry(key).or_default() -= sums);
        other.exposures.into_iter().for_each(|(key, sums)| *self.exposures.entry(key).or_default() -= sums);
        other.agents.into_iter().for_each(|(key, sums)| *self.agents.entry(key).or_default() -= sums);
    }
}

impl PortfolioDelta {
    /// The share of one loan.
    #[must_use]
    pub fn of(part: LoanInPortfolio<'_>, at: Moment<'_>) -> Self {
        Self::beyond(CommonStart::default(), part, at)
    }

    /// The difference that a change of one loan makes.
    #[must_use]
    pub fn between(before: LoanInPortfolio<'_>, after: LoanInPortfolio<'_>, at: Moment<'_>) -> Self {
        let shared = CommonStart::of(before, after, at);
        let mut figures = Self::beyond(shared, after, at);
        figures -= Self::beyond(shared, before, at);
        figures
    }

    fn beyond(shared: CommonStart, part: LoanInPortfolio<'_>, at: Moment<'_>) -> Self {
        let mut figures = Self::default();
        figures.put_into_book(shared, part, at);
        figures.put_exposure(part.loan);
        figures.put_to_agents(shared, part, at);
        figures
    }

    fn put_into_book(&mut self, shared: CommonStart, part: LoanInPortfolio<'_>, at: Moment<'_>) {
        let currency = part.loan.amount.currency();
        let mut before: Option<DayInPortfolio> = None;
        for (place, (on, position)) in part.positions(at).enumerate() {
            let before = before.replace(position);
            if place < shared.positions {
                continue;
            }
            if let Some(DayInPortfolio { status, sums }) = before {
                *self.book.entry((on, currency, status)).or_default() -= sums;
            }
            *self.book.entry((on, currency, position.status)).or_default() += position.sums;
        }
    }

    fn put_exposure(&mut self, loan: &Loan) {
        if loan.status != LoanStatus::Disbursed {
            return;
        }
        let currency = loan.amount.currency();
        let sums = ExposureSums { loans: 1, outstanding: loan.outstanding.units() };
        let groups = [
            (Grouping::Currency, Some(currency.code().to_owned())),
            (Grouping::Product, Some(loan.product.clone())),
            (Grouping::Agent, loan.agent_id.map(|agent| agent.to_string())),
        ];
        for (grouping, group) in groups {
            for due_on in [loan.oldest_unpaid_due_on, Some(ALL)] {
                *self.exposures.entry((grouping, group.clone(), currency, due_on)).or_default() += sums;
            }
        }
    }

    /// An application counts for the loan's first agent, money for whose loan it was when that was recorded; a reversal
    /// for whom what it takes back counted.
    fn put_to_agents(&mut self, shared: CommonStart, part: LoanInPortfolio<'_>, at: Moment<'_>) {
        let LoanInPortfolio { loan, transactions, .. } = part;
        let currency = loan.amount.currency();
        let mut add = |agent: Option<Uuid>, on: Date, sums: AgentSums| {
            if let Some(agent) = agent {
                *self.agents.entry((currency, agent, on)).or_default() += sums;
            }
        };
        let request = AgentSums {
            requests: 1,
            approved: i64::from(loan.was_approved()),
            rejected: i64::from(loan.status == LoanStatus::Rejected),
            ..AgentSums::default()
        };
        add(loan.first_agent(), at.date_of(loan.created_at), request);
        if let Some(disbursed_on) = loan.disbursed_on {
            let agent = paid_out_at(transactions).map_or(loan.agent_id, |at| loan.agent_at(at));
            add(agent, disbursed_on, AgentSums { disbursed: loan.amount.units(), ..AgentSums::default() });
        }
        for transaction in transactions.iter().skip(shared.transactions) {
            let find = |of| transactions.iter().find(|other| other.event.id == of);
            let reversed = transaction.event.kind.reverses().and_then(find);
            // A reversal has the value date of what it takes back.
            let collected = match (reversed, transaction.collected()) {
                (Some(reversed), _) => -reversed.collected(),
                (None, collected) => collected,
            };
            if collected != 0 {
                let earned_at = reversed.unwrap_or(transaction).event.recorded_at;
                add(loan.agent_at(earned_at), transaction.event.on, AgentSums { collected, ..AgentSums::default() });
            }
        }
    }
}

/// When the disbursement was recorded that stands: the last one.
fn paid_out_at(transactions: &[Transaction]) -> Option<Timestamp> {
    let is_disbursement = |transaction: &&Transaction| matches!(transaction.event.kind, EventKind::Disbursement { .. });
    transactions.iter().rfind(is_disbursement).map(|transaction| transaction.event.recorded_at)
}

impl DayInPortfolio {
    fn applied(step: &ApplicationStep) -> Self {
        // States that follow from transactions are taken from the transactions.
        let status = if step.status.is_disbursed() { LoanStatus::Approved } else { step.status };
        Self { status, sums: BookSums { loans: 1, amount: step.amount.units(), ..BookSums::default() } }
    }

    fn out(exposure: &Exposure, amount: Money) -> Self {
        let status = match exposure.standing {
            Standing::Approved => LoanStatus::Approved,
            Standing::Disbursed => LoanStatus::Disbursed,
            Standing::Repaid => LoanStatus::Repaid,
            Standing::Defaulted => LoanStatus::Defaulted,
        };
        let (amount, outstanding) = (amount.units(), exposure.outstanding.units());
        let sums = BookSums {
            loans: 1,
            amount,
            disbursed: amount,
            repaid: amount - outstanding - exposure.written_off.units(),
            outstanding,
            past_due: exposure.past_due.units(),
        };
        Self { status, sums }
    }
}

impl Transaction {
    /// The amount collected from the borrower, in smallest units; negative for a refund.
    fn collected(&self) -> i128 {
        match self.event.kind {
            EventKind::Repayment { amount } => amount.units(),
            EventKind::Refund { amount } => -amount.units(),
            EventKind::Disbursement { .. }
            | EventKind::Charge { .. }
            | EventKind::Waiver { .. }
            | EventKind::WriteOff
            | EventKind::Reschedule { .. }
            | EventKind::Reversal { .. } => 0,
        }
    }
}

words! {
    /// The grouping of arrears.
    #[derive(Default)]
    Grouping {
        /// One for each currency.
        #[default]
        Currency = "currency",
        /// One for each product.
        Product = "product",
        /// One for each agent and currency.
        Agent = "agent",
    }
}
