//! Publishing to channels, and sending to users and clients.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
};

use super::{ClientHub, subscribe::typed, wire::position_of};
use crate::{
    CallError,
    hub::{Event, Receipt},
    services::hub::{HubClient, PublishRequest, SendToClientsRequest, SendToUsersRequest},
};

type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// An event that is published when this is awaited. Made by [`ClientHub::publish`].
///
/// The receipt says where the event is in the channel, and how many clients have it, where that is known. Dropping the future
/// cancels the call: the event may have been published.
///
/// # Errors
///
/// [`CallError::Status`]: PERMISSION_DENIED where the client has no right to publish there or there is no such channel, UNAUTHENTICATED
/// for both while it is anonymous, INVALID_ARGUMENT where the name is none, the event is longer than 64 KiB, the channel does not
/// allow its type, or it breaks the rules of its fields where the channel names its events, with the violations as details;
/// RESOURCE_EXHAUSTED where decoding it there would take too much memory. The others as for a call.
#[must_use = "nothing is published until it is awaited"]
pub struct Publish {
    hub: ClientHub,
    request: PublishRequest,
}

impl Publish {
    pub(super) fn new<E: Event>(hub: ClientHub, channel: String, event: &E) -> Self {
        let request = PublishRequest {
            channel,
            event: typed(event),
            ..PublishRequest::default()
        };
        Self { hub, request }
    }

    /// Gives the event an idempotency key, of at most 128 printable characters of ASCII: published again, after an error that does
    /// not say whether it [has run](CallError::may_have_run), it is stored and delivered once, while the channel's history
    /// remembers the key. Keys are this user's own, on all its clients, or this client's while it is known as nobody; nobody
    /// else is told them, and nobody else can use them up. Another event with the same key fails with ALREADY_EXISTS.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.request.key = key.into();
        self
    }

    /// The event is not for this client, also when it recovers later.
    pub fn except_self(mut self) -> Self {
        self.request.except_self = true;
        self
    }
}

impl IntoFuture for Publish {
    type Output = Result<Receipt, CallError>;
    type IntoFuture = Later<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { hub, request } = self;
            let except = request.except_self.then(|| request.channel.clone());
            let answer = HubClient::new(hub.client.clone()).publish(request).await?;
            let position = answer.position.map(position_of);
            if let (Some(channel), Some(position), false) = (except, position, answer.duplicate) {
                // A subscription does not wait for what is not for it.
                hub.core.skip(&channel, position);
            }
            let reached = answer
                .reached
                .map(|reached| usize::try_from(reached).unwrap_or(usize::MAX));
            let receipt = Receipt::new(answer.id.into(), position, reached);
            Ok(if answer.duplicate {
                receipt.duplicate()
            } else {
                receipt
            })
        })
    }
}

/// Users to whom events are sent, on all their connections. Made by [`ClientHub::users`].
#[derive(Debug, Clone)]
#[must_use = "nothing is sent until `send` is awaited"]
pub struct ToUsers {
    hub: ClientHub,
    users: Vec<String>,
    except_self: bool,
}

/// Clients to whom events are sent. Made by [`ClientHub::clients`].
#[derive(Debug, Clone)]
#[must_use = "nothing is sent until `send` is awaited"]
pub struct ToClients {
    hub: ClientHub,
    clients: Vec<String>,
}

impl ToUsers {
    pub(super) fn new(hub: ClientHub, users: Vec<String>) -> Self {
        Self {
            hub,
            users,
            except_self: false,
        }
    }

    /// What is sent is not for this client: for the other connections of its own user.
    pub fn except_self(mut self) -> Self {
        self.except_self = true;
        self
    }

    /// Sends an event; gives its id. Whether anybody has it is not told.
    ///
    /// Nothing is sent before the future is polled; dropping it cancels the call, and the event may have been sent.
    ///
    /// # Errors
    ///
    /// [`CallError::Status`]: PERMISSION_DENIED where this client may not send such an event to all of them, UNAUTHENTICATED where it may not
    /// while it is anonymous, INVALID_ARGUMENT for none or more than 100 of them, an event longer than 64 KiB, of a type that is
    /// not to be sent, or that breaks the rules of its fields where the server names what is. The others as for a call.
    pub async fn send<E: Event>(&self, event: &E) -> Result<String, CallError> {
        let request = SendToUsersRequest {
            users: self.users.clone(),
            event: typed(event),
            except_self: self.except_self,
        };
        let hub = HubClient::new(self.hub.client.clone());
        Ok(hub.send_to_users(request).await?.id)
    }
}

impl ToClients {
    pub(super) fn new(hub: ClientHub, clients: Vec<String>) -> Self {
        Self { hub, clients }
    }

    /// Sends an event; gives its id. Whether a client is there is not told: an id is not a right to know.
    ///
    /// Nothing is sent before the future is polled; dropping it cancels the call, and the event may have been sent.
    ///
    /// # Errors
    ///
    /// As [`ToUsers::send`]; INVALID_ARGUMENT for an id that is none as well.
    pub async fn send<E: Event>(&self, event: &E) -> Result<String, CallError> {
        let request = SendToClientsRequest {
            clients: self.clients.clone(),
            event: typed(event),
        };
        let hub = HubClient::new(self.hub.client.clone());
        Ok(hub.send_to_clients(request).await?.id)
    }
}

impl fmt::Debug for Publish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publish")
            .field("channel", &self.request.channel)
            .field("event", &self.request.event.type_name)
            .finish_non_exhaustive()
    }
}
