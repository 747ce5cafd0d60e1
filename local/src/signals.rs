//! Ctrl-C, and its like from other programs.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::Error;

/// Listens for the signals that ask a program to end, which from then on do not end it by themselves.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    ///
    /// The system refuses.
    pub fn listen() -> Result<Self, Error> {
        let listen = |kind| signal(kind).map_err(|source| Error::Io { what: "listen for signals".to_owned(), source });
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// Waits for SIGINT (Ctrl-C) or SIGTERM. One that came since the last wait counts.
    pub async fn received(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
