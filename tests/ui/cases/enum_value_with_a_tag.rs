use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub enum Priority {
    Low,
    #[field(tag = 2)]
    High,
}

fn main() {}
