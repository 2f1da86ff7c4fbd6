use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub fn add() {}

fn main() {}
