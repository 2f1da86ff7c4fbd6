use rpc_runtime::Events;

#[derive(Events)]
pub struct RoomEvent {
    pub text: String,
}

fn main() {}
