use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(min_len = 1)]
    pub count: u32,
}

fn main() {}
