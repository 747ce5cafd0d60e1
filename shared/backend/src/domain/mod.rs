//! The rules: pure functions on what was read and locked. They refuse with a [`Refusal`](refusal::Refusal), and know neither
//! SQL nor HTTP.

pub mod applications;
pub mod caller;
pub mod refusal;
pub mod users;
