//! `Vec<T>` as `repeated T`.

use std::marker::PhantomData;

use bytes::{Buf, BufMut};
use prost::DecodeError;
use prost::encoding::{
    DecodeContext, WireType, decode_varint, encode_key, encode_varint, encoded_len_varint, key_len,
};

use super::{FieldCodec, ValueCodec, decode_error};
use crate::contract::{Cardinality, FieldDescriptor, Holder, Kind, Layout};
use crate::validate::Validator;

/// A list: packed where proto3 packs, one key per value elsewhere. Both forms are read.
#[derive(Debug, Clone, Copy)]
pub struct Repeated<C>(PhantomData<C>);

impl<C: ValueCodec> FieldCodec for Repeated<C> {
    type Field = Vec<C::Value>;
    const CARDINALITY: Cardinality = Cardinality::Repeated;
    const KIND: Kind = C::KIND;
    const LAYOUT: Layout = Layout::of_value::<C>(Holder::List, size_of::<C::Value>());

    #[inline]
    fn zero() -> Self::Field {
        Vec::new()
    }

    fn encode(field: &Self::Field, number: u32, buf: &mut impl BufMut) {
        if !C::PACKED {
            for value in field {
                C::encode_field(value, number, buf);
            }
        } else if !field.is_empty() {
            encode_key(number, WireType::LengthDelimited, buf);
            encode_varint(packed_len::<C>(field) as u64, buf);
            for value in field {
                C::encode_value(value, buf);
            }
        }
    }

    fn encoded_len(field: &Self::Field, number: u32) -> usize {
        if !C::PACKED {
            key_len(number) * field.len() + field.iter().map(C::value_len).sum::<usize>()
        } else if field.is_empty() {
            0
        } else {
            let len = packed_len::<C>(field);
            key_len(number) + encoded_len_varint(len as u64) + len
        }
    }

    fn merge(
        field: &mut Self::Field,
        wire_type: WireType,
        buf: &mut impl Buf,
        cx: DecodeContext,
    ) -> Result<(), DecodeError> {
        if C::PACKED && wire_type == WireType::LengthDelimited {
            return merge_packed::<C>(field, buf, cx);
        }
        let mut value = C::zero();
        C::merge(&mut value, wire_type, buf, cx)?;
        field.push(value);
        Ok(())
    }

    #[inline]
    fn clear(field: &mut Self::Field) {
        field.clear();
    }

    #[inline]
    fn validate(field: &Self::Field, facts: &'static FieldDescriptor, validator: &mut Validator<'_>) {
        validator.repeated::<C>(field, facts);
    }
}

/// The bytes of the values of a packed list.
fn packed_len<C: ValueCodec>(values: &[C::Value]) -> usize {
    match C::WIRE_TYPE {
        WireType::ThirtyTwoBit => values.len() * 4,
        WireType::SixtyFourBit => values.len() * 8,
        _ => values.iter().map(C::value_len).sum(),
    }
}

/// Reads one packed run, taking memory once, for as many values as the run holds.
fn merge_packed<C: ValueCodec>(
    field: &mut Vec<C::Value>,
    buf: &mut impl Buf,
    cx: DecodeContext,
) -> Result<(), DecodeError> {
    let len = decode_varint(buf)?;
    let Some(end) = usize::try_from(len)
        .ok()
        .and_then(|len| buf.remaining().checked_sub(len))
    else {
        return Err(decode_error("packed values longer than the message"));
    };
    field.reserve(packed_count(C::WIRE_TYPE, buf, buf.remaining() - end));
    while buf.remaining() > end {
        let mut value = C::zero();
        C::merge(&mut value, C::WIRE_TYPE, buf, cx.clone())?;
        field.push(value);
    }
    if buf.remaining() == end {
        Ok(())
    } else {
        Err(decode_error("packed values longer than their length"))
    }
}

/// How many values the next `len` bytes hold. Of a buffer in several pieces only the first is counted.
fn packed_count(wire_type: WireType, buf: &impl Buf, len: usize) -> usize {
    match wire_type {
        WireType::ThirtyTwoBit => len / 4,
        WireType::SixtyFourBit => len / 8,
        // The last byte of a varint is the one whose top bit is clear.
        _ => buf.chunk().iter().take(len).filter(|byte| **byte < 0x80).count(),
    }
}
