//! What one session hears: its channels, and those that it is about to hear.
//!
//! A session is a subscriber of a channel exactly while it has a place here for it. Both change together, under this lock and then the
//! channel's, never the other way round.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::{Notify, futures::Notified};

use super::{Channel, ChannelName};

/// What a client says of itself in a channel: a message's full name, and the message.
pub(crate) type PresenceData = Option<(Arc<str>, Bytes)>;

/// The channels that a session hears.
#[derive(Debug, Default)]
pub(crate) struct SessionChannels {
    heard: Mutex<Heard>,
    /// Told when a subscription that was on its way is made, or is not.
    settled: Notify,
}

#[derive(Debug, Default)]
struct Heard {
    places: HashMap<ChannelName, Place>,
    /// The session is over: nothing is subscribed to any more.
    gone: bool,
}

#[derive(Debug)]
enum Place {
    /// A call, or the server, is about to subscribe it.
    Joining {
        /// It was unsubscribed meanwhile.
        ended: bool,
    },
    Live(Subscription),
}

/// A channel that is heard.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    pub(crate) channel: Arc<Channel>,
    /// The server has subscribed the client: rights are not asked for.
    pub(crate) by_server: bool,
    pub(crate) presence: PresenceData,
}

/// Whether a place could be had.
#[derive(Debug)]
pub(crate) enum Reserved {
    /// It is taken, and to be filled or given back.
    New,
    /// The channel is heard already.
    Already(Subscription),
    /// Somebody else is about to subscribe the session: wait until that is settled.
    Busy,
    /// The session hears as many channels as it may.
    Full,
    /// The session is over.
    Gone,
}

/// Why a place was not filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotFilled {
    /// It was unsubscribed meanwhile, or the session is over.
    Ended,
    /// The channel did not have it.
    Refused,
}

impl SessionChannels {
    fn lock(&self) -> MutexGuard<'_, Heard> {
        // Nothing panics while the lock is held.
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place for a channel, of which there are at most `most`.
    pub(crate) fn reserve(&self, name: &ChannelName, most: usize) -> Reserved {
        let mut heard = self.lock();
        if heard.gone {
            return Reserved::Gone;
        }
        let count = heard.places.len();
        match heard.places.entry(name.clone()) {
            Entry::Occupied(place) => match place.get() {
                Place::Live(subscription) => Reserved::Already(subscription.clone()),
                Place::Joining { .. } => Reserved::Busy,
            },
            Entry::Vacant(_) if count >= most => Reserved::Full,
            Entry::Vacant(place) => {
                place.insert(Place::Joining { ended: false });
                Reserved::New
            }
        }
    }

    /// Ready when a subscription that was on its way when this was called is settled.
    pub(crate) fn settled(&self) -> Notified<'_> {
        self.settled.notified()
    }

    /// Fills the place that was taken, where `enter` has the channel give it events from now on.
    pub(crate) fn fill(
        &self,
        subscription: Subscription,
        enter: impl FnOnce() -> bool,
    ) -> Result<(), NotFilled> {
        let mut heard = self.lock();
        match heard.places.get_mut(&subscription.channel.name) {
            Some(place @ Place::Joining { ended: false }) => {
                if !enter() {
                    return Err(NotFilled::Refused);
                }
                *place = Place::Live(subscription);
            }
            _ => return Err(NotFilled::Ended),
        }
        drop(heard);
        self.settled.notify_waiters();
        Ok(())
    }

    /// Gives back a place that was taken and not filled.
    pub(crate) fn give_back(&self, name: &ChannelName, leave: impl FnOnce()) {
        let mut heard = self.lock();
        leave();
        heard.places.remove(name);
        drop(heard);
        self.settled.notify_waiters();
    }

    /// Changes a channel that is heard; gives what it is then.
    pub(crate) fn change(
        &self,
        name: &ChannelName,
        change: impl FnOnce(&mut Subscription),
    ) -> Option<Subscription> {
        match self.lock().places.get_mut(name)? {
            Place::Live(subscription) => {
                change(subscription);
                Some(subscription.clone())
            }
            Place::Joining { .. } => None,
        }
    }

    /// Ends what is heard of a channel, and what is about to be. Gives what was heard.
    pub(crate) fn remove(
        &self,
        name: &ChannelName,
        leave: impl FnOnce(&Subscription),
    ) -> Option<Subscription> {
        let mut heard = self.lock();
        match heard.places.get_mut(name)? {
            Place::Joining { ended } => {
                *ended = true;
                None
            }
            Place::Live(_) => match heard.places.remove(name) {
                Some(Place::Live(subscription)) => {
                    leave(&subscription);
                    Some(subscription)
                }
                _ => None,
            },
        }
    }

    /// Ends everything, for good. Gives what was heard.
    pub(crate) fn end(&self, leave: impl Fn(&Subscription)) -> Vec<Subscription> {
        let mut heard = self.lock();
        heard.gone = true;
        let mut all = Vec::new();
        heard.places.retain(|_, place| match place {
            Place::Joining { ended } => {
                *ended = true;
                true
            }
            Place::Live(subscription) => {
                leave(subscription);
                all.push(subscription.clone());
                false
            }
        });
        all
    }

    /// What is heard of a channel.
    pub(crate) fn get(&self, name: &ChannelName) -> Option<Subscription> {
        match self.lock().places.get(name)? {
            Place::Live(subscription) => Some(subscription.clone()),
            Place::Joining { .. } => None,
        }
    }

    /// Everything that is heard, in no order.
    pub(crate) fn list(&self) -> Vec<Subscription> {
        let live = |place: &Place| match place {
            Place::Live(subscription) => Some(subscription.clone()),
            Place::Joining { .. } => None,
        };
        self.lock().places.values().filter_map(live).collect()
    }

    /// How many channels are heard, or about to be.
    pub(crate) fn len(&self) -> usize {
        self.lock().places.len()
    }
}
