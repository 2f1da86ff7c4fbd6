//! One contract for every row of the type table, each in every cardinality that it can have.

use rpc_runtime::contract;
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime};

use bytes::Bytes;

/// Every scalar, with implicit presence.
#[contract(package = "kitchen")]
pub struct Scalars {
    pub double: f64,
    pub float: f32,
    pub int32: i32,
    pub int64: i64,
    pub uint32: u32,
    pub uint64: u64,
    #[field(proto = "sint32")]
    pub sint32: i32,
    #[field(proto = "sint64")]
    pub sint64: i64,
    #[field(proto = "fixed32")]
    pub fixed32: u32,
    #[field(proto = "fixed64")]
    pub fixed64: u64,
    #[field(proto = "sfixed32")]
    pub sfixed32: i32,
    #[field(proto = "sfixed64")]
    pub sfixed64: i64,
    pub bool: bool,
    pub string: String,
    pub bytes: Bytes,
    pub byte_vec: Vec<u8>,
    pub open: Open,
}

/// Every scalar, optional.
#[contract(package = "kitchen")]
pub struct Optionals {
    pub double: Option<f64>,
    pub float: Option<f32>,
    pub int32: Option<i32>,
    pub int64: Option<i64>,
    pub uint32: Option<u32>,
    pub uint64: Option<u64>,
    #[field(proto = "sint32")]
    pub sint32: Option<i32>,
    #[field(proto = "sint64")]
    pub sint64: Option<i64>,
    #[field(proto = "fixed32")]
    pub fixed32: Option<u32>,
    #[field(proto = "fixed64")]
    pub fixed64: Option<u64>,
    #[field(proto = "sfixed32")]
    pub sfixed32: Option<i32>,
    #[field(proto = "sfixed64")]
    pub sfixed64: Option<i64>,
    pub bool: Option<bool>,
    pub string: Option<String>,
    pub bytes: Option<Bytes>,
    pub byte_vec: Option<Vec<u8>>,
    pub open: Option<Open>,
    pub node: Option<Node>,
}

/// Every scalar, repeated; numbers are packed.
#[contract(package = "kitchen")]
pub struct Lists {
    pub double: Vec<f64>,
    pub float: Vec<f32>,
    pub int32: Vec<i32>,
    pub int64: Vec<i64>,
    pub uint32: Vec<u32>,
    pub uint64: Vec<u64>,
    #[field(proto = "sint32")]
    pub sint32: Vec<i32>,
    #[field(proto = "sint64")]
    pub sint64: Vec<i64>,
    #[field(proto = "fixed32")]
    pub fixed32: Vec<u32>,
    #[field(proto = "fixed64")]
    pub fixed64: Vec<u64>,
    #[field(proto = "sfixed32")]
    pub sfixed32: Vec<i32>,
    #[field(proto = "sfixed64")]
    pub sfixed64: Vec<i64>,
    pub bool: Vec<bool>,
    pub string: Vec<String>,
    pub bytes: Vec<Bytes>,
    pub byte_vec: Vec<Vec<u8>>,
    pub open: Vec<Open>,
    pub node: Vec<Node>,
    pub choice: Vec<Choice>,
}

/// Maps in the order of their keys, with every kind of key and of value.
#[contract(package = "kitchen")]
pub struct SortedMaps {
    pub int32: BTreeMap<i32, f64>,
    pub int64: BTreeMap<i64, f32>,
    pub uint32: BTreeMap<u32, i32>,
    pub uint64: BTreeMap<u64, i64>,
    pub bool: BTreeMap<bool, u32>,
    pub string: BTreeMap<String, String>,
    pub bytes: BTreeMap<String, Bytes>,
    pub byte_vec: BTreeMap<String, Vec<u8>>,
    pub open: BTreeMap<u32, Open>,
    pub node: BTreeMap<String, Node>,
    pub choice: BTreeMap<i64, Choice>,
    pub flag: BTreeMap<String, bool>,
}

