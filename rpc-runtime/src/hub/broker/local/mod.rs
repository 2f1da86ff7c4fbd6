//! The broker of one process: everything is in its memory, and delivered before publishing returns.

mod ledger;
mod people;
mod room;
mod shelf;
mod topic;

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    Address, Broker, BrokerError, ChannelName, History, HistoryQuery, Member, MemberChange, Members,
    MembersQuery, Node, Position, Publication, Published, Receipt, Retention,
};
use crate::ClientId;
use ledger::Taken;
use room::{Most, NoRoom};
use shelf::Shelf;
use topic::Added;

/// What events that have no position have for one.
const NOWHERE: Position = Position { epoch: 0, offset: 0 };

/// The broker of one process; the default.
///
/// It has one node. Histories are lost with the process: clients that come back to the next one are told that they are not
/// recovered. So are those that come back to a channel that was let go of: a channel is remembered while the node has subscribed
/// to it, while somebody is in it, and for [`Retention::time`] after the last of that and of what was published there. Then
/// it takes no memory any more, and begins anew when it is used again, with another epoch.
///
/// # When there is no room
///
/// Everything has a bound. At the bound, channels go first whose time is over, then those that nobody is in and that have no
/// events, the longest idle first; all they had was an epoch. What is kept is not let go of for what is new: that is refused.
///
/// So that nobody can take all room of those who publish, what one user keeps in histories and in presence, or one client that
/// nobody knows, has [a bound of its own](Self::most_of_one_account). Those who listen take three quarters at most, all together, by
/// the channels that somebody has subscribed to or is in, and by what presence says of them: the rest is left to those who
/// publish, and who would listen in one channel more that nobody has is refused. How much of that one user may have, or those whom
/// nobody knows at one address, is the server's to say:
/// [`ServerLimits::channels_per_user`](crate::ServerLimits::channels_per_user).
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
    most_of_one: Taken,
    node: OnceLock<Node>,
}

impl Default for LocalBroker {
    fn default() -> Self {
        Self {
            shelf: Shelf::default(),
            most_channels: 1_000_000,
            most_history_bytes: 1 << 30,
            most_of_one: Taken {
                channels: 10_000,
                bytes: 32 << 20,
            },
            node: OnceLock::new(),
        }
    }
}

impl LocalBroker {
    /// How many channels are remembered at a time that keep events or have members; what would need one more is answered
    /// RESOURCE_EXHAUSTED. 1,000,000 by default.
    #[must_use]
    pub fn most_channels(mut self, most: usize) -> Self {
        self.most_channels = most;
        self
    }

    /// What all channels may take together, in bytes: 768 and its name for each; 384 for each event of a history, and all that
    /// the event consists of; 128 more for its key; 384 for each member, and what it says of itself. What would need more is
    /// answered RESOURCE_EXHAUSTED, until older events expire or members leave. 1 GiB by default.
    #[must_use]
    pub fn most_history_bytes(mut self, most: usize) -> Self {
        self.most_history_bytes = most;
        self
    }

    /// What the account of one user may have, or of one client that nobody knows: so many channels that it was the first to publish
    /// in, and so many bytes, of its events in all histories and of what presence says of its clients, counted as for all. What it
    /// publishes or joins beyond that is answered RESOURCE_EXHAUSTED until some of its events expire or its clients leave; nobody
    /// else is concerned. 10,000 channels and 32 MiB by default, and never more than half of what all may take. What the program
    /// itself publishes is on no account, and neither is what somebody subscribes to.
    #[must_use]
    pub fn most_of_one_account(mut self, channels: usize, bytes: usize) -> Self {
        self.most_of_one = Taken { channels, bytes };
        self
    }

    /// Publishes where events are kept. The publication is taken where it is stored.
    fn publish_kept(
        &self,
        node: &Node,
        channel: &ChannelName,
        keep: &Retention,
        place: &mut Option<Publication>,
        now: Instant,
    ) -> Result<Result<Receipt, BrokerError>, NoRoom> {
        let (ledger, most_of_one) = (&self.shelf.ledger, self.most_of_one());
        let adds = place.as_ref().map_or(0, topic::weight_of);
        self.shelf.with(channel, now, self.most(), adds, |topic| {
            topic.keep(keep, now, ledger);
            let before = place.as_ref().and_then(|publication| topic.published(publication));
            match before.unwrap_or_else(|| topic.add(place, now, ledger, most_of_one)) {
                Added::Duplicate(receipt) => Ok(receipt),
                Added::Another => Err(BrokerError::OtherEvent),
                Added::NoShare => Err(BrokerError::AccountFull(
                    "its events take as much of the histories as those of one user may; some have to expire first",
                )),
                Added::New(event) => {
                    // Under the lock, so that nobody else's event comes in between.
                    let reached = node.deliver(channel, &event);
                    Ok(Receipt::new(event.id(), Some(event.position), Some(reached)))
                }
            }
        })
    }

