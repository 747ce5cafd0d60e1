//! Arithmetic on numbers of every length that is needed, none of them a binary float.

pub(crate) mod fixed;
pub(crate) mod log;
pub(crate) mod natural;
pub(crate) mod real;
pub(crate) mod rounding;
