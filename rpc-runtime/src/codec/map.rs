//! `HashMap<K, V>` and `BTreeMap<K, V>` as `map<K, V>`.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash, RandomState};
use std::marker::PhantomData;

use bytes::{Buf, BufMut};
use prost::encoding::{
    DecodeContext, WireType, encode_key, encode_varint, encoded_len_varint, key_len, message, skip_field,
};
use prost::{DecodeError, Message};

use super::{FieldCodec, ValueCodec};
use crate::contract::{Cardinality, FieldDescriptor, Holder, Kind, Layout};
use crate::validate::Validator;

/// A `HashMap` with any hasher that has a default.
#[derive(Debug, Clone, Copy)]
pub struct Map<K, V, S = RandomState>(PhantomData<(K, V, S)>);

/// A `BTreeMap`: written in the order of its keys.
#[derive(Debug, Clone, Copy)]
pub struct SortedMap<K, V>(PhantomData<(K, V)>);

impl<K, V, S> FieldCodec for Map<K, V, S>
where
    K: ValueCodec<Value: Eq + Hash>,
    V: ValueCodec,
    S: BuildHasher + Default,
{
    type Field = HashMap<K::Value, V::Value, S>;
    const CARDINALITY: Cardinality = Cardinality::Map(K::KIND);
    const KIND: Kind = V::KIND;
    const LAYOUT: Layout = Layout::of_value::<V>(Holder::HashMap, size_of::<(K::Value, V::Value)>());

    #[inline]
    fn zero() -> Self::Field {
        HashMap::default()
    }
    fn encode(field: &Self::Field, number: u32, buf: &mut impl BufMut) {
        for (key, value) in field {
            encode_entry::<K, V>(key, value, number, buf);
        }
    }
    fn encoded_len(field: &Self::Field, number: u32) -> usize {
        field
            .iter()
            .map(|(key, value)| entry_field_len::<K, V>(key, value, number))
            .sum()
    }
    fn merge(
        field: &mut Self::Field,
        wire_type: WireType,
        buf: &mut impl Buf,
        cx: DecodeContext,
    ) -> Result<(), DecodeError> {
        let entry = merge_entry::<K, V>(wire_type, buf, cx)?;
        field.insert(entry.key, entry.value);
        Ok(())
    }
    #[inline]
    fn clear(field: &mut Self::Field) {
        field.clear();
    }
    fn validate(field: &Self::Field, facts: &'static FieldDescriptor, validator: &mut Validator<'_>) {
        validator.map::<K, V>(field.len(), field.iter(), facts);
    }
}

impl<K, V> FieldCodec for SortedMap<K, V>
where
    K: ValueCodec<Value: Ord>,
    V: ValueCodec,
{
    type Field = BTreeMap<K::Value, V::Value>;
    const CARDINALITY: Cardinality = Cardinality::Map(K::KIND);
    const KIND: Kind = V::KIND;
    const LAYOUT: Layout =
        Layout::of_value::<V>(Holder::BTreeMap, size_of::<K::Value>() + size_of::<V::Value>());

    #[inline]
    fn zero() -> Self::Field {
        BTreeMap::new()
    }
    fn encode(field: &Self::Field, number: u32, buf: &mut impl BufMut) {
        for (key, value) in field {
            encode_entry::<K, V>(key, value, number, buf);
        }
    }
    fn encoded_len(field: &Self::Field, number: u32) -> usize {
        field
            .iter()
            .map(|(key, value)| entry_field_len::<K, V>(key, value, number))
            .sum()
    }
    fn merge(
        field: &mut Self::Field,
        wire_type: WireType,
        buf: &mut impl Buf,
        cx: DecodeContext,
    ) -> Result<(), DecodeError> {
        let entry = merge_entry::<K, V>(wire_type, buf, cx)?;
        field.insert(entry.key, entry.value);
        Ok(())
    }
    fn validate(field: &Self::Field, facts: &'static FieldDescriptor, validator: &mut Validator<'_>) {
        validator.map::<K, V>(field.len(), field.iter(), facts);
    }
}

/// One entry while it is read: on the wire a message with the key as field 1 and the value as field 2.
struct Entry<K: ValueCodec, V: ValueCodec> {
    key: K::Value,
    value: V::Value,
}

/// Reads one entry. A key or value that is missing is its type's zero; unknown fields are skipped.
fn merge_entry<K: ValueCodec, V: ValueCodec>(
    wire_type: WireType,
    buf: &mut impl Buf,
    cx: DecodeContext,
) -> Result<Entry<K, V>, DecodeError> {
    let mut entry = Entry {
        key: K::zero(),
        value: V::zero(),
    };
    message::merge(wire_type, &mut entry, buf, cx)?;
    Ok(entry)
}

/// Whether an entry leaves its value out. Of messages prost leaves out those that equal the default, which are those
/// that are written as nothing but their length.
fn leaves_out<V: ValueCodec>(value: &V::Value) -> bool {
    V::is_zero(value) || matches!(V::KIND, Kind::Message(_)) && V::value_len(value) == 1
}

fn entry_len<K: ValueCodec, V: ValueCodec>(key: &K::Value, value: &V::Value) -> usize {
    let key_len = if K::is_zero(key) { 0 } else { K::field_len(key, 1) };
    let value_len = if leaves_out::<V>(value) {
        0
    } else {
        V::field_len(value, 2)
    };
    key_len + value_len
}

fn entry_field_len<K: ValueCodec, V: ValueCodec>(key: &K::Value, value: &V::Value, number: u32) -> usize {
    let len = entry_len::<K, V>(key, value);
    key_len(number) + encoded_len_varint(len as u64) + len
}

fn encode_entry<K: ValueCodec, V: ValueCodec>(
    key: &K::Value,
    value: &V::Value,
    number: u32,
    buf: &mut impl BufMut,
) {
    encode_key(number, WireType::LengthDelimited, buf);
    encode_varint(entry_len::<K, V>(key, value) as u64, buf);
    encode_entry_fields::<K, V>(key, value, buf);
}

fn encode_entry_fields<K: ValueCodec, V: ValueCodec>(
    key: &K::Value,
    value: &V::Value,
    buf: &mut impl BufMut,
) {
    if !K::is_zero(key) {
        K::encode_field(key, 1, buf);
    }
    if !leaves_out::<V>(value) {
        V::encode_field(value, 2, buf);
    }
}

// A message, so that prost counts its nesting like that of any other: its recursion counter is not open to others.
impl<K: ValueCodec, V: ValueCodec> Message for Entry<K, V> {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        encode_entry_fields::<K, V>(&self.key, &self.value, buf);
    }
    fn merge_field(
        &mut self,
        number: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        cx: DecodeContext,
    ) -> Result<(), DecodeError> {
        match number {
            1 => K::merge(&mut self.key, wire_type, buf, cx),
            2 => V::merge(&mut self.value, wire_type, buf, cx),
            _ => skip_field(wire_type, number, buf, cx),
        }
    }
    fn encoded_len(&self) -> usize {
        entry_len::<K, V>(&self.key, &self.value)
    }
    fn clear(&mut self) {
        self.key = K::zero();
        self.value = V::zero();
    }
}
