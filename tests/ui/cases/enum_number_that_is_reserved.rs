use rpc_runtime::contract;

#[contract(package = "task", reserved(2), detached)]
pub enum Priority {
    Low,
    High = 2,
}

fn main() {}
