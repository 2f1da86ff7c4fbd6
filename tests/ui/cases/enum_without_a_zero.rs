use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub enum Priority {
    Low = 1,
    High = 2,
}

fn main() {}
