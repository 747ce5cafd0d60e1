//! Progress for the person at the terminal, on standard error, so that standard output stays for answers.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Prints one line of progress. A closed standard error is no reason to stop, so a failure to write is ignored.
pub fn say(line: impl Display) {
    // One write a line: several processes (the tests of several crates) may share the terminal.
    let line = format!("{line}\n");
    let _ = stderr().write_all(line.as_bytes());
}

/// Shows how much of something is done: a bar on a terminal, else a line for each tenth.
pub(crate) struct Progress {
    bar: ProgressBar,
    what: &'static str,
    all: u64,
    tenths: u64,
}

impl Progress {
    /// Of so many things of a kind.
    pub(crate) fn new(all: u64, what: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::stderr());
        // The template is a constant that can be read; were it not, the bar would have its usual form.
        let template = format!("{{bar:40}} {{human_pos}} of {{human_len}} {what}, {{eta}} to go");
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
        Self { bar: bar.with_style(style), what, all, tenths: 0 }
    }

    /// So many are done.
    pub(crate) fn done(&mut self, count: u64) {
        if stderr().is_terminal() {
            self.bar.set_position(count);
            return;
        }
        let tenths = count * 10 / self.all.max(1);
        if tenths > self.tenths {
            self.tenths = tenths;
            say(format_args!("{count} of {} {}", self.all, self.what));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
