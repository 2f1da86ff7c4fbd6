use rpc_runtime::contract;

#[contract(package = "task", controller = "Task", detached)]
pub enum Priority {
    Low,
    High,
}

fn main() {}
