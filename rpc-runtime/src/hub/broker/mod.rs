//! Brokers: what keeps the events of channels in order, remembers them, and takes them to every node of a program.
//!
//! # The contract of a broker
//!
//! A *node* is one process with a [`Hub`](super::Hub). A broker serves any number of nodes; the [in-process one](LocalBroker) serves one.
//!
//! **Order.** Events of one channel have offsets that count from 1 without gaps within an epoch. Each node that has subscribed to a
//! channel is given its events in the order of their offsets, each once, one at a time. What one publisher publishes one after
//! the other has rising offsets.
//!
//! **Subscribing.** When [`subscribe`](Broker::subscribe) returns position *p*, every event after *p* is delivered to the node, until
//! [`unsubscribe`](Broker::unsubscribe). Events may be delivered before it returns. Subscribing again changes nothing, and gives
//! the position of then. A node never asks for both at once of one channel: the next is asked for when the one before has returned,
//! or was given up.
//!
//! **Acknowledgement.** When [`publish`](Broker::publish) returns a receipt, the event has its position, is in history where the channel has
//! any, and will be delivered to every node that has subscribed. An error means that it may or may not be: publishing it again
//! with the same key stores it once.
//!
//! **Keys.** An event with a key that history still remembers is not published again: the receipt is that of the first, marked
//! as a duplicate.
//!
//! **History.** [`history`](Broker::history) gives what [`Retention`] keeps; a page says whether it begins right behind the position that was asked for. An epoch
//! names one history and is random, never a time: where history was lost, a new epoch begins. It may not be told whether events
//! were lost with it, and so a broker may forget a channel that no node has subscribed to, that has no members, and in which nothing was
//! published for [`Retention::time`]. What was acknowledged, and what subscribing gave as the position, history has from then on, whichever
//! node asks.
//!
//! **Channels without history** (`Retention::NONE`) have no positions: offsets are 0, and the order is that of delivery.
//!
//! **Presence.** A member joins with its client id, and is there until it leaves, or until its node is gone for
//! longer than [`MEMBER_TIME`] without saying so. Each change says whether it was the first or last client of its user.
//!
//! **Sending** to clients, users, or everybody is delivered to all nodes, without position and without history, in the order of
//! each sender.
//!
//! **Failure.** A call that fails leaves nothing half done that a later call could not see. No call blocks for longer than two seconds.
//!
//! `tests/broker-conformance` holds a broker to all of this.

mod erased;
mod local;

use std::{
    fmt,
    future::Future,
    sync::{Arc, Weak},
    time::{Duration, SystemTime},
};

use bytes::Bytes;

pub(crate) use erased::ErasedBroker;
pub use local::LocalBroker;

use super::{ChannelName, Retention};
use crate::{ClientId, Status};

/// A member whose node has said nothing for so long is gone.
pub const MEMBER_TIME: Duration = Duration::from_secs(40);

/// A place in a channel's history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Position {
    /// Which history: random, and another after history was lost.
    pub epoch: u64,
    /// How many events had been published in it, up to this one and with it. 0 is before the first.
    pub offset: u64,
}

/// Who published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publisher {
    /// The client.
    pub client: ClientId,
    /// Who it was known as.
    pub user: Option<Arc<str>>,
}

/// What is published.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The event's full name, such as `chat.Message`.
    pub type_name: Arc<str>,
    /// The event, encoded.
    pub body: Bytes,
    /// The key under which it is stored once, and its id. `None`: the id is made of its position.
    pub key: Option<Arc<str>>,
    /// When it was published, by the clock of the node.
    pub time: SystemTime,
    /// Who published it, where subscribers are to know.
    pub publisher: Option<Publisher>,
    /// Clients that it is not for, also when they recover.
    pub except: Arc<[ClientId]>,
}

/// What was published.
#[derive(Debug, Clone)]
pub struct Published {
    /// Where; offset 0 in a channel without history, and for what was sent.
    pub position: Position,
    /// What.
    pub publication: Publication,
}

impl Published {
    /// The event's id: its key, else `<epoch>-<offset>` in hexadecimal and decimal digits.
    pub fn id(&self) -> Arc<str> {
        match &self.publication.key {
            Some(key) => key.clone(),
            None => id_of(self.position).into(),
        }
    }

    /// Whether it is for a client.
    pub(crate) fn is_for(&self, client: ClientId) -> bool {
        !self.publication.except.contains(&client)
    }
}

/// The id of an event that has no other.
pub(crate) fn id_of(position: Position) -> String {
    format!("{:016x}-{}", position.epoch, position.offset)
}

/// What publishing came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// The event's id.
    pub id: Arc<str>,
    /// Where it is in its channel; `None` where that has no history, and for what was sent.
    pub position: Option<Position>,
    /// How many clients it was given to, as far as the broker knows: exact in one process.
    pub reached: Option<usize>,
    /// An event with this key had been published before; nothing was published now.
    pub duplicate: bool,
}

impl Receipt {
    /// What publishing came to.
    pub fn new(id: Arc<str>, position: Option<Position>, reached: Option<usize>) -> Self {
        Self {
            id,
            position,
            reached,
            duplicate: false,
        }
    }

    /// The same, of an event that had been published before.
    #[must_use]
    pub fn duplicate(mut self) -> Self {
        self.duplicate = true;
        self.reached = Some(0);
        self
    }
}

/// Whom something is sent to that is published in no channel.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// One client.
    Client(ClientId),
    /// All clients of a user.
    User(Arc<str>),
    /// All clients.
    All,
    /// All clients that are known as no user.
    Anonymous,
}

