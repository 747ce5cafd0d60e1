//! The statements: one file for each thing that is stored, with its SQL and how its rows are read. Functions build
//! statements; they do not run them.

// A new kind of event, status or role must be handled in every match.
#![deny(clippy::wildcard_enum_match_arm)]

pub mod activations;
pub mod audit;
pub mod calendars;
pub mod columns;
pub mod customers;
pub mod duties;
pub mod keys;
pub mod ledger;
pub mod loan_as_of;
pub mod loans;
pub mod payments;
pub mod portfolio;
pub mod products;
pub mod profiles;
pub mod restating;
pub mod rights;
pub mod second_factors;
pub mod servicing;
pub mod sessions;
pub mod settling;
pub mod sources;
pub mod statements;
pub mod stats;
pub mod transactions;
pub mod users;
