use rpc_runtime::rpc;

#[rpc("task", detached)]
pub struct TaskGateway;

fn main() {}
