//! Logs: flat JSON lines on standard output. Never a body, a token, a password or an e-mail address.

use tracing_subscriber::{EnvFilter, fmt};

/// Sets up the log of this process; `LOG_LEVEL` filters it (`info` where nothing is said).
pub fn init() {
    let filter = EnvFilter::try_from_env("LOG_LEVEL").unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber =
        fmt().json().flatten_event(true).with_target(false).with_current_span(false).with_env_filter(filter);
    // Fails only if the process has a subscriber already, which then is the one to use.
    let _ = subscriber.try_init();
}
