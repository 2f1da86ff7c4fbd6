use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub enum Priority {
    Low,
    High,
    #[field(other)]
    Unknown(u32),
}

fn main() {}
