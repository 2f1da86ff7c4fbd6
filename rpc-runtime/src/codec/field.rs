//! Fields of one value: with implicit presence, and `optional`.

use std::marker::PhantomData;

use bytes::{Buf, BufMut};
use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType};

use super::{FieldCodec, ValueCodec};
use crate::contract::{Cardinality, FieldDescriptor, Holder, Kind, Layout};
use crate::validate::Validator;

/// A field of one value that is left out when it is zero. A message is always written.
#[derive(Debug, Clone, Copy)]
pub struct Singular<C>(PhantomData<C>);

/// An `Option`: left out when it is `None`, written when it is `Some`, zero or not.
#[derive(Debug, Clone, Copy)]
pub struct Optional<C>(PhantomData<C>);

impl<C: ValueCodec> FieldCodec for Singular<C> {
    type Field = C::Value;
    const CARDINALITY: Cardinality = Cardinality::Singular;
    const KIND: Kind = C::KIND;
    const LAYOUT: Layout = Layout::of_value::<C>(Holder::Inline, size_of::<C::Value>());

    #[inline]
    fn zero() -> Self::Field {
        C::zero()
    }
    #[inline]
    fn encode(field: &Self::Field, number: u32, buf: &mut impl BufMut) {
        if !C::is_zero(field) {
            C::encode_field(field, number, buf);
        }
    }
    #[inline]
    fn encoded_len(field: &Self::Field, number: u32) -> usize {
        if C::is_zero(field) {
            0
        } else {
            C::field_len(field, number)
        }
    }
    #[inline]
    fn merge(
        field: &mut Self::Field,
        wire_type: WireType,
        buf: &mut impl Buf,
        cx: DecodeContext,
    ) -> Result<(), DecodeError> {
        C::merge(field, wire_type, buf, cx)
    }
    #[inline]
    fn validate(field: &Self::Field, facts: &'static FieldDescriptor, validator: &mut Validator<'_>) {
        validator.singular::<C>(field, facts);
    }
}

impl<C: ValueCodec> FieldCodec for Optional<C> {
    type Field = Option<C::Value>;
    const CARDINALITY: Cardinality = Cardinality::Optional;
    const KIND: Kind = C::KIND;
    const LAYOUT: Layout = Layout::of_value::<C>(Holder::Inline, size_of::<Option<C::Value>>());

    #[inline]
    fn zero() -> Self::Field {
        None
    }
    #[inline]
    fn encode(field: &Self::Field, number: u32, buf: &mut impl BufMut) {
        if let Some(value) = field {
            C::encode_field(value, number, buf);
        }
    }
    #[inline]
    fn encoded_len(field: &Self::Field, number: u32) -> usize {
        field.as_ref().map_or(0, |value| C::field_len(value, number))
    }
    #[inline]
    fn merge(
        field: &mut Self::Field,
        wire_type: WireType,
        buf: &mut impl Buf,
        cx: DecodeContext,
    ) -> Result<(), DecodeError> {
        C::merge(field.get_or_insert_with(C::zero), wire_type, buf, cx)
    }
    #[inline]
    fn validate(field: &Self::Field, facts: &'static FieldDescriptor, validator: &mut Validator<'_>) {
        validator.optional::<C>(field.as_ref(), facts);
    }
}
