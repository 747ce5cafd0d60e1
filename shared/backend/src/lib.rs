//! The base of every function: rules, statements, the database pool, the conventions of the HTTP interface, and the
//! callers.
//!
//! A request's way: the caller's extractor ([`auth::callers`]), the body and query read late ([`http::body`],
//! [`http::query`]), statements ([`store`]) run by the database ([`db`]), a rule ([`domain`]), an answer or a problem
//! ([`views`], [`http::answer`], [`http::problem`]). The crate `lending` computes the cost of a loan, never this one.

pub mod app;
pub mod auth;
pub mod config;
pub mod db;
pub mod domain;
pub mod http;
pub mod lambda;
pub mod secrets;
pub mod store;
pub mod telemetry;
pub mod values;
pub mod views;
