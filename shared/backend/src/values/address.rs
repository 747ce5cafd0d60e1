//! The caller's network address.

use std::net::IpAddr;

/// Where the request came from; unknown only in tests that do not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub Option<IpAddr>);

impl ClientAddress {
    /// As text for the audit log and the limits; empty if unknown.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.map(|address| address.to_string()).unwrap_or_default()
    }
}
