//! The contract of `rpc.hub.v1.HubService`: what clients ask of the hub.

use std::time::SystemTime;

use crate::{Context, Status, bytes::Bytes, contract};

/// Channels, users and clients: who subscribes, publishes, sends, and looks who is there.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
pub trait Hub {
    /// Subscribes to channels. Each is answered for itself, in the order of the request. Events come as frames of the
    /// connection, by the number that the answer gives. A channel that the client has subscribed to already is answered
    /// again.
    #[message(idempotent)]
    async fn subscribe(&self, cx: &Context, request: SubscribeRequest) -> Result<SubscribeResponse, Status>;

    /// Unsubscribes from channels. Each is answered for itself, in the order of the request.
    #[message(idempotent)]
    async fn unsubscribe(
        &self,
        cx: &Context,
        request: UnsubscribeRequest,
    ) -> Result<UnsubscribeResponse, Status>;

    /// Publishes an event in a channel. What a client publishes in one channel comes there in the order of its requests, whether it
    /// waits for their answers or not, and however long the channel's right takes and the event is validated. Where a guard or a
    /// layer of the endpoint waits for one request, others may overtake it.
    ///
    /// Where the channel's namespace names its events, this one is validated as a request is: INVALID_ARGUMENT where it does not
    /// decode, which is a fault of the client, or breaks the rules of its fields, with the violations as details;
    /// RESOURCE_EXHAUSTED where decoding it would take too much memory.
    async fn publish(&self, cx: &Context, request: PublishRequest) -> Result<PublishResponse, Status>;

    /// Sends an event to all connections of users. It is validated as what is published is, where the server names the events that
    /// clients may send. What a client sends, to users and to clients, is sent in the order of its requests, as it is published.
    async fn send_to_users(
        &self,
        cx: &Context,
        request: SendToUsersRequest,
    ) -> Result<SendToUsersResponse, Status>;

    /// Sends an event to clients, as to users.
    async fn send_to_clients(
        &self,
        cx: &Context,
        request: SendToClientsRequest,
    ) -> Result<SendToClientsResponse, Status>;

    /// Who is in a channel.
    #[message(idempotent)]
    async fn presence(&self, cx: &Context, request: PresenceRequest) -> Result<PresenceResponse, Status>;

    /// What was published in a channel.
    #[message(idempotent)]
    async fn history(&self, cx: &Context, request: HistoryRequest) -> Result<HistoryResponse, Status>;
}

/// A place in a channel's history.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
#[derive(Copy, Eq)]
pub struct ChannelPosition {
    /// Which history: random, and another after history was lost. Never a time.
    #[field(proto = "fixed64")]
    pub epoch: u64,
    /// How many events had been published in it. 0 is before the first.
    pub offset: u64,
}

/// An event, where it does not come as a frame of its own.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
pub struct EventRecord {
    /// Where it is in the history; 0 where the channel has none, and of a snapshot that has no place of its own.
    pub offset: u64,
    /// The full name of the message in the body.
    #[field(rename = "type")]
    pub type_name: String,
    /// Unique. Empty: sixteen hexadecimal digits of the epoch, a hyphen, and the offset.
    pub id: String,
    /// When it was published, in microseconds since the Unix epoch, by the server's clock.
    pub time_us: u64,
    /// The client that published it, where the channel tells.
    pub client_id: String,
    /// Who that was known as, where the channel tells.
    pub user_id: String,
    /// The event, encoded.
    pub body: Bytes,
}

/// A message of any type.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
pub struct TypedMessage {
    /// The message's full name.
    #[field(rename = "type")]
    pub type_name: String,
    /// The message, encoded.
    pub body: Bytes,
}

/// Which channels to subscribe to.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
pub struct SubscribeRequest {
    /// Each once.
    #[field(min_items = 1, max_items = 100)]
    pub channels: Vec<SubscribeChannel>,
}

/// A channel to subscribe to.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
pub struct SubscribeChannel {
    /// Its name.
    pub channel: String,
    /// The last position that the client knows: it wants what came after it.
    pub since: Option<ChannelPosition>,
    /// What presence says of the client, where the channel has presence. INVALID_ARGUMENT where the channel's namespace names the
    /// types of that and this is another, does not decode or breaks the rules of its fields; the client then hears the channel only
    /// where it did before.
    pub presence: Option<TypedMessage>,
}

/// How each channel is answered.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
pub struct SubscribeResponse {
    /// In the order of the request.
    pub answers: Vec<SubscribeAnswer>,
}

/// How a subscription begins. First the snapshot, then the events, then those that come as frames, by their offsets.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
pub struct SubscribeAnswer {
    /// The channel.
    pub channel: String,
    /// Why it was not done; absent where the channel is subscribed to as it was asked for.
    pub refused: Option<Refused>,
    /// What frames of events name it by, on this connection. Where it was refused: there if the client hears the channel as before.
    pub number: u64,
    /// Where the channel is, behind `events`; absent where it has no history. Frames do not repeat the epoch, unless another has begun.
    pub position: Option<ChannelPosition>,
    /// Whether `events` is everything that came after `since`. Absent where nothing was to be recovered.
    pub recovered: Option<bool>,
    /// The state of what the channel is about, where it has one and nothing was recovered.
    pub snapshot: Option<EventRecord>,
    /// What came before the first frame.
    pub events: Vec<EventRecord>,
    /// The full names of all events that may come in the channel; empty: any. A client that listens for none of them is never
    /// given one.
    pub types: Vec<String>,
    /// The epoch of those frames that tell none, where it is not `position`'s: a client that comes back to its session may be sent some
    /// that have waited since before another began.
    pub frames_epoch: Option<u64>,
}

