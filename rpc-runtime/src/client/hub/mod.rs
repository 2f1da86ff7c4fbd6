//! The hub as a client uses it: typed events of channels, and of what is sent to this client; publishing, sending, presence and
//! history.
//!
//! ```
//! use rpc_runtime::{CallError, Client, contract};
//! use rpc_runtime::hub::{Event, client::SubscriptionError};
//!
//! /// Someone said something in a room.
//! #[contract(package = "chat", event, channels = "room:{id}", detached)]
//! pub struct Said {
//!     pub text: String,
//! }
//!
//! async fn listen(client: &Client) -> Result<(), CallError> {
//!     let hub = client.hub();
//!     let mut room = hub.subscribe::<Said>("room:5").await?;
//!     hub.publish("room:5", &Said { text: "hello".into() }).await?;
//!     while let Some(item) = room.next().await {
//!         match item {
//!             Ok(received) => println!("{:?}: {}", received.user, received.event.text),
//!             // The client was away for longer than the channel's history reaches.
//!             Err(SubscriptionError::Gap(gap)) => println!("{gap}"),
//!             // It ends; nothing comes behind it.
//!             Err(end) => println!("{end}"),
//!         }
//!     }
//!     Ok(())
//! }
//! # let _ = listen;
//! ```
//!
//! # What is promised
//!
//! A [`Subscription`] gives the events of its channel in their order, each once, over any number of reconnects: a client that comes back
//! asks for what it has missed, and so does one that sees a jump in the offsets, which a server makes that drops events for
//! slow clients. What cannot be had any more is a [`Gap`], and never silence. Channels without
//! history have nothing to recover from: each reconnect is a gap there.
//!
//! # What it costs
//!
//! One call for up to 100 channels after each reconnect. A jump in the offsets costs a call, at most ten in a second for a channel: the
//! server does not say of an event that it is for others. Of those that this client itself has published by
//! [`except_self`](Publish::except_self) it knows, and does not ask.
//!
//! What a program does not read waits within bounds; see [`Subscription`]. While the server is asked for what was missed, at most
//! 1,024 events and 1 MiB of a channel wait for that; so many again wait of channels that are subscribed to for the first time on a
//! connection, whose events may be there before the answer is.
//!
//! A client that never uses its hub pays for none of this.

mod any;
mod by_server;
mod error;
mod events;
mod feed;
mod held;
mod inbox;
mod keeper;
mod publishing;
mod reading;
mod received;
mod routing;
mod skips;
mod sub;
mod subscribe;
mod subscription;
mod told;
mod wire;

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
};

pub use any::AnyEvent;
pub use by_server::{ServerSubscription, ServerSubscriptions};
pub use error::{Gap, GapCause, SubscriptionError};
pub use events::EventStream;
pub use publishing::{Publish, ToClients, ToUsers};
pub use reading::{HistoryPage, Presence, PresentMember, ReadHistory};
pub use received::{Received, ReceivedKind};
use routing::Core;
pub(super) use routing::HubCell;
pub use subscribe::{Subscribe, SubscribeAll};
pub use subscription::Subscription;

use super::Client;
use crate::hub::{Event, Events};

/// The hub of the server that a client is connected to. Made by [`Client::hub`]; cloning is cheap.
///
/// Its server has to serve [`services::hub`](crate::services::hub): without, everything here fails with UNIMPLEMENTED. See the
/// [module](self).
#[derive(Clone)]
pub struct ClientHub {
    client: Client,
    core: Arc<Core>,
}

impl Client {
    /// The hub of the server: channels, users and other clients. See [`ClientHub`].
    pub fn hub(&self) -> ClientHub {
        let core = self.channel().config.hub.core().clone();
        if let Some(error) = self.channel().end() {
            // It was closed before there was a hub to be told.
            self.channel().config.hub.finish(|| error);
        }
        ClientHub {
            client: self.clone(),
            core,
        }
    }

    /// The events of a type, or of a closed set of types, that are sent to this client, to its user or to all clients, from now
    /// on. See [`EventStream`].
    pub fn events<E: Events>(&self) -> EventStream<E> {
        let ClientHub { client, core } = self.hub();
        EventStream::new(client, core)
    }
}

impl ClientHub {
    /// Subscribes to a channel, by its name, such as `room:5`.
    pub fn subscribe<E: Events>(&self, channel: impl Into<String>) -> Subscribe<E> {
        Subscribe::new(self.clone(), channel.into())
    }

    /// Subscribes to several channels at once. Each is answered for itself.
    pub fn subscribe_all<E: Events>(
        &self,
        channels: impl IntoIterator<Item = impl Into<String>>,
    ) -> SubscribeAll<E> {
        SubscribeAll::new(self.clone(), channels.into_iter().map(Into::into).collect())
    }

    /// What the server subscribes this client to by itself.
    pub fn server_subscriptions(&self) -> ServerSubscriptions {
        ServerSubscriptions::new(self.client.clone(), self.core.clone())
    }

    /// Publishes an event to the subscribers of a channel.
    pub fn publish<E: Event>(&self, channel: impl Into<String>, event: &E) -> Publish {
        Publish::new(self.clone(), channel.into(), event)
    }

    /// All connections of a user.
    pub fn user(&self, user: impl Into<String>) -> ToUsers {
        self.users([user])
    }

    /// All connections of several users.
    pub fn users(&self, users: impl IntoIterator<Item = impl Into<String>>) -> ToUsers {
        ToUsers::new(self.clone(), users.into_iter().map(Into::into).collect())
    }

    /// One client, by the id that presence, or an event, gives.
    pub fn client(&self, client: impl Into<String>) -> ToClients {
        self.clients([client])
    }

    /// Several clients.
    pub fn clients(&self, clients: impl IntoIterator<Item = impl Into<String>>) -> ToClients {
        ToClients::new(self.clone(), clients.into_iter().map(Into::into).collect())
    }

    /// Reads a channel's history.
    pub fn history<E: Events>(&self, channel: impl Into<String>) -> ReadHistory<E> {
        ReadHistory::new(self.clone(), channel.into())
    }

    /// How many events were sent to this client, its user or all, for which nobody listened.
    pub fn unheard(&self) -> u64 {
        self.client.channel().config.hub.unheard.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for ClientHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHub").field("core", &self.core).finish()
    }
}
