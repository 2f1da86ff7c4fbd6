use rpc_runtime::{Events, contract};

#[contract(package = "chat", event, detached)]
pub struct Said {
    pub text: String,
}

#[derive(Events)]
#[events(channels = "room/{id}")]
pub enum RoomEvent {
    Said(Said),
}

fn main() {}