/// Why something was not done.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
pub struct Refused {
    /// A `google.rpc.Code`.
    pub code: i32,
    /// For people.
    pub message: String,
}

/// Which channels to unsubscribe from.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
pub struct UnsubscribeRequest {
    /// Their names.
    #[field(min_items = 1, max_items = 100)]
    pub channels: Vec<String>,
}

/// How each channel is answered.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
pub struct UnsubscribeResponse {
    /// In the order of the request.
    pub answers: Vec<UnsubscribeAnswer>,
}

/// How a subscription ends.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
pub struct UnsubscribeAnswer {
    /// The channel.
    pub channel: String,
    /// Whether the client had subscribed to it.
    pub was_subscribed: bool,
    /// Why it is not looked at, such as that it is no name; absent else.
    pub refused: Option<Refused>,
}

/// What to publish.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
pub struct PublishRequest {
    /// In which channel.
    pub channel: String,
    /// The event.
    #[field(required)]
    pub event: TypedMessage,
    /// Under which key it is stored once in the channel, as long as that has history and remembers it; empty: none. It has
    /// printable characters of ASCII. Keys are their publisher's own: of a user, on all its clients, or of an anonymous client.
    /// Nobody else is told them. The same key with another event is answered ALREADY_EXISTS.
    #[field(max_len = 128)]
    pub key: String,
    /// It is not for the client that publishes it.
    pub except_self: bool,
}

/// What publishing came to.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
pub struct PublishResponse {
    /// The event's id.
    pub id: String,
    /// Where it is in the channel's history; absent where that has none.
    pub position: Option<ChannelPosition>,
    /// How many clients were reached, where that is known and the channel tells.
    pub reached: Option<u64>,
    /// The same event with the same key had been published before; nothing was published now.
    pub duplicate: bool,
}

/// What to send to users.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
pub struct SendToUsersRequest {
    /// The users' ids.
    #[field(min_items = 1, max_items = 100)]
    pub users: Vec<String>,
    /// The event.
    #[field(required)]
    pub event: TypedMessage,
    /// It is not for the client that sends it.
    pub except_self: bool,
}

/// What sending came to.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
pub struct SendToUsersResponse {
    /// The event's id.
    pub id: String,
}

/// What to send to clients.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
pub struct SendToClientsRequest {
    /// The clients' ids.
    #[field(min_items = 1, max_items = 100)]
    pub clients: Vec<String>,
    /// The event.
    #[field(required)]
    pub event: TypedMessage,
}

/// What sending came to. Whether a client is there is not told: an id is not a right to know.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
pub struct SendToClientsResponse {
    /// The event's id.
    pub id: String,
}

/// Whose presence is asked for.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
pub struct PresenceRequest {
    /// The channel.
    pub channel: String,
    /// Only how many there are.
    pub counts_only: bool,
    /// Those whose ids come after this client's; empty: from the first on.
    pub after: String,
    /// How many at most: 1,000 where it is 0, and never more.
    pub limit: u32,
}

/// Who is in a channel.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
pub struct PresenceResponse {
    /// In the order of their client ids.
    pub members: Vec<ChannelMember>,
    /// How many clients there are.
    pub clients: u64,
    /// How many users there are, and anonymous clients.
    pub users: u64,
    /// There are more: ask for those after the last of these.
    pub more: bool,
}

/// Who is in a channel.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
pub struct ChannelMember {
    /// The client.
    pub client_id: String,
    /// Who it is known as; absent while anonymous.
    pub user_id: Option<String>,
    /// Since when.
    pub since: SystemTime,
    /// What it says of itself.
    pub presence: Option<TypedMessage>,
}

/// Which part of a history. All that is set holds.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
pub struct HistoryRequest {
    /// The channel.
    pub channel: String,
    /// Events after this position.
    pub after: Option<ChannelPosition>,
    /// Events before this offset; 0: all.
    pub before: u64,
    /// Events published then or later.
    pub since: Option<SystemTime>,
    /// Events published before then.
    pub until: Option<SystemTime>,
    /// How many at most: 100 where it is 0, and never more than 1,000.
    pub limit: u32,
    /// The latest first.
    pub newest_first: bool,
}

/// A part of a history.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
pub struct HistoryResponse {
    /// Where the channel is now; absent where it has no history.
    pub position: Option<ChannelPosition>,
    /// In the direction that was asked for, without those that are not for this client.
    pub events: Vec<EventRecord>,
    /// With `after`: no event that is for this client is missing between that position and those that are given.
    pub complete: bool,
    /// There are more in that direction: read on from `last_offset`.
    pub more: bool,
    /// The offset of the last event that was looked at, also of one that is not for this client; 0: none.
    pub last_offset: u64,
}
