//! Accounts, section 2 of the interface: in-process, against a Postgres of their own, as the application's role.
#![allow(clippy::unwrap_used)]

mod audit;
mod enrolment;
mod identity;
mod login;
mod people;
mod profile;
mod register;
mod second_factor;
mod sessions;
mod status;
mod support;
