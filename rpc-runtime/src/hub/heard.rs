//! What one session hears: its channels, and those that it is about to hear.
//!
//! A session is a subscriber of a channel exactly while it has a place here for it. Both change together, under this lock and then the
//! channel's, never the other way round.

mod waiting;

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
};

use bytes::Bytes;
use tokio::sync::{self, Notify, OwnedMutexGuard};

use super::{Channel, ChannelName, keeping::CatchUps, settling::Settling, turns::PublishTurns};
use crate::Status;

/// What a client says of itself in a channel: a message's full name, and the message.
pub(crate) type PresenceData = Option<(Arc<str>, Bytes)>;

/// The channels that a session hears.
#[derive(Debug, Default)]
pub(crate) struct SessionChannels {
    heard: Mutex<Heard>,
    /// Told when a subscription that was on its way is made, or is not.
    settled: Notify,
    /// Told when a place that is to be filled is to be given up.
    given_up: Notify,
    /// What it takes while it catches up.
    catch_ups: Mutex<Weak<CatchUps>>,
    /// In which order the session publishes.
    pub(super) publishing: PublishTurns,
    /// Held while an event of its client is read on another thread.
    reading: OnceLock<Arc<sync::Mutex<()>>>,
    /// Who tells presence again that its broker has not taken.
    pub(super) settling: Settling,
}

#[derive(Debug, Default)]
struct Heard {
    places: HashMap<ChannelName, Place>,
    /// The session is over: nothing is subscribed to any more.
    gone: bool,
    /// Its client has been away for so long that it is present nowhere.
    away: bool,
    /// Its client was silent for so long that it is away as soon as its connection is lost.
    silent: bool,
    /// How often its client has left and come back.
    changes: u64,
    /// As what its broker knows the client to be in channels.
    present: HashMap<ChannelName, Known>,
    /// The number of the subscription that was made last.
    made: u64,
}

/// A client has left, or come back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    /// How often it did.
    pub(crate) number: u64,
    /// It was silent before.
    pub(crate) was_silent: bool,
}

/// As what a client is in a channel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Present {
    pub(crate) user: Option<Arc<str>>,
    pub(crate) data: PresenceData,
}

/// As what the broker knows a client to be in a channel.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) present: Present,
    /// The broker has said that it does. Without, it may: it was told so, or that the client leaves, and its answer has not come.
    pub(crate) is_sure: bool,
}

#[derive(Debug)]
enum Place {
    /// A call, or the server, is about to subscribe it.
    Joining {
        /// Why it is not to be: it was unsubscribed meanwhile.
        ended: Option<Status>,
        /// Somebody else has waited long for it.
        is_asked_for: bool,
    },
    Live(Subscription),
}

/// A channel that is heard.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    /// One that takes the place of another of the session's has another number.
    pub(crate) number: u64,
    pub(crate) channel: Arc<Channel>,
    pub(crate) granted: Option<Granted>,
    pub(crate) presence: PresenceData,
    /// Somebody was told that it is heard, or is about to be, besides whoever has made it.
    pub(crate) is_shared: bool,
}

impl Subscription {
    /// One that is to be made, and has no number yet.
    pub(crate) fn new(channel: Arc<Channel>, granted: Option<Granted>, presence: PresenceData) -> Self {
        Self {
            number: 0,
            channel,
            granted,
            presence,
            is_shared: false,
        }
    }
}

/// The server has subscribed a session: rights are not asked for, as long as this holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Granted {
    /// Whoever the client is known as.
    Client,
    /// While it is known as this user.
    User(Arc<str>),
}

