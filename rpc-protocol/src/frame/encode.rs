//! Writing frames: the lengths first, then every byte once, into its place.

use bytes::BufMut;

use super::FrameError;
use super::fields::Message;
use super::wire::{Head, Reader, WireType, delimited_len, varint_len};
use super::{
    Acknowledgement, Authenticate, Credit, Data, End, Event, GoAway, Greeting, Identity, Ping, Pong, Request,
    Reset, Response, number,
};
use crate::{Body, Output};

/// The lengths of a frame that is about to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameLen {
    /// Of the kind's fields without its body.
    fields: usize,
    /// Of the body itself.
    body: usize,
    /// Of the kind's message.
    kind: usize,
    /// Of the WebSocket message.
    pub(crate) total: usize,
}

impl FrameLen {
    /// Always inlined: of a message without fields, which most are, little more than a comparison is then left of it.
    #[inline(always)]
    fn of(stream_id: u64, message: &impl Message, body: usize) -> Self {
        let fields = message.fields_len();
        let kind = fields + if body == 0 { 0 } else { delimited_len(body) };
        let id = if stream_id == 0 {
            0
        } else {
            1 + varint_len(stream_id)
        };
        Self {
            fields,
            body,
            kind,
            total: id + delimited_len(kind),
        }
    }
}

/// A frame of nothing but a body, as most responses and messages of streams are: nothing has to be made, measured or
/// dropped for it.
#[derive(Debug, Default)]
pub(crate) struct Bare<const NUMBER: u32>;

/// A response of a body alone.
pub(crate) type BareResponse = Bare<{ number::RESPONSE }>;
/// A whole message of a stream, not compressed.
pub(crate) type BareData = Bare<{ number::DATA }>;

impl<const NUMBER: u32> Bare<NUMBER> {
    #[inline(always)]
    pub(crate) fn frame_len(&self, stream_id: u64, body: usize) -> FrameLen {
        FrameLen::of(stream_id, self, body)
    }

    /// `len` is from [`Self::frame_len`] of the same body.
    #[inline]
    pub(crate) fn encode_measured(
        &self,
        stream_id: u64,
        body: &(impl Body + ?Sized),
        len: FrameLen,
        out: &mut impl Output,
    ) {
        encode_frame(NUMBER, stream_id, self, body, len, out);
    }
}

impl<const NUMBER: u32> Message for Bare<NUMBER> {
    fn merge(&mut self, _: &mut Reader<'_>) -> Result<(), FrameError> {
        // Nobody reads one: what is read may have fields.
        Ok(())
    }

    #[inline(always)]
    fn fields_len(&self) -> usize {
        0
    }

    #[inline(always)]
    fn encode_fields(&self, _: &mut impl BufMut) {}
}

#[inline]
fn encode_frame(
    number: u32,
    stream_id: u64,
    message: &impl Message,
    body: &(impl Body + ?Sized),
    len: FrameLen,
    out: &mut impl Output,
) {
    let buf = out.begin_message(len.total);
    let begin = buf.len();
    let mut head = Head::new();
    if stream_id != 0 {
        head.byte(0x08);
        head.varint(stream_id);
    }
    head.byte(length_key(number));
    head.varint(len.kind as u64);
    if len.fields > 0 {
        buf.put_slice(head.as_slice());
        message.encode_fields(buf);
        head = Head::new();
    }
    if len.body > 0 {
        head.byte(length_key(number::BODY));
        head.varint(len.body as u64);
    }
    buf.put_slice(head.as_slice());
    if len.body > 0 {
        body.encode(buf);
    }
    debug_assert_eq!(
        buf.len() - begin,
        len.total,
        "a body writes as many bytes as it says"
    );
}

/// The key of a length-delimited field. Every kind, and the body, has a number below 16 and so a key of one byte.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the number is below 16")]
const fn length_key(number: u32) -> u8 {
    (number << 3) as u8 | WireType::Length as u8
}

macro_rules! kinds_with_body {
    ($($kind:ident = $number:expr,)*) => {$(
        impl $kind {
            /// Writes a frame of this kind into `out`, with `body` in place of its own.
            #[inline]
            pub fn encode(&self, stream_id: u64, body: &(impl Body + ?Sized), out: &mut impl Output) {
                self.encode_measured(stream_id, body, self.frame_len(stream_id, body.encoded_len()), out);
            }

            #[inline(always)]
            pub(crate) fn frame_len(&self, stream_id: u64, body: usize) -> FrameLen {
                FrameLen::of(stream_id, self, body)
            }

            /// `len` is from [`Self::frame_len`] of the same body.
            #[inline]
            pub(crate) fn encode_measured(
                &self,
                stream_id: u64,
                body: &(impl Body + ?Sized),
                len: FrameLen,
                out: &mut impl Output,
            ) {
                encode_frame($number, stream_id, self, body, len, out);
            }
        }
    )*};
}

macro_rules! kinds_without_body {
    ($($kind:ident = $number:expr,)*) => {$(
        impl $kind {
            /// Writes a frame of this kind into `out`.
            pub fn encode(&self, stream_id: u64, out: &mut impl Output) {
                encode_frame($number, stream_id, self, &(), FrameLen::of(stream_id, self, 0), out);
            }

            /// The length of the WebSocket message that `encode` writes, in bytes.
            #[must_use]
            pub fn message_len(&self, stream_id: u64) -> usize {
                FrameLen::of(stream_id, self, 0).total
            }
        }
    )*};
}

kinds_with_body! {
    Request = number::REQUEST,
    Response = number::RESPONSE,
    Data = number::DATA,
    Event = number::EVENT,
}

kinds_without_body! {
    End = number::END,
    Reset = number::RESET,
    Credit = number::CREDIT,
    Greeting = number::GREETING,
    Ping = number::PING,
    Pong = number::PONG,
    Authenticate = number::AUTHENTICATE,
    Identity = number::IDENTITY,
    GoAway = number::GO_AWAY,
    Acknowledgement = number::ACKNOWLEDGEMENT,
}