/// Which part of a history is asked for. All that is set holds.
#[derive(Debug, Clone, Copy, Default)]
pub struct HistoryQuery {
    /// Events after this position. A position of another epoch, or beyond the last event, is known to nobody.
    pub after: Option<Position>,
    /// Events before this offset, in the present epoch.
    pub before: Option<u64>,
    /// Events published then or later.
    pub since: Option<SystemTime>,
    /// Events published before then.
    pub until: Option<SystemTime>,
    /// So many at most.
    pub limit: usize,
    /// The latest first.
    pub newest_first: bool,
}

/// A part of a history.
#[derive(Debug, Clone)]
pub struct History {
    /// Where the channel is now.
    pub position: Position,
    /// The events, in the direction that was asked for.
    pub events: Vec<Arc<Published>>,
    /// With [`HistoryQuery::after`]: no event is missing between that position and those that are given. False as well where
    /// that position is known to nobody.
    pub complete: bool,
    /// There are more in that direction.
    pub more: bool,
}

/// Who is in a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The client.
    pub client: ClientId,
    /// Who it is known as.
    pub user: Option<Arc<str>>,
    /// Since when.
    pub since: SystemTime,
    /// What it says of itself: a message's full name, and the message.
    pub data: Option<(Arc<str>, Bytes)>,
}

/// What a change of presence came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemberChange {
    /// Something has changed: the client was not there, or was.
    pub changed: bool,
    /// The client is the first of its user, or was the last. True for each anonymous client.
    pub of_user: bool,
}

/// Why a broker cannot do what it is asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// The broker cannot be reached, or does not answer.
    #[error("the broker is not available: {0}")]
    Unavailable(String),
    /// There is no room: too many channels, or members.
    #[error("the broker has no room: {0}")]
    Full(&'static str),
}

impl From<BrokerError> for Status {
    fn from(error: BrokerError) -> Self {
        match error {
            BrokerError::Unavailable(_) => Status::unavailable("the broker is not available"),
            BrokerError::Full(what) => Status::resource_exhausted(format!("the broker has no room: {what}")),
        }
    }
}

/// Keeps the events of channels in order, remembers them, and takes them to every node. See the [module](self) for its contract.
pub trait Broker: Send + Sync + 'static {
    /// Begins to deliver to a node. Called once for each node, before anything else.
    fn start(&self, node: Node);

    /// Publishes in a channel.
    fn publish(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        publication: Publication,
    ) -> impl Future<Output = Result<Receipt, BrokerError>> + Send;

    /// Has a channel's events delivered to the node from the position on that is returned.
    fn subscribe(
        &self,
        channel: &ChannelName,
        keep: &Retention,
    ) -> impl Future<Output = Result<Position, BrokerError>> + Send;

    /// Has a channel's events delivered no more.
    fn unsubscribe(&self, channel: &ChannelName) -> impl Future<Output = Result<(), BrokerError>> + Send;

    /// Reads a channel's history.
    fn history(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        query: &HistoryQuery,
    ) -> impl Future<Output = Result<History, BrokerError>> + Send;

    /// Sends what belongs to no channel.
    fn send(
        &self,
        to: &Address,
        publication: Publication,
    ) -> impl Future<Output = Result<Receipt, BrokerError>> + Send;

    /// A client is in a channel from now on. One that is there already has its data and its user replaced.
    fn join(
        &self,
        channel: &ChannelName,
        member: Member,
    ) -> impl Future<Output = Result<MemberChange, BrokerError>> + Send;

    /// A client is not in a channel any more.
    fn leave(
        &self,
        channel: &ChannelName,
        client: ClientId,
    ) -> impl Future<Output = Result<MemberChange, BrokerError>> + Send;

    /// Who is in a channel, in no order.
    fn members(&self, channel: &ChannelName)
    -> impl Future<Output = Result<Vec<Member>, BrokerError>> + Send;
}

/// Whom a node delivers to: its hub, or what stands in for one where a broker is tested by itself.
pub trait Receiver: Send + Sync + 'static {
    /// Takes an event of a channel, in the order of calls. Gives how many clients have it. Never waits.
    fn deliver(&self, channel: &ChannelName, event: &Arc<Published>) -> usize;

    /// Takes what was sent to an address. Gives how many clients have it. Never waits.
    fn deliver_to(&self, to: &Address, event: &Arc<Published>) -> usize;
}

/// A node, as a broker sees it: whom it delivers to. It keeps nobody alive: what is delivered to whom is gone reaches nobody.
#[derive(Clone)]
pub struct Node {
    id: u64,
    receiver: Weak<dyn Receiver>,
}

impl Node {
    /// A node of this name, which is random, and another for each. A [`Hub`](super::Hub) makes its own.
    pub fn new<R: Receiver>(id: u64, receiver: &Arc<R>) -> Self {
        let receiver: Weak<R> = Arc::downgrade(receiver);
        Self { id, receiver }
    }

    /// The node's name.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Gives an event to the subscribers that the node has in a channel, in the order of calls. Gives how many that were. Never
    /// waits.
    pub fn deliver(&self, channel: &ChannelName, event: &Arc<Published>) -> usize {
        self.receiver
            .upgrade()
            .map_or(0, |receiver| receiver.deliver(channel, event))
    }

    /// Gives what was sent to the clients that the node has of an address. Gives how many that were. Never waits.
    pub fn deliver_to(&self, to: &Address, event: &Arc<Published>) -> usize {
        self.receiver
            .upgrade()
            .map_or(0, |receiver| receiver.deliver_to(to, event))
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
