//! A socket that translates: CMMV's frames outside, `rpc.v1`'s inside.

use std::{
    io, mem,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Instant,
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    bridge::Bridge,
    websocket::{FromClient, FromConnection, Piece},
};
use crate::Session;

/// One read takes at most this much.
const READ: usize = 8 * 1024;

/// After so many reads that brought the connection nothing, others have their turns.
const READS: usize = 16;

/// While more than this waits for the client, nothing is read from it, and nothing more is taken for it, in bytes.
const CLOGGED: usize = 64 * 1024;

/// What a connection reads and writes of a client that speaks CMMV.
#[derive(Debug)]
pub(crate) struct CmmvSocket<S> {
    socket: S,
    from_client: FromClient,
    from_connection: FromConnection,
    bridge: Bridge,
    limit: usize,
    ended: bool,
    /// The client has taken so many bytes since the connection was last told of that.
    given: usize,
    /// The connection waits for something to read.
    reader: Option<Waker>,
}

impl<S> CmmvSocket<S> {
    /// Translates for a session over `socket`.
    pub(crate) fn new(socket: S, session: &Session) -> Self {
        let endpoint = session.endpoint.clone();
        // Who is not known when it connects is never known here.
        let limit = match endpoint.auth_required && session.identity().is_none() {
            true => endpoint.limits.unauthenticated_message_bytes,
            false => endpoint.limits.message_bytes,
        };
        Self {
            socket,
            from_client: FromClient::new(limit),
            from_connection: FromConnection::default(),
            bridge: Bridge::new(endpoint),
            limit,
            ended: false,
            given: 0,
            reader: None,
        }
    }

    /// Translates what was read.
    fn translate(&mut self) {
        while !self.bridge.holds() {
            let Some(piece) = self.from_client.next() else {
                return;
            };
            let inward = &mut self.bridge.to_connection;
            match piece {
                Piece::Message(message) => self.bridge.handle_message(message),
                Piece::Pong(number) => self.bridge.handle_pong(number),
                Piece::Begun => inward.begin(),
                Piece::Whole => inward.end(),
                Piece::TooLong => inward.too_long(self.limit + 1),
                Piece::Raw(raw) => inward.append(&raw),
            }
        }
    }

    /// Takes what the connection sends.
    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.from_connection.push(bytes);
        while let Some(piece) = self.from_connection.next() {
            match piece {
                Piece::Message(frame) => {
                    self.bridge.handle_frame(frame, Instant::now()).map_err(|error| {
                        tracing::error!(%error, "the connection breaks its own protocol");
                        io::Error::new(io::ErrorKind::InvalidData, error)
                    })?
                }
                Piece::Raw(raw) => self.bridge.to_client.append(&raw),
                _ => {}
            }
        }
        // A call that was held may have been made, and what came behind it is still to be looked at.
        self.translate();
        self.wake_reader();
        Ok(())
    }

    /// Has the connection read what there is for it.
    fn wake_reader(&mut self) {
        if !self.bridge.to_connection.is_empty()
            && let Some(reader) = self.reader.take()
        {
            reader.wake();
        }
    }
}

impl<S: AsyncWrite + Unpin> CmmvSocket<S> {
    /// Hands to the client what waits for it. Where something is left, the task is woken once the client takes more.
    fn give(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let output = &mut self.bridge.to_client;
        let before = output.pending();
        if let Poll::Ready(Err(error)) = output.poll_flush(&mut self.socket, cx) {
            return Err(error);
        }
        let given = before - output.pending();
        self.given += given;
        if given > 0 && self.is_clogged() {
            self.bridge.handle_progress();
            self.wake_reader();
        }
        Ok(())
    }

    fn is_clogged(&self) -> bool {
        self.bridge.to_client.pending() > CLOGGED
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for CmmvSocket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let mut reads = 0;
        let pending = loop {
            this.translate();
            if !this.bridge.to_connection.is_empty() {
                this.bridge.to_connection.read(buffer);
                return Poll::Ready(Ok(()));
            }
            if this.bridge.to_client.pending() > 0 {
                this.give(cx)?;
                if !this.bridge.to_connection.is_empty() {
                    continue;
                }
            }
            if this.is_clogged() || this.bridge.holds() {
                break Poll::Pending;
            }
            if this.ended {
                return Poll::Ready(Ok(()));
            }
            if reads == READS {
                cx.waker().wake_by_ref();
                break Poll::Pending;
            }
            reads += 1;
            let mut bytes = [0; READ];
            let mut read = ReadBuf::new(&mut bytes);
            match Pin::new(&mut this.socket).poll_read(cx, &mut read) {
                Poll::Ready(Ok(())) => {
                    this.ended = read.filled().is_empty();
                    this.from_client.push(read.filled());
                }
                other => break other,
            }
        };
        if pending.is_pending() {
            this.reader = Some(cx.waker().clone());
        }
        pending
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for CmmvSocket<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let mut room = CLOGGED;
        if this.is_clogged() {
            this.give(cx)?;
            if this.is_clogged() {
                room = room.min(mem::take(&mut this.given));
            }
            if room == 0 {
                return Poll::Pending;
            }
        }
        let taken = &bytes[..bytes.len().min(room)];
        this.take(taken)?;
        Poll::Ready(Ok(taken.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.give(cx)?;
        // What it has taken while the connection was reading counts as well.
        let given = mem::take(&mut self.given);
        match (self.bridge.to_client.pending(), given) {
            (0, _) => Poll::Ready(Ok(())),
            // The connection counts the time of that.
            (_, 0) => Poll::Pending,
            // What is left leaves as the client takes it, in the turns that it wakes the connection for; its time begins with the next.
            _ => {
                cx.waker().wake_by_ref();
                Poll::Ready(Ok(()))
            }
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        match this.bridge.to_client.poll_flush(&mut this.socket, cx) {
            Poll::Ready(Ok(())) => Pin::new(&mut this.socket).poll_shutdown(cx),
            other => other,
        }
    }
}
