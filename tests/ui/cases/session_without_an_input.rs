use rpc_runtime::{Outgoing, Status, contract};

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

#[contract(package = "ticker", detached)]
pub trait Ticker {
    async fn feed(&self, output: Outgoing<Quote>) -> Result<(), Status>;
}

fn main() {}
