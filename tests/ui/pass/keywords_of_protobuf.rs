//! Protobuf's own keywords are names like any other, in Rust and on the wire.

use rpc_runtime::{Contract, contract};

#[contract(package = "message", detached)]
pub struct Message {
    pub message: String,
    pub package: i32,
    pub optional: Option<bool>,
    pub repeated: Vec<u32>,
    pub oneof: u64,
    pub reserved: f32,
    pub returns: f64,
    pub value: String,
    pub facts: String,
    pub validator: String,
    pub buf: String,
    pub number: u32,
    pub wire_type: u32,
    pub cx: u32,
}

#[contract(package = "message", detached)]
pub enum Option_ {
    #[default]
    None,
    Some(Message),
    Ok(String),
    Err(String),
}

fn main() {
    assert_eq!(Message::FULL_NAME, "message.Message");
    assert_eq!(Option_::descriptor().fields.len(), 3);
}
