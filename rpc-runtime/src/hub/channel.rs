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
    ChannelName, Position, Wish,
    broker::Published,
    encode,
    except::Except,
    keeping::{self, Kept},
    link::Link,
    listening::OnAccount,
    namespace::{ActiveNamespace, SlowConsumer},
    queue::{Put, Queued},
};
use crate::{ClientId, session::Session};

/// A channel with subscribers on this node.
#[derive(Debug)]
pub(crate) struct Channel {
    /// What events name it by. Of this node, and used once.
    pub(crate) number: u64,
    pub(crate) name: ChannelName,
    pub(crate) namespace: Arc<ActiveNamespace>,
    /// What the broker was asked for.
    pub(super) link: tokio::sync::Mutex<Link>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    subscribers: Vec<Subscriber>,
    /// Where each is in `subscribers`.
    places: HashMap<ClientId, usize>,
    /// The latest that is known of: every event after it is still to come.
    position: Option<Position>,
    /// The history has become another than this, which was the first: whoever has subscribed before does not know, unless events say
    /// so. They all do since.
    untold_epoch: Option<u64>,
    /// Somebody's queue was over its bound when last looked at.
    any_over: bool,
    /// It is on the list no more; whoever wants to subscribe makes another.
    closed: bool,
    /// On whose account it is, while anybody hears it whom the server has not subscribed: that of the first, then of one who is left.
    held: Option<OnAccount>,
}

#[derive(Debug)]
struct Subscriber {
    session: Arc<Session>,
    /// What came meanwhile; `None` once it is live.
    catching_up: Option<Box<Kept>>,
    /// Its queue was over its bound when last looked at.
    over: bool,
    /// The server has subscribed it, which is on nobody's account.
    by_server: bool,
}

/// What an event came to on this node.
#[derive(Debug, Default)]
pub(crate) struct FannedOut {
    /// How many clients have it, or will.
    pub(crate) reached: usize,
    /// How many events were dropped for it.
    pub(crate) dropped: usize,
}

impl FannedOut {
    #[inline]
    fn add(&mut self, put: Put) {
        match put {
            Put::Queued | Put::Over => self.reached += 1,
            Put::Instead(dropped) => {
                self.reached += 1;
                self.dropped += dropped;
            }
            Put::Dropped(before) => self.dropped += before + 1,
            Put::Refused => self.dropped += 1,
            Put::Gone => {}
        }
    }
}

/// Whether a subscriber could be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Added {
    /// It catches up.
    New,
    /// There are as many as there may be.
    Full,
    /// As many channels as may be are on its account, and this one is not.
    NoShare,
    /// The channel is on the list no more.
    Closed,
}

