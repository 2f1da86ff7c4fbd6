use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub enum Priority {
    Low,
    High = 1 << 3,
}

fn main() {}
