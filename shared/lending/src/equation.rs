//! The rate at which payments are worth what was advanced: the equation of value and its solution.

mod solution;
mod value;

pub(crate) use value::{Equation, OddPart, StepsPerYear, Time, Unknown};
