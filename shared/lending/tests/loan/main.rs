//! Loans as functions of their events: published examples (`examples`), what was worked out by hand
//! (`worked`, `closing`, `daily`), what holds for every history (`properties`), and random histories against a slow and
//! obvious model (`differential`).
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod closing;
mod daily;
mod differential;
mod examples;
mod histories;
#[allow(dead_code, reason = "what the reference needs")]
#[path = "../random/loans.rs"]
mod loans;
mod model;
mod properties;
#[allow(dead_code, reason = "day counts and the instalment's formula are used, its schedules are not")]
#[path = "../random/reference.rs"]
mod reference;
mod support;
mod worked;
