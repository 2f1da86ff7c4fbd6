//! The hub: typed events to users, channels and clients, with presence, history and recovery.
//!
//! An event is a contract: `#[contract(event)]`. A program publishes it to a *channel*, whoever has subscribed there, or sends it to a
//! *user*, on all connections that are known as that user, or to one *client*; from handlers and from anywhere else:
//!
//! ```
//! use rpc_runtime::hub::{Hub, HubError, Notification};
//!
//! async fn deploy(hub: &Hub) -> Result<(), HubError> {
//!     let notification = Notification::info("Version 5 is there", "Reload the page.");
//!     hub.channel("news").publish(&notification).await?;
//!     hub.user("ali").publish(&notification).await?;
//!     let receipt = hub.all().publish(&notification).await?;
//!     println!("{:?} clients have it", receipt.reached);
//!     Ok(())
//! }
//! # let _ = deploy;
//! ```
//!
//! A channel belongs to a [`Namespace`], which says who may do what in it, what is kept, and what happens to subscribers who are
//! slow. Clients subscribe, publish and read by the contract `rpc.hub.v1.HubService`
//! ([`services::hub`](crate::services::hub)), which a server serves where it adds it.
//!
//! # How an event travels
//!
//! The [`Broker`] gives it its position and keeps it; the node finds the channel, encodes the event once, and puts the same bytes into
//! the queue of each subscriber. Each connection's task sends what its queue holds, as fast as its client takes it. Nobody waits
//! for a slow client: see [`SlowConsumer`].

mod address;
mod allowed;
pub mod broker;
mod catching_up;
pub(crate) mod change;
mod channel;
mod counted;
mod encode;
pub(crate) mod event;
mod except;
mod granting;
mod heard;
mod joining;
mod keeping;
mod link;
mod listening;
mod name;
mod namespace;
mod pattern;
mod presence;
mod presence_turns;
mod queue;
mod reading;
mod rights;
mod room;
mod sending;
mod settling;
mod subscribing;
mod table;
mod turns;
mod unsubscribing;

