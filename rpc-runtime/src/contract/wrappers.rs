//! Scalars where a message is asked for, as requests and responses are: the well-known wrapper messages.
//!
//! prost implements its `Message` for the plain Rust types with these encodings, and a contract's fields never come this
//! way: the macro picks a scalar's own codec from the field's type.

use bytes::Bytes;

use crate::codegen;
use crate::contract::{Contract, ContractField, FieldDescriptor, MessageDescriptor};

macro_rules! wrapper {
    ($($scalar:ty: $name:literal, $codec:ident;)*) => {$(
        impl Contract for $scalar {
            const FULL_NAME: &'static str = concat!("google.protobuf.", $name);
            fn descriptor() -> &'static MessageDescriptor {
                static DESCRIPTOR: MessageDescriptor = MessageDescriptor::new::<$scalar>(
                    "google.protobuf",
                    concat!("google.protobuf.", $name),
                    stringify!($scalar),
                    &[FieldDescriptor::of::<codegen::Singular<codegen::$codec>>("value", 1)],
                );
                &DESCRIPTOR
            }
        }

        impl ContractField for $scalar {
            codegen::message_field!();
        }
    )*};
}

wrapper! {
    bool: "BoolValue", Bool;
    i32: "Int32Value", Int32;
    i64: "Int64Value", Int64;
    u32: "UInt32Value", Uint32;
    u64: "UInt64Value", Uint64;
    f32: "FloatValue", Float;
    f64: "DoubleValue", Double;
    String: "StringValue", Utf8;
    Bytes: "BytesValue", ByteSlice;
    Vec<u8>: "BytesValue", ByteVec;
}
