use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub enum Priority {
    Low,
    High = 2,
    Urgent = 2,
}

fn main() {}
