//! Namespaces: what is declared of all channels that a pattern takes in.
//!
//! What subscribers are given first is in `snapshot`, what is asked of a namespace that is served in `active`.

mod active;
mod snapshot;

use std::{collections::BTreeMap, fmt, marker::PhantomData, time::Duration};

pub use active::NamespaceError;
pub(crate) use active::{Act, ActiveNamespace, LATE, Namespaces, in_time};
use snapshot::ErasedSnapshot;
pub(crate) use snapshot::Taken;
pub use snapshot::{OnSubscribe, Snapshot};

use super::{
    AllowedEvents, Events, MessageCheck,
    pattern::{ChannelParams, Pattern, Spelling, spelling_of},
    rights::{ErasedRight, Nobody, Right, Typed},
};
use crate::Contract;

/// What is kept of a channel's events, for history and for subscribers that come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// So many events of a channel are kept, the latest. 0 keeps none: events have no positions then, and nothing is recovered.
    pub events: usize,
    /// And so many bytes of their bodies.
    pub bytes: usize,
    /// None is kept for longer than this.
    pub time: Duration,
    /// One answer to a subscriber that comes back carries at most so many missed events; whoever has missed more is told that
    /// it is not recovered, and reads history.
    pub recover: usize,
}

impl Retention {
    /// Nothing is kept.
    pub const NONE: Self = Self {
        events: 0,
        bytes: 0,
        time: Duration::ZERO,
        recover: 0,
    };

    /// The latest `events` events of a channel, no longer than `time`, and no more than 1 MiB of them.
    pub const fn of(events: usize, time: Duration) -> Self {
        Self {
            events,
            bytes: 1 << 20,
            time,
            recover: 1_000,
        }
    }

    /// Whether events have positions.
    pub(crate) fn keeps(&self) -> bool {
        self.events > 0
    }
}

/// What happens when a subscriber's queue is full: it does not read as fast as others publish.
///
/// A queue holds what one client is to be sent and has not taken, of all its channels, up to
/// [`Limits::event_queue_bytes`](crate::Limits::event_queue_bytes). No other subscriber notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SlowConsumer {
    /// The client is closed with 4408; it comes back and recovers what history has.
    #[default]
    Disconnect,
    /// The oldest events of the channel that wait for it are dropped. It is told so in their place, by
    /// [`Dropped`](crate::services::hub::Dropped), and recovers them from history where there is any. Where what fills the queue is of
    /// other channels, the event itself is dropped.
    DropOldest,
    /// At most the latest event of the channel waits for it, in the place of the one before: for what is replaced anyway, such as
    /// positions. A queue that other channels fill takes it all the same, up to twice its bound; then the client is closed as
    /// with `Disconnect`.
    KeepLatest,
    /// Whoever publishes waits until the queue has room, so long at most for all subscribers together; then those still full
    /// are closed with 4408, and at once where twice the bound would wait. The one policy by which a publisher waits for
    /// subscribers.
    Block {
        /// How long, at most.
        at_most: Duration,
    },
}

/// What all channels of a pattern have in common: who may do what in them, what is kept, who is seen.
///
/// ```
/// use std::time::Duration;
/// use rpc_runtime::hub::{Anyone, Hub, Namespace, Retention, Users};
///
/// let hub = Hub::builder()
///     .namespace(
///         Namespace::<(u64,)>::new("room:{id}")
///             .subscribe(Users)
///             .publish(Users)
///             .presence(Users)
///             .history(Users)
///             .keep(Retention::of(100, Duration::from_secs(600))),
///     )
///     .namespace(Namespace::<()>::new("news").subscribe(Anyone))
///     .build();
/// assert!(hub.is_ok());
/// ```
///
/// What no right is given for, nobody may do but the server itself. A name belongs to the first namespace whose pattern takes it in,
/// in the order of their registration.
///
/// # One name for each channel
///
/// Parameters are read as the types of `P`, and a channel has the name that these write: `room:5`, and neither `room:05` nor
/// `room:+5`, so that whatever is kept by the parameters is the same channel's. Who uses another spelling is answered
/// INVALID_ARGUMENT with the right one, where it has the right to what it asks for; who has not is refused as ever. With
/// `(String,)` every spelling is a channel of its own.
pub struct Namespace<P: ChannelParams = ()> {
    inner: Declared,
    params: PhantomData<fn() -> P>,
}

