//! The same messages twice: as contracts, and as prost's derive makes them (in `twins`).

#![allow(missing_docs, reason = "the contracts of a test")]

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use rpc_runtime::contract;

#[contract(package = "codec", detached)]
pub struct Singulars {
    pub bool_: bool,
    pub int32_: i32,
    pub int64_: i64,
    pub uint32_: u32,
    pub uint64_: u64,
    #[field(proto = "sint32")]
    pub sint32_: i32,
    #[field(proto = "sint64")]
    pub sint64_: i64,
    #[field(proto = "fixed32")]
    pub fixed32_: u32,
    #[field(proto = "fixed64")]
    pub fixed64_: u64,
    #[field(proto = "sfixed32")]
    pub sfixed32_: i32,
    #[field(proto = "sfixed64")]
    pub sfixed64_: i64,
    pub float_: f32,
    pub double_: f64,
    pub string_: String,
    pub bytes_: Vec<u8>,
    pub slice_: Bytes,
    pub color: Color,
}

#[contract(package = "codec", detached)]
pub struct Optionals {
    pub bool_: Option<bool>,
    pub int32_: Option<i32>,
    pub int64_: Option<i64>,
    pub uint32_: Option<u32>,
    pub uint64_: Option<u64>,
    #[field(proto = "sint32")]
    pub sint32_: Option<i32>,
    #[field(proto = "sint64")]
    pub sint64_: Option<i64>,
    #[field(proto = "fixed32")]
    pub fixed32_: Option<u32>,
    #[field(proto = "fixed64")]
    pub fixed64_: Option<u64>,
    #[field(proto = "sfixed32")]
    pub sfixed32_: Option<i32>,
    #[field(proto = "sfixed64")]
    pub sfixed64_: Option<i64>,
    pub float_: Option<f32>,
    pub double_: Option<f64>,
    pub string_: Option<String>,
    pub bytes_: Option<Vec<u8>>,
    pub slice_: Option<Bytes>,
    pub color: Option<Color>,
    pub message: Option<Singulars>,
    pub boxed: Option<Box<Optionals>>,
    pub one: Option<OneOf>,
    pub stamp: Option<prost_types::Timestamp>,
    pub value: Option<prost_types::Value>,
    pub fields: Option<prost_types::Struct>,
    pub any: Option<prost_types::Any>,
    pub mask: Option<prost_types::FieldMask>,
    pub nothing: Option<()>,
}

#[contract(package = "codec", detached)]
pub struct Lists {
    pub bool_: Vec<bool>,
    pub int32_: Vec<i32>,
    pub int64_: Vec<i64>,
    pub uint32_: Vec<u32>,
    pub uint64_: Vec<u64>,
    #[field(proto = "sint32")]
    pub sint32_: Vec<i32>,
    #[field(proto = "sint64")]
    pub sint64_: Vec<i64>,
    #[field(proto = "fixed32")]
    pub fixed32_: Vec<u32>,
    #[field(proto = "fixed64")]
    pub fixed64_: Vec<u64>,
    #[field(proto = "sfixed32")]
    pub sfixed32_: Vec<i32>,
    #[field(proto = "sfixed64")]
    pub sfixed64_: Vec<i64>,
    pub float_: Vec<f32>,
    pub double_: Vec<f64>,
    pub string_: Vec<String>,
    pub bytes_: Vec<Vec<u8>>,
    pub slice_: Vec<Bytes>,
    pub color: Vec<Color>,
    pub message: Vec<Singulars>,
    pub nested: Vec<Lists>,
    pub one: Vec<OneOf>,
}

#[contract(package = "codec", detached)]
pub struct Maps {
    pub to_bool: BTreeMap<u32, bool>,
    pub to_int32: BTreeMap<u32, i32>,
    pub to_int64: BTreeMap<u32, i64>,
    pub to_uint32: BTreeMap<u32, u32>,
    pub to_uint64: BTreeMap<u32, u64>,
    pub to_string: BTreeMap<u32, String>,
    pub to_bytes: BTreeMap<u32, Vec<u8>>,
    pub to_slice: BTreeMap<u32, Bytes>,
    pub from_int32: BTreeMap<i32, String>,
    pub from_int64: BTreeMap<i64, String>,
    pub from_uint32: BTreeMap<u32, String>,
    pub from_uint64: BTreeMap<u64, String>,
    pub from_bool: BTreeMap<bool, String>,
    pub from_string: BTreeMap<String, String>,
    pub color: BTreeMap<String, Color>,
    pub message: BTreeMap<String, Singulars>,
    pub nested: BTreeMap<u32, Maps>,
}

#[contract(package = "codec", detached)]
pub enum Color {
    Red = 0,
    Green = 1,
    Blue = -7,
    #[field(other)]
    Other(i32),
}

