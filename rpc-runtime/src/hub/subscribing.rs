//! How a session comes to hear a channel, from the right to do so to the first live event, without a gap; and how that ends.
//!
//! The session is added to the channel first, which keeps for it what comes from then on. Then history is read, behind the
//! position that the client knows, or behind its snapshot. At last, under the channel's lock, what was kept and is after that
//! goes into the session's queue, and what comes then goes there too. It works with any broker, however long it takes.

use std::sync::{Arc, atomic::Ordering};

use bytes::Bytes;

use super::{
    ChannelName, HistoryQuery, Hub, Position, PresenceData,
    address::{HubError, LONGEST_EVENT},
    broker::{History, Published},
    channel::{Added, Channel},
    encode,
    heard::{NotFilled, Reserved, SessionChannels, Subscription},
    namespace::{Act, ActiveNamespace, Taken},
    rights::{Asks, denied},
};
use crate::{Session, Status, services::hub as contract};

/// A snapshot that history has overtaken while it was made is made again, so often.
const SNAPSHOTS: usize = 3;

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    /// The last position that the client knows: it comes back, and wants what it has missed.
    pub(crate) since: Option<Position>,
    /// The server subscribes the client: rights are not asked for, and the client is told by an event.
    pub(crate) by_server: bool,
    /// So many bytes of events and snapshot the answer has room for.
    pub(crate) room: usize,
    /// What presence is to say of the client.
    pub(crate) presence: PresenceData,
}

/// What a new subscriber is told.
#[derive(Debug, Clone)]
pub(crate) struct Subscribed {
    /// The channel, and what events name it by.
    pub(crate) channel: Arc<Channel>,
    /// Where the channel is, behind `missed`. Epoch and offset are 0 without history.
    pub(crate) position: Position,
    /// Whether `missed` is all that came after [`Wish::since`]; `None` where nothing was to be recovered.
    pub(crate) recovered: Option<bool>,
    /// What comes first.
    pub(crate) snapshot: Option<Taken>,
    /// Where the snapshot is, or the channel was: in front of `missed`.
    pub(crate) from: Position,
    /// What comes next, in order.
    pub(crate) missed: Vec<Arc<Published>>,
}

impl Subscribed {
    fn new(channel: Arc<Channel>, position: Position) -> Self {
        Self {
            channel,
            position,
            recovered: None,
            snapshot: None,
            from: position,
            missed: Vec::new(),
        }
    }
}

impl Hub {
    /// The namespace of a channel; refused in the same words as what nobody may do.
    pub(crate) fn namespace_of(&self, name: &str) -> Result<&Arc<ActiveNamespace>, Status> {
        self.inner.namespaces.find(name).ok_or_else(denied)
    }

    /// Has a session hear a channel. Where it does already, it is told how the channel stands.
    ///
    /// # Errors
    ///
    /// The client may not, there is no room, or the broker is not available. It then hears the channel only where it did before, and
    /// still may.
    pub(crate) async fn subscribe_session(
        &self,
        session: &Arc<Session>,
        name: &ChannelName,
        wish: Wish,
    ) -> Result<Subscribed, Status> {
        let channels = session.make_channels();
        // Before the right is asked for: who has no room is told so whatever the channel, and does not make others look things up.
        let most = match wish.by_server {
            true => usize::MAX,
            false => session.most_channels(),
        };
        loop {
            let settled = channels.settled();
            match channels.reserve(name, most) {
                Reserved::New => break,
                Reserved::Already(subscription) => {
                    return self.tell_again(session, name, subscription, wish).await;
                }
                Reserved::Busy => settled.await,
                Reserved::Full => {
                    return Err(Status::resource_exhausted(
                        "the client has subscribed to as many channels as it may; unsubscribe from some first",
                    ));
                }
                Reserved::Gone => return Err(Status::unavailable("the client is gone")),
            }
        }
        // Gives the place back, and takes the session out of the channel, where the future is dropped or fails.
        let mut joining = Joining {
            hub: self,
            session,
            channels,
            name,
            channel: None,
            armed: true,
        };
        let namespace = self.namespace_of(name.as_str())?;
        let asks = Asks::new(session.clone(), session.identity());
        if !wish.by_server {
            namespace.check(Act::Subscribe, &asks, name.as_str()).await?;
        }
        let channel = self.add(session, name, namespace)?;
        joining.channel = Some(channel.clone());
        let subscribed = self.catch_up(&asks, &channel, &wish).await?;
        let ahead = match wish.by_server {
            true => told_by_event(&subscribed, &self.new_id())?,
            false => Vec::new(),
        };
        let subscription = Subscription {
            channel: channel.clone(),
            by_server: wish.by_server,
            presence: wish.presence,
        };
        let offset = subscribed.position.offset;
        channels
            .fill(subscription, || channel.go_live(session.id(), ahead, offset))
            .map_err(|not| match not {
                NotFilled::Ended => Status::aborted("the channel was unsubscribed from meanwhile"),
                NotFilled::Refused => {
                    Status::unavailable("more was published than could be kept meanwhile; try again")
                }
            })?;
        joining.done();
        Ok(subscribed)
    }

