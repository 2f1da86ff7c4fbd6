use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(default = -1)]
    pub count: u32,
}

fn main() {}
