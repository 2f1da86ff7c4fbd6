use rpc_runtime::{Outgoing, Status, Streaming, contract};
use std::cell::Cell;
use std::rc::Rc;

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

#[contract(package = "ticker", detached)]
pub trait Ticker {
    async fn feed(&self, input: Streaming<Quote>, output: Outgoing<Quote>) -> Result<(), Status>;
}

struct Feed;

impl Ticker for Feed {
    async fn feed(&self, mut input: Streaming<Quote>, output: Outgoing<Quote>) -> Result<(), Status> {
        let count = Rc::new(Cell::new(0));
        while let Some(quote) = input.message().await? {
            count.set(count.get() + 1);
            output.send(quote).await?;
        }
        Ok(())
    }
}

fn main() {}
