//! What clients ask of the hub: subscriptions, publishing, sending, presence, history; and the hub's own events.

mod contract;
mod events;
mod records;
mod serving;

pub use contract::{
    ChannelMember, ChannelPosition, EventRecord, HistoryRequest, HistoryResponse, Hub, PresenceRequest,
    PresenceResponse, PublishRequest, PublishResponse, Refused, SendToClientsRequest, SendToClientsResponse,
    SendToUsersRequest, SendToUsersResponse, SubscribeAnswer, SubscribeChannel, SubscribeRequest,
    SubscribeResponse, TypedMessage, UnsubscribeAnswer, UnsubscribeRequest, UnsubscribeResponse,
};
pub use events::{
    DataChanged, Dropped, Joined, Left, NamedEvent, Notification, NotificationAction, NotificationLevel,
    Subscribed, Unsubscribed,
};

pub(crate) use records::{is_of_the_hub, presence};

use crate::dispatch::Gateway;

/// The gateway of a server's hub.
pub(crate) type OfServer = HubGateway<serving::OfServer>;

crate::include_gateway!("rpc.hub.v1");

/// The service, to be added to an endpoint. It serves the [hub](crate::hub) that its server was given.
///
/// Who may do what is the namespaces' matter, and nobody may do anything that no right is declared for. Rates of its methods,
/// such as of `rpc.hub.v1.HubService/Publish`, are set as for any other: [`RateLimit`](crate::RateLimit).
pub fn gateway() -> impl Gateway {
    HubGateway::new(serving::OfServer)
}
