//! Brokers: what keeps the events of channels in order, remembers them, and takes them to every node of a program.
//!
//! # The contract of a broker
//!
//! A *node* is one process with a [`Hub`](super::Hub). A broker serves any number of nodes; the [in-process one](LocalBroker) serves one.
//!
//! **Order.** Events of one channel have offsets that count from 1 without gaps within an epoch. Each node that has subscribed to a
//! channel is given its events in the order of their offsets, each once, one at a time. What one publisher publishes has
//! rising offsets in the order in which its calls were first polled, also where they run at once: without history, it is
//! delivered in that order.
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
//! as a duplicate. A key is its [`Origin`]'s own: the same text is another key where somebody else publishes, so that nobody
//! can use up, or ask for, what is another's. An event of another type or with another body than the first is refused with
//! [`BrokerError::OtherEvent`], and not stored.
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
//! longer than [`MEMBER_TIME`] without saying so. Each change says whether it was the first or last client of its user. Members are
//! read in pages, in the order of their clients' ids: whoever is there while all pages are read is on exactly one of them. The
//! counts are those of the moment.
//!
//! **Bounds.** A broker may refuse what is too much, of all ([`BrokerError::Full`]) or of one origin
//! ([`BrokerError::AccountFull`]). Nothing of it is stored or delivered then, and nothing that was acknowledged is let go of for
//! what is new: it is the newcomer who is refused.
//!
//! **Sending** to clients, users, or everybody is delivered to all nodes, without position and without history, in the order of
//! each sender.
//!
//! **Failure.** A call that fails leaves nothing half done that a later call could not see. No call blocks for longer than two seconds.
//!
//! `tests/broker-conformance` holds a broker to all of this.

mod erased;
mod local;
mod types;
mod wrapper;

use std::{
    fmt,
    future::Future,
    sync::{Arc, Weak},
    time::Duration,
};

pub(crate) use erased::ErasedBroker;
pub use local::LocalBroker;
pub use types::{
    Address, BrokerError, History, HistoryQuery, Member, MemberChange, Members, MembersQuery, Origin,
    Position, PositionError, Publication, Published, Publisher, Receipt,
};
pub use wrapper::BrokerWrapper;

use super::{ChannelName, Retention};
use crate::ClientId;

/// A member whose node has said nothing for so long is gone.
pub const MEMBER_TIME: Duration = Duration::from_secs(40);

/// Keeps the events of channels in order, remembers them, and takes them to every node. See the [module](self) for its contract.
pub trait Broker: Send + Sync + 'static {
    /// Begins to deliver to a node. Called once for each node, before anything else.
    fn start(&self, node: Node);

    /// Publishes in a channel. Calls of one node for one channel are ordered by when their futures are first polled: what is polled
    /// first is there first, whatever each of them waits for then.
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

    /// Reads who is in a channel.
    fn members(
        &self,
        channel: &ChannelName,
        query: &MembersQuery,
    ) -> impl Future<Output = Result<Members, BrokerError>> + Send;
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
