use rpc_runtime::contract;

#[contract(package = "task", event, channels = "tasks", detached)]
pub enum Priority {
    Low,
    High,
}

fn main() {}
