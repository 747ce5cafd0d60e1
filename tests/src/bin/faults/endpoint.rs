//! The address under which the functions know the database, while the server behind it changes: what the host name of
//! RDS is to its instances.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

/// An address that leads to one port at a time. Ends with the runtime.
pub(crate) struct Endpoint {
    port: u16,
    target: Arc<AtomicU16>,
}

impl Endpoint {
    /// Leads to this port of this machine.
    pub(crate) async fn to(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let target = Arc::new(AtomicU16::new(target));
        tokio::spawn(listen(listener, Arc::clone(&target)));
        Self { port, target }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// From now on, new connections lead to this port.
    pub(crate) fn lead_to(&self, port: u16) {
        self.target.store(port, Ordering::Relaxed);
    }
}

async fn listen(listener: TcpListener, target: Arc<AtomicU16>) {
    while let Ok((mut function, _)) = listener.accept().await {
        let port = target.load(Ordering::Relaxed);
        tokio::spawn(async move {
            // Where nobody listens, the function's connection is closed.
            if let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
                // Either end may break it off.
                let _ = copy_bidirectional(&mut function, &mut server).await;
            }
        });
    }
}
