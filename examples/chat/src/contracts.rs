//! What goes over the wire: what is told to rooms and users, and what may be asked of the server.
//!
//! Two things carry what people say. *Calls* go to the server, which looks at them and answers: [`Chat`]. *Events* come from it,
//! to whoever has subscribed to a channel: `room:kitchen` has what happens in the kitchen, `typing:kitchen` who writes there,
//! and `inbox:ann` what is for ann alone.

pub mod auth;

use rpc_runtime::hub::{Joined, Left};
use rpc_runtime::{Context, Events, Status, contract};

/// Somebody said something in a room. Who did is told with the event: by the server, not by whoever says it.
#[contract(package = "chat", event, channels = "room:{room}")]
pub struct Said {
    /// What was said.
    pub text: String,
}

/// An administrator has put somebody out of a room.
#[contract(package = "chat", event, channels = "room:{room}")]
pub struct Kicked {
    /// Who had to go.
    pub user: String,
    /// Why; may be empty.
    pub reason: String,
}

/// Somebody is writing something in a room, and has not sent it yet. Clients publish it themselves.
#[contract(package = "chat", event, channels = "typing:{room}")]
pub struct Typing {}

/// Something for one user alone. Who wrote it is told with the event.
#[contract(package = "chat", event, channels = "inbox:{user}")]
pub struct DirectMessage {
    /// Whom it is for: in the sender's own inbox, where it comes too, that is somebody else.
    pub to: String,
    /// What was written.
    pub text: String,
}

/// All that happens in a room. The last two are the hub's own.
#[derive(Debug, Clone, PartialEq, Events)]
#[events(channels = "room:{room}")]
pub enum RoomEvent {
    /// Somebody said something.
    Said(Said),
    /// Somebody was put out.
    Kicked(Kicked),
    /// Somebody came in.
    Joined(Joined),
    /// Somebody went.
    Left(Left),
}

/// What somebody in a room says of themselves; others see it beside the name.
#[contract(package = "chat", event)]
pub struct Card {
    /// What they are doing, such as "making tea".
    #[field(max_len = 80)]
    pub doing: String,
}

/// What users may ask for.
#[contract(package = "chat", auth)]
pub trait Chat {
    /// Says something in a room.
    #[message(idempotent)]
    async fn say(&self, cx: &Context, request: SayRequest) -> Result<SayResponse, Status>;

    /// Writes to one user, wherever they are. It waits for them for an hour.
    #[message(idempotent)]
    async fn write(&self, cx: &Context, request: WriteRequest) -> Result<WriteResponse, Status>;

    /// The rooms there are.
    #[message(idempotent)]
    async fn list_rooms(&self, cx: &Context) -> Result<ListRoomsResponse, Status>;

    /// Puts somebody out of a room, and keeps them out for a while.
    #[message(guard = "admin")]
    async fn kick(&self, cx: &Context, request: KickRequest) -> Result<KickResponse, Status>;
}

/// Something to say.
#[contract(package = "chat")]
pub struct SayRequest {
    /// Where.
    #[field(pattern = "^[a-z][a-z0-9-]{0,31}$")]
    pub room: String,
    /// What.
    #[field(min_len = 1, max_len = 2000)]
    pub text: String,
    /// Chosen at random by the client. The call is sent again when a connection breaks while it is on its way; by the key it is
    /// heard once.
    #[field(min_len = 16, max_len = 64)]
    pub key: String,
}

/// It was said.
#[contract(package = "chat")]
pub struct SayResponse {
    /// Whether there is another user in the room, who hears it.
    pub is_heard: bool,
}

/// Something to write to a user.
#[contract(package = "chat")]
pub struct WriteRequest {
    /// To whom.
    #[field(pattern = "^[a-z][a-z0-9._-]{1,31}$")]
    pub to: String,
    /// What.
    #[field(min_len = 1, max_len = 2000)]
    pub text: String,
    /// As in [`SayRequest`].
    #[field(min_len = 16, max_len = 64)]
    pub key: String,
}

/// It was written.
#[contract(package = "chat")]
pub struct WriteResponse {
    /// Whether the user is there to read it now.
    pub is_there: bool,
}

/// The rooms.
#[contract(package = "chat")]
pub struct ListRoomsResponse {
    /// By name.
    pub rooms: Vec<Room>,
}

/// A room.
#[contract(package = "chat")]
pub struct Room {
    /// What it is called.
    pub name: String,
    /// How many users are in it.
    pub users: u64,
}

/// Who is to go.
#[contract(package = "chat")]
pub struct KickRequest {
    /// From where.
    #[field(pattern = "^[a-z][a-z0-9-]{0,31}$")]
    pub room: String,
    /// Who.
    #[field(pattern = "^[a-z][a-z0-9._-]{1,31}$")]
    pub user: String,
    /// Why; everybody in the room is told.
    #[field(max_len = 200)]
    pub reason: String,
}

/// They are kept out.
#[contract(package = "chat")]
pub struct KickResponse {
    /// Whether they were in the room.
    pub was_there: bool,
}
