use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    pub größe: u32,
}

fn main() {}
