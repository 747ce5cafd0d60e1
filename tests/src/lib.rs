//! The base of the tests of the whole system: an [`Api`] with a database of its own, and a [`Client`] that talks to it
//! in-process or to any other one over HTTP. Nothing here is deployed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "what goes wrong here is a test that fails"
)]

mod api;
mod client;
pub mod document;
mod reply;
mod signed;
mod wire;

pub use api::{ADDRESS, Api, ApiOptions, PASSWORD, SIGNING_KEY, SIGNING_KEY_ID, TestSchema, User, without_tls};
pub use client::{Call, Client, Session};
pub use reply::Reply;
pub use signed::signed;
pub use wire::{Message, RoundTrip, Way, Wire};
