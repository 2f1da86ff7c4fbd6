//! The events that the hub itself publishes, and those that are ready for programs to use.

use super::contract::{ChannelPosition, EventRecord, Refused, TypedMessage};
use crate::{contract, prost_types};

/// The server has subscribed the client to a channel. Sent to the client.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto", event)]
pub struct Subscribed {
    /// The channel.
    pub channel: String,
    /// What frames of events name it by, on this connection.
    pub number: u64,
    /// Where the channel is: what comes is behind it. Absent where it has no history.
    pub position: Option<ChannelPosition>,
    /// The state of what the channel is about, where it has one. It comes first.
    pub snapshot: Option<EventRecord>,
}

/// The server has ended a subscription. Sent to the client.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto", event)]
pub struct Unsubscribed {
    /// The channel.
    pub channel: String,
    /// Why.
    pub reason: Option<Refused>,
}

/// A user has come into a channel, with its first client; or an anonymous client has.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto", event)]
pub struct Joined {
    /// The client.
    pub client_id: String,
    /// Who it is known as; absent while anonymous.
    pub user_id: Option<String>,
    /// What it says of itself.
    pub presence: Option<TypedMessage>,
}

/// A user has left a channel, with its last client; or an anonymous client has.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto", event)]
pub struct Left {
    /// The client.
    pub client_id: String,
    /// Who it was known as; absent while anonymous.
    pub user_id: Option<String>,
}

/// Something for people to read.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto", event)]
pub struct Notification {
    /// In a few words.
    pub title: String,
    /// In full.
    pub message: String,
    /// How much it matters.
    pub level: NotificationLevel,
    /// What may be done about it.
    pub actions: Vec<NotificationAction>,
}

/// How much a notification matters.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
pub enum NotificationLevel {
    /// Good to know.
    Info = 0,
    /// Something has been done.
    Success = 1,
    /// Something may go wrong.
    Warning = 2,
    /// Something has gone wrong.
    Error = 3,
    /// A level that this side does not know.
    #[field(other)]
    Other(i32),
}

/// What may be done about a notification.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto")]
pub struct NotificationAction {
    /// What people read.
    pub label: String,
    /// What the program does.
    pub action: String,
    /// To what.
    pub id: String,
}

/// Data has changed: readers of the resource are to read it again, or to take what came.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto", event)]
pub struct DataChanged {
    /// What has changed, such as `tasks`.
    pub resource: String,
    /// How it is now.
    pub data: Option<prost_types::Value>,
}

/// An event whose shape is not known to the schema.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto", event)]
pub struct NamedEvent {
    /// What kind of event it is, in the program's own words.
    #[field(rename = "type")]
    pub kind: String,
    /// What it says.
    pub data: Option<prost_types::Value>,
}
