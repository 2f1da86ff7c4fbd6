//! Reads the answer to the upgrade, and nothing of what the server sends behind it.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The end of an HTTP header.
const END: &[u8] = b"\r\n\r\n";

/// Lets the handshake read the answer's header and not a byte more: the server's greeting may be right behind it, and
/// tungstenite keeps what it reads.
pub(super) struct HeaderGate<S> {
    pub(super) stream: S,
    /// How much of [`END`] the bytes so far end with. All of it: the gate is shut.
    matched: usize,
    /// What was read behind the answer.
    pub(super) behind: Vec<u8>,
}

impl<S> HeaderGate<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            matched: 0,
            behind: Vec::new(),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HeaderGate<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let filled = buffer.filled().len();
        if this.matched == END.len() {
            return Poll::Ready(Ok(()));
        }
        ready!(Pin::new(&mut this.stream).poll_read(cx, buffer))?;
        for (index, byte) in buffer.filled()[filled..].iter().enumerate() {
            this.matched = match *byte {
                byte if byte == END[this.matched] => this.matched + 1,
                b'\r' => 1,
                _ => 0,
            };
            if this.matched == END.len() {
                let end = filled + index + 1;
                this.behind = buffer.filled()[end..].to_vec();
                buffer.set_filled(end);
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HeaderGate<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
