use rpc_runtime::contract;

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

#[contract(package = "ticker", detached)]
pub trait Ticker {
    async fn record(&self, quote: Quote);
}

fn main() {}
