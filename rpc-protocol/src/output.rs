//! Where frames are written to, and what a body is: the two things that a caller brings along.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes};

/// Where frames are written to: a queue of WebSocket messages.
///
/// A connection's output buffer can implement it so that a frame is written once, straight behind the WebSocket header
/// that `begin_message` put there. In tests, a `Vec<Vec<u8>>` collects the messages.
pub trait Output {
    /// Begins one binary WebSocket message of exactly `len` bytes. The caller appends exactly `len` bytes to what is
    /// returned, at once, and touches nothing that is in it already.
    ///
    /// A `Vec` and not a `BytesMut`, whose every write is a call: a frame is written in many small pieces.
    fn begin_message(&mut self, len: usize) -> &mut Vec<u8>;
}

impl<T: Output + ?Sized> Output for &mut T {
    fn begin_message(&mut self, len: usize) -> &mut Vec<u8> {
        (**self).begin_message(len)
    }
}

impl Output for Vec<Vec<u8>> {
    fn begin_message(&mut self, len: usize) -> &mut Vec<u8> {
        self.push_mut(Vec::with_capacity(len))
    }
}

impl Output for VecDeque<Vec<u8>> {
    fn begin_message(&mut self, len: usize) -> &mut Vec<u8> {
        self.push_back_mut(Vec::with_capacity(len))
    }
}

/// What a frame carries for the application: bytes, or a message that knows its encoded length, so that it is encoded
/// once and straight into the output.
pub trait Body {
    /// The length in bytes. Asked once for each frame; `encode` must write exactly as many.
    fn encoded_len(&self) -> usize;

    /// Appends the encoded body to `buf`.
    fn encode(&self, buf: &mut Vec<u8>);
}

impl Body for () {
    #[inline]
    fn encoded_len(&self) -> usize {
        0
    }

    #[inline]
    fn encode(&self, _: &mut Vec<u8>) {}
}

impl Body for [u8] {
    #[inline]
    fn encoded_len(&self) -> usize {
        self.len()
    }

    #[inline]
    fn encode(&self, buf: &mut Vec<u8>) {
        buf.put_slice(self);
    }
}

impl Body for Bytes {
    #[inline]
    fn encoded_len(&self) -> usize {
        self.len()
    }

    #[inline]
    fn encode(&self, buf: &mut Vec<u8>) {
        buf.put_slice(self);
    }
}

impl Body for Vec<u8> {
    #[inline]
    fn encoded_len(&self) -> usize {
        self.len()
    }

    #[inline]
    fn encode(&self, buf: &mut Vec<u8>) {
        buf.put_slice(self);
    }
}

impl<T: Body + ?Sized> Body for &T {
    #[inline]
    fn encoded_len(&self) -> usize {
        (**self).encoded_len()
    }

    #[inline]
    fn encode(&self, buf: &mut Vec<u8>) {
        (**self).encode(buf);
    }
}