/// Maps in no order.
#[contract(package = "kitchen")]
pub struct Maps {
    pub string: HashMap<String, u64>,
    pub node: HashMap<u64, Node>,
    pub open: HashMap<String, Open>,
}

/// A tree, which holds itself.
#[contract(package = "kitchen")]
pub struct Node {
    pub name: String,
    pub left: Option<Box<Node>>,
    pub right: Option<Box<Self>>,
    pub children: Vec<Node>,
    pub weight: u32,
}

/// One of several.
#[contract(package = "kitchen")]
pub enum Choice {
    #[default]
    Unset,
    Nothing,
    Number(i64),
    #[field(proto = "sint32")]
    Zigzag(i32),
    Text(String),
    Raw(Bytes),
    Copied(Vec<u8>),
    Flag(bool),
    Open(Open),
    #[field(tag = 20)]
    Node(Node),
    Tree(Box<Node>),
    At(prost_types::Timestamp),
}

/// The well-known types as prost's own structs.
#[contract(package = "kitchen")]
pub struct WellKnown {
    pub timestamp: Option<prost_types::Timestamp>,
    pub duration: Option<prost_types::Duration>,
    pub any: Option<prost_types::Any>,
    pub mask: Option<prost_types::FieldMask>,
    pub free: Option<prost_types::Struct>,
    pub value: Option<prost_types::Value>,
    pub list: Option<prost_types::ListValue>,
    pub empty: Option<()>,
    pub many: Vec<prost_types::Timestamp>,
    pub by_name: BTreeMap<String, prost_types::Duration>,
}

/// Times as the standard library has them.
#[contract(package = "kitchen")]
pub struct Times {
    pub at: Option<SystemTime>,
    pub took: Option<Duration>,
    pub ats: Vec<SystemTime>,
    pub tooks: BTreeMap<u32, Duration>,
}

/// Messages that are always there.
#[contract(package = "kitchen")]
pub struct Required {
    pub node: Node,
    pub choice: Choice,
    pub at: SystemTime,
    pub took: Duration,
    pub boxed: Box<Marker>,
    pub nothing: (),
    pub label: String,
}

/// Nothing in it.
#[contract(package = "kitchen")]
pub struct Marker;

/// Keeps numbers that it does not know.
#[contract(package = "kitchen")]
pub enum Open {
    Unknown = 0,
    First = 1,
    Negative = -1,
    Far = 2_000_000_000,
    #[field(other)]
    Other(i32),
}

/// Refuses numbers that it does not know.
#[contract(package = "kitchen")]
pub enum Closed {
    Zero,
    One,
    Seven = 7,
}

/// Closed enums in every cardinality.
#[contract(package = "kitchen")]
pub struct ClosedEnums {
    pub single: Closed,
    pub optional: Option<Closed>,
    pub list: Vec<Closed>,
    pub map: BTreeMap<u32, Closed>,
}

/// Every zero against a declared default that is not zero.
#[contract(package = "kitchen")]
pub struct Declared {
    #[field(default = true)]
    pub bool: bool,
    #[field(default = 7)]
    pub int32: i32,
    #[field(default = -7)]
    pub int64: i64,
    #[field(default = 7)]
    pub uint32: u32,
    #[field(default = 7)]
    pub uint64: u64,
    #[field(default = 0.5)]
    pub float: f32,
    #[field(default = -0.5)]
    pub double: f64,
    #[field(default = "text")]
    pub string: String,
    #[field(default = b"raw")]
    pub bytes: Bytes,
    #[field(default = b"raw")]
    pub byte_vec: Vec<u8>,
    #[field(default = Closed::Seven)]
    pub closed: Closed,
    #[field(default = Open::First)]
    pub open: Open,
    #[field(default = true)]
    pub optional: Option<bool>,
}

/// The above inside options, lists and maps.
#[contract(package = "kitchen")]
pub struct DeclaredNested {
    pub optional: Option<Declared>,
    pub list: Vec<Declared>,
    pub map: BTreeMap<String, Declared>,
    pub required: Declared,
}
