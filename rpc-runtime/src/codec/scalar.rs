//! Numbers and booleans. The bytes are those of `prost::encoding`.

use bytes::{Buf, BufMut};
use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType, encode_varint, encoded_len_varint};

use super::ValueCodec;
use crate::contract::Kind;
use crate::validate::ValueRef;

/// Declares the codec of a scalar that is a varint on the wire.
macro_rules! varint {
    ($(#[$docs:meta])* $codec:ident, $value:ty, $module:ident, $view:ident as $wide:ty, $zero:expr, |$it:ident| $to_wire:expr) => {
        $(#[$docs])*
        #[derive(Debug, Clone, Copy)]
        pub struct $codec;

        impl ValueCodec for $codec {
            type Value = $value;
            const KIND: Kind = Kind::$codec;
            const WIRE_TYPE: WireType = WireType::Varint;
            const PACKED: bool = true;

            #[inline]
            fn zero() -> $value {
                $zero
            }
            #[inline]
            fn is_zero(value: &$value) -> bool {
                *value == $zero
            }
            #[inline]
            fn encode_value(value: &$value, buf: &mut impl BufMut) {
                let $it = *value;
                encode_varint($to_wire, buf);
            }
            #[inline]
            fn value_len(value: &$value) -> usize {
                let $it = *value;
                encoded_len_varint($to_wire)
            }
            #[inline]
            fn merge(value: &mut $value, wire_type: WireType, buf: &mut impl Buf, cx: DecodeContext) -> Result<(), DecodeError> {
                prost::encoding::$module::merge(wire_type, value, buf, cx)
            }
            #[inline]
            fn view(value: &$value) -> ValueRef<'_> {
                ValueRef::$view(<$wide>::from(*value))
            }
        }
    };
}

/// Declares the codec of a scalar of fixed width.
macro_rules! fixed {
    ($(#[$docs:meta])* $codec:ident, $value:ty, $module:ident, $wire_type:ident, $put:ident, $view:ident as $wide:ty, $zero:expr) => {
        $(#[$docs])*
        #[derive(Debug, Clone, Copy)]
        pub struct $codec;

        impl ValueCodec for $codec {
            type Value = $value;
            const KIND: Kind = Kind::$codec;
            const WIRE_TYPE: WireType = WireType::$wire_type;
            const PACKED: bool = true;

            #[inline]
            fn zero() -> $value {
                $zero
            }
            // Negative zero equals zero and is left out, as prost's derive leaves it out.
            #[inline]
            fn is_zero(value: &$value) -> bool {
                *value == $zero
            }
            #[inline]
            fn encode_value(value: &$value, buf: &mut impl BufMut) {
                buf.$put(*value);
            }
            #[inline]
            fn value_len(_: &$value) -> usize {
                size_of::<$value>()
            }
            #[inline]
            fn merge(value: &mut $value, wire_type: WireType, buf: &mut impl Buf, cx: DecodeContext) -> Result<(), DecodeError> {
                prost::encoding::$module::merge(wire_type, value, buf, cx)
            }
            #[inline]
            fn view(value: &$value) -> ValueRef<'_> {
                ValueRef::$view(<$wide>::from(*value))
            }
        }
    };
}

varint!(/** `bool` as `bool`. */ Bool, bool, bool, Bool as bool, false, |it| u64::from(it));
varint!(/** `i32` as `int32`. */ Int32, i32, int32, Int as i64, 0, |it| i64::from(it) as u64);
varint!(/** `i64` as `int64`. */ Int64, i64, int64, Int as i64, 0, |it| it as u64);
varint!(/** `u32` as `uint32`. */ Uint32, u32, uint32, Uint as u64, 0, |it| u64::from(it));
varint!(/** `u64` as `uint64`. */ Uint64, u64, uint64, Uint as u64, 0, |it| it);
varint!(/** `i32` as `sint32`. */ Sint32, i32, sint32, Int as i64, 0, |it| u64::from(((it << 1) ^ (it >> 31)) as u32));
varint!(/** `i64` as `sint64`. */ Sint64, i64, sint64, Int as i64, 0, |it| ((it << 1) ^ (it >> 63)) as u64);
fixed!(/** `u32` as `fixed32`. */ Fixed32, u32, fixed32, ThirtyTwoBit, put_u32_le, Uint as u64, 0);
fixed!(/** `u64` as `fixed64`. */ Fixed64, u64, fixed64, SixtyFourBit, put_u64_le, Uint as u64, 0);
fixed!(/** `i32` as `sfixed32`. */ Sfixed32, i32, sfixed32, ThirtyTwoBit, put_i32_le, Int as i64, 0);
fixed!(/** `i64` as `sfixed64`. */ Sfixed64, i64, sfixed64, SixtyFourBit, put_i64_le, Int as i64, 0);
fixed!(/** `f32` as `float`. */ Float, f32, float, ThirtyTwoBit, put_f32_le, Float as f32, 0.0);
fixed!(/** `f64` as `double`. */ Double, f64, double, SixtyFourBit, put_f64_le, Double as f64, 0.0);
