//! What a client's hub knows, over all its connections: the channels that the program hears, who listens for what is sent
//! directly, and to whom a frame goes. No IO: [`keeper`](super::keeper) asks the server what is to be asked.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    hash::BuildHasherDefault,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    task::Waker,
};

use rpc_protocol::frame::Event as EventFrame;
use tokio::{sync::Notify, time::Instant};

use super::{
    by_server::Untaken,
    error::SubscriptionError,
    feed::{Feed, Waits},
    held::Held,
    inbox::{Capacity, Inbox},
    received::Raw,
    sub::Sub,
};
use crate::{
    CallError,
    client::channel::Handle,
    contract::Contract,
    hub::Position,
    router::Identity,
    services::hub::{Subscribed, TypedMessage},
};

/// Where a client's hub is, once there is one: a client that never uses it has this cell and nothing else.
#[derive(Debug)]
pub(in crate::client) struct HubCell {
    pub(super) core: OnceLock<Arc<Core>>,
    capacity: Capacity,
    /// Events that were sent directly, and for which nobody listened.
    pub(super) unheard: AtomicU64,
}

pub(super) struct Core {
    state: Mutex<State>,
    /// Told when the server may have to be asked for something.
    pub(super) work: Notify,
    pub(super) capacity: Capacity,
    pub(super) handle: OnceLock<Weak<Handle>>,
}

/// What those are listed by who listen for events of any type. No message is called so.
pub(super) const ANY: &str = "*";

/// What listeners for these events are listed by.
fn listed(names: &'static [&'static str]) -> &'static [&'static str] {
    if names.is_empty() { &[ANY] } else { names }
}

type ById<T> = HashMap<u64, T, BuildHasherDefault<Identity>>;

#[derive(Default)]
pub(super) struct State {
    /// The connection that counts: what comes on older ones, which finish their calls, does not.
    pub(super) link: u64,
    /// So many of the direct events that come next on it were sent on the connection before.
    pub(super) again: u64,
    pub(super) feeds: ById<Feed>,
    pub(super) names: HashMap<Arc<str>, u64>,
    /// Feeds by what frames name them by, on this connection.
    numbers: ById<u64>,
    /// Feeds for which the server may have to be asked for something.
    pub(super) todo: BTreeSet<u64>,
    /// Frames of numbers that are not known yet.
    early: Held,
    /// Who listens for what is sent directly, by the events' full names, and by [`ANY`].
    pub(super) listeners: HashMap<&'static str, Vec<Arc<Inbox>>>,
    pub(super) untaken: Untaken,
    last_id: u64,
    /// A task asks the server what is to be asked.
    pub(super) kept: bool,
    /// The client is closed for good.
    pub(super) over: Option<CallError>,
}

