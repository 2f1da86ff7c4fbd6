use rpc_runtime::{Events, contract};

#[contract(package = "chat", event, detached)]
pub struct Said {
    pub text: String,
}

type Shout = Said;

#[derive(Events)]
pub enum RoomEvent {
    Said(Said),
    Shouted(Shout),
}

fn main() {}