    /// Tells a session of a channel that it hears already, after asking whether it still may.
    async fn tell_again(
        &self,
        session: &Arc<Session>,
        name: &ChannelName,
        subscription: Subscription,
        wish: Wish,
    ) -> Result<Subscribed, Status> {
        let channel = subscription.channel;
        let asks = Asks::new(session.clone(), session.identity());
        if wish.by_server {
            if let Some(channels) = session.channels() {
                channels.change(name, |subscription| subscription.by_server = true);
            }
        } else if !subscription.by_server
            && let Err(refused) = channel
                .namespace
                .check(Act::Subscribe, &asks, name.as_str())
                .await
        {
            self.unsubscribe_session(session, name);
            return Err(refused);
        }
        let position = self
            .inner
            .broker
            .subscribe(name, channel.namespace.keep())
            .await?;
        let mut subscribed = Subscribed::new(channel, position);
        self.recover(&asks, &mut subscribed, &wish).await?;
        Ok(subscribed)
    }

    fn add(
        &self,
        session: &Arc<Session>,
        name: &ChannelName,
        namespace: &Arc<ActiveNamespace>,
    ) -> Result<Arc<Channel>, Status> {
        loop {
            let channel = self.inner.channels.get(name, namespace);
            match channel.add(session) {
                Added::New => return Ok(channel),
                Added::Full => {
                    return Err(Status::resource_exhausted(
                        "the channel has as many subscribers as it may have",
                    ));
                }
                // Its last subscriber has just left.
                Added::Closed => self.inner.channels.remove(&channel),
            }
        }
    }

    async fn catch_up(&self, asks: &Asks, channel: &Arc<Channel>, wish: &Wish) -> Result<Subscribed, Status> {
        let (name, namespace) = (&channel.name, &channel.namespace);
        let position = self.inner.broker.subscribe(name, namespace.keep()).await?;
        let mut subscribed = Subscribed::new(channel.clone(), position);
        self.recover(asks, &mut subscribed, wish).await?;
        if namespace.has_snapshot() && subscribed.recovered != Some(true) {
            self.take_snapshot(asks, &mut subscribed, wish.room).await?;
        }
        Ok(subscribed)
    }

    /// Reads what came after the position that the client knows.
    async fn recover(&self, asks: &Asks, subscribed: &mut Subscribed, wish: &Wish) -> Result<(), Status> {
        let Some(since) = wish.since else { return Ok(()) };
        let history = self.history_after(asks, &subscribed.channel, since).await?;
        let all = history.complete && !history.more && bytes_of(&history.events) <= wish.room;
        let counters = &self.inner.counters;
        let counter = if all {
            &counters.recovered
        } else {
            &counters.not_recovered
        };
        counter.fetch_add(1, Ordering::Relaxed);
        subscribed.recovered = Some(all);
        subscribed.position = history.position;
        if all {
            subscribed.missed = history.events;
        }
        Ok(())
    }

    /// What came after a position and is for the client. Incomplete in channels without history.
    async fn history_after(
        &self,
        asks: &Asks,
        channel: &Channel,
        after: Position,
    ) -> Result<History, Status> {
        let keep = channel.namespace.keep();
        let query = HistoryQuery {
            after: Some(after),
            limit: keep.recover,
            ..HistoryQuery::default()
        };
        let mut history = self.inner.broker.history(&channel.name, keep, &query).await?;
        history.complete &= keep.keeps();
        if history.complete && !history.more {
            // Where these events end, whatever has been published since they were read.
            history.position = history.events.last().map_or(after, |last| last.position);
        }
        history.events.retain(|event| event.is_for(asks.client()));
        Ok(history)
    }

