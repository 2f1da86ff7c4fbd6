use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Page<T> {
    pub items: Vec<T>,
}

fn main() {}
