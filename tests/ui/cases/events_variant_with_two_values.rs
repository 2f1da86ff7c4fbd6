use rpc_runtime::{Events, contract};

#[contract(package = "chat", event, detached)]
pub struct Said {
    pub text: String,
}

#[derive(Events)]
pub enum RoomEvent {
    Said(Said),
    Moved(u32, u32),
    Typing { user: String },
}

fn main() {}
