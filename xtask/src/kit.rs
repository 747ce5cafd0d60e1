//! Shared by the checks: commands, folders, ports, and the servers that they ask.

pub(crate) mod api;
pub(crate) mod at_once;
pub(crate) mod command;
pub(crate) mod docker;
pub(crate) mod folders;
pub(crate) mod lambda;
pub(crate) mod ports;
pub(crate) mod postgres;
pub(crate) mod scratch;
pub(crate) mod signals;
pub(crate) mod tools;
