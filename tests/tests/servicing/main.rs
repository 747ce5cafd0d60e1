//! Servicing, section 5 of the interface: in-process, against a Postgres of its own, as the application's role.
#![allow(clippy::unwrap_used)]

mod arrivals;
mod bank;
mod books;
mod commands;
mod daily_interest;
mod docs;
mod examples;
mod fake;
mod keys;
mod portfolio;
mod random;
mod reads;
mod refinance;
mod restating;
mod streams;
mod suspense;
mod till;
mod watch;
mod world;
