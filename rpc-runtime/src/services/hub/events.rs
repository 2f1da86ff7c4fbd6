//! The events that the hub itself publishes, and those that are ready for programs to use.

use super::contract::{ChannelPosition, EventRecord, Refused, TypedMessage};
use crate::{
    contract,
    prost_types::{self, Value},
};

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

/// Events of a channel were left out here, because the client did not take them in time. It comes in the channel, as a frame
/// without an offset, in the place of the first of them. Where the channel has history, the client subscribes again with `since`
/// to be given them.
#[contract(package = "rpc.hub.v1", proto_path = "protos/rpc/hub/v1/hub.proto", event)]
pub struct Dropped {
    /// How many.
    pub count: u64,
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

impl Notification {
    /// A notification of a level, without actions.
    pub fn new(level: NotificationLevel, title: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            message: message.into(),
            level,
            actions: Vec::new(),
        }
    }

    /// Good to know.
    pub fn info(title: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(NotificationLevel::Info, title, message)
    }

    /// Something has been done.
    pub fn success(title: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(NotificationLevel::Success, title, message)
    }

    /// Something may go wrong.
    pub fn warning(title: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(NotificationLevel::Warning, title, message)
    }

    /// Something has gone wrong.
    pub fn error(title: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(NotificationLevel::Error, title, message)
    }

    /// Adds what may be done about it: what people read, what the program does, and to what.
    #[must_use]
    pub fn action(
        mut self,
        label: impl Into<String>,
        action: impl Into<String>,
        id: impl Into<String>,
    ) -> Self {
        self.actions.push(NotificationAction {
            label: label.into(),
            action: action.into(),
            id: id.into(),
        });
        self
    }
}

impl DataChanged {
    /// The resource is like this now.
    pub fn new(resource: impl Into<String>, data: impl Into<Value>) -> Self {
        Self {
            resource: resource.into(),
            data: Some(data.into()),
        }
    }

    /// The resource is to be read again.
    pub fn again(resource: impl Into<String>) -> Self {
        Self {
            resource: resource.into(),
            data: None,
        }
    }
}

impl NamedEvent {
    /// An event of a kind, in the program's own words.
    pub fn new(kind: impl Into<String>, data: impl Into<Value>) -> Self {
        Self {
            kind: kind.into(),
            data: Some(data.into()),
        }
    }
}
