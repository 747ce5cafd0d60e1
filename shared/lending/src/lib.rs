//! Loan arithmetic: money, terms, due dates, schedules, annual percentage rates, and loans as
//! functions of their events.
//!
//! Pure: no clock, no I/O, no SQL, no float. A schedule is a function of an amount, a date and
//! [`Terms`]; every amount is a whole number of the currency's smallest units, and every rounding
//! is done once, from the exact value. [`Schedule::apr`] is the yearly cost of a schedule, [`apr()`]
//! that of any advances and payments; [`time_value`] has the functions behind them.

// A new kind of event, status or mode is a question at every match.
#![deny(clippy::wildcard_enum_match_arm)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed"))]

// The code shared by benchmarks and tests names this crate from outside.
#[cfg(test)]
extern crate self as lending;

mod apr;
mod calendar;
mod currency;
mod equation;
mod json;
mod loan;
mod money;
mod number;
#[cfg(feature = "openapi")]
pub mod openapi;
mod rate;
mod refusal;
mod schedule;
mod steps;
mod terms;
mod text;
pub mod time_value;
mod words;

pub use apr::{Apr, AprMethod, Flow, FlowAmount, MAX_FLOWS, PeriodUnit, QuotedApr, UnitPeriod, UnitPeriodError, apr};
pub use calendar::{
    Calendar, CalendarCode, CalendarCodeError, CalendarRule, DateError, DayCount, FIRST_YEAR, InterestPeriod,
    LAST_YEAR, MonthEnd, RepayUnit, WeekDay, parse_date,
};
pub use currency::{Currency, UnknownCurrency};
pub use json::whole_number;
pub use loan::{
    Account, Accruing, Applied, Change, ChargeKind, Components, Conflict, ConflictReason, Consequences, Contract,
    Event, EventId, EventKind, Exposure, Instalment, InstalmentTotals, JournalEntry, JournalLine, Outlook, Owed,
    Posting, Rescheduled, Settlement, Shares, Standing, State, Transaction, TransactionKind, Waivable, change, fold,
    fold_on, follow, journal_entries, levied_on, settlement,
};
pub use money::{Money, MoneyError};
pub use number::rounding::Rounding;
pub use rate::{AnnualRate, Percent, RateError};
pub use refusal::{Field, Reason, Refusal};
pub use schedule::{Schedule, ScheduledInstalment, schedule};
pub use terms::{
    Allocation, AllocationError, AllocationGroup, AllocationGroups, AllocationPreset, Amortization, Bucket,
    CalendarPatch, CalendarUse, Component, Fee, FeePatch, FeeValue, FeeWhen, Given, Grace, GracePatch, InterestAccrual,
    InterestMethod, LateFee, LateFeeKind, LateFeePatch, MAX_FEES, MAX_GRACE_DAYS, MAX_INSTALMENTS, MAX_LATE_FEES,
    MAX_LATE_FEES_OF_A_LOAN, Number, Prepayment, Terms, TermsPatch, term_months,
};
pub use text::{is_blank, is_default_ignorable, is_one_line, shows_nothing};
