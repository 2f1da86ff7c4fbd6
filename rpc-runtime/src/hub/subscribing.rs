//! How a session comes to hear a channel, from the right to do so to the first live event, without a gap; and how that ends.
//!
//! The session is added to the channel first, which keeps for it what comes from then on. Then history is read, behind the
//! position that the client knows, or behind its snapshot. At last both are put together under the channel's lock, by their
//! offsets, and what comes after that goes to the session's queue. It works with any broker, however long it takes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
};

use super::{
    ChannelName, HistoryQuery, Hub, Position,
    address::HubError,
    broker::Published,
    channel::{Added, Channel},
    namespace::{Act, ActiveNamespace, Taken},
    rights::{Asks, denied},
};
use crate::{Session, Status};

/// A snapshot that history has overtaken while it was made is made again, so often.
const SNAPSHOTS: usize = 3;

/// What is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wish {
    /// The last position that the client knows: it comes back, and wants what it has missed.
    pub(crate) since: Option<Position>,
    /// The server subscribes the client: rights are not asked for.
    pub(crate) by_server: bool,
}

/// What a new subscriber is told.
#[derive(Debug, Clone)]
pub(crate) struct Subscribed {
    /// What events name the channel by.
    pub(crate) number: u64,
    /// Where the channel is, behind `missed`. Epoch and offset are 0 without history.
    pub(crate) position: Position,
    /// Whether `missed` is all that came after [`Wish::since`]; `None` where nothing was to be recovered.
    pub(crate) recovered: Option<bool>,
    /// What comes first.
    pub(crate) snapshot: Option<Taken>,
    /// What comes next, in order.
    pub(crate) missed: Vec<Arc<Published>>,
    /// The session had subscribed before.
    pub(crate) already: bool,
}

/// The channels that a session hears.
#[derive(Debug, Default)]
pub(crate) struct SessionChannels(Mutex<HashMap<ChannelName, Arc<Channel>>>);

impl SessionChannels {
    fn lock(&self) -> MutexGuard<'_, HashMap<ChannelName, Arc<Channel>>> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of them, in no order.
    pub(crate) fn list(&self) -> Vec<Arc<Channel>> {
        self.lock().values().cloned().collect()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }
}

impl Hub {
    /// The namespace of a channel; refused in the same words as what nobody may do.
    pub(crate) fn namespace_of(&self, name: &str) -> Result<&Arc<ActiveNamespace>, Status> {
        self.inner.namespaces.find(name).ok_or_else(denied)
    }

    /// Has a session hear a channel.
    ///
    /// # Errors
    ///
    /// The client may not, there is no room, or the broker is not available. It then hears the channel only where it did before.
    pub(crate) async fn subscribe_session(
        &self,
        session: &Arc<Session>,
        name: &ChannelName,
        wish: Wish,
    ) -> Result<Subscribed, Status> {
        let namespace = self.namespace_of(name.as_str())?;
        let asks = Asks::new(session.clone(), session.identity());
        let known = session
            .channels()
            .and_then(|channels| channels.lock().get(name).cloned());
        // What the server has granted is not the client's to be asked for again.
        let granted = known
            .as_ref()
            .is_some_and(|channel| channel.is_by_server(session.id()));
        if !wish.by_server && !granted {
            namespace.check(Act::Subscribe, &asks, name.as_str()).await?;
        }
        if known.is_none() && session.has_most_channels() {
            return Err(Status::resource_exhausted(
                "the client has subscribed to as many channels as it may; unsubscribe from some first",
            ));
        }
        let (channel, already) = self.add(session, name, namespace, wish.by_server)?;
        // Takes the session out again where the future is dropped, or fails.
        let joining = Joining {
            hub: self,
            session,
            channel: &channel,
            armed: !already,
        };
        let subscribed = self.catch_up(session, &asks, &channel, wish, already).await?;
        joining.done();
        Ok(subscribed)
    }

