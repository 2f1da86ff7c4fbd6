//! The frames: what one WebSocket message says.
//!
//! Owns the mapping between bytes and [`Frame`], one file per kind. Knows nothing about connections: which frame may
//! come when is decided by [`ServerConnection`](crate::ServerConnection) and
//! [`ClientConnection`](crate::ClientConnection).
//!
//! The bytes are protobuf, defined in `protos/rpc/v1/frame.proto`. The codec is written by hand, because it stands in
//! the way of every call: a body is never copied, and a frame of a unary call is read and written without allocating.
//! Property tests hold it to prost's: the same bytes out, the same verdict on any bytes in.
//!
//! What may surprise: a field that comes with the wrong wire type is an error (as in prost), not an unknown field (as
//! in protoc's runtimes), and lists in a frame hold at most 1,024 elements.

mod acknowledgement;
mod authenticate;
mod credit;
mod data;
mod encode;
mod end;
mod error;
mod event;
mod fields;
mod go_away;
mod greeting;
mod identity;
mod metadata;
mod ping;
mod plain;
mod pong;
mod request;
mod reset;
mod response;
mod status;
mod wire;

use bytes::{Buf, BufMut, Bytes};

pub use self::acknowledgement::Acknowledgement;
pub use self::authenticate::{Authenticate, AuthenticationPurpose};
pub use self::credit::Credit;
pub use self::data::Data;
pub use self::end::End;
pub use self::error::FrameError;
pub use self::event::Event;
pub use self::go_away::GoAway;
pub use self::greeting::{AnnouncedLimits, Greeting};
pub use self::identity::Identity;
pub use self::metadata::Metadata;
pub use self::ping::Ping;
pub use self::pong::Pong;
pub use self::request::Request;
pub use self::reset::Reset;
pub use self::response::Response;
pub use self::status::{Any, Status};

pub(crate) use self::encode::{BareData, BareResponse};

use self::fields::Message;
use self::plain::Plain;
use self::wire::{Head, Reader, WireType, varint_len};
use crate::Output;

/// How a body is compressed: an open enum, so that a number of a later version is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Compression(
    /// The number on the wire.
    pub i32,
);

impl Compression {
    /// Not compressed.
    pub const NONE: Self = Self(0);
    /// RFC 1951, without a wrapper.
    pub const DEFLATE: Self = Self(1);
}

/// One WebSocket message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    /// The call that the frame belongs to; 0 is the connection itself.
    pub stream_id: u64,
    /// What the frame says.
    pub kind: FrameKind,
}

/// What a frame says.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum FrameKind {
    /// Nothing that this version knows: an empty frame, or a kind of a later version.
    #[default]
    Unknown,
    /// See [`Request`].
    Request(Request),
    /// See [`Response`].
    Response(Response),
    /// See [`Data`].
    Data(Data),
    /// See [`End`].
    End(End),
    /// See [`Reset`].
    Reset(Reset),
    /// See [`Credit`].
    Credit(Credit),
    /// See [`Greeting`].
    Greeting(Box<Greeting>),
    /// See [`Ping`].
    Ping(Ping),
    /// See [`Pong`].
    Pong(Pong),
    /// See [`Authenticate`].
    Authenticate(Box<Authenticate>),
    /// See [`Identity`].
    Identity(Box<Identity>),
    /// See [`GoAway`].
    GoAway(GoAway),
    /// See [`Event`].
    Event(Box<Event>),
    /// See [`Acknowledgement`].
    Acknowledgement(Acknowledgement),
}

/// The field numbers of the kinds.
mod number {
    pub(super) const REQUEST: u32 = 2;
    pub(super) const RESPONSE: u32 = 3;
    pub(super) const DATA: u32 = 4;
    pub(super) const END: u32 = 5;
    pub(super) const RESET: u32 = 6;
    pub(super) const CREDIT: u32 = 7;
    pub(super) const GREETING: u32 = 8;
    pub(super) const PING: u32 = 9;
    pub(super) const PONG: u32 = 10;
    pub(super) const AUTHENTICATE: u32 = 11;
    pub(super) const IDENTITY: u32 = 12;
    pub(super) const GO_AWAY: u32 = 13;
    pub(super) const EVENT: u32 = 14;
    pub(super) const ACKNOWLEDGEMENT: u32 = 15;
    /// In every kind that has one. One byte as a key, and the last field that is written.
    pub(super) const BODY: u32 = 15;
}

