use rpc_runtime::{Events, contract};

#[contract(package = "chat", event, detached)]
pub struct Said {
    pub text: String,
}

#[derive(Events)]
pub enum RoomEvent {
    Said(#[events(other)] Said),
}

fn main() {}
