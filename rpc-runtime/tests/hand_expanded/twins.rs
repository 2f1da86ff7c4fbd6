//! The same messages as prost's derive makes them.

use std::collections::{BTreeMap, HashMap};

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub struct Task {
    #[prost(string, tag = "1")]
    pub label: String,
    #[prost(bool, tag = "2")]
    pub checked: bool,
    #[prost(string, tag = "4")]
    pub id: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Node {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, optional, boxed, tag = "2")]
    pub left: Option<Box<Node>>,
    #[prost(message, repeated, tag = "3")]
    pub others: Vec<Node>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Figure {
    #[prost(oneof = "Kind", tags = "1, 2, 3, 4, 5, 6")]
    pub kind: Option<Kind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Kind {
    #[prost(double, tag = "1")]
    Circle(f64),
    #[prost(string, tag = "2")]
    Named(String),
    #[prost(message, tag = "3")]
    Task(Task),
    #[prost(message, tag = "4")]
    Tree(Box<Node>),
    #[prost(message, tag = "5")]
    Empty(()),
    #[prost(int32, tag = "6")]
    Priority(i32),
}

#[derive(Clone, PartialEq, Message)]
pub struct Everything {
    #[prost(bool, tag = "1")]
    pub flag: bool,
    #[prost(int32, tag = "2")]
    pub small: i32,
    #[prost(sint64, tag = "3")]
    pub zigzag: i64,
    #[prost(fixed64, tag = "4")]
    pub fixed: u64,
    #[prost(float, tag = "5")]
    pub ratio: f32,
    #[prost(string, tag = "6")]
    pub label: String,
    #[prost(bytes = "vec", tag = "7")]
    pub raw: Vec<u8>,
    #[prost(bytes = "bytes", tag = "8")]
    pub slice: bytes::Bytes,
    #[prost(uint32, optional, tag = "9")]
    pub maybe: Option<u32>,
    #[prost(string, optional, tag = "10")]
    pub maybe_text: Option<String>,
    #[prost(int64, repeated, tag = "11")]
    pub numbers: Vec<i64>,
    #[prost(sfixed32, repeated, tag = "12")]
    pub widths: Vec<i32>,
    #[prost(bool, repeated, tag = "13")]
    pub flags: Vec<bool>,
    #[prost(string, repeated, tag = "14")]
    pub words: Vec<String>,
    #[prost(map = "string, uint32", tag = "15")]
    pub counts: HashMap<String, u32>,
    #[prost(btree_map = "int32, message", tag = "16")]
    pub children: BTreeMap<i32, Task>,
    #[prost(int32, tag = "17")]
    pub priority: i32,
    #[prost(int32, repeated, tag = "18")]
    pub tones: Vec<i32>,
    #[prost(message, optional, tag = "19")]
    pub task: Option<Task>,
    #[prost(message, optional, tag = "20")]
    pub maybe_task: Option<Task>,
    #[prost(message, repeated, tag = "21")]
    pub tasks: Vec<Task>,
    #[prost(message, optional, boxed, tag = "22")]
    pub node: Option<Box<Node>>,
    #[prost(message, optional, tag = "23")]
    pub figure: Option<Figure>,
    #[prost(message, optional, tag = "24")]
    pub created: Option<prost_types::Timestamp>,
    #[prost(message, optional, tag = "25")]
    pub lasts: Option<prost_types::Duration>,
    #[prost(message, optional, tag = "26")]
    pub stamp: Option<prost_types::Timestamp>,
    #[prost(message, optional, tag = "27")]
    pub payload: Option<prost_types::Value>,
    #[prost(message, optional, tag = "28")]
    pub nothing: Option<()>,
    #[prost(uint64, tag = "29")]
    pub r#type: u64,
}