/// Merges a nested message into the kind that is there, or into a new one in its place: of a oneof the last member
/// wins, and one that comes twice is merged.
macro_rules! merge_kind {
    ($frame:ident, $reader:ident, $variant:ident) => {{
        if !matches!($frame.kind, FrameKind::$variant(_)) {
            $reader.forget_body();
            $frame.kind = FrameKind::$variant(Default::default());
        }
        match &mut $frame.kind {
            FrameKind::$variant(kind) => $reader.nested(|reader| kind.merge(reader))?,
            _ => unreachable!("the kind was just set"),
        }
    }};
}

/// A body is the received buffer itself, unless that is more than twice as long and this much: a body of one byte, which
/// windows count as that, would otherwise keep a megabyte of fields that nobody knows until it is read.
const KEPT_BESIDE: usize = 64;

impl Frame {
    /// A frame of the given kind.
    #[must_use]
    pub const fn new(stream_id: u64, kind: FrameKind) -> Self {
        Self { stream_id, kind }
    }

    /// Reads one WebSocket message. A body is the received buffer itself, cut to size, unless most of that is something
    /// else.
    ///
    /// # Errors
    ///
    /// [`FrameError`] where the message is not a valid encoding; the connection is then to be closed with
    /// [`CloseCode::FrameInvalid`](crate::CloseCode::FrameInvalid). Never panics.
    pub fn decode(message: Bytes) -> Result<Self, FrameError> {
        let mut frame = Self::default();
        frame.read(message)?;
        Ok(frame)
    }

    /// Reads a message into an empty frame.
    #[inline]
    pub(crate) fn read(&mut self, mut message: Bytes) -> Result<(), FrameError> {
        let Some((stream_id, plain, body)) = plain::recognise(&message) else {
            return self.read_any(message);
        };
        message.advance(body);
        self.stream_id = stream_id;
        self.kind = match plain {
            Plain::Request(method) => FrameKind::Request(Request {
                method,
                body: message,
                ..Request::default()
            }),
            Plain::Response => FrameKind::Response(Response {
                body: message,
                ..Response::default()
            }),
            Plain::Data => FrameKind::Data(Data {
                body: message,
                ..Data::default()
            }),
        };
        Ok(())
    }

    fn read_any(&mut self, mut message: Bytes) -> Result<(), FrameError> {
        let mut reader = Reader::new(&message);
        self.merge(&mut reader)?;
        if let Some(place) = reader.body()
            && let Some(body) = self.kind.body_mut()
        {
            *body = if message.len() > KEPT_BESIDE + 2 * place.len() {
                Bytes::copy_from_slice(&message[place])
            } else {
                message.truncate(place.end);
                message.advance(place.start);
                message
            };
        }
        Ok(())
    }

    #[inline]
    fn merge(&mut self, reader: &mut Reader<'_>) -> Result<(), FrameError> {
        while let Some((field, wire_type)) = reader.next_field()? {
            match (field, wire_type) {
                (1, WireType::Varint) => self.stream_id = reader.varint()?,
                (number::REQUEST, WireType::Length) => merge_kind!(self, reader, Request),
                (number::RESPONSE, WireType::Length) => merge_kind!(self, reader, Response),
                (number::DATA, WireType::Length) => merge_kind!(self, reader, Data),
                (number::END, WireType::Length) => merge_kind!(self, reader, End),
                (number::RESET, WireType::Length) => merge_kind!(self, reader, Reset),
                (number::CREDIT, WireType::Length) => merge_kind!(self, reader, Credit),
                (number::GREETING, WireType::Length) => merge_kind!(self, reader, Greeting),
                (number::PING, WireType::Length) => merge_kind!(self, reader, Ping),
                (number::PONG, WireType::Length) => merge_kind!(self, reader, Pong),
                (number::AUTHENTICATE, WireType::Length) => merge_kind!(self, reader, Authenticate),
                (number::IDENTITY, WireType::Length) => merge_kind!(self, reader, Identity),
                (number::GO_AWAY, WireType::Length) => merge_kind!(self, reader, GoAway),
                (number::EVENT, WireType::Length) => merge_kind!(self, reader, Event),
                (number::ACKNOWLEDGEMENT, WireType::Length) => {
                    merge_kind!(self, reader, Acknowledgement);
                }
                (1..=15, _) => return Err(FrameError::WireType),
                _ => reader.skip(field, wire_type)?,
            }
        }
        Ok(())
    }

