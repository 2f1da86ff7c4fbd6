//! Strings and bytes.

use bytes::{Buf, BufMut, Bytes};
use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType, encode_varint, encoded_len_varint};

use super::ValueCodec;
use crate::contract::Kind;
use crate::validate::ValueRef;

/// `String` as `string`.
#[derive(Debug, Clone, Copy)]
pub struct Utf8;

/// `Vec<u8>` as `bytes`, copied out of the received buffer.
#[derive(Debug, Clone, Copy)]
pub struct ByteVec;

/// [`Bytes`] as `bytes`: a slice of the received buffer, which lives as long as the slice does.
#[derive(Debug, Clone, Copy)]
pub struct ByteSlice;

/// Declares the codec of a value that is a length and so many bytes.
macro_rules! length_delimited {
    ($codec:ident, $value:ty, $module:ident, $kind:ident, $copied:expr, $view:ident) => {
        impl ValueCodec for $codec {
            type Value = $value;
            const KIND: Kind = Kind::$kind;
            const WIRE_TYPE: WireType = WireType::LengthDelimited;
            const PACKED: bool = false;
            const COPIED: bool = $copied;

            #[inline]
            fn zero() -> $value {
                <$value>::new()
            }
            #[inline]
            fn is_zero(value: &$value) -> bool {
                value.is_empty()
            }
            #[inline]
            fn encode_value(value: &$value, buf: &mut impl BufMut) {
                encode_varint(value.len() as u64, buf);
                buf.put_slice(value.as_ref());
            }
            #[inline]
            fn value_len(value: &$value) -> usize {
                encoded_len_varint(value.len() as u64) + value.len()
            }
            #[inline]
            fn merge(
                value: &mut $value,
                wire_type: WireType,
                buf: &mut impl Buf,
                cx: DecodeContext,
            ) -> Result<(), DecodeError> {
                prost::encoding::$module::merge(wire_type, value, buf, cx)
            }
            #[inline]
            fn view(value: &$value) -> ValueRef<'_> {
                ValueRef::$view(value)
            }
        }
    };
}

length_delimited!(Utf8, String, string, String, true, Text);
length_delimited!(ByteVec, Vec<u8>, bytes, Bytes, true, Bytes);
length_delimited!(ByteSlice, Bytes, bytes, Bytes, false, Bytes);