#[contract(package = "codec", detached)]
pub enum OneOf {
    #[default]
    Unset,
    Number(i32),
    Text(String),
    Message(Box<Optionals>),
    Boxed(Box<Singulars>),
    Color(Color),
    Nothing,
}

/// What prost has no twin of.
#[contract(package = "codec", detached)]
pub struct Ours {
    pub required: Singulars,
    pub closed: Closed,
    pub closed_list: Vec<Closed>,
    pub closed_map: HashMap<String, Closed>,
    pub at: SystemTime,
    pub lasts: Duration,
    pub maybe_at: Option<SystemTime>,
    pub times: Vec<SystemTime>,
    pub nested: HashMap<u32, Ours>,
}

#[contract(package = "codec", detached)]
pub enum Closed {
    None = 0,
    One = 1,
}

pub mod twins {
    use std::collections::BTreeMap;

    use bytes::Bytes;
    use prost::Message;

    #[derive(Clone, PartialEq, Message)]
    pub struct Singulars {
        #[prost(bool, tag = "1")]
        pub bool_: bool,
        #[prost(int32, tag = "2")]
        pub int32_: i32,
        #[prost(int64, tag = "3")]
        pub int64_: i64,
        #[prost(uint32, tag = "4")]
        pub uint32_: u32,
        #[prost(uint64, tag = "5")]
        pub uint64_: u64,
        #[prost(sint32, tag = "6")]
        pub sint32_: i32,
        #[prost(sint64, tag = "7")]
        pub sint64_: i64,
        #[prost(fixed32, tag = "8")]
        pub fixed32_: u32,
        #[prost(fixed64, tag = "9")]
        pub fixed64_: u64,
        #[prost(sfixed32, tag = "10")]
        pub sfixed32_: i32,
        #[prost(sfixed64, tag = "11")]
        pub sfixed64_: i64,
        #[prost(float, tag = "12")]
        pub float_: f32,
        #[prost(double, tag = "13")]
        pub double_: f64,
        #[prost(string, tag = "14")]
        pub string_: String,
        #[prost(bytes = "vec", tag = "15")]
        pub bytes_: Vec<u8>,
        #[prost(bytes = "bytes", tag = "16")]
        pub slice_: Bytes,
        #[prost(int32, tag = "17")]
        pub color: i32,
    }

