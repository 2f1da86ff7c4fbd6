//! The broker of one process: everything is in its memory, and delivered before publishing returns.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::SystemTime,
};

use tokio::time::Instant;

use super::{
    Address, Broker, BrokerError, ChannelName, History, HistoryQuery, Member, MemberChange, Node, Position,
    Publication, Published, Receipt, Retention,
};
use crate::{ClientId, random};

/// The topics are split so that publishers on several cores seldom meet.
const SHARDS: usize = 16;

/// The broker of one process; the default.
///
/// Histories are lost with the process: clients that come back to the next one are told that they are not recovered.
#[derive(Debug, Default)]
pub struct LocalBroker {
    hasher: RandomState,
    shards: [Mutex<HashMap<ChannelName, Arc<Topic>>>; SHARDS],
    node: OnceLock<Node>,
}

/// A channel, as its broker knows it.
#[derive(Debug)]
struct Topic(Mutex<State>);

#[derive(Debug)]
struct State {
    epoch: u64,
    /// The offset of the latest event.
    top: u64,
    /// In the order of their offsets, without gaps; each with the time at which it came.
    events: VecDeque<(Instant, Arc<Published>)>,
    /// What the bodies of `events` take.
    bytes: usize,
    /// Of those events that have one.
    keys: HashMap<Arc<str>, u64>,
    members: HashMap<ClientId, Member>,
    /// How many of the members a user has.
    users: HashMap<Arc<str>, usize>,
    subscribed: bool,
    /// It is on the list no more.
    gone: bool,
}

impl State {
    fn new() -> Self {
        Self {
            epoch: u64::from_ne_bytes(random::bytes()),
            top: 0,
            events: VecDeque::new(),
            bytes: 0,
            keys: HashMap::new(),
            members: HashMap::new(),
            users: HashMap::new(),
            subscribed: false,
            gone: false,
        }
    }

    fn position(&self) -> Position {
        Position {
            epoch: self.epoch,
            offset: self.top,
        }
    }

    /// Lets go of what is not to be kept any more.
    fn expire(&mut self, keep: &Retention, now: Instant) {
        while let Some((came, oldest)) = self.events.front() {
            let fits = self.events.len() <= keep.events && self.bytes <= keep.bytes;
            if fits && now.saturating_duration_since(*came) < keep.time {
                break;
            }
            self.bytes -= oldest.publication.body.len();
            if let Some(key) = &oldest.publication.key {
                self.keys.remove(key);
            }
            self.events.pop_front();
        }
    }

    /// The offset of the oldest event that is kept; one more than the latest where none is.
    fn oldest(&self) -> u64 {
        self.top + 1 - self.events.len() as u64
    }

    fn read(&self, query: &HistoryQuery) -> History {
        let position = self.position();
        let known = query
            .after
            .is_none_or(|after| after.epoch == self.epoch && after.offset <= self.top);
        let complete = known && query.after.is_none_or(|after| after.offset + 1 >= self.oldest());
        let mut events = Vec::new();
        let mut more = false;
        let asked = |event: &&Arc<Published>| {
            let (offset, time) = (event.position.offset, event.publication.time);
            query.after.is_none_or(|after| offset > after.offset)
                && query.before.is_none_or(|before| offset < before)
                && query.since.is_none_or(|since| time >= since)
                && query.until.is_none_or(|until| time < until)
        };
        let mut take = |event: &Arc<Published>| {
            more = events.len() >= query.limit;
            if !more {
                events.push(event.clone());
            }
            !more
        };
        let kept = self.events.iter().map(|(_, event)| event);
        if known && query.newest_first {
            let _ = kept.rev().filter(asked).all(&mut take);
        } else if known {
            let _ = kept.filter(asked).all(&mut take);
        }
        History {
            position,
            events,
            complete,
            more,
        }
    }
}

