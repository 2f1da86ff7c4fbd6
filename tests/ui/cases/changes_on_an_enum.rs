use rpc_runtime::contract;

#[contract(package = "task", changes = "tasks", detached)]
pub enum Priority {
    Low,
    High,
}

fn main() {}
