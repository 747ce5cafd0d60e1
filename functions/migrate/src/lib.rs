//! Makes a database ready for the functions: its schema, the login they use, the first admin, loans that an earlier
//! release wrote; on request demo data.
//!
//! Everything here may be run again at any time: existing things stay.

mod access;
mod admin;
mod demo;
pub mod deployment;
mod error;
mod invocation;
mod migrator;
mod restate;
mod schema;

pub use self::{
    access::{LOGIN_SETTINGS, Login},
    admin::FirstAdmin,
    demo::PASSWORD as DEMO_PASSWORD,
    error::MigrateError,
    invocation::{Invocation, invoke},
    migrator::{Event, Migrator, Report},
    restate::Restated,
    schema::fingerprint,
};
