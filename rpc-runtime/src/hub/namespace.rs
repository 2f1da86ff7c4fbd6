//! Namespaces: what is declared of all channels that a pattern takes in.

use std::{collections::BTreeSet, fmt, future::Future, marker::PhantomData, sync::Arc, time::Duration};

use bytes::Bytes;

use super::{
    Event, Events, Position,
    counted::Counted,
    name::{ChannelParams, Pattern, PatternError},
    rights::{Asks, ErasedRight, Later, Nobody, Right, Typed, denied},
};
use crate::Status;

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
    /// The oldest events of the channel that wait for it are dropped. It sees the gap in the offsets, and recovers it from
    /// history. Where what fills the queue is of other channels, the event itself is dropped.
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
pub struct Namespace<P: ChannelParams = ()> {
    inner: Declared,
    params: PhantomData<fn() -> P>,
}

/// A namespace without its type.
pub(crate) struct Declared {
    pattern: String,
    parameters: usize,
    subscribe: Box<dyn ErasedRight>,
    publish: Box<dyn ErasedRight>,
    presence: Box<dyn ErasedRight>,
    history: Box<dyn ErasedRight>,
    snapshot: Option<Box<dyn ErasedSnapshot>>,
    events: Option<BTreeSet<&'static str>>,
    keep: Retention,
    slow: SlowConsumer,
    tells_publisher: bool,
    shows_presence: bool,
    tells_joins: bool,
    most_subscribers: usize,
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
                subscribe: nobody(),
                publish: nobody(),
                presence: nobody(),
                history: nobody(),
                snapshot: None,
                events: None,
                keep: Retention::NONE,
                slow: SlowConsumer::default(),
                tells_publisher: false,
                shows_presence: false,
                tells_joins: false,
                most_subscribers: 100_000,
            },
            params: PhantomData,
        }
    }

    /// The channels that the contract of an event, or of a set of events, is declared for, with these events alone.
    ///
    /// # Panics
    ///
    /// Where the contract names no channels: add `channels = "room:{id}"` to it.
    #[allow(clippy::expect_used, reason = "documented, and seen when the program starts")]
    pub fn of<E: Events>() -> Self {
        let pattern = E::CHANNELS.expect("the contract says no channels: add `channels = \"…\"` to it");
        Self::new(pattern).events::<E>()
    }

    /// Says who may subscribe.
    #[must_use]
    pub fn subscribe(mut self, right: impl Right<P>) -> Self {
        self.inner.subscribe = Box::new(Typed::new(right));
        self
    }

    /// Says who may publish.
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

    /// Allows an event, or every event of a set, and from then on no other that is not allowed too. Without, any event may be
    /// published.
    #[must_use]
    pub fn events<E: Events>(mut self) -> Self {
        self.inner.events.get_or_insert_default().extend(E::NAMES);
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

/// Makes the snapshot that a new subscriber has first.
///
/// A closure over nothing that has to be waited for is one, too: `|asks: &Asks, params: &P| -> Result<Snapshot, Status>`.
pub trait OnSubscribe<P>: Send + Sync + 'static {
    /// Makes a snapshot for a client that subscribes; [`Snapshot::none`] gives none.
    ///
    /// # Errors
    ///
    /// The client is not subscribed, and is told the status.
    fn snapshot(&self, asks: &Asks, params: &P) -> impl Future<Output = Result<Snapshot, Status>> + Send;
}

impl<P, F> OnSubscribe<P> for F
where
    P: Sync,
    F: Fn(&Asks, &P) -> Result<Snapshot, Status> + Send + Sync + 'static,
{
    async fn snapshot(&self, asks: &Asks, params: &P) -> Result<Snapshot, Status> {
        self(asks, params)
    }
}

/// The state of what a channel is about, at a position of the channel.
///
/// The subscriber has it first, and then every event after the position. So that none is missed and none is counted twice, the
/// state and the position have to be of the same moment: keep the position that publishing a change gave
/// ([`Receipt::position`](super::Receipt::position)) beside the state, under the same lock, and give both by
/// [`Snapshot::at`].
#[derive(Debug, Clone)]
pub struct Snapshot(pub(crate) Option<Taken>);

#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) type_name: &'static str,
    pub(crate) body: Bytes,
    /// `None`: where the channel was when the snapshot was asked for.
    pub(crate) position: Option<Position>,
}

impl Snapshot {
    /// The state as it was at `position`.
    pub fn at<E: Event>(position: Position, state: &E) -> Self {
        Self::taken(state, Some(position))
    }

    /// The state as it is now. Events that were published while it was taken come after it, though it may contain what they
    /// say: for state that such events only set again.
    pub fn now<E: Event>(state: &E) -> Self {
        Self::taken(state, None)
    }

    /// No snapshot.
    pub fn none() -> Self {
        Self(None)
    }

    fn taken<E: Event>(state: &E, position: Option<Position>) -> Self {
        Self(Some(Taken {
            type_name: E::FULL_NAME,
            body: state.encode_to_vec().into(),
            position,
        }))
    }
}

