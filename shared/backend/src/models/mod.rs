//! One file for each aggregate: its rows, its SQL, its functions. Functions build statements; they do not run them.

pub mod applications;
pub mod audit;
pub mod columns;
pub mod loans;
pub mod products;
pub mod schedules;
pub mod sessions;
pub mod stats;
pub mod terms;
pub mod users;