/// A namespace without its type.
pub(crate) struct Declared {
    pattern: String,
    parameters: usize,
    /// Whether that is as they are to be, whatever it is.
    takes_any_text: bool,
    /// How the parameters of a name are written.
    spelling: fn(&Pattern, &[&str]) -> Spelling,
    subscribe: Box<dyn ErasedRight>,
    publish: Box<dyn ErasedRight>,
    presence: Box<dyn ErasedRight>,
    history: Box<dyn ErasedRight>,
    snapshot: Option<Box<dyn ErasedSnapshot>>,
    events: Option<AllowedEvents>,
    /// What clients may say of themselves for presence, by the full names of its types. Empty: anything.
    presence_data: BTreeMap<&'static str, MessageCheck>,
    /// The schemas of the events, for reflection.
    files: Vec<&'static [u8]>,
    keep: Retention,
    slow: SlowConsumer,
    tells_publisher: bool,
    shows_presence: bool,
    tells_joins: bool,
    tells_reached: bool,
    most_subscribers: usize,
    answers_within: Duration,
}

impl<P: ChannelParams> Namespace<P> {
    /// The channels that this pattern takes in: segments separated by `:`, of which those in braces stand for any, such as
    /// `room:{id}`. Mistakes in it are told by [`HubBuilder::build`](super::HubBuilder::build).
    pub fn new(pattern: impl Into<String>) -> Self {
        let nobody = || Box::new(Typed::<_, P>::new(Nobody));
        Self {
            inner: Declared {
                pattern: pattern.into(),
                parameters: P::COUNT,
                takes_any_text: P::takes_any_text(),
                spelling: spelling_of::<P>,
                subscribe: nobody(),
                publish: nobody(),
                presence: nobody(),
                history: nobody(),
                snapshot: None,
                events: None,
                presence_data: BTreeMap::new(),
                files: Vec::new(),
                keep: Retention::NONE,
                slow: SlowConsumer::default(),
                tells_publisher: false,
                shows_presence: false,
                tells_joins: false,
                tells_reached: false,
                most_subscribers: 100_000,
                answers_within: Duration::from_secs(5),
            },
            params: PhantomData,
        }
    }

    /// The channels that the contract of an event, or of a set of events, is declared for, with these events alone.
    ///
    /// # Panics
    ///
    /// Where the contract names no channels, with the events that it concerns: add `channels = "room:{id}"` to it.
    #[allow(clippy::panic, reason = "documented, and seen when the program starts")]
    #[track_caller]
    pub fn of<E: Events>() -> Self {
        let Some(pattern) = E::CHANNELS else {
            panic!(
                "`Namespace::of::<{}>()`: no channels are named for {}. Add `channels = \"room:{{id}}\"` to `#[contract(event)]`, \
                 the same in each event of a set, or write `Namespace::new(\"room:{{id}}\").events::<…>()`",
                std::any::type_name::<E>(),
                E::NAMES.join(", "),
            )
        };
        Self::new(pattern).events::<E>()
    }

    /// Says who may subscribe.
    #[must_use]
    pub fn subscribe(mut self, right: impl Right<P>) -> Self {
        self.inner.subscribe = Box::new(Typed::new(right));
        self
    }

    /// Says who may publish. Where the namespace names its [events](Self::events), what a client publishes is validated as a request
    /// is: it has to decode, and to keep the rules of its fields. What depends on more than the event itself, such as what is stored, is
    /// a method's matter, whose handler publishes.
    #[must_use]
    pub fn publish(mut self, right: impl Right<P>) -> Self {
        self.inner.publish = Box::new(Typed::new(right));
        self
    }

    /// Says who may see who is there; presence is kept from then on.
    #[must_use]
    pub fn presence(mut self, right: impl Right<P>) -> Self {
        self.inner.shows_presence = true;
        self.inner.presence = Box::new(Typed::new(right));
        self
    }

