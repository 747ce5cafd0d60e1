//! Logs: flat JSON lines on standard output. Never a body, a token, a password or an e-mail address.

use std::error::Error;

use tracing_subscriber::{EnvFilter, fmt};

/// Sets up the log of this process; `LOG_LEVEL` filters it (`info` where nothing is said).
pub fn init() {
    let filter = EnvFilter::try_from_env("LOG_LEVEL").unwrap_or_else(|_| EnvFilter::new("info"));
    let json = fmt().json().flatten_event(true).with_current_span(false).with_span_list(false);
    let subscriber = json.with_target(false).with_env_filter(filter);
    // Fails only if the process has a subscriber already, which then is the one to use.
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
