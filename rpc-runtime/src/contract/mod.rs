//! What a contract is at run time.
//!
//! Owns the traits that contract types implement (by generated code), the descriptors that hold their facts, and the
//! implementations for types that are no contracts: the well-known types, the standard library's times, and prost
//! messages (through `codegen::prost_contract!`). It knows no transport and no service implementations.

mod build_check;
mod descriptor;
mod enumeration;
mod layout;
mod prost_contract;
mod request;
mod service;
mod time;
mod well_known;
mod wrappers;

#[doc(hidden)]
pub use build_check::contract_problem;
pub use descriptor::{Cardinality, CrudDescriptor, DefaultValue, FieldDescriptor, Kind, MessageDescriptor};
pub use enumeration::{EnumDescriptor, EnumValueDescriptor};
pub use layout::{Holder, Layout};
#[doc(hidden)]
pub use prost_contract::{field_name, one};
pub use request::RequestPlan;
pub use service::{MethodDescriptor, MethodKind, ServiceDescriptor};

use bytes::{Buf, BufMut};
use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType};

use crate::validate::{Validator, ValueRef};

/// A message with a contract: a `#[contract]` struct or enum with data, or a prost message that was given one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no contract as a message",
    label = "not a contract message",
    note = "annotate the type with `#[contract(package = \"…\")]`; a request or a response must be a message"
)]
pub trait Contract: prost::Message + Default + ContractField {
    /// The protobuf full name, such as `task.Task`.
    const FULL_NAME: &'static str;

    /// All facts about the message and its fields.
    fn descriptor() -> &'static MessageDescriptor;

    /// A value with the defaults that its contract declares.
    ///
    /// `Default` and `clear()` are proto3's zero values instead: a decoder starts from them, and a declared default
    /// there would turn a `false` that was sent into `true`.
    fn with_defaults() -> Self {
        Self::default()
    }
}

/// An enum without data and with a contract.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no contract enum",
    label = "not a contract enum",
    note = "annotate the enum with `#[contract(package = \"…\")]`"
)]
pub trait ContractEnum: ContractField + Copy {
    /// The protobuf full name, such as `task.Priority`.
    const FULL_NAME: &'static str;

    /// The number of this value.
    fn number(self) -> i32;

    /// The value with this number; `None` when the enum is closed and knows no such number.
    fn from_number(number: i32) -> Option<Self>;

    /// All facts about the enum and its values.
    fn descriptor() -> &'static EnumDescriptor;
}

/// A named type that can be a field, an element of a list or a value of a map.
///
/// A macro sees a type's name and not whether it is an enum or a message, so named types encode through this trait.
/// Generated code implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a contract",
    label = "no contract and no well-known type",
    note = "annotate the type with `#[contract(package = \"…\")]`, or use a type of the table in the documentation \
            of `#[contract]`: numbers, `bool`, `String`, `Bytes`, `Option`, `Vec`, `HashMap`, `BTreeMap`, `SystemTime`, \
            `Duration`, the types of `prost_types`"
)]
pub trait ContractField: Sized + Send + Sync {
    /// What the value is in protobuf's words.
    const KIND: Kind;
    /// How the value lies on the wire.
    const WIRE_TYPE: WireType;
    /// Whether proto3 packs a list of such values: enums.
    const PACKED: bool;

    /// The value that a reader sees when nothing was sent.
    fn zero() -> Self;
    /// Whether a field without presence leaves this value out. A message is always written.
    fn is_zero(&self) -> bool;
    /// Writes the value without its key; a message begins with its length.
    fn encode_value(&self, buf: &mut impl BufMut);
    /// The number of bytes that [`encode_value`](Self::encode_value) writes.
    fn value_len(&self) -> usize;
    /// Reads one value into this one: a message merges, an enum is replaced.
    ///
    /// # Errors
    ///
    /// When the bytes are no such value, or one that the Rust type cannot hold.
    fn merge_value(
        &mut self,
        wire_type: WireType,
        buf: &mut impl Buf,
        cx: DecodeContext,
    ) -> Result<(), DecodeError>;
    /// The value as rules see it.
    fn view(&self) -> ValueRef<'_> {
        ValueRef::Message
    }
    /// Checks the rules of the fields inside.
    fn validate(&self, validator: &mut Validator<'_>) {
        let _ = validator;
    }
}

