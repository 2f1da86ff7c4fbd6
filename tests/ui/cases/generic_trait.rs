use rpc_runtime::{Status, contract};

#[contract(package = "ticker", detached)]
pub trait Ticker<T> {
    async fn reset(&self) -> Result<(), Status>;
}

fn main() {}
