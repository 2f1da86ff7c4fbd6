//! What lies between the client and the server of the tour: bytes go both ways, until it is pulled.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::failure::{Exit, Failure};
use crate::server;

/// A way to a server that can be interrupted.
pub(super) struct Cable {
    /// Where the client connects to.
    pub(super) url: String,
    plugged: watch::Sender<bool>,
}

impl Cable {
    /// A cable that is plugged in.
    pub(super) async fn to(url: &str) -> Result<Self, Failure> {
        let far = url
            .strip_prefix("ws://")
            .and_then(|rest| rest.split('/').next())
            .and_then(|address| address.parse().ok())
            .ok_or_else(|| Failure::new(Exit::Failed, format!("{url} has no address")))?;
        let listener = server::bind("127.0.0.1:0").await?;
        let near = listener.local_addr();
        let near = near.map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
        let url = format!("ws://{near}{}", server::PATH);
        let (plugged, state) = watch::channel(true);
        tokio::spawn(carry(listener, far, state));
        Ok(Self { url, plugged })
    }

    /// Breaks what is connected, and lets nothing through.
    pub(super) fn pull(&self) {
        self.plugged.send_replace(false);
    }

    /// Lets what comes through again.
    pub(super) fn plug(&self) {
        self.plugged.send_replace(true);
    }
}

async fn carry(listener: TcpListener, far: SocketAddr, plugged: watch::Receiver<bool>) {
    while let Ok((mut near, _)) = listener.accept().await {
        let mut plugged = plugged.clone();
        if !*plugged.borrow_and_update() {
            continue;
        }
        tokio::spawn(async move {
            let Ok(mut far) = TcpStream::connect(far).await else {
                return;
            };
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                _ = plugged.changed() => {}
            }
        });
    }
}
