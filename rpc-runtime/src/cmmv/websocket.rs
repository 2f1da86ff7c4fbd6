//! WebSocket frames out of bytes, on both sides of the translation.
//!
//! Binary messages are taken out whole. Everything else is the connection's matter, which pings, closes and refuses as it does
//! for others: it is handed on as it came. From the first frame that breaks a rule on all is, so that what is said of it is said
//! in one place.

use std::mem;

use bytes::{Buf, Bytes, BytesMut};
use rpc_protocol::Output;
use tokio::io::ReadBuf;

use crate::transport::{mask, websocket::Header};

/// The first byte of a binary message in one piece, of one that is continued, and of the last piece.
const BINARY: u8 = 0x82;
const BEGINS: u8 = 0x02;
const ENDS: u8 = 0x80;
const CONTINUES: u8 = 0x00;
/// The bit that says that a key follows the length, and a key that changes nothing: these bytes leave no process.
const MASKED: u8 = 0x80;
const KEY: [u8; 4] = [0; 4];
/// Pings and pongs; the pongs that answer the connection's own pings carry their number.
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
const NUMBER: usize = size_of::<u64>();
/// Control frames are no longer (RFC 6455, section 5.5).
const LONGEST_CONTROL: u64 = 125;

/// What came.
#[derive(Debug, PartialEq)]
pub(super) enum Piece {
    /// A binary message.
    Message(Bytes),
    /// The pong to a ping of the connection.
    Pong(u64),
    /// A message has begun and is not whole.
    Begun,
    /// A message that was begun is whole and comes next.
    Whole,
    /// A message is longer than it may be; all that follows is handed on.
    TooLong,
    /// To be handed on.
    Raw(Bytes),
}

/// Cuts what a client sends.
#[derive(Debug)]
pub(super) struct FromClient {
    buffer: BytesMut,
    /// The pieces of a message that came in several.
    gathered: BytesMut,
    /// Messages are no longer, in bytes.
    limit: usize,
    inside: bool,
    /// The connection knows that a message has begun.
    told: bool,
    /// A whole message that waits for that to be taken back.
    whole: Option<Bytes>,
    raw: bool,
}

impl FromClient {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            gathered: BytesMut::new(),
            limit,
            inside: false,
            told: false,
            whole: None,
            raw: false,
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next piece of what came; `None` where more is needed.
    pub(super) fn next(&mut self) -> Option<Piece> {
        if let Some(message) = self.whole.take() {
            return Some(Piece::Message(message));
        }
        if self.buffer.is_empty() {
            // A connection that waits keeps nothing.
            self.buffer = BytesMut::new();
        }
        while !self.raw {
            let header = Header::peek(&self.buffer)?;
            let Some(key) = header.mask else {
                self.raw = true;
                break;
            };
            let length = usize::try_from(header.payload).unwrap_or(usize::MAX);
            if is_control(&header) {
                let (mut payload, frame) = self.take(&header, length)?;
                mask::apply(key, &mut payload);
                return Some(match (header.first, <[u8; NUMBER]>::try_from(&payload[..])) {
                    // Inside a message it says as it is that the client is there, and interrupts nothing.
                    (PONG, Ok(number)) if !self.told => Piece::Pong(u64::from_be_bytes(number)),
                    _ => Piece::Raw(frame),
                });
            }
            let continues = matches!(header.first, ENDS | CONTINUES) && self.inside;
            if !continues && (!matches!(header.first, BINARY | BEGINS) || self.inside) {
                self.raw = true;
                break;
            }
            if length > self.limit - self.gathered.len() {
                self.raw = true;
                self.buffer.advance(header.length);
                return Some(Piece::TooLong);
            }
            if self.buffer.len() < header.length + length {
                return self.begins();
            }
            self.buffer.advance(header.length);
            let mut payload = self.buffer.split_to(length);
            mask::apply(key, &mut payload);
            match continues {
                true => self.gathered.extend_from_slice(&payload),
                false => self.gathered = payload,
            }
            self.inside = matches!(header.first, BEGINS | CONTINUES);
            if self.inside {
                match self.begins() {
                    Some(begun) => return Some(begun),
                    None => continue,
                }
            }
            let message = mem::take(&mut self.gathered).freeze();
            if mem::take(&mut self.told) {
                self.whole = Some(message);
                return Some(Piece::Whole);
            }
            return Some(Piece::Message(message));
        }
        match self.buffer.is_empty() {
            true => None,
            false => Some(Piece::Raw(self.buffer.split().freeze())),
        }
    }