impl LocalBroker {
    fn shard(&self, channel: &ChannelName) -> MutexGuard<'_, HashMap<ChannelName, Arc<Topic>>> {
        // Fewer than 2^32 of it matter: there are 16.
        let shard = self.hasher.hash_one(channel) as usize % SHARDS;
        lock(&self.shards[shard])
    }

    fn find(&self, channel: &ChannelName) -> Option<Arc<Topic>> {
        self.shard(channel).get(channel).cloned()
    }

    /// Does something with a channel, which is made where there is none.
    fn with<T>(&self, channel: &ChannelName, act: impl FnOnce(&mut State) -> T) -> T {
        loop {
            let topic = match self.shard(channel).entry(channel.clone()) {
                Entry::Occupied(topic) => topic.get().clone(),
                Entry::Vacant(place) => place.insert(Arc::new(Topic(Mutex::new(State::new())))).clone(),
            };
            let mut state = lock(&topic.0);
            if !state.gone {
                return act(&mut state);
            }
        }
    }

    fn node(&self) -> Option<&Node> {
        self.node.get()
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
        publication: Publication,
    ) -> Result<Receipt, BrokerError> {
        let Some(node) = self.node() else {
            return Err(BrokerError::Unavailable("no node has been started".to_owned()));
        };
        if !keep.keeps() {
            let event = Arc::new(Published {
                position: Position { epoch: 0, offset: 0 },
                publication,
            });
            // The order is that of delivery, which the channel's lock on the node makes.
            let reached = node.deliver(channel, &event);
            return Ok(Receipt::new(event.id(), None, Some(reached)));
        }
        Ok(self.with(channel, |state| {
            let now = Instant::now();
            state.expire(keep, now);
            if let Some(key) = &publication.key
                && let Some(&offset) = state.keys.get(key)
            {
                let position = Position {
                    epoch: state.epoch,
                    offset,
                };
                return Receipt::new(key.clone(), Some(position), None).duplicate();
            }
            state.top += 1;
            let event = Arc::new(Published {
                position: state.position(),
                publication,
            });
            state.bytes += event.publication.body.len();
            if let Some(key) = &event.publication.key {
                state.keys.insert(key.clone(), state.top);
            }
            state.events.push_back((now, event.clone()));
            state.expire(keep, now);
            // Under the lock, so that nobody else's event comes in between.
            let reached = node.deliver(channel, &event);
            Receipt::new(event.id(), Some(event.position), Some(reached))
        }))
    }

    async fn subscribe(&self, channel: &ChannelName, keep: &Retention) -> Result<Position, BrokerError> {
        if !keep.keeps() {
            return Ok(Position { epoch: 0, offset: 0 });
        }
        Ok(self.with(channel, |state| {
            state.subscribed = true;
            state.position()
        }))
    }

    async fn unsubscribe(&self, channel: &ChannelName) -> Result<(), BrokerError> {
        if let Some(topic) = self.find(channel) {
            lock(&topic.0).subscribed = false;
        }
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
                position: Position { epoch: 0, offset: 0 },
                events: Vec::new(),
                complete: query.after.is_none(),
                more: false,
            });
        }
        Ok(self.with(channel, |state| {
            state.expire(keep, Instant::now());
            state.read(query)
        }))
    }

    async fn send(&self, to: &Address, publication: Publication) -> Result<Receipt, BrokerError> {
        let Some(node) = self.node() else {
            return Err(BrokerError::Unavailable("no node has been started".to_owned()));
        };
        let event = Arc::new(Published {
            position: Position { epoch: 0, offset: 0 },
            publication,
        });
        let reached = node.deliver_to(to, &event);
        Ok(Receipt::new(event.id(), None, Some(reached)))
    }

    async fn join(&self, channel: &ChannelName, member: Member) -> Result<MemberChange, BrokerError> {
        Ok(self.with(channel, |state| {
            let user = member.user.clone();
            let before = state.members.insert(member.client, member);
            let was = before.as_ref().map(|before| before.user.clone());
            if was.as_ref() == Some(&user) {
                return MemberChange::default();
            }
            if let Some(Some(was)) = was {
                state.leave_user(&was);
            }
            MemberChange {
                changed: true,
                of_user: user.is_none_or(|user| state.join_user(user)),
            }
        }))
    }

    async fn leave(&self, channel: &ChannelName, client: ClientId) -> Result<MemberChange, BrokerError> {
        let Some(topic) = self.find(channel) else {
            return Ok(MemberChange::default());
        };
        let mut state = lock(&topic.0);
        Ok(match state.members.remove(&client) {
            None => MemberChange::default(),
            Some(member) => MemberChange {
                changed: true,
                of_user: member.user.is_none_or(|user| state.leave_user(&user)),
            },
        })
    }

    async fn members(&self, channel: &ChannelName) -> Result<Vec<Member>, BrokerError> {
        Ok(match self.find(channel) {
            Some(topic) => lock(&topic.0).members.values().cloned().collect(),
            None => Vec::new(),
        })
    }
}

impl State {
    /// Whether the user was not there before.
    fn join_user(&mut self, user: Arc<str>) -> bool {
        let count = self.users.entry(user).or_default();
        *count += 1;
        *count == 1
    }

    /// Whether the user is there no more.
    fn leave_user(&mut self, user: &str) -> bool {
        match self.users.get_mut(user) {
            Some(count) if *count > 1 => {
                *count -= 1;
                false
            }
            _ => {
                self.users.remove(user);
                true
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while one of these locks is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
