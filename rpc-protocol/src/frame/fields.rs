//! How a field of each protobuf type is read, measured and written, and the macro that makes a message of them.
//!
//! A message is a list of `name: RustType as Type = number`; everything else follows. The types are markers without values, so
//! the generated code is the code that one would write by hand for each field.

use bytes::{BufMut, Bytes};

use super::wire::{Reader, WireType, put_key, put_varint, varint_len};
use super::{Compression, FrameError};

/// No list of one frame holds more than this. An empty element takes two bytes on the wire and some hundred in memory;
/// without a bound a message of 1 MiB would become 50 MiB.
pub(crate) const MAX_ELEMENTS: usize = 1024;

/// A message that can be a kind of frame, or a part of one.
pub(crate) trait Message: Default {
    /// Reads fields into what is there already, as protobuf merges messages.
    fn merge(&mut self, reader: &mut Reader<'_>) -> Result<(), FrameError>;
    /// The length of all fields but a body.
    fn fields_len(&self) -> usize;
    /// Writes all fields but a body, in the order of their numbers, without zero values.
    fn encode_fields(&self, buf: &mut impl BufMut);
}

/// One protobuf type.
pub(crate) trait Field {
    type Value;
    fn merge(value: &mut Self::Value, wire_type: WireType, reader: &mut Reader<'_>)
    -> Result<(), FrameError>;
    fn len(value: &Self::Value, number: u32) -> usize;
    fn encode(value: &Self::Value, number: u32, buf: &mut impl BufMut);
}

#[inline]
fn expect(found: WireType, expected: WireType) -> Result<(), FrameError> {
    if found == expected {
        Ok(())
    } else {
        Err(FrameError::WireType)
    }
}

#[inline]
const fn key_len(number: u32) -> usize {
    varint_len((number << 3) as u64)
}

/// An int32 is sent as 64 bits with its sign, and read by its lower 32 bits, as protobuf has it.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "protobuf says so")]
const fn lower_32_bits(wire: u64) -> i32 {
    wire as i32
}

macro_rules! varint_field {
    ($name:ident, $value:ty, |$wire:ident| $from:expr, |$in:ident| $to:expr) => {
        pub(crate) enum $name {}
        impl Field for $name {
            type Value = $value;
            #[inline]
            fn merge(
                value: &mut $value,
                wire_type: WireType,
                reader: &mut Reader<'_>,
            ) -> Result<(), FrameError> {
                expect(wire_type, WireType::Varint)?;
                let $wire = reader.varint()?;
                *value = $from;
                Ok(())
            }
            #[inline]
            fn len(value: &$value, number: u32) -> usize {
                let $in = *value;
                match $to {
                    0 => 0,
                    wire => key_len(number) + varint_len(wire),
                }
            }
            #[inline]
            fn encode(value: &$value, number: u32, buf: &mut impl BufMut) {
                let $in = *value;
                match $to {
                    0 => {}
                    wire => {
                        put_key(number, WireType::Varint, buf);
                        put_varint(wire, buf);
                    }
                }
            }
        }
    };
}

varint_field!(Uint64, u64, |wire| wire, |value| value);
varint_field!(Bool, bool, |wire| wire != 0, |value| u64::from(value));
varint_field!(Int32, i32, |wire| lower_32_bits(wire), |value| i64::from(value)
    as u64);
varint_field!(
    CompressionField,
    Compression,
    |wire| Compression(lower_32_bits(wire)),
    |value| { i64::from(value.0) as u64 }
);

pub(crate) enum Fixed64 {}
impl Field for Fixed64 {
    type Value = u64;
    #[inline]
    fn merge(value: &mut u64, wire_type: WireType, reader: &mut Reader<'_>) -> Result<(), FrameError> {
        expect(wire_type, WireType::Fixed64)?;
        *value = reader.fixed64()?;
        Ok(())
    }
    #[inline]
    fn len(value: &u64, number: u32) -> usize {
        if *value == 0 { 0 } else { key_len(number) + 8 }
    }
    #[inline]
    fn encode(value: &u64, number: u32, buf: &mut impl BufMut) {
        if *value != 0 {
            put_key(number, WireType::Fixed64, buf);
            buf.put_u64_le(*value);
        }
    }
}

fn delimited_field_len(len: usize, number: u32) -> usize {
    key_len(number) + varint_len(len as u64) + len
}

fn encode_slice(value: &[u8], number: u32, buf: &mut impl BufMut) {
    if !value.is_empty() {
        put_key(number, WireType::Length, buf);
        put_varint(value.len() as u64, buf);
        buf.put_slice(value);
    }
}

pub(crate) enum Text {}
impl Field for Text {
    type Value = String;
    fn merge(value: &mut String, wire_type: WireType, reader: &mut Reader<'_>) -> Result<(), FrameError> {
        expect(wire_type, WireType::Length)?;
        let text = std::str::from_utf8(reader.delimited()?).map_err(|_| FrameError::InvalidUtf8)?;
        value.clear();
        value.push_str(text);
        Ok(())
    }
    #[inline]
    fn len(value: &String, number: u32) -> usize {
        if value.is_empty() {
            0
        } else {
            delimited_field_len(value.len(), number)
        }
    }
    #[inline]
    fn encode(value: &String, number: u32, buf: &mut impl BufMut) {
        encode_slice(value.as_bytes(), number, buf);
    }
}

pub(crate) enum Blob {}
impl Field for Blob {
    type Value = Bytes;
    fn merge(value: &mut Bytes, wire_type: WireType, reader: &mut Reader<'_>) -> Result<(), FrameError> {
        expect(wire_type, WireType::Length)?;
        *value = reader.bytes()?;
        Ok(())
    }
    #[inline]
    fn len(value: &Bytes, number: u32) -> usize {
        if value.is_empty() {
            0
        } else {
            delimited_field_len(value.len(), number)
        }
    }
    #[inline]
    fn encode(value: &Bytes, number: u32, buf: &mut impl BufMut) {
        encode_slice(value, number, buf);
    }
}

/// The body of a frame: only its place is noted while reading, and it is written by whoever writes the frame.
pub(crate) enum BodyField {}
impl Field for BodyField {
    type Value = Bytes;
    #[inline]
    fn merge(_: &mut Bytes, wire_type: WireType, reader: &mut Reader<'_>) -> Result<(), FrameError> {
        expect(wire_type, WireType::Length)?;
        reader.read_body()
    }
    #[inline]
    fn len(_: &Bytes, _: u32) -> usize {
        0
    }
    #[inline]
    fn encode(_: &Bytes, _: u32, _: &mut impl BufMut) {}
}

/// A message that may be absent.
pub(crate) struct Nested<M>(std::marker::PhantomData<M>);
impl<M: Message> Field for Nested<M> {
    type Value = Option<M>;
    fn merge(value: &mut Option<M>, wire_type: WireType, reader: &mut Reader<'_>) -> Result<(), FrameError> {
        expect(wire_type, WireType::Length)?;
        reader.nested(|reader| value.get_or_insert_default().merge(reader))
    }
    #[inline]
    fn len(value: &Option<M>, number: u32) -> usize {
        value
            .as_ref()
            .map_or(0, |message| delimited_field_len(message.fields_len(), number))
    }
    #[inline]
    fn encode(value: &Option<M>, number: u32, buf: &mut impl BufMut) {
        if let Some(message) = value {
            put_key(number, WireType::Length, buf);
            put_varint(message.fields_len() as u64, buf);
            message.encode_fields(buf);
        }
    }
}

/// A list of messages.
pub(crate) struct Repeated<M>(std::marker::PhantomData<M>);
impl<M: Message> Field for Repeated<M> {
    type Value = Vec<M>;
    fn merge(value: &mut Vec<M>, wire_type: WireType, reader: &mut Reader<'_>) -> Result<(), FrameError> {
        expect(wire_type, WireType::Length)?;
        if value.len() >= MAX_ELEMENTS {
            return Err(FrameError::TooManyElements);
        }
        let mut message = M::default();
        reader.nested(|reader| message.merge(reader))?;
        value.push(message);
        Ok(())
    }
    #[inline]
    fn len(value: &Vec<M>, number: u32) -> usize {
        value
            .iter()
            .map(|message| delimited_field_len(message.fields_len(), number))
            .sum()
    }
    #[inline]
    fn encode(value: &Vec<M>, number: u32, buf: &mut impl BufMut) {
        for message in value {
            put_key(number, WireType::Length, buf);
            put_varint(message.fields_len() as u64, buf);
            message.encode_fields(buf);
        }
    }
}

/// A list of compressions: packed when written, either way when read.
pub(crate) enum Compressions {}
impl Compressions {
    fn push(value: &mut Vec<Compression>, wire: u64) -> Result<(), FrameError> {
        if value.len() >= MAX_ELEMENTS {
            return Err(FrameError::TooManyElements);
        }
        value.push(Compression(lower_32_bits(wire)));
        Ok(())
    }

