//! Encodes a message again, with what proto3 leaves out.
//!
//! CMMV's client copies what it has decoded by spreading it, and protobufjs keeps what was not on the wire on the prototype, which
//! a spread leaves behind: a `false` that is not written arrives as `undefined`. So every scalar without presence is written.

use prost::{
    DecodeError,
    encoding::{DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint, skip_field},
};

use crate::contract::{Cardinality, FieldDescriptor, Kind, MessageDescriptor};

/// As deep as prost reads.
const DEEPEST: usize = 100;

/// What is written again: the messages of one contract on CMMV's wire.
#[derive(Debug, Clone, Copy)]
pub(super) struct Explicit {
    /// The contract's own message, whose id stands beside it and not in it.
    pub(super) item: &'static MessageDescriptor,
    /// What is written may be as long as this, in bytes.
    pub(super) limit: usize,
}

/// Why there is nothing to send.
#[derive(Debug, PartialEq)]
pub(super) enum Unsent {
    /// With all its fields it is longer than is sent.
    TooLong,
    /// The service's answer is not what its descriptor says.
    Malformed,
}

impl From<DecodeError> for Unsent {
    fn from(_: DecodeError) -> Self {
        Self::Malformed
    }
}

impl Explicit {
    /// Whether a field is on CMMV's wire.
    pub(super) fn has(&self, message: &MessageDescriptor, field: &FieldDescriptor) -> bool {
        !(field.id && message.full_name == self.item.full_name)
    }

    /// Writes the id of an item, which may be of any type that the contract gives it, as a field of its own.
    pub(super) fn write_id(&self, number: u32, raw: Option<&[u8]>, out: &mut Vec<u8>) {
        match raw {
            Some(raw) => out.extend_from_slice(raw),
            None => write_zero(self.id_kind(), number, out),
        }
    }

    /// What an id is.
    pub(super) fn id_kind(&self) -> Kind {
        self.item.id().map_or(Kind::String, |id| id.kind)
    }

    /// Writes an item behind what `out` holds.
    pub(super) fn write_item(&self, body: &[u8], out: &mut Vec<u8>) -> Result<(), Unsent> {
        self.write(self.item, body, out, 0)
    }

    fn write(
        &self,
        message: &'static MessageDescriptor,
        body: &[u8],
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), Unsent> {
        let mut seen = vec![false; message.fields.len()];
        for field in Fields(body) {
            let Field { number, raw, inside } = field?;
            let Some(index) = message.fields.iter().position(|field| field.number == number) else {
                continue;
            };
            let field = &message.fields[index];
            seen[index] = true;
            if !self.has(message, field) {
                continue;
            }
            match nested(field).filter(|_| depth < DEEPEST) {
                Some(descriptor) => {
                    let mut written = Vec::with_capacity(inside.len() + 8);
                    self.write(descriptor, inside, &mut written, depth + 1)?;
                    encode_key(number, WireType::LengthDelimited, out);
                    encode_varint(written.len() as u64, out);
                    out.extend_from_slice(&written);
                }
                None => out.extend_from_slice(raw),
            }
            self.check(out)?;
        }
        for (field, seen) in message.fields.iter().zip(seen) {
            if !seen && self.has(message, field) && matches!(field.cardinality, Cardinality::Singular) {
                write_zero(field.kind, field.number, out);
            }
        }
        self.check(out)
    }

    /// Whether so much may be sent.
    pub(super) fn check(&self, out: &[u8]) -> Result<(), Unsent> {
        match out.len() > self.limit {
            true => Err(Unsent::TooLong),
            false => Ok(()),
        }
    }
}

/// The message that a field holds, where that can be written again in its place. Entries of maps are left as they are: what reads
/// them knows of every one that it has a key and a value.
fn nested(field: &FieldDescriptor) -> Option<&'static MessageDescriptor> {
    match (field.cardinality, field.kind) {
        (Cardinality::Map(_), _) => None,
        (_, Kind::Message(descriptor)) => Some(descriptor()),
        _ => None,
    }
}

/// The fields of an encoded message, in their order.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

/// One of them.
pub(super) struct Field<'a> {
    pub(super) number: u32,
    /// With its key.
    pub(super) raw: &'a [u8],
    /// What stands behind the length, where it has one.
    pub(super) inside: &'a [u8],
}

impl<'a> Fields<'a> {
    fn read(&mut self) -> Result<Field<'a>, Unsent> {
        let before = self.0;
        let (number, wire_type) = decode_key(&mut self.0)?;
        let mut inside = &b""[..];
        if wire_type == WireType::LengthDelimited {
            let length = usize::try_from(decode_varint(&mut self.0)?).map_err(|_| Unsent::Malformed)?;
            (inside, self.0) = self.0.split_at_checked(length).ok_or(Unsent::Malformed)?;
        } else {
            skip_field(wire_type, number, &mut self.0, DecodeContext::default())?;
        }
        let raw = &before[..before.len() - self.0.len()];
        Ok(Field { number, raw, inside })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Unsent>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.read();
        if field.is_err() {
            // Where the next one would begin is not known.
            self.0 = &[];
        }
        Some(field)
    }
}

/// Writes the value that a reader sees where nothing is written.
pub(super) fn write_zero(kind: Kind, number: u32, out: &mut Vec<u8>) {
    let (wire_type, zero): (_, &[u8]) = match kind {
        Kind::Fixed32 | Kind::Sfixed32 | Kind::Float => (WireType::ThirtyTwoBit, &[0; 4]),
        Kind::Fixed64 | Kind::Sfixed64 | Kind::Double => (WireType::SixtyFourBit, &[0; 8]),
        Kind::String | Kind::Bytes => (WireType::LengthDelimited, &[0]),
        // One that is not in an `Option` is always on the wire.
        Kind::Message(_) => return,
        _ => (WireType::Varint, &[0]),
    };
    encode_key(number, wire_type, out);
    out.extend_from_slice(zero);
}
