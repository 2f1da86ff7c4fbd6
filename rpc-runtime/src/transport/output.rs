//! What a connection is about to send.
//!
//! A frame is written here once, in place: WebSocket header, then the frame, then its body. tungstenite appends its
//! own control messages to the same bytes, so that order holds at the boundaries of messages.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use rpc_protocol::{Again, Output, Replay};
use tokio::io::AsyncWrite;

use super::{
    mask::{self, Keys},
    scratch,
};

/// The first byte of a binary message in one piece.
const FIN_BINARY: u8 = 0x82;
/// The bit that says that a key follows the length.
const MASKED: u8 = 0x80;
/// The longest header of a message, with its key (RFC 6455, section 5.2).
const HEADER: usize = 14;
/// Lengths up to this stand in the second byte itself.
const SHORT: usize = 125;

/// Bytes for the peer, in order, with what the socket already took at the front.
#[derive(Debug)]
pub(crate) struct OutputBuffer {
    /// Empty and without room while the connection is idle; the room is the thread's.
    buffer: Vec<u8>,
    /// How much of `buffer` the socket has taken.
    written: usize,
    /// How many binary messages were begun in all.
    messages: u64,
    /// A client masks what it sends; a server does not.
    keys: Option<Keys>,
    /// Invariant: set only by a client, for the last message begun; its payload starts here and is not masked yet.
    unmasked: Option<(usize, [u8; 4])>,
    /// Where the connection's session may be resumed: what is sent again then.
    replay: Option<Box<Replay>>,
    /// Invariant: set only with `replay`, for the last message begun; it starts here and `replay` does not know of it yet.
    unrecorded: Option<usize>,
}

impl Output for OutputBuffer {
    #[inline]
    fn begin_message(&mut self, len: usize) -> &mut Vec<u8> {
        self.begin(len)
    }
}

impl OutputBuffer {
    /// The output of a server's connection.
    pub(crate) fn of_server() -> Self {
        Self {
            buffer: Vec::new(),
            written: 0,
            messages: 0,
            keys: None,
            unmasked: None,
            replay: None,
            unrecorded: None,
        }
    }

    /// The output of a client's connection: every message is masked.
    pub(crate) fn of_client() -> Self {
        Self {
            keys: Some(Keys::new()),
            ..Self::of_server()
        }
    }

    /// How many bytes the socket has not taken yet.
    pub(crate) fn pending(&self) -> usize {
        self.buffer.len() - self.written
    }

    /// How many binary messages were begun in all.
    pub(crate) fn messages(&self) -> u64 {
        self.messages
    }

    /// Begins one binary message of exactly `len` bytes, which the caller appends to what is returned.
    pub(crate) fn begin(&mut self, len: usize) -> &mut Vec<u8> {
        self.seal();
        if self.buffer.capacity() == 0 {
            self.buffer = scratch::take_output();
        }
        self.messages += 1;
        let mask = if self.keys.is_some() { MASKED } else { 0 };
        // Payload and header together, so that nothing that is written grows the buffer again.
        self.buffer.reserve(len + HEADER);
        if len <= SHORT {
            // Fits: at most 125.
            self.buffer.extend_from_slice(&[FIN_BINARY, mask | len as u8]);
        } else if let Ok(len) = u16::try_from(len) {
            let [high, low] = len.to_be_bytes();
            self.buffer
                .extend_from_slice(&[FIN_BINARY, mask | 126, high, low]);
        } else {
            self.buffer.extend_from_slice(&[FIN_BINARY, mask | 127]);
            self.buffer.extend_from_slice(&(len as u64).to_be_bytes());
        }
        if let Some(keys) = &mut self.keys {
            let key = keys.next();
            self.buffer.extend_from_slice(&key);
            self.unmasked = Some((self.buffer.len(), key));
        }
        if self.replay.is_some() {
            self.unrecorded = Some(self.buffer.len());
        }
        &mut self.buffer
    }

    /// Appends an event, a whole message that is the same for others. One that is `direct`, to this session alone or as one of a
    /// user's or of all, is kept until the client has it, where the session may be resumed.
    pub(crate) fn write_event(&mut self, message: &Bytes, direct: bool) {
        self.append_message(message);
        if direct && let Some(replay) = &mut self.replay {
            replay.sent_event(message.clone());
        }
    }

    /// What is sent again when the session is resumed, where it may be.
    pub(crate) fn replay(&mut self) -> Option<&mut Replay> {
        self.record();
        self.replay.as_deref_mut()
    }

    /// Keeps what is sent from now on for a resume.
    pub(crate) fn keep_for_resume(&mut self, replay: Option<Box<Replay>>) {
        self.replay = replay;
    }

    /// What was kept; nothing is from now on.
    pub(crate) fn take_replay(&mut self) -> Option<Box<Replay>> {
        self.record();
        self.replay.take()
    }

    /// Whether frames of calls are kept for a resume.
    pub(crate) fn keeps_calls(&self) -> bool {
        self.replay.as_ref().is_some_and(|replay| replay.keeps_calls())
    }

    /// Whether so much of calls is kept that those that can are to write no more.
    #[inline]
    pub(crate) fn keeps_much(&self) -> bool {
        self.replay.as_ref().is_some_and(|replay| replay.keeps_much())
    }

    /// Drops what is here, because there is nobody to take it. What was kept of it stays.
    pub(crate) fn discard(&mut self) {
        self.seal();
        self.written = 0;
        if self.buffer.capacity() > 0 {
            // The thread keeps the room, empty.
            self.buffer.clear();
            scratch::give_output(std::mem::take(&mut self.buffer));
        }
    }

