//! A server that sends WebSocket messages back instead of reading frames of ours in them: what tests of the framing
//! itself (`tests/autobahn`) talk to. Everything below the protocol, from accepting to closing, is what every connection
//! runs on.

use std::sync::atomic::Ordering;

use super::{Server, shared::Shared};

impl Server {
    /// Sends every text and binary message back, on this server and its clones, whatever subprotocol was offered.
    #[doc(hidden)]
    #[must_use]
    pub fn echo(self) -> Self {
        self.shared.echo.store(true, Ordering::Relaxed);
        self
    }
}

impl Shared {
    /// Whether connections echo.
    pub(in crate::server) fn echoes(&self) -> bool {
        self.echo.load(Ordering::Relaxed)
    }
}
