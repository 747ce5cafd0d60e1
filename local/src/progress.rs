//! Progress for the person at the terminal, on standard error, so that standard output stays for answers.

use std::fmt::Display;
use std::io::Write as _;

/// Prints one line of progress. A closed standard error is no reason to stop, so a failure to write is ignored.
pub fn say(line: impl Display) {
    // One write a line: several processes (the tests of several crates) may share the terminal.
    let line = format!("{line}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}
