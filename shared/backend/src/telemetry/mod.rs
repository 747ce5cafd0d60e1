//! Logs and metrics: flat JSON lines on standard output, never a body, a token, a password or an e-mail address. The
//! line of a request carries its metrics, in the Embedded Metric Format, from which `CloudWatch` makes them.

mod format;
mod measure;

use std::{env, error::Error};

use tracing_subscriber::{filter::LevelFilter, fmt};

pub use self::{
    format::JsonLines,
    measure::{Count, InDatabase, Measured, count, figures, measured},
};

/// Sets up the log of this process; `LOG_LEVEL` names the least severe level of it (default `info`).
///
/// Release builds hold nothing less severe than `info`: our own code logs nothing there, and libraries log what they
/// send and receive, which a log of ours may not hold.
pub fn init() {
    let level = env::var("LOG_LEVEL").ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let subscriber = fmt().with_ansi(false).event_format(JsonLines).with_max_level(level);
    // Fails only if the process has a subscriber already, which is then used.
    let _ = subscriber.try_init();
}

/// An error as it is logged: its text and those of its sources, which many errors leave out.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
