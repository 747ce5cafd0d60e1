//! What the interface shows of things: shapes of answers.

// A new kind of event, status or role is decided upon wherever kinds are told apart.
#![deny(clippy::wildcard_enum_match_arm)]

pub mod arrears;
mod collection;
pub mod ledger;
pub mod loan;
pub mod schedules;
pub mod transaction;
mod user;
