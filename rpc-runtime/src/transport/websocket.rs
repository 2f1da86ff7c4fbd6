//! WebSocket messages out of bytes.
//!
//! A binary message in one piece, which is what our clients send, is taken straight from the read buffer: one
//! allocation of exactly its size, given back as soon as it is decoded. Every other frame (control frames, text,
//! fragments, whatever breaks the rules) is handed to tungstenite, exactly that frame's bytes, so that it keeps
//! nothing beyond it and both always agree on where a message begins.
//!
//! ```text
//!                    ┌── 0x82, allowed length ──► taken here ──────────────┐
//!  at a boundary ────┤                                                     ├──► at a boundary
//!                    └── anything else ──► granted to tungstenite ─────────┘
//!                                              └── fragment without FIN ──► tungstenite until FIN
//! ```

mod header;

use std::{
    io,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use rpc_protocol::CloseCode;
use tokio::io::AsyncRead;
use tokio_tungstenite::tungstenite::{
    Error as WsError, Utf8Bytes,
    error::ProtocolError,
    protocol::{CloseFrame, Message, Role, WebSocketConfig, WebSocketContext},
};

use super::{io::Io, mask};
pub(crate) use header::Header;

/// tungstenite allocates this once per connection and reads in steps of it. It sees only rare frames.
const TUNGSTENITE_BUFFER: usize = 512;

/// Messages up to this length wait in the read buffer until they are whole; longer ones get a buffer of their own.
const GATHERED_IN_PLACE: usize = 16 * 1024;

/// After a frame longer than this, tungstenite's buffer is let go.
const TUNGSTENITE_KEEPS: usize = 4 * 1024;

/// The reason in a close frame is at most this long (RFC 6455, section 5.5).
const REASON: usize = 123;

/// What a peer sent.
#[derive(Debug)]
pub(crate) enum Incoming {
    Binary(Bytes),
    /// Valid UTF-8. Nothing of ours is text: only what tests the framing looks into it.
    Text(
        #[cfg_attr(not(feature = "__echo"), expect(dead_code, reason = "text is refused unread"))] Utf8Bytes,
    ),
    Ping,
    Pong,
    /// The peer closes; tungstenite's answer is in the output.
    Close(Option<(u16, String)>),
}

/// Why there is nothing to read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// More bytes are needed.
    NeedsMore,
    /// The closing handshake is over.
    Finished,
    /// The socket ended or failed without a closing handshake.
    Broken,
    /// The peer broke WebSocket's rules or our limit: close with this code. Nothing more can be read.
    Violation { code: u16, reason: String },
}

/// The first buffer of a long message is at most this large, whatever its header says: a body of 64 KiB with what stands
/// in front of it. It grows as bytes arrive.
const FIRST_BUFFER: usize = 65 * 1024;

/// A message longer than what the read buffer gathers.
#[derive(Debug)]
struct Partial {
    payload: BytesMut,
    length: usize,
    mask: Option<[u8; 4]>,
}

impl Partial {
    fn new(length: usize, mask: Option<[u8; 4]>) -> Self {
        Self {
            payload: BytesMut::with_capacity(length.min(FIRST_BUFFER)),
            length,
            mask,
        }
    }

    /// How many bytes are missing.
    fn missing(&self) -> usize {
        self.length - self.payload.len()
    }

    /// Makes room for `count` bytes more: the buffer doubles, up to exactly the message's length.
    fn make_room(&mut self, count: usize) {
        let needed = self.payload.len() + count;
        if needed > self.payload.capacity() {
            let capacity = needed.max(self.payload.len() * 2).min(self.length);
            let mut wider = BytesMut::with_capacity(capacity);
            wider.extend_from_slice(&self.payload);
            self.payload = wider;
        }
    }
}

/// A WebSocket connection whose handshake is over.
#[derive(Debug)]
pub(crate) struct WebSocket<S> {
    pub(crate) io: Io<S>,
    /// Messages longer than this many bytes are violations.
    limit: usize,
    role: Role,
    /// A fragmented message has begun and not ended: every frame is tungstenite's until then.
    fragmented: bool,
    /// tungstenite's buffer has grown.
    grown: bool,
    partial: Option<Partial>,
    context: WebSocketContext,
}

