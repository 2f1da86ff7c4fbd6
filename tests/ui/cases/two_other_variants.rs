use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub enum Priority {
    Low,
    #[field(other)]
    Unknown(i32),
    #[field(other)]
    Unheard(i32),
}

fn main() {}
