use rpc_runtime::hub::Event;
use rpc_runtime::{Events, contract};

#[contract(package = "chat", event, channels = "room {id}", detached)]
pub struct Said {
    pub text: String,
}

#[derive(Events)]
pub enum RoomEvent {
    Said(Said),
}

fn publish(_event: &impl Event) {}

fn main() {
    publish(&Said::default());
}