impl<S: AsyncRead + Unpin> WebSocket<S> {
    /// Reads once from the socket. Ready with the number of bytes; 0 is the end.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match &mut self.partial {
            // Whole already where nobody takes messages any more.
            Some(partial) if self.io.unread().is_empty() && partial.missing() > 0 => {
                partial.make_room(1);
                let room = partial
                    .missing()
                    .min(partial.payload.capacity() - partial.payload.len());
                self.io.poll_fill_payload(&mut partial.payload, room, cx)
            }
            _ => self.io.poll_fill(cx),
        }
    }
}

impl<S> WebSocket<S> {
    /// Speaks WebSocket over `io`; messages of more than `limit` bytes are refused from their header.
    pub(crate) fn new(io: Io<S>, role: Role, limit: usize) -> Self {
        let context = WebSocketContext::new(role, Some(config(limit)));
        Self {
            io,
            context,
            role,
            limit,
            fragmented: false,
            grown: false,
            partial: None,
        }
    }

    /// Lets go of what was received and what was to be sent: the connection is over.
    pub(crate) fn let_go_of_bytes(&mut self) {
        self.partial = None;
        self.io.let_go_of_bytes();
    }

    /// Changes the limit for messages that have not begun.
    pub(crate) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
        self.context.set_config(|known| *known = config(limit));
    }

    /// Whether a message has begun and is not whole yet.
    pub(crate) fn is_inside_message(&self) -> bool {
        self.partial.is_some() || self.fragmented || self.io.granted() > 0 || !self.io.unread().is_empty()
    }

    /// The next message among the bytes that were read.
    pub(crate) fn read(&mut self) -> Result<Incoming, Stop> {
        loop {
            if let Some(message) = self.gather()? {
                return Ok(Incoming::Binary(message));
            }
            if self.io.granted() == 0 {
                let Some(header) = Header::peek(self.io.unread()) else {
                    if self.io.ended() {
                        return Err(Stop::Broken);
                    }
                    return Err(Stop::NeedsMore);
                };
                if self.is_plain(&header) {
                    let length = header.payload as usize;
                    if header.length + length <= self.io.unread().len() {
                        return Ok(Incoming::Binary(self.take(&header, length)));
                    }
                    if length <= GATHERED_IN_PLACE {
                        return Err(if self.io.ended() {
                            Stop::Broken
                        } else {
                            Stop::NeedsMore
                        });
                    }
                    self.io.consume(header.length);
                    self.partial = Some(Partial::new(length, header.mask));
                    continue;
                }
                self.grant(&header);
            }
            match self.context.read(&mut self.io) {
                Ok(message) => return Ok(self.incoming(message)),
                // A fragment was taken and the next frame may be here already.
                Err(WsError::Io(error))
                    if error.kind() == io::ErrorKind::WouldBlock
                        && self.io.granted() == 0
                        && !self.io.unread().is_empty() => {}
                Err(error) => return Err(stop(error)),
            }
        }
    }

    /// Whether tungstenite is not needed for a frame.
    fn is_plain(&self, header: &Header) -> bool {
        header.first == 0x82
            && !self.fragmented
            && header.mask.is_some() == (self.role == Role::Server)
            && header.payload <= self.limit as u64
            && self.context.can_read()
    }

    /// Takes a whole message out of the read buffer.
    fn take(&mut self, header: &Header, length: usize) -> Bytes {
        let payload = &self.io.unread()[header.length..header.length + length];
        let message = match header.mask {
            Some(key) => {
                let mut message = payload.to_vec();
                mask::apply(key, &mut message);
                Bytes::from(message)
            }
            None => Bytes::copy_from_slice(payload),
        };
        self.io.consume(header.length + length);
        self.io.expect_long(false);
        message
    }

    /// Adds what is unread to the long message that has begun; gives it when it is whole.
    fn gather(&mut self) -> Result<Option<Bytes>, Stop> {
        let Some(partial) = &mut self.partial else {
            return Ok(None);
        };
        let unread = self.io.unread();
        let count = unread.len().min(partial.missing());
        partial.make_room(count);
        partial.payload.extend_from_slice(&unread[..count]);
        self.io.consume(count);
        if partial.payload.len() < partial.length {
            return Err(if self.io.ended() {
                Stop::Broken
            } else {
                Stop::NeedsMore
            });
        }
        let Some(Partial {
            mut payload, mask, ..
        }) = self.partial.take()
        else {
            return Ok(None);
        };
        if let Some(key) = mask {
            mask::apply(key, &mut payload);
        }
        self.io.expect_long(true);
        Ok(Some(payload.freeze()))
    }

    /// Hands the next frame to tungstenite: all of it, or its header alone where that decides.
    fn grant(&mut self, header: &Header) {
        if self.grown && !self.fragmented && self.context.can_write() {
            self.context = WebSocketContext::new(self.role, Some(config(self.limit)));
            self.grown = false;
        }
        let too_long = header.payload > self.limit as u64;
        let payload = if too_long { 0 } else { header.payload as usize };
        self.grown |= payload > TUNGSTENITE_KEEPS;
        let (fin, opcode) = (header.first & 0x80 != 0, header.first & 0x0f);
        // Text, binary and continuation are the data frames; control frames may stand between fragments.
        if opcode <= 2 {
            self.fragmented = !fin;
        }
        self.io.grant(header.length + payload);
    }

    fn incoming(&mut self, message: Message) -> Incoming {
        match message {
            Message::Binary(message) => Incoming::Binary(message),
            Message::Text(text) => Incoming::Text(text),
            // Is never read, only written.
            Message::Frame(_) => Incoming::Text(Utf8Bytes::default()),
            Message::Pong(_) => Incoming::Pong,
            Message::Ping(_) => {
                // Writes the pong, which tungstenite has ready, into the output.
                let _ = self.context.flush(&mut self.io);
                Incoming::Ping
            }
            Message::Close(frame) => {
                let _ = self.context.flush(&mut self.io);
                Incoming::Close(frame.map(|frame| (frame.code.into(), frame.reason.as_str().to_owned())))
            }
        }
    }

    /// Writes a text message into the output.
    #[cfg(feature = "__echo")]
    pub(crate) fn write_text(&mut self, text: Utf8Bytes) {
        // After a close frame it is refused, as it should be.
        let _ = self.context.write(&mut self.io, Message::Text(text));
        let _ = self.context.flush(&mut self.io);
    }

    /// Writes a close frame into the output, unless one was written before. The reason is cut to what fits, and a code that no
    /// close frame may carry is 1000. Gives the code.
    pub(crate) fn close(&mut self, code: CloseCode, reason: &str) -> CloseCode {
        let code = match code.may_be_sent() {
            true => code,
            false => CloseCode::Normal,
        };
        let mut end = reason.len().min(REASON);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        let frame = CloseFrame {
            code: code.as_u16().into(),
            reason: reason[..end].into(),
        };
        // After the peer's close this is refused, and its answer is in the output already.
        let _ = self.context.close(&mut self.io, Some(frame));
        code
    }
}

fn config(limit: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(TUNGSTENITE_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(usize::MAX)
        .max_message_size(Some(limit))
        .max_frame_size(Some(limit))
}

fn stop(error: WsError) -> Stop {
    match error {
        WsError::Io(error) if error.kind() == io::ErrorKind::WouldBlock => Stop::NeedsMore,
        WsError::ConnectionClosed | WsError::AlreadyClosed => Stop::Finished,
        WsError::Capacity(error) => Stop::Violation {
            code: 1009,
            reason: error.to_string(),
        },
        WsError::Utf8(_) => Stop::Violation {
            code: 1007,
            reason: "text that is not UTF-8".to_owned(),
        },
        WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Stop::Broken,
        WsError::Protocol(error) => Stop::Violation {
            code: 1002,
            reason: error.to_string(),
        },
        _ => Stop::Broken,
    }
}

#[cfg(test)]
mod tests;
