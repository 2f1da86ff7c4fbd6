//! Protobuf's wire format: keys, varints, lengths, and skipping what is not known.
//!
//! Owns reading and writing of single fields. Knows no message. Accepts and refuses exactly what prost does, so that a
//! peer sees one behaviour whichever codec a server was built with.

use std::ops::Range;

use bytes::{BufMut, Bytes};

use super::FrameError;

/// Groups may nest so deep, counted like prost counts its recursion.
const MAX_DEPTH: u32 = 100;

/// The lower three bits of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WireType {
    Varint,
    Fixed64,
    Length,
    StartGroup,
    EndGroup,
    Fixed32,
}

impl WireType {
    #[inline]
    const fn from_key(key: u32) -> Option<Self> {
        Some(match key & 7 {
            0 => Self::Varint,
            1 => Self::Fixed64,
            2 => Self::Length,
            3 => Self::StartGroup,
            4 => Self::EndGroup,
            5 => Self::Fixed32,
            _ => return None,
        })
    }
}

/// Reads one message, or one part of it, out of the bytes of a WebSocket message.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    /// The whole WebSocket message.
    source: &'a Bytes,
    /// What is left of the message that is being read: a part of `source`.
    rest: &'a [u8],
    /// How often groups may still nest below this message.
    depth: u32,
    /// Where the last body was seen: a part of `source`. Not a `Bytes`: the frame gets the received buffer itself, cut
    /// to the body, once everything else is read, and no reference count is touched.
    body: &'a [u8],
}

impl<'a> Reader<'a> {
    #[inline]
    pub(crate) fn new(source: &'a Bytes) -> Self {
        Self {
            source,
            rest: source,
            depth: MAX_DEPTH,
            body: &[],
        }
    }

    /// The place of the last body in the WebSocket message, `None` where there is none or an empty one.
    #[inline]
    pub(crate) fn body(&self) -> Option<Range<usize>> {
        if self.body.is_empty() {
            return None;
        }
        let start = self.body.as_ptr() as usize - self.source.as_ptr() as usize;
        Some(start..start + self.body.len())
    }

    /// Forgets a body that belonged to a kind which a later one has replaced.
    #[inline]
    pub(crate) fn forget_body(&mut self) {
        self.body = &[];
    }

    /// The next field's number and wire type, or `None` at the end of the message.
    #[inline]
    pub(crate) fn next_field(&mut self) -> Result<Option<(u32, WireType)>, FrameError> {
        let key = match *self.rest {
            [] => return Ok(None),
            // Field numbers below 16: all that are in use but one.
            [key, ref rest @ ..] if key < 0x80 => {
                self.rest = rest;
                u32::from(key)
            }
            _ => u32::try_from(self.varint()?).map_err(|_| FrameError::InvalidKey)?,
        };
        match WireType::from_key(key) {
            Some(wire_type) if key >= 8 => Ok(Some((key >> 3, wire_type))),
            _ => Err(FrameError::InvalidKey),
        }
    }

    #[inline]
    pub(crate) fn varint(&mut self) -> Result<u64, FrameError> {
        match *self.rest {
            [low, ref rest @ ..] if low < 0x80 => {
                self.rest = rest;
                Ok(u64::from(low))
            }
            [low, high, ref rest @ ..] if high < 0x80 => {
                self.rest = rest;
                Ok(u64::from(low & 0x7f) | u64::from(high) << 7)
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, FrameError> {
        let mut value = 0_u64;
        for (index, &byte) in self.rest.iter().enumerate().take(10) {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                // The tenth byte holds the 64th bit only.
                if index == 9 && byte > 1 {
                    return Err(FrameError::VarintTooLong);
                }
                self.rest = &self.rest[index + 1..];
                return Ok(value);
            }
        }
        if self.rest.len() >= 10 {
            Err(FrameError::VarintTooLong)
        } else {
            Err(FrameError::Truncated)
        }
    }

    #[inline]
    pub(crate) fn fixed64(&mut self) -> Result<u64, FrameError> {
        let (bytes, rest) = self.rest.split_first_chunk::<8>().ok_or(FrameError::Truncated)?;
        self.rest = rest;
        Ok(u64::from_le_bytes(*bytes))
    }

    /// Reads a length, and that many bytes.
    #[inline]
    pub(crate) fn delimited(&mut self) -> Result<&'a [u8], FrameError> {
        let len = self.varint()?;
        let len = usize::try_from(len).map_err(|_| FrameError::Truncated)?;
        self.take(len)
    }

    #[inline]
    fn take(&mut self, len: usize) -> Result<&'a [u8], FrameError> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(FrameError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    pub(crate) fn read_body(&mut self) -> Result<(), FrameError> {
        self.body = self.delimited()?;
        Ok(())
    }

