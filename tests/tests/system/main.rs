//! The whole system in this process, each test with a database of its own: what is asked of loans, products and
//! statistics, what two requests at once do to each other, and what the database refuses whoever asks.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what goes wrong here is a test that fails")]

mod assignments;
mod bodies;
mod book;
mod calendars;
mod cursors;
mod database;
mod deployments;
mod docs;
mod duties;
mod errors;
mod history;
mod hostile;
mod idempotency;
mod lists;
mod logs;
mod machines;
mod names;
mod openapi;
mod openapi_words;
mod order;
mod origin;
mod pay_refs;
mod permissions;
mod plans;
mod prepared;
mod products;
mod quotes;
mod races;
mod rights;
mod routes;
mod search;
mod security;
mod statements;
mod states;
mod statistics;
mod tables;
mod template;
mod web;
mod words;
mod world;
