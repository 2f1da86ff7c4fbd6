//! The synchronous stream that tungstenite reads from and writes to.
//!
//! tungstenite never touches the socket: it reads what the driver has read before, and what it writes is appended to
//! the connection's output. So its read buffer may stay small without a system call per chunk, and a frame of ours
//! may be written beside it.

use std::{
    future::Future,
    io::{self, Read, Write},
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use bytes::{BufMut, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use super::{output::OutputBuffer, scratch};

/// How much is asked for where a long message is expected, whose payload is then read apart.
const LOOK_AHEAD: usize = 4 * 1024;

/// More than this is not copied out of the lent read buffer: the buffer stays. It is more than a message that is not whole
/// can leave, so a connection that waits for its peer keeps no buffer; one whose turn was over has its next one soon.
const COPIED: usize = 20 * 1024;

/// A socket with the bytes read from it and the bytes to be written to it.
#[derive(Debug)]
pub(crate) struct Io<S> {
    pub(crate) stream: S,
    pub(crate) output: OutputBuffer,
    /// The thread's read buffer while the connection is polled; otherwise only what was read and not taken.
    input: Box<[u8]>,
    start: usize,
    end: usize,
    /// How many bytes tungstenite may still take: the rest of the WebSocket frame that it was given.
    granted: usize,
    ended: bool,
    /// The last message was a long one, and the next may be: see [`poll_fill`](Self::poll_fill).
    long_ahead: bool,
}

impl<S> Io<S> {
    /// Wraps a socket; `read_ahead` was already read from it.
    pub(crate) fn new(stream: S, output: OutputBuffer, read_ahead: &[u8]) -> Self {
        Self {
            stream,
            output,
            input: read_ahead.into(),
            start: 0,
            end: read_ahead.len(),
            granted: 0,
            ended: false,
            long_ahead: false,
        }
    }

    /// What was read from the socket and not yet taken.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.input[self.start..self.end]
    }

    /// Takes `count` bytes of what is unread.
    pub(crate) fn consume(&mut self, count: usize) {
        debug_assert!(count <= self.end - self.start);
        self.start += count;
    }

    /// Says whether the message that was just taken was a long one.
    pub(crate) fn expect_long(&mut self, long: bool) {
        self.long_ahead = long;
    }

    /// Whether the peer will send nothing more.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// Lets tungstenite take the next `count` bytes, whether they are here already or not.
    pub(crate) fn grant(&mut self, count: usize) {
        self.granted = count;
    }

    /// How many bytes tungstenite may still take.
    pub(crate) fn granted(&self) -> usize {
        self.granted
    }

    /// Lets go of what was read, and of what was to be written.
    pub(crate) fn let_go_of_bytes(&mut self) {
        self.start = self.end;
        self.release_input();
        self.output.clear();
    }

    /// Returns the lent read buffer to the thread, keeping only what was not taken yet. To be called before a poll of
    /// the connection ends.
    pub(crate) fn release_input(&mut self) {
        if self.input.len() == scratch::READ_SIZE && self.end - self.start > COPIED {
            return;
        }
        let leftover: Box<[u8]> = self.unread().into();
        (self.start, self.end) = (0, leftover.len());
        scratch::give_read(std::mem::replace(&mut self.input, leftover));
    }
}

impl<S: AsyncRead + Unpin> Io<S> {
    /// Reads once from the socket, into the thread's buffer and behind what is unread. Ready with the number of
    /// bytes; 0 is the end.
    ///
    /// What is unread is always less than the buffer holds: longer messages are gathered elsewhere. Behind a long one
    /// little is asked for, which shows the next header: what follows it is then read to where it belongs, and not
    /// copied there.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.input.len() != scratch::READ_SIZE {
            let leftover = std::mem::replace(&mut self.input, scratch::take_read());
            self.input[..self.end - self.start].copy_from_slice(&leftover[self.start..self.end]);
        } else if self.start > 0 {
            self.input.copy_within(self.start..self.end, 0);
        }
        (self.start, self.end) = (0, self.end - self.start);
        let room = if self.long_ahead {
            LOOK_AHEAD.min(self.input.len() - self.end)
        } else {
            self.input.len() - self.end
        };
        let mut buffer = ReadBuf::new(&mut self.input[self.end..self.end + room]);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        let count = buffer.filled().len();
        self.end += count;
        self.ended |= count == 0;
        Poll::Ready(Ok(count))
    }
}

impl<S: AsyncRead + Unpin> Io<S> {
    /// Reads once from the socket, straight behind what `payload` holds and at most `room` bytes; nothing may be unread.
    /// Ready with the number of bytes; 0 is the end.
    pub(crate) fn poll_fill_payload(
        &mut self,
        payload: &mut BytesMut,
        room: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        debug_assert!(self.unread().is_empty(), "what was read before belongs in front");
        let mut payload = payload.limit(room);
        let count = ready!(pin!(self.stream.read_buf(&mut payload)).poll(cx))?;
        self.ended |= count == 0;
        Poll::Ready(Ok(count))
    }
}

impl<S: AsyncWrite + Unpin> Io<S> {
    /// Hands the output to the socket. Ready when all of it was taken.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.output.poll_flush(&mut self.stream, cx)
    }
}

impl<S> Read for Io<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.granted.min(buffer.len()).min(self.end - self.start);
        if count == 0 {
            let over = self.ended && self.start == self.end;
            return if over {
                Ok(0)
            } else {
                Err(io::ErrorKind::WouldBlock.into())
            };
        }
        buffer[..count].copy_from_slice(&self.input[self.start..self.start + count]);
        self.start += count;
        self.granted -= count;
        Ok(count)
    }
}

impl<S> Write for Io<S> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.output.append(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // The driver flushes, once per batch.
        Ok(())
    }
}