    /// Says of which type the presence data is, what clients say of themselves when they subscribe, and has it validated: decoded, and
    /// its rules checked. Called again, it allows another type beside. A subscription with other data is refused with
    /// INVALID_ARGUMENT; who hears the channel already goes on with what it said before. Without, the data may be anything, and
    /// nobody looks into it. It is 4,096 bytes long at most.
    ///
    /// ```
    /// use rpc_runtime::{contract, hub::{Namespace, Users}};
    ///
    /// /// What the others see of someone in a room.
    /// #[contract(package = "chat", detached)]
    /// pub struct Card {
    ///     #[field(max_len = 40)]
    ///     pub doing: String,
    /// }
    ///
    /// let rooms = Namespace::<(u64,)>::new("room:{id}")
    ///     .subscribe(Users)
    ///     .presence(Users)
    ///     .presence_data::<Card>();
    /// # let _ = rooms;
    /// ```
    #[must_use]
    pub fn presence_data<D: Contract>(mut self) -> Self {
        let check = MessageCheck::of_presence::<D>();
        self.inner.presence_data.insert(D::FULL_NAME, check);
        self
    }

    /// Has [`Joined`](super::Joined) and [`Left`](super::Left) published when a user's first client comes, and the last goes,
    /// whatever events are allowed; whoever joins hears it too, and where events are kept, these have places among them. Presence is
    /// kept from then on.
    #[must_use]
    pub fn tell_joins(mut self) -> Self {
        self.inner.shows_presence = true;
        self.inner.tells_joins = true;
        self
    }

    /// Says who may read history.
    #[must_use]
    pub fn history(mut self, right: impl Right<P>) -> Self {
        self.inner.history = Box::new(Typed::new(right));
        self
    }

    /// Says what is kept of events. Nothing, by default.
    #[must_use]
    pub fn keep(mut self, retention: Retention) -> Self {
        self.inner.keep = retention;
        self
    }

    /// Allows an event, or every event of a set, and from then on no other that is not allowed too. Those that clients publish are
    /// validated: INVALID_ARGUMENT where one does not decode, or breaks a rule of its fields, with the violations as details. Without,
    /// any event may be published, and nobody looks into what clients publish.
    #[must_use]
    pub fn events<E: Events>(mut self) -> Self {
        self.inner.events.get_or_insert_default().add::<E>();
        self.inner.files.extend(E::EVENTS.iter().map(|facts| facts.files));
        self
    }

    /// Says what happens to subscribers who do not read as fast as others publish.
    #[must_use]
    pub fn slow(mut self, slow: SlowConsumer) -> Self {
        self.inner.slow = slow;
        self
    }

    /// Has events say which client has published them, and as which user.
    #[must_use]
    pub fn tell_publisher(mut self) -> Self {
        self.inner.tells_publisher = true;
        self
    }

    /// Tells clients that publish how many others were reached. Without, they are not told: who may publish need not know how many
    /// listen.
    #[must_use]
    pub fn tell_reached(mut self) -> Self {
        self.inner.tells_reached = true;
        self
    }

    /// How long a right may take to be asked for, and a snapshot to be made, each. What is not there by then is refused with
    /// UNAVAILABLE, for this one channel. 5 seconds by default.
    #[must_use]
    pub fn answers_within(mut self, time: Duration) -> Self {
        self.inner.answers_within = time;
        self
    }

    /// How many subscribers a channel may have on one node, at least one; one more is answered with RESOURCE_EXHAUSTED. 100,000 by
    /// default.
    #[must_use]
    pub fn most_subscribers(mut self, most: usize) -> Self {
        self.inner.most_subscribers = most.max(1);
        self
    }

    /// Gives each new subscriber a snapshot of what the channel is about, which it has first, before every later event.
    #[must_use]
    pub fn on_subscribe(mut self, snapshot: impl OnSubscribe<P>) -> Self {
        self.inner.snapshot = Some(Box::new(Typed::<_, P>::new(snapshot)));
        self
    }

    pub(crate) fn declared(self) -> Declared {
        self.inner
    }
}

impl<P: ChannelParams> fmt::Debug for Namespace<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Namespace")
            .field("pattern", &self.inner.pattern)
            .finish_non_exhaustive()
    }
}