impl Granted {
    pub(crate) fn holds_for(&self, user: Option<&str>) -> bool {
        match self {
            Self::Client => true,
            Self::User(granted) => user == Some(granted),
        }
    }
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
#[derive(Debug)]
pub(crate) enum NotFilled {
    /// It was unsubscribed meanwhile, or the session is over.
    Ended(Status),
    /// The channel did not have it.
    Refused,
}

#[cold]
pub(super) fn left_meanwhile() -> Status {
    Status::aborted("the channel was unsubscribed from meanwhile")
}

impl SessionChannels {
    fn lock(&self) -> MutexGuard<'_, Heard> {
        // Nothing panics while the lock is held.
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the session takes while it catches up with channels: the same for all of them that go on at once.
    pub(super) fn catch_ups(&self) -> Arc<CatchUps> {
        // Nothing panics while the lock is held.
        let mut shared = self.catch_ups.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let new = Arc::new(CatchUps::new());
            *shared = Arc::downgrade(&new);
            new
        })
    }

    /// Waits until nothing else of the session is read on another thread, in the order in which it was asked for.
    pub(super) async fn reads_alone(&self) -> OwnedMutexGuard<()> {
        self.reading.get_or_init(Arc::default).clone().lock_owned().await
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
                place.insert(Place::Joining {
                    ended: None,
                    is_asked_for: false,
                });
                Reserved::New
            }
        }
    }

    /// Fills the place that was taken, where `enter` has the channel give it events from now on. Gives the subscription's number.
    pub(crate) fn fill(
        &self,
        mut subscription: Subscription,
        enter: impl FnOnce() -> bool,
    ) -> Result<u64, NotFilled> {
        let mut heard = self.lock();
        let number = heard.made + 1;
        match heard.places.get_mut(&subscription.channel.name) {
            Some(Place::Joining { ended: Some(why), .. }) => return Err(NotFilled::Ended(why.clone())),
            Some(place @ Place::Joining { ended: None, .. }) => {
                if !enter() {
                    return Err(NotFilled::Refused);
                }
                subscription.number = number;
                *place = Place::Live(subscription);
            }
            // Whoever has taken a place holds it until it is filled or given back.
            _ => return Err(NotFilled::Ended(left_meanwhile())),
        }
        heard.made = number;
        drop(heard);
        self.settled.notify_waiters();
        Ok(number)
    }

    /// Gives back a place that was taken and not filled.
    pub(crate) fn give_back(&self, name: &ChannelName, leave: impl FnOnce()) {
        let mut heard = self.lock();
        leave();
        heard.places.remove(name);
        drop(heard);
        self.settled.notify_waiters();
    }

    /// Changes the subscription of this number. Whether it is still there.
    pub(crate) fn change(
        &self,
        name: &ChannelName,
        number: u64,
        change: impl FnOnce(&mut Subscription),
    ) -> bool {
        match self.lock().places.get_mut(name) {
            Some(Place::Live(subscription)) if subscription.number == number => {
                change(subscription);
                true
            }
            _ => false,
        }
    }

    /// Ends what is heard of a channel, where that `may_end`. Gives what was heard.
    pub(crate) fn remove(
        &self,
        name: &ChannelName,
        may_end: impl FnOnce(&Subscription) -> bool,
        leave: impl FnOnce(&Subscription),
    ) -> Option<Subscription> {
        let mut heard = self.lock();
        match heard.places.get(name)? {
            Place::Live(subscription) if may_end(subscription) => {}
            _ => return None,
        }
        match heard.places.remove(name) {
            Some(Place::Live(subscription)) => {
                leave(&subscription);
                Some(subscription)
            }
            _ => None,
        }
    }

    /// Ends everything, for good. Gives what was heard.
    pub(crate) fn end(&self, leave: impl Fn(&Subscription)) -> Vec<Subscription> {
        let mut heard = self.lock();
        heard.gone = true;
        let mut all = Vec::new();
        heard.places.retain(|_, place| match place {
            Place::Joining { ended, .. } => {
                ended.get_or_insert_with(|| Status::unavailable("the client is gone"));
                true
            }
            Place::Live(subscription) => {
                leave(subscription);
                all.push(subscription.clone());
                false
            }
        });
        drop(heard);
        self.given_up.notify_waiters();
        all
    }

    /// As what the broker knows the client to be in a channel, and as what it is to know it: by the user that it is known as.
    pub(crate) fn presence(
        &self,
        name: &ChannelName,
        user: Option<Arc<str>>,
    ) -> (Option<Known>, Option<Present>) {
        let heard = self.lock();
        let wanted = match heard.places.get(name) {
            Some(Place::Live(subscription)) if !heard.away => Some(Present {
                user,
                data: subscription.presence.clone(),
            }),
            _ => None,
        };
        (heard.present.get(name).cloned(), wanted)
    }

    /// The broker is told, or has been, as what the client is in a channel.
    pub(crate) fn set_present(&self, name: &ChannelName, known: Option<Known>) {
        let mut heard = self.lock();
        match known {
            Some(known) => heard.present.insert(name.clone(), known),
            None => heard.present.remove(name),
        };
    }

    /// The channels in which the client is, or is to be, present.
    pub(crate) fn presences(&self) -> Vec<ChannelName> {
        let heard = self.lock();
        let mut names: Vec<_> = heard.present.keys().cloned().collect();
        names.extend(heard.places.iter().filter_map(|(name, place)| match place {
            Place::Live(subscription) => {
                let is_new = !heard.present.contains_key(name);
                (is_new && subscription.channel.namespace.shows_presence()).then(|| name.clone())
            }
            Place::Joining { .. } => None,
        }));
        names
    }

    /// The client is silent, and its connection is about to be given up.
    pub(crate) fn is_silent(&self) {
        self.lock().silent = true;
    }

    /// The client has left, or come back.
    pub(crate) fn changed(&self) -> Change {
        let mut heard = self.lock();
        heard.changes += 1;
        heard.away = false;
        Change {
            number: heard.changes,
            was_silent: std::mem::take(&mut heard.silent),
        }
    }

    /// The client is away, unless something has changed since.
    pub(crate) fn is_away_since(&self, change: u64) -> bool {
        let mut heard = self.lock();
        heard.away = heard.changes == change;
        heard.away
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
}
