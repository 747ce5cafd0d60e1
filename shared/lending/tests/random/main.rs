//! Schedules of random loans over the whole range of terms: that they keep the rules
//! (`properties`), and that they are those of an independent, slow computation (`differential`).
//! Annual percentage rates of random flows and loans, by another such computation (`rates`).
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod differential;
mod loans;
mod properties;
mod rates;
mod reference;
