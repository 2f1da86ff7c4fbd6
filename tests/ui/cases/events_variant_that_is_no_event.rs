use rpc_runtime::{Events, contract};

#[contract(package = "chat", detached)]
pub struct Said {
    pub text: String,
}

#[derive(Events)]
pub enum RoomEvent {
    Said(Said),
}

fn main() {}
