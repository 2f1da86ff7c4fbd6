use rpc_runtime::contract;

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

#[contract(package = "ticker", detached)]
pub trait Ticker {
    async fn quote(&self, request: Quote) -> Result<Quote, std::io::Error>;
}

fn main() {}