    /// Bytes that outlive the reader. Small ones are copied, so that a key of ten bytes does not keep a message of a
    /// megabyte.
    pub(crate) fn bytes(&mut self) -> Result<Bytes, FrameError> {
        let bytes = self.delimited()?;
        Ok(if bytes.len() < self.source.len() / 4 {
            Bytes::copy_from_slice(bytes)
        } else {
            self.source.slice_ref(bytes)
        })
    }

    /// Reads a nested message with `read`, which must read to its end.
    #[inline]
    pub(crate) fn nested(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<(), FrameError>,
    ) -> Result<(), FrameError> {
        let nested = self.delimited()?;
        let after = std::mem::replace(&mut self.rest, nested);
        self.depth -= 1;
        read(self)?;
        debug_assert!(self.rest.is_empty(), "a nested message is read to its end");
        self.depth += 1;
        self.rest = after;
        Ok(())
    }

    /// Reads varints to the end of a packed list.
    pub(crate) fn packed(
        &mut self,
        mut read: impl FnMut(u64) -> Result<(), FrameError>,
    ) -> Result<(), FrameError> {
        self.nested(|reader| {
            while !reader.rest.is_empty() {
                let value = reader.varint()?;
                read(value)?;
            }
            Ok(())
        })
    }

    /// Steps over a field that this version does not know.
    #[cold]
    pub(crate) fn skip(&mut self, field: u32, wire_type: WireType) -> Result<(), FrameError> {
        self.skip_within(field, wire_type, self.depth)
    }

    fn skip_within(&mut self, field: u32, wire_type: WireType, depth: u32) -> Result<(), FrameError> {
        if depth == 0 {
            return Err(FrameError::TooDeep);
        }
        match wire_type {
            WireType::Varint => {
                self.varint()?;
            }
            WireType::Fixed64 => {
                self.take(8)?;
            }
            WireType::Fixed32 => {
                self.take(4)?;
            }
            WireType::Length => {
                self.delimited()?;
            }
            WireType::StartGroup => loop {
                match self.next_field()? {
                    None => return Err(FrameError::Truncated),
                    Some((inner, WireType::EndGroup)) if inner == field => break,
                    Some((inner, wire_type)) => self.skip_within(inner, wire_type, depth - 1)?,
                }
            },
            WireType::EndGroup => return Err(FrameError::UnexpectedEndOfGroup),
        }
        Ok(())
    }
}

/// The bytes that `value` takes as a varint, 1 to 10.
#[inline]
pub(crate) const fn varint_len(value: u64) -> usize {
    // Seven bits a byte: ceil(bits / 7), without a division. The same arithmetic as prost's.
    ((value | 1).ilog2() as usize * 9 + 73) / 64
}

/// The bytes that a length-delimited field takes, for field numbers below 16.
#[inline]
pub(crate) const fn delimited_len(len: usize) -> usize {
    1 + varint_len(len as u64) + len
}

#[inline]
pub(crate) fn put_varint(mut value: u64, buf: &mut impl BufMut) {
    while value >= 0x80 {
        buf.put_u8((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    buf.put_u8((value & 0x7f) as u8);
}

#[inline]
pub(crate) fn put_key(field: u32, wire_type: WireType, buf: &mut impl BufMut) {
    put_varint(u64::from(field << 3 | wire_type as u32), buf);
}

/// The first bytes of a frame, gathered on the stack and written at once: what is written byte by byte into a growing
/// buffer checks its capacity at every byte.
#[derive(Debug)]
pub(crate) struct Head {
    bytes: [u8; 48],
    len: usize,
}

impl Head {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [0; 48],
            len: 0,
        }
    }

    #[inline]
    pub(crate) fn byte(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    #[inline]
    pub(crate) fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.byte((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.byte((value & 0x7f) as u8);
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}