    fn packed_len(value: &[Compression]) -> usize {
        value
            .iter()
            .map(|compression| varint_len(i64::from(compression.0) as u64))
            .sum()
    }
}
impl Field for Compressions {
    type Value = Vec<Compression>;
    fn merge(
        value: &mut Vec<Compression>,
        wire_type: WireType,
        reader: &mut Reader<'_>,
    ) -> Result<(), FrameError> {
        match wire_type {
            WireType::Varint => {
                let wire = reader.varint()?;
                Self::push(value, wire)
            }
            WireType::Length => reader.packed(|wire| Self::push(value, wire)),
            _ => Err(FrameError::WireType),
        }
    }
    fn len(value: &Vec<Compression>, number: u32) -> usize {
        if value.is_empty() {
            0
        } else {
            delimited_field_len(Self::packed_len(value), number)
        }
    }
    fn encode(value: &Vec<Compression>, number: u32, buf: &mut impl BufMut) {
        if !value.is_empty() {
            put_key(number, WireType::Length, buf);
            put_varint(Self::packed_len(value) as u64, buf);
            for compression in value {
                put_varint(i64::from(compression.0) as u64, buf);
            }
        }
    }
}

/// Declares a message and its codec from its fields, which must stand in the order of their numbers.
macro_rules! message {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[$field_meta:meta])* $field:ident: $value:ty as $kind:ty = $number:literal,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Default, PartialEq)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $value,)*
        }

        impl $crate::frame::fields::Message for $name {
            #[inline]
            fn merge(
                &mut self,
                reader: &mut $crate::frame::wire::Reader<'_>,
            ) -> Result<(), $crate::frame::FrameError> {
                while let Some((number, wire_type)) = reader.next_field()? {
                    match number {
                        $($number => <$kind as $crate::frame::fields::Field>::merge(
                            &mut self.$field,
                            wire_type,
                            reader,
                        )?,)*
                        _ => reader.skip(number, wire_type)?,
                    }
                }
                Ok(())
            }

            #[inline]
            fn fields_len(&self) -> usize {
                0 $(+ <$kind as $crate::frame::fields::Field>::len(&self.$field, $number))*
            }

            #[inline]
            fn encode_fields(&self, buf: &mut impl bytes::BufMut) {
                $(<$kind as $crate::frame::fields::Field>::encode(&self.$field, $number, buf);)*
            }
        }
    };
}

pub(crate) use message;
