//! Loans as functions of their events: published examples (`examples`), what was worked out by hand
//! (`worked`).
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod examples;
mod support;
