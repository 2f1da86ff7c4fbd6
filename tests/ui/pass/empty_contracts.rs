//! Messages without fields.

use rpc_runtime::{Contract, contract};

#[contract(package = "empty", detached)]
pub struct Unit;

#[contract(package = "empty", detached)]
pub struct Braces {}

#[contract(package = "empty", detached)]
pub struct Held {
    pub unit: Option<Unit>,
    pub braces: Braces,
}

fn main() {
    assert!(Unit::descriptor().fields.is_empty() && Braces::descriptor().fields.is_empty());
}