    /// Takes a snapshot, and reads what came after it.
    async fn take_snapshot(
        &self,
        asks: &Asks,
        subscribed: &mut Subscribed,
        room: usize,
    ) -> Result<(), Status> {
        let channel = subscribed.channel.clone();
        let too_long = || {
            Status::resource_exhausted(
                "the channel's snapshot is longer than the answer may be; subscribe to fewer channels at a time",
            )
        };
        for _ in 0..SNAPSHOTS {
            let Some(snapshot) = channel.namespace.snapshot(asks, channel.name.as_str()).await? else {
                return Ok(());
            };
            let Some(room) = room.checked_sub(snapshot.body.len() + AROUND) else {
                return Err(too_long());
            };
            let keeps = channel.namespace.keep().keeps();
            let at = snapshot.position.unwrap_or(subscribed.position);
            if !keeps {
                subscribed.snapshot = Some(snapshot);
                return Ok(());
            }
            let history = self.history_after(asks, &channel, at).await?;
            (subscribed.from, subscribed.position) = (at, history.position);
            if history.complete && !history.more && bytes_of(&history.events) <= room {
                subscribed.missed = history.events;
                subscribed.snapshot = Some(snapshot);
                return Ok(());
            }
        }
        Err(Status::unavailable(
            "the channel changes faster than its snapshot is made; try again",
        ))
    }

    /// Has a session hear a channel no more. Whether it did.
    pub(crate) fn unsubscribe_session(&self, session: &Arc<Session>, name: &ChannelName) -> bool {
        let Some(channels) = session.channels() else {
            return false;
        };
        let ended = channels.remove(name, |subscription| leave(session, &subscription.channel));
        let Some(subscription) = ended else { return false };
        self.left(&subscription.channel);
        true
    }

    /// Takes a session out of all its channels, for good: it has gone.
    pub(crate) fn forget(&self, session: &Arc<Session>) {
        let ended = session
            .make_channels()
            .end(|subscription| leave(session, &subscription.channel));
        for subscription in ended {
            self.left(&subscription.channel);
        }
    }

    /// Takes a channel off the list where its last subscriber has left, and tells the broker.
    fn left(&self, channel: &Arc<Channel>) {
        if !channel.is_closed() {
            return;
        }
        self.inner.channels.remove(channel);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let (hub, name) = (self.clone(), channel.name.clone());
        runtime.spawn(async move {
            // Somebody may have come meanwhile.
            if hub.inner.channels.find(&name).is_none()
                && let Err(error) = hub.inner.broker.unsubscribe(&name).await
            {
                tracing::warn!(channel = %name, %error, "the broker could not be told that a channel is left");
            }
        });
    }
}

fn leave(session: &Session, channel: &Channel) {
    channel.remove(session.id());
    session.forget_events_of(channel.number);
}

/// What stands around an event's body in an answer, at most, without names that others choose.
const AROUND: usize = 160;

/// What events take in an answer, at most.
fn bytes_of(events: &[Arc<Published>]) -> usize {
    events.iter().map(|event| bytes_of_one(event)).sum()
}

/// What an event takes in an answer, at most.
pub(crate) fn bytes_of_one(event: &Published) -> usize {
    let publication = &event.publication;
    let key = publication.key.as_ref().map_or(0, |key| key.len());
    let publisher = publication.publisher.as_ref();
    let user = publisher.and_then(|publisher| publisher.user.as_ref());
    publication.body.len() + publication.type_name.len() + key + user.map_or(0, |user| user.len()) + AROUND
}

/// A session that is being subscribed.
struct Joining<'a> {
    hub: &'a Hub,
    session: &'a Arc<Session>,
    channels: &'a SessionChannels,
    name: &'a ChannelName,
    channel: Option<Arc<Channel>>,
    armed: bool,
}

impl Joining<'_> {
    fn done(mut self) {
        self.armed = false;
    }
}

impl Drop for Joining<'_> {
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        let channel = self.channel.take();
        self.channels.give_back(self.name, || {
            if let Some(channel) = &channel {
                leave(self.session, channel);
            }
        });
        if let Some(channel) = channel {
            self.hub.left(&channel);
        }
    }
}

/// What the client is told whom the server has subscribed: the subscription, then what is behind its snapshot.
fn told_by_event(subscribed: &Subscribed, id: &str) -> Result<Vec<Bytes>, Status> {
    let channel = &subscribed.channel;
    if let Some(snapshot) = &subscribed.snapshot
        && snapshot.body.len() > LONGEST_EVENT
    {
        return Err(Status::resource_exhausted(
            "the channel's snapshot is longer than an event may be; let the client subscribe by itself",
        ));
    }
    let keeps = channel.namespace.keep().keeps();
    let event = contract::Subscribed {
        channel: channel.name.as_str().to_owned(),
        number: channel.number,
        position: keeps.then(|| subscribed.from.into()),
        snapshot: subscribed.snapshot.as_ref().map(Into::into),
    };
    let tells_publisher = channel.namespace.tells_publisher();
    let missed = subscribed.missed.iter();
    let frames = missed.map(|event| encode::of_channel(channel.number, event, tells_publisher));
    Ok(std::iter::once(encode::own(&event, id)).chain(frames).collect())
}

impl From<super::NameError> for Status {
    fn from(error: super::NameError) -> Self {
        HubError::from(error).into()
    }
}
