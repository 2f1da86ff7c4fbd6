use rpc_runtime::{Context, Status, contract};

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

#[contract(package = "ticker", detached)]
pub trait Ticker {
    async fn quote(&self, cx: &mut Context) -> Result<Quote, Status>;
}

fn main() {}
