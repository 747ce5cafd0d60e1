//! The whole API on one local port, and the Postgres under it: what `cargo dev` and `cargo test` are made of.
//!
//! [`postgres`] finds, makes, starts and stops a Postgres for `cargo dev`; [`testing`] gives every test a database
//! of its own. Nothing here is deployed: no function depends on this crate.

#[cfg(not(unix))]
compile_error!(
    "`cargo dev` and the tests start a Postgres server, which this crate does on Linux and macOS only: \
     on Windows, use WSL 2 (the other crates of the workspace build without it)"
);

mod account;
pub mod api;
pub mod book;
mod command;
pub mod cors;
mod error;
pub mod fake_payments;
pub mod operations;
pub mod options;
pub mod postgres;
mod progress;
mod project;
pub mod serve;
mod signals;
pub mod testing;

pub use command::run;
pub use error::Error;
pub use postgres::free_port;
pub use progress::say;
pub use project::Project;
pub use signals::Signals;
