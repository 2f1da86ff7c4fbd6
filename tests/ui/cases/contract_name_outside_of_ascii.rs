use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Größe {
    pub label: String,
}

fn main() {}
