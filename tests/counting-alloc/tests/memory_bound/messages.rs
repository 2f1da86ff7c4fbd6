//! Messages that hold everything that takes memory.

#![allow(missing_docs, reason = "the contracts of a test")]

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use rpc_runtime::contract;

#[contract(package = "count", detached)]
pub struct Row {
    pub label: String,
    pub count: i64,
    pub done: Option<bool>,
    pub note: Option<String>,
}

/// The message of the 76: two bytes on the wire for each element of 96.
#[contract(package = "count", detached)]
pub struct Many {
    pub first: u32,
    pub rows: Vec<Wide>,
}

#[contract(package = "count", detached)]
pub struct Wide {
    pub one: String,
    pub two: String,
    pub three: String,
    pub four: String,
}

#[contract(package = "count", detached)]
pub struct Lists {
    pub rows: Vec<Row>,
    pub nested: Vec<Lists>,
    pub boxes: Vec<Large>,
    pub bytes: Vec<Vec<u8>>,
    pub slices: Vec<Bytes>,
}

/// Larger than 1,024 bytes, where a list begins with room for one.
#[contract(package = "count", detached)]
pub struct Large {
    pub rows: Medium,
    pub more: Medium,
    pub rest: Medium,
}

#[contract(package = "count", detached)]
pub struct Medium {
    pub a: Small,
    pub b: Small,
    pub c: Small,
    pub d: Small,
}

#[contract(package = "count", detached)]
pub struct Small {
    pub a: String,
    pub b: String,
    pub c: String,
    pub d: String,
}

#[contract(package = "count", detached)]
pub struct Maps {
    pub hashed: HashMap<String, Row>,
    pub sorted: BTreeMap<u32, Row>,
    pub flags: HashMap<u32, bool>,
    pub sets: BTreeMap<u32, bool>,
    pub empty: HashMap<u32, Nothing>,
    pub texts: BTreeMap<String, String>,
    pub deep: HashMap<u32, Maps>,
    pub bits: HashMap<bool, bool>,
}

#[contract(package = "count", detached)]
pub struct Nothing;

#[contract(package = "count", detached)]
pub struct Packed {
    pub signed: Vec<i64>,
    pub flags: Vec<bool>,
    pub floats: Vec<f32>,
    #[field(proto = "fixed64")]
    pub fixed: Vec<u64>,
    pub levels: Vec<Level>,
    pub nested: Vec<Packed>,
}

#[contract(package = "count", detached)]
pub enum Level {
    Low,
    High,
}

#[contract(package = "count", detached)]
pub struct Strings {
    pub texts: Vec<String>,
    pub one: String,
    pub maybe: Option<String>,
    pub raw: Vec<u8>,
    pub slice: Bytes,
}

#[contract(package = "count", detached)]
pub enum Choice {
    #[default]
    Unset,
    Text(String),
    Rows(Lists),
    Boxed(Box<Large>),
}

#[contract(package = "count", detached)]
pub struct Deep {
    pub inner: Option<Box<Deep>>,
    pub many: Option<Many>,
    pub large: Option<Box<Large>>,
}

#[contract(package = "count", detached)]
pub struct Everything {
    pub lists: Lists,
    pub maps: Option<Maps>,
    pub packed: Packed,
    pub strings: Vec<Strings>,
    pub choice: Choice,
    pub choices: Vec<Choice>,
    pub deep: Option<Box<Deep>>,
    pub value: Option<prost_types::Value>,
    pub list: Vec<prost_types::ListValue>,
    pub any: Vec<prost_types::Any>,
    pub times: Vec<std::time::SystemTime>,
    pub derived: Option<derived::Everything>,
}

/// What prost's derive reads, as the build script gives it to requests.
pub mod derived {
    use std::collections::{BTreeMap, HashMap};

    use rpc_runtime::codegen::{
        self, Bool, Boxed, ByteVec, Float, Int64, Map, Named, Optional, Repeated, Singular, SortedMap, Utf8,
    };

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Many {
        #[prost(uint32, tag = "1")]
        pub first: u32,
        #[prost(message, repeated, tag = "2")]
        pub rows: Vec<super::Wide>,
    }

    codegen::prost_contract! {
        Many = "count.derived" "count.derived.Many" {
            first: 1 => Singular<codegen::Uint32>,
            rows: 2 => Repeated<Named<super::Wide>>,
        }
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Packed {
        #[prost(int64, repeated, tag = "1")]
        pub signed: Vec<i64>,
        #[prost(bool, repeated, tag = "2")]
        pub flags: Vec<bool>,
        #[prost(float, repeated, tag = "3")]
        pub floats: Vec<f32>,
    }

    codegen::prost_contract! {
        Packed = "count.derived" "count.derived.Packed" {
            signed: 1 => Repeated<Int64>,
            flags: 2 => Repeated<Bool>,
            floats: 3 => Repeated<Float>,
        }
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Everything {
        #[prost(map = "string, message", tag = "1")]
        pub hashed: HashMap<String, super::Row>,
        #[prost(btree_map = "int64, message", tag = "2")]
        pub sorted: BTreeMap<i64, super::Row>,
        #[prost(message, optional, boxed, tag = "3")]
        pub next: Option<Box<Everything>>,
        #[prost(bytes = "vec", repeated, tag = "4")]
        pub blobs: Vec<Vec<u8>>,
        #[prost(bytes = "vec", tag = "5")]
        pub blob: Vec<u8>,
        #[prost(oneof = "Kind", tags = "6, 7, 8")]
        pub kind: Option<Kind>,
        #[prost(message, optional, tag = "9")]
        pub packed: Option<Packed>,
    }

    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum Kind {
        #[prost(string, tag = "6")]
        Text(String),
        #[prost(message, tag = "7")]
        Child(Box<Everything>),
        #[prost(message, tag = "8")]
        Rows(super::Lists),
    }

    codegen::prost_contract! {
        Everything = "count.derived" "count.derived.Everything" {
            hashed: 1 => Map<Utf8, Named<super::Row>>,
            sorted: 2 => SortedMap<Int64, Named<super::Row>>,
            next: 3 => Optional<Boxed<Named<Everything>>>,
            blobs: 4 => Repeated<ByteVec>,
            blob: 5 => Singular<ByteVec>,
            oneof kind: Kind {
                Text: text = 6 => Utf8,
                Child: child = 7 => Boxed<Named<Everything>>,
                Rows: rows = 8 => Named<super::Lists>,
            },
            packed: 9 => Optional<Named<Packed>>,
        }
    }
}
