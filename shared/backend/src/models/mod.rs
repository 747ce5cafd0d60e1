//! One file for each aggregate: its rows, its SQL, its functions. Functions build statements; they do not run them.

pub mod audit;
pub mod columns;
pub mod products;
pub mod terms;
pub mod users;
