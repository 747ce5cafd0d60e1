//! The checks, each in a file of its own.

pub(crate) mod browser;
pub(crate) mod build;
pub(crate) mod calendars;
pub(crate) mod clients;
pub(crate) mod code;
pub(crate) mod emulator;
pub(crate) mod faults;
pub(crate) mod fuzz;
pub(crate) mod image;
pub(crate) mod measure;
pub(crate) mod openapi;
pub(crate) mod pins;
pub(crate) mod pooler;
pub(crate) mod readme;
pub(crate) mod sam_local;
pub(crate) mod sbom;
pub(crate) mod templates;
pub(crate) mod workflows;
