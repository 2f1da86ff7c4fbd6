use rpc_runtime::{Status, contract};

#[contract(package = "task", changes = "tasks", detached)]
pub trait Tasks {
    async fn sweep(&self) -> Result<(), Status>;
}

fn main() {}