use std::{
    fmt,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::Semaphore;

pub use crate::client::hub as client;
pub use address::{HubError, To};
pub(crate) use address::{LONGEST_EVENT, LONGEST_MESSAGE, TOO_SLOW};
use allowed::{AllowedEvents, MessageCheck};
use broker::{Address, ErasedBroker, Node, Published, Receiver};
#[doc(inline)]
pub use broker::{
    Broker, BrokerWrapper, History, HistoryQuery, LocalBroker, Member, Position, PositionError, Publisher,
    Receipt,
};
pub(crate) use catching_up::{Begun, bytes_of_one};
pub(crate) use channel::Channel;
use counted::Counted;
pub(crate) use counted::Counts;
pub(crate) use encode::micros_of;
pub use event::{Event, EventFacts, Events};
pub(crate) use event::{facts_of, is_among};
pub use granting::Subscriber;
pub(crate) use heard::{PresenceData, SessionChannels};
use listening::Listening;
pub(crate) use name::is_message_name;
pub use name::{ChannelName, NameError};
pub(crate) use namespace::{Act, ActiveNamespace, Taken};
use namespace::{Declared, Namespaces};
pub use namespace::{Namespace, NamespaceError, OnSubscribe, Retention, SlowConsumer, Snapshot};
pub use pattern::{ChannelParams, PatternError};
use presence_turns::PresenceTurns;
pub(crate) use queue::{DIRECT, EventQueue, Put, Queued};
pub use rights::{Anyone, Asks, HasRole, Nobody, Right, Users};
pub(crate) use room::Room;
use sending::Sending;
pub(crate) use subscribing::Wish;
use table::Channels;
pub(crate) use turns::in_turn;

use crate::{Session, metrics::NamespaceMeter, random, server::Shared};

#[doc(inline)]
pub use crate::services::hub::{
    DataChanged, Joined, Left, NamedEvent, Notification, NotificationAction, NotificationLevel,
};

/// No answer is longer, in bytes, whatever the client would take.
pub(crate) const LONGEST_ANSWER: usize = 4 << 20;

/// Typed events to users, channels and clients. Made before its server, and given to it by
/// [`ServerBuilder::hub`](crate::ServerBuilder::hub). Cloning is cheap, and all clones are one hub.
///
/// See the [module](self).
#[derive(Clone)]
pub struct Hub {
    pub(crate) inner: Arc<HubInner>,
}

/// Makes a [`Hub`].
#[derive(Default)]
pub struct HubBuilder {
    declared: Vec<Declared>,
    sending: Sending,
    broker: Option<Arc<dyn ErasedBroker>>,
}

/// What all clones of a hub share.
pub(crate) struct HubInner {
    /// The node's name.
    pub(crate) node: u64,
    pub(crate) namespaces: Namespaces,
    sending: Sending,
    pub(crate) broker: Arc<dyn ErasedBroker>,
    pub(crate) channels: Channels,
    /// On whose accounts the channels are that somebody hears.
    listening: Arc<Listening>,
    /// Of what is sent directly.
    direct: Counted,
    /// In which presence is told.
    presence_turns: PresenceTurns,
    /// For sessions whose presence waits to be told again.
    presence_waits: Semaphore,
    /// The server whose clients it reaches.
    server: OnceLock<Weak<Shared>>,
    /// Of ids of events that have no position.
    next_id: AtomicU64,
}

impl Hub {
    /// Begins a hub.
    pub fn builder() -> HubBuilder {
        HubBuilder::default()
    }

    /// The clients of this server are its clients. `false` where it has a server already.
    pub(crate) fn attach(&self, server: &Arc<Shared>) -> bool {
        self.inner.server.set(Arc::downgrade(server)).is_ok()
    }

    /// Whether there are channels.
    pub(crate) fn has_namespaces(&self) -> bool {
        self.inner.namespaces.iter().next().is_some()
    }

    /// Records metrics from now on, in what is the recorder now.
    pub(crate) fn record(&self) {
        for namespace in self.inner.namespaces.iter() {
            namespace.counted.record(NamespaceMeter::new(namespace.pattern()));
        }
        self.inner.direct.record(NamespaceMeter::new("(direct)"));
    }

    /// What was counted until now, of all namespaces and of what was sent directly.
    pub(crate) fn counts(&self) -> Counts {
        let mut sum = Counts::default();
        self.inner.direct.add_to(&mut sum);
        for namespace in self.inner.namespaces.iter() {
            namespace.counted.add_to(&mut sum);
        }
        sum
    }

    /// An id for an event that has no position.
    pub(crate) fn new_id(&self) -> Arc<str> {
        let number = self.inner.next_id.fetch_add(1, Ordering::Relaxed);
        format!("{:x}.{number}", self.inner.node).into()
    }
}

impl Default for Hub {
    /// A hub without namespaces: clients and users can be sent to.
    fn default() -> Self {
        HubBuilder::default().finish(Namespaces::default())
    }
}

impl HubBuilder {
    /// Adds a namespace.
    #[must_use]
    pub fn namespace<P: ChannelParams>(mut self, namespace: Namespace<P>) -> Self {
        self.declared.push(namespace.declared());
        self
    }

    /// Has another broker than the one of this process.
    #[must_use]
    pub fn broker(mut self, broker: impl Broker) -> Self {
        self.broker = Some(Arc::new(broker));
        self
    }

    /// Makes the hub.
    ///
    /// # Errors
    ///
    /// What is wrong with a namespace.
    pub fn build(mut self) -> Result<Hub, NamespaceError> {
        let namespaces = Namespaces::build(std::mem::take(&mut self.declared))?;
        Ok(self.finish(namespaces))
    }

    fn finish(self, namespaces: Namespaces) -> Hub {
        let broker = self.broker.unwrap_or_else(|| Arc::new(LocalBroker::default()));
        let inner = Arc::new(HubInner {
            node: u64::from_ne_bytes(random::bytes()),
            namespaces,
            sending: self.sending,
            broker,
            channels: Channels::default(),
            listening: Arc::default(),
            direct: Counted::default(),
            presence_turns: PresenceTurns::default(),
            presence_waits: Semaphore::new(settling::MOST_WAITING),
            server: OnceLock::new(),
            next_id: AtomicU64::new(1),
        });
        inner.broker.start(Node::new(inner.node, &inner));
        Hub { inner }
    }
}

impl HubInner {
    /// The server, while it lives.
    pub(crate) fn server(&self) -> Option<Arc<Shared>> {
        self.server.get()?.upgrade()
    }
}

impl Receiver for HubInner {
    fn deliver(&self, channel: &ChannelName, event: &Arc<Published>) -> usize {
        let Some(channel) = self.channels.find(channel) else {
            return 0;
        };
        let out = channel.fan_out(event);
        channel.namespace.counted.delivered(out.reached, out.dropped);
        out.reached
    }

    fn deliver_to(&self, to: &Address, event: &Arc<Published>) -> usize {
        let Some(server) = self.server() else { return 0 };
        let mut queued = None;
        let (mut reached, mut dropped) = (0, 0);
        let mut give = |session: &Session| {
            if !event.is_for(session.id()) {
                return;
            }
            let queued = queued.get_or_insert_with(|| Queued::new(encode::direct(event), DIRECT));
            match session.queue_event(queued.clone(), SlowConsumer::Disconnect) {
                Put::Queued => reached += 1,
                Put::Refused => dropped += 1,
                // The others are of other policies; and who is gone misses nothing.
                _ => {}
            }
        };
        match to {
            Address::Client(client) => {
                if let Some(session) = server.session(*client) {
                    give(&session);
                }
            }
            Address::User(user) => server
                .sessions_of_user(user)
                .iter()
                .for_each(|session| give(session)),
            Address::All => {
                let sessions = server.sessions().filter(|session| session.hears_broadcasts());
                sessions.for_each(|session| give(&session));
            }
            Address::Anonymous => {
                let sessions = server.sessions().filter(|session| session.hears_broadcasts());
                sessions
                    .filter(|session| session.identity().is_none())
                    .for_each(|session| give(&session));
            }
        }
        self.direct.delivered(reached, dropped);
        reached
    }
}

impl fmt::Debug for HubInner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubInner")
            .field("namespaces", &self.namespaces)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("namespaces", &self.inner.namespaces)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for HubBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubBuilder")
            .field("namespaces", &self.declared.len())
            .finish_non_exhaustive()
    }
}
