//! The one door for generated code.
//!
//! Everything that `#[contract]`, `#[rpc]` and the build script emit is named through this module and nothing else, so
//! that what generated code depends on can be read in one place. Programs use the paths of the crate's root instead;
//! this module may change between minor versions together with the generators.

pub use bytes::{Buf, BufMut, Bytes};
pub use futures_core::Stream;
pub use prost::encoding::{DecodeContext, WireType, skip_field};
pub use prost::{DecodeError, Message};
pub use {prost, prost_types};

pub use crate::client::{
    CallError, Client, ClientStreamingCall, ReconnectingSession, SessionCall, StreamingCall, UnaryCall,
};
pub use crate::codec::{
    Bool, Boxed, ByteSlice, ByteVec, Double, FieldCodec, Fixed32, Fixed64, Float, Int32, Int64, Map, Named,
    Optional, Repeated, Sfixed32, Sfixed64, Singular, Sint32, Sint64, SortedMap, Uint32, Uint64, Utf8,
    ValueCodec, decode_error, in_field, merge_member,
};
pub use crate::context::Context;
pub use crate::contract::glue::{
    encode_enum, encode_message, enum_len, merge_enum, merge_message, message_len,
};
pub use crate::contract::{
    Cardinality, Contract, ContractEnum, ContractField, CrudDescriptor, DefaultValue, EnumDescriptor,
    EnumValueDescriptor, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, MethodKind,
    ServiceDescriptor,
};
pub use crate::contract::{contract_problem, field_name, one};
pub use crate::dispatch::{
    BidirectionalMethod, ClientStreamingMethod, Gateway, MethodTable, ServerStreamingMethod, SessionMethod,
    UnaryMethod,
};
pub use crate::hub::change::{publish_added, publish_deleted, publish_updated};
pub use crate::hub::event::{
    Event, EventFacts, Events, common_channels, decode_event, event_facts, is_named_before, may_be_on,
};
pub use crate::status::Status;
pub use crate::streaming::{Outgoing, Streaming};
pub use crate::validate::{Bound, Format, Number, Pattern, Rule, Validator, ValueRef};
pub use crate::{
    __descriptor_set as descriptor_set, __enum_field as enum_field, __message_field as message_field,
    __prost_contract as prost_contract,
};