    fn add(
        &self,
        session: &Arc<Session>,
        name: &ChannelName,
        namespace: &Arc<ActiveNamespace>,
        by_server: bool,
    ) -> Result<(Arc<Channel>, bool), Status> {
        loop {
            let channel = self.inner.channels.get(name, namespace);
            match channel.add(session, by_server) {
                Added::New => return Ok((channel, false)),
                Added::Already => return Ok((channel, true)),
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

    async fn catch_up(
        &self,
        session: &Arc<Session>,
        asks: &Asks,
        channel: &Arc<Channel>,
        wish: Wish,
        already: bool,
    ) -> Result<Subscribed, Status> {
        let (name, namespace) = (&channel.name, &channel.namespace);
        let keep = namespace.keep();
        let broker = &self.inner.broker;
        let mut position = broker.subscribe(name, keep).await?;
        let (mut recovered, mut missed, mut snapshot) = (None, Vec::new(), None);
        if let Some(since) = wish.since {
            let query = HistoryQuery {
                after: Some(since),
                limit: keep.recover,
                ..HistoryQuery::default()
            };
            let history = broker.history(name, keep, &query).await?;
            position = history.position;
            let all = keep.keeps() && history.complete && !history.more;
            recovered = Some(all);
            if all {
                missed = history.events;
            }
            let counters = &self.inner.counters;
            let counter = if all {
                &counters.recovered
            } else {
                &counters.not_recovered
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
        if namespace.has_snapshot() && recovered != Some(true) && !already {
            (snapshot, missed, position) = self.take_snapshot(asks, channel, position).await?;
        }
        if let Some(channels) = (!already).then(|| session.make_channels()) {
            channels.lock().insert(name.clone(), channel.clone());
            let late = channel.go_live(session.id(), position.offset).ok_or_else(|| {
                Status::unavailable("more was published than could be kept meanwhile; try again")
            })?;
            missed.extend(late);
        }
        if let Some(last) = missed.last()
            && keep.keeps()
        {
            position = last.position;
        }
        missed.retain(|event| event.is_for(session.id()));
        Ok(Subscribed {
            number: channel.number,
            position,
            recovered,
            snapshot,
            missed,
            already,
        })
    }

    /// A snapshot, what came after it, and the position behind that.
    async fn take_snapshot(
        &self,
        asks: &Asks,
        channel: &Channel,
        mut now: Position,
    ) -> Result<(Option<Taken>, Vec<Arc<Published>>, Position), Status> {
        let (name, namespace) = (&channel.name, &channel.namespace);
        let keep = namespace.keep();
        for _ in 0..SNAPSHOTS {
            let Some(snapshot) = namespace.snapshot(asks, name.as_str()).await? else {
                return Ok((None, Vec::new(), now));
            };
            if !keep.keeps() {
                return Ok((Some(snapshot), Vec::new(), now));
            }
            let query = HistoryQuery {
                after: Some(snapshot.position.unwrap_or(now)),
                limit: keep.recover,
                ..HistoryQuery::default()
            };
            let history = self.inner.broker.history(name, keep, &query).await?;
            if history.complete && !history.more {
                return Ok((Some(snapshot), history.events, history.position));
            }
            now = history.position;
        }
        Err(Status::unavailable(
            "the channel changes faster than its snapshot is made; try again",
        ))
    }

    /// Has a session hear a channel no more. Whether it did.
    pub(crate) fn unsubscribe_session(&self, session: &Arc<Session>, name: &ChannelName) -> bool {
        let channel = session
            .channels()
            .and_then(|channels| channels.lock().remove(name));
        let Some(channel) = channel else { return false };
        self.take_out(session, &channel);
        true
    }

    /// Takes a session out of all its channels: it has gone.
    pub(crate) fn forget(&self, session: &Arc<Session>) {
        let Some(channels) = session.channels() else {
            return;
        };
        let channels = std::mem::take(&mut *channels.lock());
        for channel in channels.into_values() {
            self.take_out(session, &channel);
        }
    }

    fn take_out(&self, session: &Arc<Session>, channel: &Arc<Channel>) {
        let is_empty = channel.remove(session.id());
        session.forget_events_of(channel.number);
        if is_empty == Some(true) {
            self.inner.channels.remove(channel);
            self.release(channel.name.clone());
        }
    }

    /// Tells the broker that this node needs a channel no more.
    fn release(&self, name: ChannelName) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let hub = self.clone();
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

/// A session that is being subscribed.
struct Joining<'a> {
    hub: &'a Hub,
    session: &'a Arc<Session>,
    channel: &'a Arc<Channel>,
    armed: bool,
}

impl Joining<'_> {
    fn done(mut self) {
        self.armed = false;
    }
}

impl Drop for Joining<'_> {
    fn drop(&mut self) {
        if self.armed {
            if let Some(channels) = self.session.channels() {
                channels.lock().remove(&self.channel.name);
            }
            self.hub.take_out(self.session, self.channel);
        }
    }
}

impl From<super::NameError> for Status {
    fn from(error: super::NameError) -> Self {
        HubError::from(error).into()
    }
}
