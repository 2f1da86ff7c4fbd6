use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    pub label: String,
    #[cfg(unix)]
    pub owner: u32,
}

fn main() {}
