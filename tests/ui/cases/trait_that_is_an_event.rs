use rpc_runtime::{Status, contract};

#[contract(package = "task", event, detached)]
pub trait Tasks {
    async fn sweep(&self) -> Result<(), Status>;
}

fn main() {}
