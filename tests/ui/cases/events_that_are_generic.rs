use rpc_runtime::{Events, contract};

#[contract(package = "chat", event, detached)]
pub struct Said {
    pub text: String,
}

#[derive(Events)]
pub enum RoomEvent<E> {
    Said(Said),
    Extra(E),
}

fn main() {}
