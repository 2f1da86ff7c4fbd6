use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(range = 10..=1)]
    pub count: u32,
}

fn main() {}
