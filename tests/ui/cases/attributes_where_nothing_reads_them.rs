use rpc_runtime::{Context, Status, contract, rpc};

#[contract(package = "task", detached)]
#[field(min_len = 1)]
pub struct Task {
    #[message(auth)]
    pub label: String,
}

#[contract(package = "task", detached)]
pub enum Note {
    #[default]
    #[field(tag = 3)]
    Unset,
    Text(#[field(max_len = 5)] String),
    Link(#[cfg_attr(test, field(max_len = 5))] String),
}

#[contract(package = "task", detached)]
pub trait Tasks {
    #[field(min_len = 1)]
    async fn add(&self, cx: &Context, #[field(max_len = 5)] label: String) -> Result<Task, Status>;
}

pub struct TickerGateway;

#[rpc("ticker", detached)]
impl TickerGateway {
    #[message]
    #[contract(auth)]
    async fn tick(&self, data: Task) -> Result<Task, Status> {
        Ok(data)
    }

    #[cfg_attr(not(test), message)]
    async fn tock(&self, data: Task) -> Result<Task, Status> {
        Ok(data)
    }
}

fn main() {}