    /// Puts a member in where its account has room.
    fn join_once(
        &self,
        channel: &ChannelName,
        member: Member,
        now: Instant,
    ) -> Result<Option<MemberChange>, NoRoom> {
        // Who is there already takes the place of what it was.
        let growth = self.shelf.find(channel, now, |topic| topic.growth_by(&member));
        let adds = growth.unwrap_or_else(|| people::weight_of(&member));
        let (most, ledger) = (self.most(), &self.shelf.ledger);
        self.shelf.with(channel, now, most, adds, |topic| {
            self.shelf
                .room
                .may_listen(topic, topic.growth_by(&member), most)?;
            Ok(topic.join(member, ledger, self.most_of_one()))
        })?
    }

    fn most(&self) -> Most {
        Most {
            channels: self.most_channels,
            weight: self.most_history_bytes,
        }
    }

    fn most_of_one(&self) -> Taken {
        Taken {
            channels: self.most_of_one.channels.min(self.most_channels.div_ceil(2)),
            bytes: self.most_of_one.bytes.min(self.most_history_bytes.div_ceil(2)),
        }
    }

    fn started(&self) -> Result<&Node, BrokerError> {
        let node = self.node.get();
        node.ok_or_else(|| BrokerError::Unavailable("no node has been started".to_owned()))
    }
}

impl From<NoRoom> for BrokerError {
    fn from(no: NoRoom) -> Self {
        Self::Full(match no {
            NoRoom::Channels => "there are as many channels as there may be",
            NoRoom::Memory => "the channels take as much memory as they may",
        })
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
        // It may be a small part of what a client has sent, which history would keep as a whole.
        publication.body = Bytes::copy_from_slice(&publication.body);
        let now = Instant::now();
        let mut place = Some(publication);
        let published = self.publish_kept(node, channel, keep, &mut place, now)?;
        if !matches!(published, Err(BrokerError::AccountFull(_))) {
            return published;
        }
        // Some of what it takes may be over, and nobody has looked.
        self.shelf.look_everywhere(now);
        self.publish_kept(node, channel, keep, &mut place, now)?
    }

    async fn subscribe(&self, channel: &ChannelName, keep: &Retention) -> Result<Position, BrokerError> {
        if !keep.keeps() {
            return Ok(NOWHERE);
        }
        let now = Instant::now();
        let position: Result<_, NoRoom> = self.shelf.with(channel, now, self.most(), 0, |topic| {
            topic.keep(keep, now, &self.shelf.ledger);
            self.shelf.room.may_listen(topic, 0, self.most())?;
            topic.set_subscribed(true, now);
            Ok(topic.position())
        })?;
        Ok(position?)
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
        let history = self.shelf.with(channel, now, self.most(), 0, |topic| {
            topic.keep(keep, now, &self.shelf.ledger);
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
        if let Some(change) = self.join_once(channel, member.clone(), now)? {
            return Ok(change);
        }
        // Some of what it takes may be over, and nobody has looked.
        self.shelf.look_everywhere(now);
        self.join_once(channel, member, now)?.ok_or(BrokerError::AccountFull(
            "its events, and what presence says of it, take as much as those of one user may; leave some channels first",
        ))
    }

    async fn leave(&self, channel: &ChannelName, client: ClientId) -> Result<MemberChange, BrokerError> {
        let now = Instant::now();
        let change = self
            .shelf
            .find(channel, now, |topic| topic.leave(client, now, &self.shelf.ledger));
        Ok(change.unwrap_or_default())
    }

    async fn members(&self, channel: &ChannelName, query: &MembersQuery) -> Result<Members, BrokerError> {
        let page = self
            .shelf
            .find(channel, Instant::now(), |topic| topic.members(query));
        let page = page.unwrap_or_default();
        Ok(Members {
            // Behind the channel's lock.
            members: page.members.iter().map(|member| Member::clone(member)).collect(),
            more: page.more,
            clients: page.clients,
            users: page.users,
        })
    }
}

#[cfg(test)]
mod tests;
