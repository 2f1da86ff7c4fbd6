//! Members of a `oneof`, for contract enums with data.

use bytes::Buf;
use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType};

use super::ValueCodec;

/// Reads a member of a `oneof`: merges into `current` when that member is set already, as protobuf asks, and gives the
/// value to set otherwise.
///
/// # Errors
///
/// When the bytes are no such value.
#[inline]
pub fn merge_member<C: ValueCodec>(
    current: Option<&mut C::Value>,
    wire_type: WireType,
    buf: &mut impl Buf,
    cx: DecodeContext,
) -> Result<Option<C::Value>, DecodeError> {
    match current {
        Some(value) => C::merge(value, wire_type, buf, cx).map(|()| None),
        None => {
            let mut value = C::zero();
            C::merge(&mut value, wire_type, buf, cx)?;
            Ok(Some(value))
        }
    }
}