    #[derive(Clone, PartialEq, Message)]
    pub struct Optionals {
        #[prost(bool, optional, tag = "1")]
        pub bool_: Option<bool>,
        #[prost(int32, optional, tag = "2")]
        pub int32_: Option<i32>,
        #[prost(int64, optional, tag = "3")]
        pub int64_: Option<i64>,
        #[prost(uint32, optional, tag = "4")]
        pub uint32_: Option<u32>,
        #[prost(uint64, optional, tag = "5")]
        pub uint64_: Option<u64>,
        #[prost(sint32, optional, tag = "6")]
        pub sint32_: Option<i32>,
        #[prost(sint64, optional, tag = "7")]
        pub sint64_: Option<i64>,
        #[prost(fixed32, optional, tag = "8")]
        pub fixed32_: Option<u32>,
        #[prost(fixed64, optional, tag = "9")]
        pub fixed64_: Option<u64>,
        #[prost(sfixed32, optional, tag = "10")]
        pub sfixed32_: Option<i32>,
        #[prost(sfixed64, optional, tag = "11")]
        pub sfixed64_: Option<i64>,
        #[prost(float, optional, tag = "12")]
        pub float_: Option<f32>,
        #[prost(double, optional, tag = "13")]
        pub double_: Option<f64>,
        #[prost(string, optional, tag = "14")]
        pub string_: Option<String>,
        #[prost(bytes = "vec", optional, tag = "15")]
        pub bytes_: Option<Vec<u8>>,
        #[prost(bytes = "bytes", optional, tag = "16")]
        pub slice_: Option<Bytes>,
        #[prost(int32, optional, tag = "17")]
        pub color: Option<i32>,
        #[prost(message, optional, tag = "18")]
        pub message: Option<Singulars>,
        #[prost(message, optional, boxed, tag = "19")]
        pub boxed: Option<Box<Optionals>>,
        #[prost(message, optional, tag = "20")]
        pub one: Option<OneOf>,
        #[prost(message, optional, tag = "21")]
        pub stamp: Option<prost_types::Timestamp>,
        #[prost(message, optional, tag = "22")]
        pub value: Option<prost_types::Value>,
        #[prost(message, optional, tag = "23")]
        pub fields: Option<prost_types::Struct>,
        #[prost(message, optional, tag = "24")]
        pub any: Option<prost_types::Any>,
        #[prost(message, optional, tag = "25")]
        pub mask: Option<prost_types::FieldMask>,
        #[prost(message, optional, tag = "26")]
        pub nothing: Option<()>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub struct Lists {
        #[prost(bool, repeated, tag = "1")]
        pub bool_: Vec<bool>,
        #[prost(int32, repeated, tag = "2")]
        pub int32_: Vec<i32>,
        #[prost(int64, repeated, tag = "3")]
        pub int64_: Vec<i64>,
        #[prost(uint32, repeated, tag = "4")]
        pub uint32_: Vec<u32>,
        #[prost(uint64, repeated, tag = "5")]
        pub uint64_: Vec<u64>,
        #[prost(sint32, repeated, tag = "6")]
        pub sint32_: Vec<i32>,
        #[prost(sint64, repeated, tag = "7")]
        pub sint64_: Vec<i64>,
        #[prost(fixed32, repeated, tag = "8")]
        pub fixed32_: Vec<u32>,
        #[prost(fixed64, repeated, tag = "9")]
        pub fixed64_: Vec<u64>,
        #[prost(sfixed32, repeated, tag = "10")]
        pub sfixed32_: Vec<i32>,
        #[prost(sfixed64, repeated, tag = "11")]
        pub sfixed64_: Vec<i64>,
        #[prost(float, repeated, tag = "12")]
        pub float_: Vec<f32>,
        #[prost(double, repeated, tag = "13")]
        pub double_: Vec<f64>,
        #[prost(string, repeated, tag = "14")]
        pub string_: Vec<String>,
        #[prost(bytes = "vec", repeated, tag = "15")]
        pub bytes_: Vec<Vec<u8>>,
        #[prost(bytes = "bytes", repeated, tag = "16")]
        pub slice_: Vec<Bytes>,
        #[prost(int32, repeated, tag = "17")]
        pub color: Vec<i32>,
        #[prost(message, repeated, tag = "18")]
        pub message: Vec<Singulars>,
        #[prost(message, repeated, tag = "19")]
        pub nested: Vec<Lists>,
        #[prost(message, repeated, tag = "20")]
        pub one: Vec<OneOf>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub struct Maps {
        #[prost(btree_map = "uint32, bool", tag = "1")]
        pub to_bool: BTreeMap<u32, bool>,
        #[prost(btree_map = "uint32, int32", tag = "2")]
        pub to_int32: BTreeMap<u32, i32>,
        #[prost(btree_map = "uint32, int64", tag = "3")]
        pub to_int64: BTreeMap<u32, i64>,
        #[prost(btree_map = "uint32, uint32", tag = "4")]
        pub to_uint32: BTreeMap<u32, u32>,
        #[prost(btree_map = "uint32, uint64", tag = "5")]
        pub to_uint64: BTreeMap<u32, u64>,
        #[prost(btree_map = "uint32, string", tag = "6")]
        pub to_string: BTreeMap<u32, String>,
        #[prost(btree_map = "uint32, bytes", tag = "7")]
        pub to_bytes: BTreeMap<u32, Vec<u8>>,
        #[prost(btree_map = "uint32, bytes", tag = "8")]
        pub to_slice: BTreeMap<u32, Vec<u8>>,
        #[prost(btree_map = "int32, string", tag = "9")]
        pub from_int32: BTreeMap<i32, String>,
        #[prost(btree_map = "int64, string", tag = "10")]
        pub from_int64: BTreeMap<i64, String>,
        #[prost(btree_map = "uint32, string", tag = "11")]
        pub from_uint32: BTreeMap<u32, String>,
        #[prost(btree_map = "uint64, string", tag = "12")]
        pub from_uint64: BTreeMap<u64, String>,
        #[prost(btree_map = "bool, string", tag = "13")]
        pub from_bool: BTreeMap<bool, String>,
        #[prost(btree_map = "string, string", tag = "14")]
        pub from_string: BTreeMap<String, String>,
        #[prost(btree_map = "string, int32", tag = "15")]
        pub color: BTreeMap<String, i32>,
        #[prost(btree_map = "string, message", tag = "16")]
        pub message: BTreeMap<String, Singulars>,
        #[prost(btree_map = "uint32, message", tag = "17")]
        pub nested: BTreeMap<u32, Maps>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub struct OneOf {
        #[prost(oneof = "Kind", tags = "1, 2, 3, 4, 5, 6")]
        pub kind: Option<Kind>,
    }

    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum Kind {
        #[prost(int32, tag = "1")]
        Number(i32),
        #[prost(string, tag = "2")]
        Text(String),
        #[prost(message, tag = "3")]
        Message(Box<Optionals>),
        #[prost(message, tag = "4")]
        Boxed(Box<Singulars>),
        #[prost(int32, tag = "5")]
        Color(i32),
        #[prost(message, tag = "6")]
        Nothing(()),
    }
}
