//! Loan arithmetic: money, terms, due dates, schedules, annual percentage rates, and loans as functions of their events.
//!
//! Pure: no clock, no I/O, no SQL, no float. A schedule is a function of an amount, a date and
//! [`Terms`]; every amount is a whole number of the currency's smallest units, and every rounding
//! is done once, from the exact value. What a schedule costs a year is [`Schedule::apr`], what any
//! advances and payments cost is [`apr()`], and [`time_value`] has the functions behind them.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed"))]

mod apr;
mod calendar;
mod currency;
mod equation;
mod exact;
mod loan;
mod money;
mod number;
mod object;
mod rate;
mod real;
mod refusal;
mod schedule;
mod terms;
mod text;
pub mod time_value;

pub use apr::{Apr, AprMethod, Flow, FlowAmount, MAX_FLOWS, PeriodUnit, QuotedApr, UnitPeriod, UnitPeriodError, apr};
pub use calendar::{DateError, FIRST_YEAR, LAST_YEAR, parse_date};
pub use currency::{Currency, UnknownCurrency};
pub use loan::{
    Account, AllocationGroup, AllocationOrder, Applied, Bucket, Change, ChargeKind, Component, Components, Conflict,
    ConflictReason, Consequences, Contract, Event, EventId, EventKind, Exposure, Instalment, InstalmentTotals,
    JournalEntry, JournalLine, Owed, Posting, Rescheduled, Settlement, Shares, Standing, State, Transaction,
    TransactionKind, Waivable, change, fold, follow, journal_entries, levied_on, settlement,
};
pub use money::{Money, MoneyError};
pub use number::{Number, whole_number};
pub use rate::{AnnualRate, Percent, RateError};
pub use refusal::{Field, Reason, Refusal};
pub use schedule::{Row, Schedule, schedule};
pub use terms::{
    Allocation, Amortization, DayCount, Fee, FeePatch, FeeValue, FeeWhen, Given, Grace, GracePatch, InterestMethod,
    InterestPeriod, LateFee, LateFeeKind, LateFeePatch, MAX_FEES, MAX_GRACE_DAYS, MAX_INSTALMENTS, MAX_LATE_FEES,
    MAX_LATE_FEES_OF_A_LOAN, MonthEnd, Prepayment, RepayUnit, Rounding, Terms, TermsPatch, term_months,
};
pub use text::{is_blank, is_default_ignorable, is_one_line};