/// The items of a [`ContractField`] implementation that are the same for every message; `validate` is not among them.
#[doc(hidden)]
#[macro_export]
macro_rules! __message_field {
    () => {
        const KIND: $crate::codegen::Kind =
            $crate::codegen::Kind::Message(<Self as $crate::codegen::Contract>::descriptor);
        const WIRE_TYPE: $crate::codegen::WireType = $crate::codegen::WireType::LengthDelimited;
        const PACKED: bool = false;

        #[inline]
        fn zero() -> Self {
            <Self as ::core::default::Default>::default()
        }
        #[inline]
        fn is_zero(&self) -> bool {
            false
        }
        #[inline]
        fn encode_value(&self, buf: &mut impl $crate::codegen::BufMut) {
            $crate::codegen::encode_message(self, buf);
        }
        #[inline]
        fn value_len(&self) -> usize {
            $crate::codegen::message_len(self)
        }
        #[inline]
        fn merge_value(
            &mut self,
            wire_type: $crate::codegen::WireType,
            buf: &mut impl $crate::codegen::Buf,
            cx: $crate::codegen::DecodeContext,
        ) -> ::core::result::Result<(), $crate::codegen::DecodeError> {
            $crate::codegen::merge_message(self, wire_type, buf, cx)
        }
    };
}

/// All items of a [`ContractField`] implementation of a [`ContractEnum`].
#[doc(hidden)]
#[macro_export]
macro_rules! __enum_field {
    () => {
        const KIND: $crate::codegen::Kind =
            $crate::codegen::Kind::Enum(<Self as $crate::codegen::ContractEnum>::descriptor);
        const WIRE_TYPE: $crate::codegen::WireType = $crate::codegen::WireType::Varint;
        const PACKED: bool = true;

        #[inline]
        fn zero() -> Self {
            <Self as ::core::default::Default>::default()
        }
        #[inline]
        fn is_zero(&self) -> bool {
            $crate::codegen::ContractEnum::number(*self) == 0
        }
        #[inline]
        fn encode_value(&self, buf: &mut impl $crate::codegen::BufMut) {
            $crate::codegen::encode_enum(*self, buf);
        }
        #[inline]
        fn value_len(&self) -> usize {
            $crate::codegen::enum_len(*self)
        }
        #[inline]
        fn merge_value(
            &mut self,
            wire_type: $crate::codegen::WireType,
            buf: &mut impl $crate::codegen::Buf,
            cx: $crate::codegen::DecodeContext,
        ) -> ::core::result::Result<(), $crate::codegen::DecodeError> {
            $crate::codegen::merge_enum(self, wire_type, buf, cx)
        }
        #[inline]
        fn view(&self) -> $crate::codegen::ValueRef<'_> {
            $crate::codegen::ValueRef::Enum($crate::codegen::ContractEnum::number(*self))
        }
    };
}

/// What the two macros above call.
pub(crate) mod glue {
    use bytes::{Buf, BufMut};
    use prost::encoding::{DecodeContext, WireType, encode_varint, encoded_len_varint, int32, message};
    use prost::{DecodeError, Message};

    use super::ContractEnum;
    use crate::codec::decode_error;

    /// Writes the length of a message and the message.
    #[inline]
    pub fn encode_message<M: Message>(message: &M, buf: &mut impl BufMut) {
        encode_varint(message.encoded_len() as u64, buf);
        message.encode_raw(buf);
    }

    /// The number of bytes that [`encode_message`] writes.
    #[inline]
    pub fn message_len<M: Message>(message: &M) -> usize {
        let len = message.encoded_len();
        encoded_len_varint(len as u64) + len
    }

    /// Merges a nested message, which may lie at most 100 deep.
    ///
    /// # Errors
    ///
    /// When the bytes are no such message.
    #[inline]
    pub fn merge_message<M: Message>(
        message: &mut M,
        wire_type: WireType,
        buf: &mut impl Buf,
        cx: DecodeContext,
    ) -> Result<(), DecodeError> {
        message::merge(wire_type, message, buf, cx)
    }

    /// Writes an enum's number as protobuf does, sign-extended to 64 bits.
    #[inline]
    pub fn encode_enum<E: ContractEnum>(value: E, buf: &mut impl BufMut) {
        encode_varint(i64::from(value.number()) as u64, buf);
    }

    /// The number of bytes that [`encode_enum`] writes.
    #[inline]
    pub fn enum_len<E: ContractEnum>(value: E) -> usize {
        encoded_len_varint(i64::from(value.number()) as u64)
    }

    /// Reads an enum.
    ///
    /// # Errors
    ///
    /// A closed enum refuses a number that it does not know; it never becomes another value.
    #[inline]
    pub fn merge_enum<E: ContractEnum>(
        value: &mut E,
        wire_type: WireType,
        buf: &mut impl Buf,
        cx: DecodeContext,
    ) -> Result<(), DecodeError> {
        let mut number = 0;
        int32::merge(wire_type, &mut number, buf, cx)?;
        *value = E::from_number(number).ok_or_else(|| decode_error("unknown value of a closed enum"))?;
        Ok(())
    }
}
