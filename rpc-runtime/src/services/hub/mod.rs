//! What clients ask of the hub: subscriptions, publishing, sending, presence, history; and the hub's own events.

mod contract;
mod events;

pub use contract::{
    ChannelMember, ChannelPosition, EventRecord, HistoryRequest, HistoryResponse, Hub, PresenceRequest,
    PresenceResponse, PublishRequest, PublishResponse, Refused, SendToClientsRequest, SendToClientsResponse,
    SendToUsersRequest, SendToUsersResponse, SubscribeAnswer, SubscribeChannel, SubscribeRequest,
    SubscribeResponse, TypedMessage, UnsubscribeAnswer, UnsubscribeRequest, UnsubscribeResponse,
};
pub use events::{
    DataChanged, Joined, Left, NamedEvent, Notification, NotificationAction, NotificationLevel, Subscribed,
    Unsubscribed,
};

crate::include_gateway!("rpc.hub.v1");
