//! Contracts of the well-known types, whose messages are those of `prost_types`.

use crate::codec::{Bool, ByteVec, Double, Int32, Int64, Named, Repeated, Singular, SortedMap, Utf8};
use crate::codegen::prost_contract;

prost_contract! {
    prost_types::Timestamp = "google.protobuf" "google.protobuf.Timestamp" {
        seconds: 1 => Singular<Int64>,
        nanos: 2 => Singular<Int32>,
    }
}

prost_contract! {
    prost_types::Duration = "google.protobuf" "google.protobuf.Duration" {
        seconds: 1 => Singular<Int64>,
        nanos: 2 => Singular<Int32>,
    }
}

prost_contract! {
    prost_types::Any = "google.protobuf" "google.protobuf.Any" {
        type_url: 1 => Singular<Utf8>,
        value: 2 => Singular<ByteVec>,
    }
}

prost_contract! {
    prost_types::FieldMask = "google.protobuf" "google.protobuf.FieldMask" {
        paths: 1 => Repeated<Utf8>,
    }
}

prost_contract! {
    prost_types::Struct = "google.protobuf" "google.protobuf.Struct" {
        fields: 1 => SortedMap<Utf8, Named<prost_types::Value>>,
    }
}

prost_contract! {
    prost_types::ListValue = "google.protobuf" "google.protobuf.ListValue" {
        values: 1 => Repeated<Named<prost_types::Value>>,
    }
}

prost_contract! {
    prost_types::Value = "google.protobuf" "google.protobuf.Value" {
        oneof kind: prost_types::value::Kind {
            NullValue: null_value = 1 => Int32,
            NumberValue: number_value = 2 => Double,
            StringValue: string_value = 3 => Utf8,
            BoolValue: bool_value = 4 => Bool,
            StructValue: struct_value = 5 => Named<prost_types::Struct>,
            ListValue: list_value = 6 => Named<prost_types::ListValue>,
        },
    }
}

prost_contract! {
    () = "google.protobuf" "google.protobuf.Empty" {}
}
