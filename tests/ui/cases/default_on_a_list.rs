use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(default = 1)]
    pub counts: Vec<u32>,
}

fn main() {}