    /// Writes what was kept again, behind what is here.
    pub(crate) fn write_again(&mut self) {
        // It is not sent anew: it has its numbers.
        if let Some(replay) = self.take_replay() {
            for again in replay.frames() {
                match again {
                    Again::Event(message) => self.append_message(message),
                    Again::OfCalls(frame) => self.begin(frame.len()).extend_from_slice(frame),
                }
            }
            self.seal();
            self.replay = Some(replay);
        }
    }

    /// Has the message that was begun last kept for a resume, now that it is whole.
    fn record(&mut self) {
        if let Some(start) = self.unrecorded.take()
            && let Some(replay) = &mut self.replay
        {
            replay.sent(&self.buffer[start..]);
        }
    }

    /// Appends what is already a WebSocket frame (tungstenite's own).
    pub(crate) fn append(&mut self, frame: &[u8]) {
        self.seal();
        if self.buffer.capacity() == 0 {
            self.buffer = scratch::take_output();
        }
        self.buffer.extend_from_slice(frame);
    }

    /// Appends a whole binary message that is a WebSocket frame already; a server's.
    pub(crate) fn append_message(&mut self, message: &[u8]) {
        self.messages += 1;
        self.append(message);
    }

    /// Lets go of everything, also of what was kept for a resume.
    pub(crate) fn clear(&mut self) {
        *self = Self {
            messages: self.messages,
            keys: self.keys.take(),
            ..Self::of_server()
        };
    }

    /// What was written, as one piece to be shared. A server's output alone: a client masks each message anew.
    pub(crate) fn into_message(mut self) -> Bytes {
        let message = Bytes::copy_from_slice(&self.buffer);
        scratch::give_output(std::mem::take(&mut self.buffer));
        message
    }

    /// Masks the message that was begun last, now that it is whole, and has it kept.
    fn seal(&mut self) {
        self.record();
        if let Some((start, key)) = self.unmasked.take() {
            mask::apply(key, &mut self.buffer[start..]);
        }
    }

    /// Hands what is pending to the socket. Ready when the socket took everything; then the room goes back to the
    /// thread.
    pub(crate) fn poll_flush<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        self.seal();
        while self.written < self.buffer.len() {
            match Pin::new(&mut *stream).poll_write(cx, &self.buffer[self.written..]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => self.written += count,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.drop_written();
                    return Poll::Pending;
                }
            }
        }
        self.written = 0;
        if self.buffer.capacity() > 0 {
            scratch::give_output(std::mem::take(&mut self.buffer));
        }
        // TLS and the like keep bytes of their own; a TCP socket answers at once.
        Pin::new(stream).poll_flush(cx)
    }

    /// Lets go of what the socket has taken, once that is the larger part: a peer that reads, but never all, would
    /// otherwise make the buffer hold everything that was ever sent to it.
    fn drop_written(&mut self) {
        if self.written > self.pending() {
            self.buffer.drain(..self.written);
            self.written = 0;
        }
    }

    /// Takes everything that `other` holds, behind what is here. Both are at a boundary of messages.
    pub(crate) fn take_from(&mut self, other: &mut Self) {
        if other.pending() == 0 {
            return;
        }
        other.seal();
        if self.pending() == 0 {
            (self.written, other.written) = (other.written, 0);
            std::mem::swap(&mut self.buffer, &mut other.buffer);
        } else {
            self.append(&other.buffer[other.written..]);
            other.written = 0;
        }
        other.buffer.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BufMut;
    use tokio_tungstenite::tungstenite::protocol::{Message, Role, WebSocket};

    fn read_back(output: &mut OutputBuffer, role: Role) -> Vec<Vec<u8>> {
        output.seal();
        let bytes = output.buffer.to_vec();
        let mut peer = WebSocket::from_raw_socket(io::Cursor::new(bytes), role, None);
        let mut messages = Vec::new();
        while let Ok(Message::Binary(message)) = peer.read() {
            messages.push(message.to_vec());
        }
        messages
    }

    fn payload(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i * 31 % 251) as u8).collect()
    }

    /// Takes all but the last byte of every write.
    struct NeverAll;

    impl AsyncWrite for NeverAll {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            match bytes.len() {
                1 => Poll::Pending,
                len => Poll::Ready(Ok(len - 1)),
            }
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn a_peer_that_reads_but_never_all_does_not_make_the_output_grow() {
        let mut output = OutputBuffer::of_server();
        let cx = &mut Context::from_waker(std::task::Waker::noop());
        for _ in 0..1_000 {
            output.begin(10_000).put_slice(&payload(10_000));
            assert!(output.poll_flush(&mut NeverAll, cx).is_pending());
        }
        assert!(output.pending() < 10_100 && output.buffer.capacity() < 100_000);
    }

    #[test]
    fn messages_of_every_header_length_are_read_back_by_tungstenite_from_a_server_and_from_a_client() {
        for (make, reader) in [
            (OutputBuffer::of_server as fn() -> OutputBuffer, Role::Client),
            (OutputBuffer::of_client, Role::Server),
        ] {
            let mut output = make();
            let sent: Vec<_> = [0, 1, 125, 126, 65_535, 65_536, 70_001]
                .into_iter()
                .map(payload)
                .collect();
            for message in &sent {
                output.begin(message.len()).put_slice(message);
            }
            assert_eq!(read_back(&mut output, reader), sent);
        }
    }
}
