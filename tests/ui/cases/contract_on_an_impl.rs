use rpc_runtime::contract;

pub struct TaskGateway;

#[contract(package = "task", detached)]
impl TaskGateway {}

fn main() {}
