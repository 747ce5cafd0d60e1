//! Ports of this machine.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use super::command::{Outcome, wait_for};

/// A port that nobody listens on.
pub(crate) fn free() -> Outcome<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Waits until somebody does.
pub(crate) fn wait_until_open(port: u16, limit: Duration) -> Outcome {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let open = || TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok();
    wait_for(&format!("port {port}"), limit, open)
}
