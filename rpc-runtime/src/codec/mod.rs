//! How one field of a contract is written and read.
//!
//! Owns the codecs, zero-sized types that the `#[contract]` macro picks from a field's tokens. A [`ValueCodec`] knows
//! one value (an `int32`, a `string`, a message); a [`FieldCodec`] knows how a field holds such values (singular,
//! optional, repeated, as a map). Bytes equal those of prost's own derive. It knows no messages and no rules.

mod error;
mod field;
mod map;
mod member;
mod named;
mod repeated;
mod scalar;
mod text;

pub(crate) use error::FieldPath;
pub use error::{decode_error, in_field};
pub use field::{Optional, Singular};
pub use map::{Map, SortedMap};
pub use member::merge_member;
pub use named::{Boxed, Named};
pub use repeated::Repeated;
pub use scalar::{
    Bool, Double, Fixed32, Fixed64, Float, Int32, Int64, Sfixed32, Sfixed64, Sint32, Sint64, Uint32, Uint64,
};
pub use text::{ByteSlice, ByteVec, Utf8};

use bytes::{Buf, BufMut};
use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType, encode_key, key_len};

use crate::contract::{Cardinality, FieldDescriptor, Kind, Layout};
use crate::validate::{Validator, ValueRef};

/// How one value is written and read.
///
/// Implemented by the zero-sized codecs of this module; programs have no need to implement it.
pub trait ValueCodec {
    /// The Rust type that holds the value.
    type Value: Send + Sync;

    /// What the value is in protobuf's words.
    const KIND: Kind;
    /// How the value lies on the wire.
    const WIRE_TYPE: WireType;
    /// Whether proto3 packs a list of such values.
    const PACKED: bool;
    /// Whether reading copies the value's bytes to the heap (only [`ByteSlice`] does not).
    const COPIED: bool = true;
    /// Bytes of the box around the value, 0 where there is none.
    const BOXED: usize = 0;

    /// The value that a reader sees when nothing was sent.
    fn zero() -> Self::Value;
    /// Whether a field without presence leaves this value out.
    fn is_zero(value: &Self::Value) -> bool;
    /// Writes the value without its key; a length-delimited value begins with its length.
    fn encode_value(value: &Self::Value, buf: &mut impl BufMut);
    /// The number of bytes that [`encode_value`](Self::encode_value) writes.
    fn value_len(value: &Self::Value) -> usize;
    /// Reads one value into `value`, merging where protobuf merges (messages) and replacing elsewhere.
    ///
    /// # Errors
    ///
    /// When the bytes are no such value.
    fn merge(
        value: &mut Self::Value,
        wire_type: WireType,
        buf: &mut impl Buf,
        cx: DecodeContext,
    ) -> Result<(), DecodeError>;
    /// The value as rules see it.
    fn view(value: &Self::Value) -> ValueRef<'_>;
    /// Checks the rules inside the value; only messages have any.
    #[inline]
    fn validate(_value: &Self::Value, _validator: &mut Validator<'_>) {}

    /// Writes key and value, whatever the value is.
    #[inline]
    fn encode_field(value: &Self::Value, number: u32, buf: &mut impl BufMut) {
        encode_key(number, Self::WIRE_TYPE, buf);
        Self::encode_value(value, buf);
    }

    /// The number of bytes that [`encode_field`](Self::encode_field) writes.
    #[inline]
    fn field_len(value: &Self::Value, number: u32) -> usize {
        key_len(number) + Self::value_len(value)
    }
}

/// How a field holds its values, and so how the field is written and read.
///
/// Implemented by the zero-sized codecs of this module; programs have no need to implement it.
pub trait FieldCodec {
    /// The field's Rust type.
    type Field;

    /// How many values the field holds.
    const CARDINALITY: Cardinality;
    /// What each value is; of a map, what each of its values is.
    const KIND: Kind;
    /// What the field takes in memory.
    const LAYOUT: Layout;

    /// The field as proto3 leaves it when nothing was sent.
    fn zero() -> Self::Field;
    /// Writes the field, or nothing where proto3 writes nothing.
    fn encode(field: &Self::Field, number: u32, buf: &mut impl BufMut);
    /// The number of bytes that [`encode`](Self::encode) writes.
    fn encoded_len(field: &Self::Field, number: u32) -> usize;
    /// Reads one occurrence of the field.
    ///
    /// # Errors
    ///
    /// When the bytes are no value of this field. The field may then hold a part of what was sent.
    fn merge(
        field: &mut Self::Field,
        wire_type: WireType,
        buf: &mut impl Buf,
        cx: DecodeContext,
    ) -> Result<(), DecodeError>;
    /// Sets the field back to its zero value, keeping its allocation where it can.
    #[inline]
    fn clear(field: &mut Self::Field) {
        *field = Self::zero();
    }
    /// Checks the rules that `facts` declares, and those of messages inside.
    fn validate(field: &Self::Field, facts: &'static FieldDescriptor, validator: &mut Validator<'_>);
}
