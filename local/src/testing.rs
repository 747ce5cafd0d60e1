//! A database of its own for every test, on the Postgres that `cargo dev` would find.
//!
//! The first test of a process starts a server, in the first folder below `target/test-postgres` that no other process
//! uses, and it ends with the process; its data stay for the next run. A [`Schema`] is migrated once into a *template*,
//! and [`Database::fresh`] clones that, in a fraction of the time:
//!
//! ```no_run
//! # use local::testing::{Database, Schema};
//! # async fn test(schema: &impl Schema) -> Result<(), local::Error> {
//! let database = Database::fresh(schema).await?;
//! let owner = database.owner_url();
//! let application = database.application_url("microloans_app").await?;
//! # Ok(())
//! # }
//! ```
//!
//! A clone is a thousand small files: 20 to 40 ms on a fast disk, but ten times that on ext4 once many have been
//! removed in the last minutes (it looks at each of the files just removed before it makes a new one). In a memory file
//! system it stays fast: `MICROLOANS_TEST_DATA=/dev/shm/microloans` puts the servers there instead of below `target`.
//!
//! Where `MICROLOANS_TEST_POOLER` names the address of a pooler that stands before the server, the application connects
//! through it; the owner goes to the server itself.
//!
//! Where `DATABASE_URL` names a server, the tests use that one. Everything made there is removed again: a database when
//! its [`Database`] is dropped, the templates and roles when no database is left.

mod database;
mod leavings;
mod schema;
mod server;
#[cfg(test)]
mod tests;

pub use database::Database;
pub use schema::Schema;
pub use server::Server;