    /// Writes the frame as one WebSocket message into `out`.
    pub fn encode(&self, out: &mut impl Output) {
        let id = self.stream_id;
        match &self.kind {
            FrameKind::Unknown => {
                let len = if id == 0 { 0 } else { 1 + varint_len(id) };
                let mut head = Head::new();
                if id != 0 {
                    head.byte(0x08);
                    head.varint(id);
                }
                out.begin_message(len).put_slice(head.as_slice());
            }
            FrameKind::Request(kind) => kind.encode(id, &kind.body, out),
            FrameKind::Response(kind) => kind.encode(id, &kind.body, out),
            FrameKind::Data(kind) => kind.encode(id, &kind.body, out),
            FrameKind::End(kind) => kind.encode(id, out),
            FrameKind::Reset(kind) => kind.encode(id, out),
            FrameKind::Credit(kind) => kind.encode(id, out),
            FrameKind::Greeting(kind) => kind.encode(id, out),
            FrameKind::Ping(kind) => kind.encode(id, out),
            FrameKind::Pong(kind) => kind.encode(id, out),
            FrameKind::Authenticate(kind) => kind.encode(id, out),
            FrameKind::Identity(kind) => kind.encode(id, out),
            FrameKind::GoAway(kind) => kind.encode(id, out),
            FrameKind::Event(kind) => kind.encode(id, &kind.body, out),
            FrameKind::Acknowledgement(kind) => kind.encode(id, out),
        }
    }

    /// The frame's bytes, in a buffer of their own.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut out: Vec<Vec<u8>> = Vec::with_capacity(1);
        self.encode(&mut out);
        out.pop().unwrap_or_default().into()
    }
}

/// Whether a frame that was written here, of another kind than an event, is one of calls and their windows: counted where
/// streams go on over a resume.
pub(crate) fn is_of_calls(message: &[u8]) -> bool {
    /// The first byte of a frame without a stream id, whose kind is credit for the connection.
    const CREDIT: u8 = 7 << 3 | 2;
    /// The key of the stream id, which is written first.
    const STREAM_ID: u8 = 1 << 3;
    matches!(message.first(), Some(&STREAM_ID | &CREDIT))
}

impl FrameKind {
    #[inline]
    fn body_mut(&mut self) -> Option<&mut Bytes> {
        match self {
            Self::Request(kind) => Some(&mut kind.body),
            Self::Response(kind) => Some(&mut kind.body),
            Self::Data(kind) => Some(&mut kind.body),
            Self::Event(kind) => Some(&mut kind.body),
            _ => None,
        }
    }

    /// Whether the frame is counted for a resume: a direct event always is, a frame of calls where `streams` go on.
    #[must_use]
    pub(crate) fn is_sequenced(&self, streams: bool) -> bool {
        match self {
            Self::Event(event) => event.channel == 0,
            Self::Request(_)
            | Self::Response(_)
            | Self::Data(_)
            | Self::End(_)
            | Self::Reset(_)
            | Self::Credit(_) => streams,
            _ => false,
        }
    }

    /// The kind's name, for logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Request(_) => "request",
            Self::Response(_) => "response",
            Self::Data(_) => "data",
            Self::End(_) => "end",
            Self::Reset(_) => "reset",
            Self::Credit(_) => "credit",
            Self::Greeting(_) => "greeting",
            Self::Ping(_) => "ping",
            Self::Pong(_) => "pong",
            Self::Authenticate(_) => "authenticate",
            Self::Identity(_) => "identity",
            Self::GoAway(_) => "go-away",
            Self::Event(_) => "event",
            Self::Acknowledgement(_) => "acknowledgement",
        }
    }
}
