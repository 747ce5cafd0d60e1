//! Shapes of answers: things as the interface shows them.

// A new kind of event, status or role must be handled in every match.
#![deny(clippy::wildcard_enum_match_arm)]

pub mod arrears;
mod collection;
pub mod ledger;
pub mod loan;
mod names;
pub mod payment;
pub mod product;
pub mod transaction;
pub mod user;
