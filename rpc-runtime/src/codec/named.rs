//! Values of a named type: what its tokens do not tell, its [`ContractField`] implementation does.

use std::marker::PhantomData;

use bytes::{Buf, BufMut};
use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType};

use super::ValueCodec;
use crate::contract::{ContractField, Kind};
use crate::validate::{Validator, ValueRef};

/// A contract, a contract enum, a well-known type or a prost message.
#[derive(Debug, Clone, Copy)]
pub struct Named<T>(PhantomData<T>);

/// A value that its field holds in a `Box`.
#[derive(Debug, Clone, Copy)]
pub struct Boxed<C>(PhantomData<C>);

impl<T: ContractField> ValueCodec for Named<T> {
    type Value = T;
    const KIND: Kind = T::KIND;
    const WIRE_TYPE: WireType = T::WIRE_TYPE;
    const PACKED: bool = T::PACKED;

    #[inline]
    fn zero() -> T {
        T::zero()
    }
    #[inline]
    fn is_zero(value: &T) -> bool {
        value.is_zero()
    }
    #[inline]
    fn encode_value(value: &T, buf: &mut impl BufMut) {
        value.encode_value(buf);
    }
    #[inline]
    fn value_len(value: &T) -> usize {
        value.value_len()
    }
    #[inline]
    fn merge(
        value: &mut T,
        wire_type: WireType,
        buf: &mut impl Buf,
        cx: DecodeContext,
    ) -> Result<(), DecodeError> {
        value.merge_value(wire_type, buf, cx)
    }
    #[inline]
    fn view(value: &T) -> ValueRef<'_> {
        value.view()
    }
    #[inline]
    fn validate(value: &T, validator: &mut Validator<'_>) {
        value.validate(validator);
    }
}

impl<C: ValueCodec> ValueCodec for Boxed<C> {
    type Value = Box<C::Value>;
    const KIND: Kind = C::KIND;
    const WIRE_TYPE: WireType = C::WIRE_TYPE;
    const PACKED: bool = C::PACKED;
    const COPIED: bool = C::COPIED;
    const BOXED: usize = size_of::<C::Value>() + C::BOXED;

    #[inline]
    fn zero() -> Self::Value {
        Box::new(C::zero())
    }
    #[inline]
    fn is_zero(value: &Self::Value) -> bool {
        C::is_zero(value)
    }
    #[inline]
    fn encode_value(value: &Self::Value, buf: &mut impl BufMut) {
        C::encode_value(value, buf);
    }
    #[inline]
    fn value_len(value: &Self::Value) -> usize {
        C::value_len(value)
    }
    #[inline]
    fn merge(
        value: &mut Self::Value,
        wire_type: WireType,
        buf: &mut impl Buf,
        cx: DecodeContext,
    ) -> Result<(), DecodeError> {
        C::merge(value, wire_type, buf, cx)
    }
    #[inline]
    fn view(value: &Self::Value) -> ValueRef<'_> {
        C::view(value)
    }
    #[inline]
    fn validate(value: &Self::Value, validator: &mut Validator<'_>) {
        C::validate(value, validator);
    }
}