impl HubCell {
    pub(in crate::client) fn new(events: usize, bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            core: OnceLock::new(),
            capacity: Capacity { events, bytes },
            unheard: AtomicU64::new(0),
        })
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        self.core.get_or_init(|| {
            Arc::new(Core {
                state: Mutex::default(),
                work: Notify::new(),
                capacity: self.capacity,
                handle: OnceLock::new(),
            })
        })
    }

    /// A connection begins.
    pub(in crate::client) fn begins(&self, link: u64) {
        if let Some(core) = self.core.get() {
            core.lock().begin(link);
            core.work.notify_one();
        }
    }

    /// Something was published or sent. Who is to be woken, once the connection's lock is free.
    pub(in crate::client) fn on_event(&self, link: u64, frame: EventFrame, woken: &mut Vec<Waker>) {
        // The server may subscribe a client to channels whose program has not asked for its hub yet.
        let core = match self.core.get() {
            Some(core) => core,
            None if is_by_server(&frame) => self.core(),
            None => {
                let is_direct = frame.channel == 0 && frame.channel_name.is_empty();
                self.unheard.fetch_add(u64::from(is_direct), Ordering::Relaxed);
                return;
            }
        };
        let outcome = core.lock().on_event(link, frame, core.capacity, woken);
        match outcome {
            Came::Nothing => {}
            Came::Work => core.work.notify_one(),
            Came::Unheard => drop(self.unheard.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// The client is closed for good.
    pub(in crate::client) fn finish(&self, error: impl FnOnce() -> CallError) {
        if let Some(core) = self.core.get() {
            core.finish(error());
        }
    }
}

fn is_by_server(frame: &EventFrame) -> bool {
    frame.channel == 0 && frame.type_name == Subscribed::FULL_NAME
}

/// What an event came to.
#[derive(Debug, PartialEq)]
pub(super) enum Came {
    Nothing,
    /// The server is to be asked for something.
    Work,
    /// Nobody listens for it.
    Unheard,
}

impl Core {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new subscription of the program, which is to be asked for.
    pub(super) fn add(
        &self,
        name: &str,
        since: Option<Position>,
        presence: Option<TypedMessage>,
        listens_for: &'static [&'static str],
        first: Waits,
    ) -> (u64, Arc<Inbox>) {
        let inbox = Inbox::new(self.capacity);
        let mut state = self.lock();
        let id = state.new_id();
        if let Some(error) = &state.over {
            let _ = first.send(Err(error.clone()));
            return (id, inbox);
        }
        let place = state.feed(name);
        state.todo.insert(place);
        if let Some(feed) = state.feeds.get_mut(&place) {
            if let Some(presence) = presence {
                feed.say(presence);
            }
            feed.subs
                .push(Sub::new(id, inbox.clone(), since, listens_for, first));
            // Whoever has left the channel has left it: it is not the last one's any more.
            feed.left.drain(..).for_each(|waits| drop(waits.send(Ok(()))));
        }
        drop(state);
        self.work.notify_one();
        (id, inbox)
    }

    /// A subscription is not read any more. `waits`: who is to be told when the server knows, if it is the channel's last.
    pub(super) fn leave(&self, name: &str, sub: u64, waits: Option<Waits>) {
        let mut state = self.lock();
        let place = state.names.get(name).copied();
        let feed = place.and_then(|place| state.feeds.get_mut(&place));
        let (Some(place), Some(feed)) = (place, feed) else {
            drop(state);
            waits.map(|waits| waits.send(Ok(())));
            return;
        };
        feed.subs.retain(|one| one.id != sub);
        let was_last = feed.subs.is_empty();
        if was_last {
            feed.left.extend(waits);
        } else if let Some(waits) = waits {
            let _ = waits.send(Ok(()));
        }
        state.todo.insert(place);
        drop(state);
        self.work.notify_one();
    }

    /// The program has read everything of a subscription that had missed something meanwhile.
    pub(super) fn drained(&self, name: &str, sub: u64) {
        let mut state = self.lock();
        let Some(&place) = state.names.get(name) else {
            return;
        };
        if state
            .feeds
            .get_mut(&place)
            .is_some_and(|feed| feed.is_drained(sub))
        {
            state.todo.insert(place);
            drop(state);
            self.work.notify_one();
        }
    }

    /// This client has published what is not for itself.
    pub(super) fn skip(&self, name: &str, position: Position) {
        let mut state = self.lock();
        if let Some(place) = state.names.get(name).copied()
            && let Some(feed) = state.feeds.get_mut(&place)
        {
            feed.skip(position);
        }
    }

    /// Has what is sent directly put into an inbox.
    pub(super) fn listen(&self, names: &'static [&'static str]) -> Arc<Inbox> {
        let inbox = Inbox::new(self.capacity);
        let mut state = self.lock();
        if let Some(error) = &state.over {
            inbox.finish(Some(SubscriptionError::Closed(error.clone())), &mut Vec::new());
        }
        for name in listed(names) {
            state.listeners.entry(name).or_default().push(inbox.clone());
        }
        drop(state);
        inbox
    }

    /// Nobody reads an inbox any more.
    pub(super) fn deafen(&self, names: &'static [&'static str], inbox: &Arc<Inbox>) {
        let mut state = self.lock();
        for name in listed(names) {
            if let Some(listeners) = state.listeners.get_mut(name) {
                listeners.retain(|listener| !Arc::ptr_eq(listener, inbox));
                if listeners.is_empty() {
                    state.listeners.remove(name);
                }
            }
        }
    }

    fn finish(&self, error: CallError) {
        let mut woken = Vec::new();
        let mut state = self.lock();
        state.over.get_or_insert_with(|| error.clone());
        let end = SubscriptionError::Closed(error.clone());
        for feed in state.feeds.values_mut() {
            feed.end(&end, &error, &mut woken);
            feed.left
                .drain(..)
                .for_each(|waits| drop(waits.send(Err(error.clone()))));
        }
        state.feeds.clear();
        state.names.clear();
        state.numbers.clear();
        state.todo.clear();
        state.early = Held::default();
        for listener in state.listeners.values().flatten() {
            listener.finish(Some(end.clone()), &mut woken);
        }
        woken.extend(state.untaken.finish());
        drop(state);
        woken.into_iter().for_each(Waker::wake);
        self.work.notify_one();
    }
}

