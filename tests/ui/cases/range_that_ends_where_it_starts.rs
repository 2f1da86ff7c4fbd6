use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(range = 5..5)]
    pub count: u32,
}

fn main() {}
