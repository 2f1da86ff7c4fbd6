//! The broker of one process: everything is in its memory, and delivered before publishing returns.

mod shelf;
mod topic;

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    Address, Broker, BrokerError, ChannelName, History, HistoryQuery, Member, MemberChange, Node, Position,
    Publication, Published, Receipt, Retention,
};
use crate::ClientId;
use shelf::{NoPlace, Shelf};
use topic::{Added, EVENT};

/// What events that have no position have for one.
const NOWHERE: Position = Position { epoch: 0, offset: 0 };

/// The broker of one process; the default.
///
/// It has one node. Histories are lost with the process: clients that come back to the next one are told that they are not
/// recovered. So are those that come back to a channel that was let go of: a channel is remembered while the node has subscribed
/// to it, while somebody is in it, and for [`Retention::time`] after the last of that and of what was published there. Then
/// it takes no memory any more, and begins anew when it is used again, with another epoch.
///
/// ```
/// use rpc_runtime::hub::{Hub, LocalBroker};
///
/// let broker = LocalBroker::default()
///     .most_channels(10_000)
///     .most_history_bytes(64 << 20);
/// assert!(Hub::builder().broker(broker).build().is_ok());
/// ```
#[derive(Debug)]
pub struct LocalBroker {
    shelf: Shelf,
    most_channels: usize,
    most_history_bytes: usize,
    node: OnceLock<Node>,
}

impl Default for LocalBroker {
    fn default() -> Self {
        Self {
            shelf: Shelf::default(),
            most_channels: 1_000_000,
            most_history_bytes: 1 << 30,
            node: OnceLock::new(),
        }
    }
}

impl LocalBroker {
    /// How many channels are remembered at a time that keep events or have members; what would need one more is answered
    /// RESOURCE_EXHAUSTED. A channel takes about 500 bytes beside its events and members. 1,000,000 by default.
    #[must_use]
    pub fn most_channels(mut self, most: usize) -> Self {
        self.most_channels = most;
        self
    }

    /// What the histories of all channels may take together, in bytes; each event counts for its body and 256 bytes. What is
    /// published beyond that to a channel that keeps events is answered RESOURCE_EXHAUSTED, until older events expire. 1 GiB by
    /// default.
    #[must_use]
    pub fn most_history_bytes(mut self, most: usize) -> Self {
        self.most_history_bytes = most;
        self
    }

    fn started(&self) -> Result<&Node, BrokerError> {
        let node = self.node.get();
        node.ok_or_else(|| BrokerError::Unavailable("no node has been started".to_owned()))
    }
}

impl From<NoPlace> for BrokerError {
    fn from(NoPlace: NoPlace) -> Self {
        Self::Full("there are as many channels as there may be")
    }
}

impl Broker for LocalBroker {
    fn start(&self, node: Node) {
        // A second node would have to be another process.
        let _ = self.node.set(node);
    }

    async fn publish(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        mut publication: Publication,
    ) -> Result<Receipt, BrokerError> {
        let node = self.started()?;
        if !keep.keeps() {
            let event = Arc::new(Published {
                position: NOWHERE,
                publication,
            });
            // The order is that of delivery, which the channel's lock on the node makes.
            let reached = node.deliver(channel, &event);
            return Ok(Receipt::new(event.id(), None, Some(reached)));
        }
        if self.shelf.weight() + publication.body.len() + EVENT > self.most_history_bytes {
            return Err(BrokerError::Full("the histories take as much memory as they may"));
        }
        // It may be a small part of what a client has sent, which history would keep as a whole.
        publication.body = Bytes::copy_from_slice(&publication.body);
        let now = Instant::now();
        let receipt = self.shelf.with(channel, now, self.most_channels, |topic| {
            topic.keep(keep, now);
            match topic.add(publication, now) {
                Added::Duplicate(receipt) => receipt,
                Added::New(event) => {
                    // Under the lock, so that nobody else's event comes in between.
                    let reached = node.deliver(channel, &event);
                    Receipt::new(event.id(), Some(event.position), Some(reached))
                }
            }
        })?;
        Ok(receipt)
    }

    async fn subscribe(&self, channel: &ChannelName, keep: &Retention) -> Result<Position, BrokerError> {
        if !keep.keeps() {
            return Ok(NOWHERE);
        }
        let now = Instant::now();
        let position = self.shelf.with(channel, now, self.most_channels, |topic| {
            topic.keep(keep, now);
            topic.set_subscribed(true, now);
            topic.position()
        })?;
        Ok(position)
    }

    async fn unsubscribe(&self, channel: &ChannelName) -> Result<(), BrokerError> {
        let now = Instant::now();
        self.shelf
            .find(channel, now, |topic| topic.set_subscribed(false, now));
        Ok(())
    }

    async fn history(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        query: &HistoryQuery,
    ) -> Result<History, BrokerError> {
        if !keep.keeps() {
            return Ok(History {
                position: NOWHERE,
                events: Vec::new(),
                complete: query.after.is_none(),
                more: false,
            });
        }
        let now = Instant::now();
        let history = self.shelf.with(channel, now, self.most_channels, |topic| {
            topic.keep(keep, now);
            topic.read(query)
        })?;
        Ok(history)
    }

    async fn send(&self, to: &Address, publication: Publication) -> Result<Receipt, BrokerError> {
        let node = self.started()?;
        let event = Arc::new(Published {
            position: NOWHERE,
            publication,
        });
        let reached = node.deliver_to(to, &event);
        Ok(Receipt::new(event.id(), None, Some(reached)))
    }

    async fn join(&self, channel: &ChannelName, member: Member) -> Result<MemberChange, BrokerError> {
        let now = Instant::now();
        let most = self.most_channels;
        Ok(self.shelf.with(channel, now, most, |topic| topic.join(member))?)
    }

    async fn leave(&self, channel: &ChannelName, client: ClientId) -> Result<MemberChange, BrokerError> {
        let now = Instant::now();
        let change = self.shelf.find(channel, now, |topic| topic.leave(client, now));
        Ok(change.unwrap_or_default())
    }

    async fn members(&self, channel: &ChannelName) -> Result<Vec<Member>, BrokerError> {
        let members = self.shelf.find(channel, Instant::now(), |topic| topic.members());
        Ok(members.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