impl Channel {
    pub(crate) fn new(number: u64, name: ChannelName, namespace: Arc<ActiveNamespace>) -> Self {
        Self {
            number,
            name,
            namespace,
            link: tokio::sync::Mutex::default(),
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has events kept for a session from now on, until it is [live](Self::go_live).
    pub(crate) fn add(&self, session: &Arc<Session>, wish: &Wish) -> Added {
        let by_server = wish.granted.is_some();
        let kept = Box::new(Kept::new(wish.room.account()));
        let mut state = self.lock();
        if state.closed {
            return Added::Closed;
        }
        if state.subscribers.len() >= self.namespace.most_subscribers() {
            return Added::Full;
        }
        match &state.held {
            _ if by_server => {}
            Some(held) if held.may_pass_to(session) => {}
            Some(_) => return Added::NoShare,
            None => match OnAccount::take(session) {
                Some(held) => state.held = Some(held),
                None => return Added::NoShare,
            },
        }
        let place = state.subscribers.len();
        let before = state.places.insert(session.id(), place);
        debug_assert_eq!(before, None, "a session has one place for a channel");
        state.subscribers.push(Subscriber {
            session: session.clone(),
            catching_up: Some(kept),
            over: false,
            by_server,
        });
        Added::New
    }

    /// Has events kept anew for a subscriber that lost some while it caught up: alone, which is its turn, or so from the first.
    pub(super) fn keep_anew(&self, client: ClientId) {
        let mut state = self.lock();
        let subscriber = state.subscriber(client);
        if let Some(kept) = subscriber.and_then(|subscriber| subscriber.catching_up.as_mut()) {
            kept.anew();
        }
    }

    /// A subscriber is known as another: where the channel is on its account, it is on the other's.
    pub(super) fn known_anew(&self, session: &Session) {
        let mut state = self.lock();
        if let Some(held) = state.held.as_mut().filter(|held| held.is_by(session.id())) {
            held.pass_to(session);
        }
    }

    /// The server has subscribed a subscriber that was there already: it is on nobody's account from now on.
    pub(super) fn granted(&self, client: ClientId) {
        let mut state = self.lock();
        if let Some(subscriber) = state.subscriber(client) {
            subscriber.by_server = true;
            state.pass_on(client);
        }
    }

    /// Has a subscriber get events by its queue from now on: first `ahead`, then those that came meanwhile and are after
    /// `position`. `false` where some of them are lost, or it cannot be known which those are: then nothing is kept for it until
    /// that is to [begin anew](Self::keep_anew).
    pub(crate) fn go_live(&self, client: ClientId, ahead: Vec<Bytes>, position: Position) -> bool {
        let mut state = self.lock();
        let state = &mut *state;
        let Some(&place) = state.places.get(&client) else {
            return false;
        };
        let subscriber = &mut state.subscribers[place];
        let Some(kept) = &mut subscriber.catching_up else {
            return false;
        };
        let came = kept.take();
        let after = match self.namespace.keep().keeps() {
            true => came.and_then(|came| keeping::after(came, position)),
            false => came,
        };
        let Some(after) = after else {
            kept.overrun();
            return false;
        };
        subscriber.catching_up = None;
        // It may have become another meanwhile. Whoever it becomes from now on is seen to have the channel.
        if let Some(held) = state.held.as_mut().filter(|held| held.is_by(client)) {
            held.pass_to(&subscriber.session);
        }
        // What is ahead is never dropped for what is behind it.
        let (slow, number) = (self.namespace.slow(), self.number);
        let mut out = FannedOut::default();
        for message in ahead {
            let told = Queued::told(message, number);
            out.add(subscriber.session.queue_event(told, SlowConsumer::Disconnect));
        }
        for (_, event) in after {
            out.add(subscriber.session.queue_event(event, slow));
        }
        // They were counted as delivered when they were kept for it.
        self.namespace.counted.delivered(0, out.dropped);
        true
    }

    /// Takes a subscriber out, where it is one.
    pub(crate) fn remove(&self, client: ClientId) {
        let mut state = self.lock();
        let Some(place) = state.places.remove(&client) else {
            return;
        };
        state.subscribers.swap_remove(place);
        if let Some(moved) = state.subscribers.get(place) {
            let moved = moved.session.id();
            state.places.insert(moved, place);
        }
        state.pass_on(client);
        if state.subscribers.capacity() > 64 && state.subscribers.len() * 4 < state.subscribers.capacity() {
            state.subscribers.shrink_to_fit();
            state.places.shrink_to_fit();
        }
    }

    /// Whether nobody has subscribed here.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().subscribers.is_empty()
    }

    /// Whether nobody can subscribe any more.
    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Lets nobody subscribe any more, where nobody has.
    pub(super) fn close_if_empty(&self) -> bool {
        let mut state = self.lock();
        state.closed |= state.subscribers.is_empty();
        state.closed
    }

    /// Every event after this is still to come. Epoch and offset are 0 before anything is known, and without history.
    pub(super) fn position(&self) -> Position {
        self.lock().position.unwrap_or_default()
    }

    /// Of which history those messages are that tell none, once it has become another.
    pub(crate) fn untold_epoch(&self) -> Option<u64> {
        self.lock().untold_epoch
    }

    /// Of which history it is, as far as is known.
    pub(super) fn epoch(&self) -> Option<u64> {
        self.lock().position.map(|position| position.epoch)
    }

    /// Every event after `position` is still to come, or has come already: so the broker says, which was asked when the channel was of the
    /// history `asked_at`. `false` where events have begun another history since: of the two, it cannot be seen which is the later.
    pub(super) fn reaches_since(&self, asked_at: Option<u64>, position: Position) -> bool {
        let mut state = self.lock();
        let epoch = state.position.map(|position| position.epoch);
        let is_known = epoch == asked_at || epoch == Some(position.epoch);
        if is_known {
            state.reach(position);
        }
        is_known
    }

    /// Those whose queues are over their bounds.
    pub(crate) fn over(&self) -> Vec<Arc<Session>> {
        let mut state = self.lock();
        if !state.any_over {
            return Vec::new();
        }
        let mut over = Vec::new();
        for subscriber in state.subscribers.iter_mut().filter(|subscriber| subscriber.over) {
            subscriber.over = subscriber.session.is_queue_over();
            if subscriber.over {
                over.push(subscriber.session.clone());
            }
        }
        state.any_over = !over.is_empty();
        over
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
        let except = Except::new(&event.publication.except);
        let mut state = self.lock();
        if self.namespace.keep().keeps() {
            state.reach(event.position);
        }
        if state.subscribers.is_empty() {
            return out;
        }
        // Once, whoever it is for.
        let epoch = state.untold_epoch.map(|_| event.position.epoch);
        let message = encode::of_channel(self.number, event, epoch, self.namespace.tells_publisher());
        let queued = Queued::new(message, self.number);
        let mut any_over = false;
        for subscriber in &mut state.subscribers {
            if except.has(&subscriber.session) {
                continue;
            }
            if let Some(catching_up) = &mut subscriber.catching_up {
                out.reached += 1;
                catching_up.keep(event.position, &queued, subscriber.session.most_queued());
                continue;
            }
            let put = subscriber.session.queue_event(queued.clone(), slow);
            if put == Put::Over {
                subscriber.over = true;
                any_over = true;
            }
            out.add(put);
        }
        state.any_over |= any_over;
        out
    }
}

impl State {
    fn subscriber(&mut self, client: ClientId) -> Option<&mut Subscriber> {
        let &place = self.places.get(&client)?;
        self.subscribers.get_mut(place)
    }

    /// A subscriber has left, or is on no account any more. Where the channel was on its account, it is on that of another who is left.
    fn pass_on(&mut self, client: ClientId) {
        let Some(held) = self.held.as_mut().filter(|held| held.is_by(client)) else {
            return;
        };
        match self.subscribers.iter().find(|subscriber| !subscriber.by_server) {
            Some(next) => held.pass_to(&next.session),
            None => self.held = None,
        }
    }

    fn reach(&mut self, position: Position) {
        if let Some(at) = self.position.filter(|at| at.epoch != position.epoch) {
            self.untold_epoch.get_or_insert(at.epoch);
        }
        let is_behind = |at: Position| at.epoch == position.epoch && at.offset >= position.offset;
        if !self.position.is_some_and(is_behind) {
            self.position = Some(position);
        }
    }
}