impl State {
    pub(super) fn new_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// The feed of a channel; made where there is none.
    pub(super) fn feed(&mut self, name: &str) -> u64 {
        if let Some(&place) = self.names.get(name) {
            return place;
        }
        let place = self.new_id();
        let name: Arc<str> = name.into();
        self.names.insert(name.clone(), place);
        self.feeds.insert(place, Feed::new(name));
        place
    }

    /// Takes a feed off the list that nobody needs.
    pub(super) fn remove(&mut self, place: u64) {
        if let Some(mut feed) = self.feeds.remove(&place) {
            self.names.remove(&feed.name);
            if let Some(number) = feed.number {
                self.numbers.remove(&number);
            }
            feed.has_left();
        }
    }

    /// Another connection takes the place of the one before.
    pub(super) fn begin(&mut self, link: u64) {
        if link <= self.link {
            return;
        }
        self.link = link;
        self.again = 0;
        self.numbers.clear();
        self.early = Held::default();
        self.feeds.values_mut().for_each(Feed::begin);
        self.todo.extend(self.feeds.keys().copied());
    }

    /// A feed has a number now, or another one. Gives what came of that number before.
    pub(super) fn name(&mut self, place: u64, before: Option<u64>, number: u64) -> (Vec<Arc<Raw>>, bool) {
        if let Some(before) = before.filter(|before| *before != number) {
            self.numbers.remove(&before);
        }
        self.numbers.insert(number, place);
        (self.early.take(number), self.early.overrun)
    }

    /// Frees what was held for answers, once there are none to come.
    pub(super) fn settle(&mut self) {
        if !self.feeds.values().any(Feed::is_unsettled) {
            self.early = Held::default();
        }
    }

    /// A feed's number is not to be given to it any more.
    pub(super) fn unname(&mut self, number: Option<u64>) {
        if let Some(number) = number {
            self.numbers.remove(&number);
        }
    }

    fn on_event(&mut self, link: u64, frame: EventFrame, capacity: Capacity, woken: &mut Vec<Waker>) -> Came {
        if link < self.link {
            return Came::Nothing;
        }
        self.begin(link);
        let number = frame.channel;
        let is_again = number == 0 && self.again > 0;
        self.again -= u64::from(is_again);
        let place = match number {
            0 if frame.channel_name.is_empty() => return self.on_direct(frame, is_again, capacity, woken),
            0 => self.names.get(frame.channel_name.as_str()).copied(),
            number => self.numbers.get(&number).copied(),
        };
        let raw = Arc::new(Raw::of_frame(frame));
        let Some(place) = place else {
            if number != 0 && self.feeds.values().any(Feed::is_unsettled) {
                self.early.push(number, raw);
            }
            return Came::Nothing;
        };
        let feed = self.feeds.get_mut(&place);
        let asks = feed.is_some_and(|feed| feed.on_event(raw, Instant::now(), woken));
        if asks {
            self.todo.insert(place);
            return Came::Work;
        }
        Came::Nothing
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Core")
            .field("channels", &state.feeds.len())
            .field("over", &state.over)
            .finish_non_exhaustive()
    }
}
