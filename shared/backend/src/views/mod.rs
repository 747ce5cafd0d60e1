//! What the interface shows of things: shapes of answers.

pub mod arrears;
mod collection;
pub mod ledger;
pub mod loan;
pub mod schedules;
pub mod transaction;
mod user;
