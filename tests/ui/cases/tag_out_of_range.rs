use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(tag = 536_870_912)]
    pub label: String,
}

fn main() {}
