//! The rules: pure functions on rows that were read and locked. They refuse with a [`Refusal`](refusal::Refusal), and
//! know neither SQL nor HTTP.

// A new kind of event, status or role must be handled in every match.
#![deny(clippy::wildcard_enum_match_arm)]

pub mod applications;
pub mod calendars;
pub mod caller;
pub mod collection;
pub mod duties;
pub mod keys;
pub mod kyc;
pub mod ledger;
pub mod loan;
pub mod loan_as_of;
pub mod loan_history;
pub mod loan_money;
pub mod notices;
pub mod payments;
pub mod portfolio;
pub mod products;
pub mod profile;
pub mod refusal;
pub mod restating;
pub mod servicing;
pub mod settling;
pub mod sources;
pub mod statement_report;
pub mod statements;
pub mod transaction;
pub mod users;
