use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task(String, bool);

fn main() {}
