use rpc_runtime::{Status, contract};

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

#[contract(package = "ticker", detached)]
pub trait Ticker {
    #[message(number = 0xe69e94644f49032)]
    async fn quote(&self, request: Quote) -> Result<Quote, Status>;
    async fn price(&self, request: Quote) -> Result<Quote, Status>;
}

fn main() {}
