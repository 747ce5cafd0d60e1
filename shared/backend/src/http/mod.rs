//! The conventions of the HTTP interface, each in one place.

pub mod address;
pub mod answer;
pub mod as_of;
pub mod body;
pub mod codes;
pub mod command;
pub mod compression;
pub mod credentials;
pub mod csv;
pub mod etag;
pub mod format;
pub mod headers;
pub mod idempotency;
pub mod layers;
pub mod operations;
pub mod origin;
pub mod pagination;
pub mod path;
pub mod problem;
pub mod query;
pub mod seal;
pub mod shape;
mod weights;
