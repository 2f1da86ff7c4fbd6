use rpc_runtime::{Status, Streaming, contract, rpc};

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

pub struct Symbol(pub String);

pub struct TickerGateway;

#[rpc("ticker", detached)]
impl TickerGateway {
    #[message]
    async fn record(&self, symbols: Streaming<Symbol>) -> Result<Quote, Status> {
        drop(symbols);
        Ok(Quote::default())
    }
}

fn main() {}