    /// Says once that a message has begun.
    fn begins(&mut self) -> Option<Piece> {
        match mem::replace(&mut self.told, true) {
            true => None,
            false => Some(Piece::Begun),
        }
    }

    /// Takes a frame that is here: a copy of its payload, and all of it.
    fn take(&mut self, header: &Header, length: usize) -> Option<(Vec<u8>, Bytes)> {
        let whole = header.length + length;
        let payload = self.buffer.get(header.length..whole)?.to_vec();
        Some((payload, self.buffer.split_to(whole).freeze()))
    }
}

/// Whether a frame is one that may stand between any others, as it should be.
fn is_control(header: &Header) -> bool {
    matches!(header.first, 0x88 | PING | PONG) && header.payload <= LONGEST_CONTROL
}

/// Cuts what the connection sends, which breaks no rules.
#[derive(Debug, Default)]
pub(super) struct FromConnection {
    buffer: BytesMut,
}

impl FromConnection {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next frame; `None` where more is needed.
    pub(super) fn next(&mut self) -> Option<Piece> {
        let header = Header::peek(&self.buffer)?;
        let whole = header.length + usize::try_from(header.payload).unwrap_or(usize::MAX);
        if self.buffer.len() < whole {
            return None;
        }
        let mut frame = self.buffer.split_to(whole).freeze();
        if self.buffer.is_empty() {
            // A connection that waits keeps nothing.
            self.buffer = BytesMut::new();
        }
        Some(match header.first {
            BINARY => {
                frame.advance(header.length);
                Piece::Message(frame)
            }
            _ => Piece::Raw(frame),
        })
    }
}

/// A ping of the connection, to a client.
pub(super) fn ping(number: u64) -> [u8; 2 + NUMBER] {
    let mut frame = [PING, NUMBER as u8, 0, 0, 0, 0, 0, 0, 0, 0];
    frame[2..].copy_from_slice(&number.to_be_bytes());
    frame
}

/// What the connection is to read.
#[derive(Debug, Default)]
pub(super) struct ToConnection {
    bytes: Vec<u8>,
    taken: usize,
    /// It knows that a message has begun.
    begun: bool,
    /// It is to know again, behind the messages that were written since.
    begins_again: bool,
}

impl ToConnection {
    pub(super) fn is_empty(&self) -> bool {
        self.taken == self.bytes.len()
    }

    /// Hands on bytes that are WebSocket already.
    pub(super) fn append(&mut self, raw: &[u8]) {
        self.bytes.extend_from_slice(raw);
    }

    /// A message has begun: the connection counts its time, as it does for others.
    pub(super) fn begin(&mut self) {
        self.begun = true;
        self.header(BEGINS, 0);
    }

    /// That message was an empty one, which no one minds. What it really was follows.
    pub(super) fn end(&mut self) {
        self.begins_again = false;
        if mem::take(&mut self.begun) {
            self.header(ENDS, 0);
        }
    }

    /// A message of so many bytes, which is more than may be.
    pub(super) fn too_long(&mut self, len: usize) {
        self.begins_again = false;
        let first = match mem::take(&mut self.begun) {
            true => ENDS,
            false => BINARY,
        };
        self.header(first, len);
    }

    fn header(&mut self, first: u8, len: usize) {
        match (len, u16::try_from(len)) {
            // Fits: at most 125.
            (0..=125, _) => self.bytes.extend_from_slice(&[first, MASKED | len as u8]),
            (_, Ok(len)) => {
                self.bytes.extend_from_slice(&[first, MASKED | 126]);
                self.bytes.extend_from_slice(&len.to_be_bytes());
            }
            _ => {
                self.bytes.extend_from_slice(&[first, MASKED | 127]);
                self.bytes.extend_from_slice(&(len as u64).to_be_bytes());
            }
        }
        self.bytes.extend_from_slice(&KEY);
    }

    /// Gives as much as there is room for.
    pub(super) fn read(&mut self, buffer: &mut ReadBuf<'_>) {
        if mem::take(&mut self.begins_again) {
            self.begin();
        }
        let left = &self.bytes[self.taken..];
        let count = left.len().min(buffer.remaining());
        buffer.put_slice(&left[..count]);
        self.taken += count;
        if self.is_empty() {
            (self.bytes, self.taken) = (Vec::new(), 0);
        }
    }
}

impl Output for ToConnection {
    fn begin_message(&mut self, len: usize) -> &mut Vec<u8> {
        if self.begun {
            // No message may stand inside another: credit, for one, that a long answer takes meanwhile.
            self.end();
            self.begins_again = true;
        }
        self.header(BINARY, len);
        &mut self.bytes
    }
}
