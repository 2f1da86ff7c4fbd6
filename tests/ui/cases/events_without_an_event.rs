use rpc_runtime::Events;

#[derive(Events)]
pub enum RoomEvent {
    #[events(other)]
    Other,
}

fn main() {}
