//! One file for each aggregate: its rows, its SQL, its functions. Functions build statements; they do not run them.

pub mod audit;
pub mod columns;
pub mod duties;
pub mod ledger;
pub mod loans;
pub mod portfolio;
pub mod products;
pub mod restating;
pub mod rights;
pub mod schedules;
pub mod servicing;
pub mod sessions;
pub mod stats;
pub mod terms;
pub mod transactions;
pub mod users;
