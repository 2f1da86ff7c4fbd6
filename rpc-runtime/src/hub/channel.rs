//! A channel as one node knows it: who has subscribed here, and how an event gets to all of them.
//!
//! ```text
//!  subscribe ──▶ catching up ── merged with history, under the lock ──▶ live ──▶ (gone)
//!                 events of the time are kept for it                    events go to its queue
//! ```

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;

use super::{
    ChannelName,
    broker::Published,
    encode,
    namespace::ActiveNamespace,
    queue::{Put, Queued},
};
use crate::{ClientId, session::Session};

/// So many events are kept for one subscriber that catches up; one that falls behind further is not recovered.
const MOST_WHILE_CATCHING_UP: usize = 10_000;

/// An event with its message, which all subscribers of a channel share.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    pub(crate) event: Arc<Published>,
    pub(crate) message: Bytes,
}

/// A channel with subscribers on this node.
#[derive(Debug)]
pub(crate) struct Channel {
    /// What events name it by. Of this node, and used once.
    pub(crate) number: u64,
    pub(crate) name: ChannelName,
    pub(crate) namespace: Arc<ActiveNamespace>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    subscribers: Vec<Subscriber>,
    /// Where each is in `subscribers`.
    places: HashMap<ClientId, usize>,
    /// It is on the list no more; whoever wants to subscribe makes another.
    closed: bool,
}

#[derive(Debug)]
struct Subscriber {
    session: Arc<Session>,
    /// `None` once it is live.
    catching_up: Option<CatchingUp>,
    /// The server has subscribed it.
    by_server: bool,
}

/// What came while a subscriber catches up.
#[derive(Debug, Default)]
struct CatchingUp {
    events: Vec<Live>,
    /// There was no room for all.
    overrun: bool,
}

/// What an event came to on this node.
#[derive(Debug, Default)]
pub(crate) struct FannedOut {
    /// How many clients have it, or will.
    pub(crate) reached: usize,
    /// Those that are to be waited for.
    pub(crate) full: Vec<Arc<Session>>,
    /// How many events were dropped for it.
    pub(crate) dropped: usize,
}

/// Whether a subscriber could be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Added {
    /// It catches up.
    New,
    /// It is subscribed already.
    Already,
    /// There are as many as there may be.
    Full,
    /// The channel is on the list no more.
    Closed,
}

impl Channel {
    pub(crate) fn new(number: u64, name: ChannelName, namespace: Arc<ActiveNamespace>) -> Self {
        Self {
            number,
            name,
            namespace,
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has events kept for a session from now on, until it is [live](Self::go_live).
    pub(crate) fn add(&self, session: &Arc<Session>, by_server: bool) -> Added {
        let mut state = self.lock();
        if state.closed {
            return Added::Closed;
        }
        if let Some(&place) = state.places.get(&session.id()) {
            state.subscribers[place].by_server |= by_server;
            return Added::Already;
        }
        if state.subscribers.len() >= self.namespace.most_subscribers() {
            return Added::Full;
        }
        let place = state.subscribers.len();
        state.places.insert(session.id(), place);
        state.subscribers.push(Subscriber {
            session: session.clone(),
            catching_up: Some(CatchingUp::default()),
            by_server,
        });
        Added::New
    }

    /// Has a subscriber get events by its queue from now on. Gives those that came meanwhile and are after `offset`, which
    /// the answer to the subscriber carries; `None` where some are lost, or it is not catching up.
    pub(crate) fn go_live(&self, client: ClientId, offset: u64) -> Option<Vec<Arc<Published>>> {
        let mut state = self.lock();
        let place = *state.places.get(&client)?;
        let kept = state.subscribers[place].catching_up.take()?;
        let events = kept.events.into_iter().map(|live| live.event);
        let keeps = self.namespace.keep().keeps();
        let after = events.filter(|event| event.is_for(client) && (!keeps || event.position.offset > offset));
        (!kept.overrun).then(|| after.collect())
    }

    /// Takes a subscriber out. Whether it was one, and whether none is left: then the channel is closed.
    pub(crate) fn remove(&self, client: ClientId) -> Option<bool> {
        let mut state = self.lock();
        let place = state.places.remove(&client)?;
        state.subscribers.swap_remove(place);
        if let Some(moved) = state.subscribers.get(place) {
            let moved = moved.session.id();
            state.places.insert(moved, place);
        }
        if state.subscribers.capacity() > 64 && state.subscribers.len() * 4 < state.subscribers.capacity() {
            state.subscribers.shrink_to_fit();
            state.places.shrink_to_fit();
        }
        let is_empty = state.subscribers.is_empty();
        state.closed |= is_empty;
        Some(is_empty)
    }

    /// Whether a client has subscribed, or was by the server.
    pub(crate) fn has(&self, client: ClientId) -> bool {
        self.lock().places.contains_key(&client)
    }

    /// Whether the server has subscribed the client.
    pub(crate) fn is_by_server(&self, client: ClientId) -> bool {
        let state = self.lock();
        let place = state.places.get(&client);
        place.is_some_and(|&place| state.subscribers[place].by_server)
    }

    /// Who has subscribed here.
    pub(crate) fn sessions(&self) -> Vec<Arc<Session>> {
        let state = self.lock();
        state
            .subscribers
            .iter()
            .map(|subscriber| subscriber.session.clone())
            .collect()
    }

    /// How many have subscribed here.
    pub(crate) fn len(&self) -> usize {
        self.lock().subscribers.len()
    }

    /// Gives an event to every subscriber.
    pub(crate) fn fan_out(&self, event: &Arc<Published>) -> FannedOut {
        let mut out = FannedOut::default();
        let slow = self.namespace.slow();
        let excepts = !event.publication.except.is_empty();
        let mut state = self.lock();
        if state.subscribers.is_empty() {
            return out;
        }
        // Once, whoever it is for.
        let message = encode::of_channel(self.number, event, self.namespace.tells_publisher());
        for subscriber in &mut state.subscribers {
            if excepts && !event.is_for(subscriber.session.id()) {
                continue;
            }
            out.reached += 1;
            if let Some(catching_up) = &mut subscriber.catching_up {
                catching_up.keep(event, &message);
                continue;
            }
            let queued = Queued {
                message: message.clone(),
                channel: self.number,
            };
            match subscriber.session.queue_event(queued, slow) {
                Put::Queued => {}
                Put::Instead(dropped) => out.dropped += dropped,
                Put::Over => out.full.push(subscriber.session.clone()),
                Put::Refused => {
                    out.reached -= 1;
                    out.dropped += 1;
                }
            }
        }
        out
    }
}

impl CatchingUp {
    fn keep(&mut self, event: &Arc<Published>, message: &Bytes) {
        if self.events.len() >= MOST_WHILE_CATCHING_UP {
            self.overrun = true;
            self.events = Vec::new();
        } else if !self.overrun {
            self.events.push(Live {
                event: event.clone(),
                message: message.clone(),
            });
        }
    }
}
