//! The scheduled function: stores a snapshot of the statistics.
fn main() {}
