use rpc_runtime::{Events, contract};

#[contract(package = "chat", event, channels = "room:{id}", detached)]
pub struct Said {
    pub text: String,
}

#[contract(package = "chat", event, channels = "user:{name}", detached)]
pub struct Invited {
    pub room: u64,
}

#[derive(Events)]
#[events(channels = "room:{number}")]
pub enum RoomEvent {
    Said(Said),
    Invited(Invited),
}

fn main() {}
