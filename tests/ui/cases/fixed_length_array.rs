use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    pub key: [u8; 16],
}

fn main() {}