trait ErasedSnapshot: Send + Sync {
    fn snapshot<'a>(&'a self, asks: &'a Asks, values: &'a [&'a str]) -> Later<'a, Result<Snapshot, Status>>;
}

impl<P: ChannelParams, S: OnSubscribe<P>> ErasedSnapshot for Typed<S, P> {
    fn snapshot<'a>(&'a self, asks: &'a Asks, values: &'a [&'a str]) -> Later<'a, Result<Snapshot, Status>> {
        Box::pin(async move {
            let params = P::read(values).ok_or_else(denied)?;
            self.right().snapshot(asks, &params).await
        })
    }
}

/// What a right is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Subscribe,
    Publish,
    Presence,
    History,
}

/// A namespace that is served.
pub(crate) struct ActiveNamespace {
    pattern: Pattern,
    declared: Declared,
    pub(crate) counted: Counted,
}

impl ActiveNamespace {
    pub(crate) fn new(declared: Declared) -> Result<Self, NamespaceError> {
        let pattern = Pattern::parse(&declared.pattern)?;
        if pattern.parameters() != declared.parameters {
            return Err(NamespaceError::Parameters {
                pattern: declared.pattern,
                expected: declared.parameters,
            });
        }
        Ok(Self {
            pattern,
            declared,
            counted: Counted::default(),
        })
    }

    /// The pattern, as it was written.
    pub(crate) fn pattern(&self) -> &str {
        self.pattern.as_str()
    }

    /// Whether a channel belongs here.
    pub(crate) fn takes_in(&self, name: &str) -> bool {
        self.pattern.matches(name).is_some()
    }

    /// Asks whether a client may do something in one of the channels.
    pub(crate) async fn check(&self, act: Act, asks: &Asks, name: &str) -> Result<(), Status> {
        let values = self.pattern.matches(name).ok_or_else(denied)?;
        let right = match act {
            Act::Subscribe => &self.declared.subscribe,
            Act::Publish => &self.declared.publish,
            Act::Presence => &self.declared.presence,
            Act::History => &self.declared.history,
        };
        right.check(asks, &values).await
    }

    /// The snapshot for a new subscriber, where the namespace has any.
    pub(crate) async fn snapshot(&self, asks: &Asks, name: &str) -> Result<Option<Taken>, Status> {
        let Some(snapshot) = &self.declared.snapshot else {
            return Ok(None);
        };
        let values = self.pattern.matches(name).ok_or_else(denied)?;
        Ok(snapshot.snapshot(asks, &values).await?.0)
    }

    /// Whether subscribers have snapshots.
    pub(crate) fn has_snapshot(&self) -> bool {
        self.declared.snapshot.is_some()
    }

    /// Whether events of a type may be published.
    pub(crate) fn allows(&self, type_name: &str) -> bool {
        self.declared
            .events
            .as_ref()
            .is_none_or(|events| events.contains(type_name))
    }

    pub(crate) fn keep(&self) -> &Retention {
        &self.declared.keep
    }

    pub(crate) fn slow(&self) -> SlowConsumer {
        self.declared.slow
    }

    pub(crate) fn tells_publisher(&self) -> bool {
        self.declared.tells_publisher
    }

    pub(crate) fn shows_presence(&self) -> bool {
        self.declared.shows_presence
    }

    pub(crate) fn tells_joins(&self) -> bool {
        self.declared.tells_joins
    }

    pub(crate) fn most_subscribers(&self) -> usize {
        self.declared.most_subscribers
    }
}

impl fmt::Debug for ActiveNamespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActiveNamespace({})", self.pattern())
    }
}

/// Why namespaces cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NamespaceError {
    /// A pattern has a mistake.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// A pattern has another number of parameters than its type.
    #[error(
        "`{pattern}` is declared with {expected} parameters in `Namespace::<(…)>`, and has another number of them in its braces"
    )]
    Parameters {
        /// The pattern.
        pattern: String,
        /// How many the type has.
        expected: usize,
    },
    /// Two namespaces have one pattern.
    #[error("`{pattern}` is declared twice")]
    Twice {
        /// The pattern.
        pattern: String,
    },
}

/// All namespaces of a hub, in the order in which they are asked.
#[derive(Debug, Default)]
pub(crate) struct Namespaces(Vec<Arc<ActiveNamespace>>);

impl Namespaces {
    pub(crate) fn build(declared: Vec<Declared>) -> Result<Self, NamespaceError> {
        let mut namespaces = Vec::with_capacity(declared.len());
        for declared in declared {
            let namespace = ActiveNamespace::new(declared)?;
            if namespaces
                .iter()
                .any(|other: &Arc<ActiveNamespace>| other.pattern() == namespace.pattern())
            {
                return Err(NamespaceError::Twice {
                    pattern: namespace.pattern().to_owned(),
                });
            }
            namespaces.push(Arc::new(namespace));
        }
        Ok(Self(namespaces))
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<ActiveNamespace>> {
        self.0.iter()
    }

    /// The namespace that a channel belongs to.
    pub(crate) fn find(&self, name: &str) -> Option<&Arc<ActiveNamespace>> {
        self.0.iter().find(|namespace| namespace.takes_in(name))
    }
}
