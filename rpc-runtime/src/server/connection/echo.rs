//! What an echoing connection does with a message: see `server/echo.rs`.

use std::sync::Arc;

use rpc_protocol::Output;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{super::shared::Shared, Connection};
use crate::{Session, transport::websocket::Incoming};

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Begins a connection that echoes. It sends no greeting.
    pub(in crate::server) fn echoing(
        stream: S,
        read_ahead: &[u8],
        session: Arc<Session>,
        shared: Arc<Shared>,
    ) -> Self {
        Self::begin(stream, read_ahead, session, shared)
    }

    /// Sends a message back, where that is what the server does; control frames are the connection's.
    pub(super) fn echo(&mut self, incoming: Incoming) -> Option<Incoming> {
        if !self.shared.echoes() {
            return Some(incoming);
        }
        match incoming {
            Incoming::Binary(message) => {
                let output = self.socket.io.output.begin_message(message.len());
                output.extend_from_slice(&message);
            }
            Incoming::Text(text) => self.socket.write_text(text),
            control => return Some(control),
        }
        None
    }
}
