//! Nodes on which a broker is tested: each records what it is given.

use std::{
    fmt,
    future::Future,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use rpc_runtime::{
    ClientId,
    hub::{
        Broker, ChannelName, History, HistoryQuery, Position, Receipt, Retention,
        broker::{Address, BrokerError, Node, Origin, Publication, Published, Receiver},
    },
};
use tokio::sync::Notify;

/// No call may take longer than this.
const CALL: Duration = Duration::from_secs(2);

/// What was published has to be delivered by then.
const DELIVERY: Duration = Duration::from_secs(10);

/// Nodes that one broker serves.
#[derive(Debug)]
pub struct Cluster<B> {
    /// Each with its broker.
    pub nodes: Vec<NodeUnderTest<B>>,
}

/// A node, and the broker that it talks to.
pub struct NodeUnderTest<B> {
    /// The broker.
    pub broker: Arc<B>,
    /// What it has delivered to the node.
    pub given: Arc<Given>,
}

/// What a node was given.
#[derive(Debug, Default)]
pub struct Given {
    events: Mutex<Vec<(ChannelName, Arc<Published>)>>,
    sent: Mutex<Vec<(Address, Arc<Published>)>>,
    more: Notify,
}

impl<B: Broker> Cluster<B> {
    /// Starts a node on each broker.
    pub fn start(brokers: Vec<B>) -> Self {
        let nodes = brokers.into_iter().enumerate().map(|(index, broker)| {
            let given = Arc::<Given>::default();
            broker.start(Node::new(index as u64 + 1, &given));
            let broker = Arc::new(broker);
            NodeUnderTest { broker, given }
        });
        let nodes: Vec<_> = nodes.collect();
        assert!(!nodes.is_empty(), "there is no broker to test");
        Self { nodes }
    }

    /// The first node.
    pub fn first(&self) -> &NodeUnderTest<B> {
        &self.nodes[0]
    }
}

impl<B: Broker> NodeUnderTest<B> {
    /// Publishes.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub async fn publish(&self, channel: &ChannelName, keep: &Retention, what: Publication) -> Receipt {
        works(self.broker.publish(channel, keep, what)).await
    }

    /// Subscribes.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub async fn subscribe(&self, channel: &ChannelName, keep: &Retention) -> Position {
        works(self.broker.subscribe(channel, keep)).await
    }

    /// Reads history.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub async fn history(&self, channel: &ChannelName, keep: &Retention, query: HistoryQuery) -> History {
        works(self.broker.history(channel, keep, &query)).await
    }

    /// All that history has.
    ///
    /// # Panics
    ///
    /// When it cannot be read.
    pub async fn all(&self, channel: &ChannelName, keep: &Retention) -> History {
        let query = HistoryQuery {
            limit: usize::MAX,
            ..HistoryQuery::default()
        };
        self.history(channel, keep, query).await
    }

    /// What was delivered of a channel, up to an event that is published last, for this.
    ///
    /// # Panics
    ///
    /// Where that does not arrive.
    pub async fn delivered(&self, channel: &ChannelName, keep: &Retention) -> Vec<Arc<Published>> {
        let last = unique("last");
        self.publish(channel, keep, text(&last)).await;
        self.given.until(channel, &last).await
    }
}

impl Given {
    fn lock(&self) -> MutexGuard<'_, Vec<(ChannelName, Arc<Published>)>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was delivered of a channel before the event whose body is `last`.
    ///
    /// # Panics
    ///
    /// Where that does not arrive.
    pub async fn until(&self, channel: &ChannelName, last: &str) -> Vec<Arc<Published>> {
        let found = self.wait(|given| {
            let events = given.lock();
            let of_channel = events.iter().filter(|(name, _)| name == channel);
            let events: Vec<_> = of_channel.map(|(_, event)| event.clone()).collect();
            let end = events.iter().position(|event| body(event) == last)?;
            Some(events[..end].to_vec())
        });
        found
            .await
            .unwrap_or_else(|| panic!("what was acknowledged in {channel} is delivered: `{last}` is not"))
    }

    /// What was sent to addresses before the event whose body is `last`.
    ///
    /// # Panics
    ///
    /// Where that does not arrive.
    pub async fn sent_until(&self, last: &str) -> Vec<(Address, Arc<Published>)> {
        let found = self.wait(|given| {
            let sent = given.sent.lock().unwrap_or_else(PoisonError::into_inner);
            let end = sent.iter().position(|(_, event)| body(event) == last)?;
            Some(sent[..end].to_vec())
        });
        found
            .await
            .unwrap_or_else(|| panic!("what was sent is delivered: `{last}` is not"))
    }

    async fn wait<T>(&self, look: impl Fn(&Self) -> Option<T>) -> Option<T> {
        let found = async {
            loop {
                let more = self.more.notified();
                if let Some(found) = look(self) {
                    return found;
                }
                more.await;
            }
        };
        tokio::time::timeout(DELIVERY, found).await.ok()
    }
}

impl Receiver for Given {
    fn deliver(&self, channel: &ChannelName, event: &Arc<Published>) -> usize {
        self.lock().push((channel.clone(), event.clone()));
        self.more.notify_waiters();
        1
    }

    fn deliver_to(&self, to: &Address, event: &Arc<Published>) -> usize {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.push((to.clone(), event.clone()));
        drop(sent);
        self.more.notify_waiters();
        1
    }
}

/// What a call gives, which may not take longer than two seconds.
pub(crate) async fn call<T>(call: impl Future<Output = Result<T, BrokerError>>) -> Result<T, BrokerError> {
    let done = tokio::time::timeout(CALL, call).await;
    done.unwrap_or_else(|_| panic!("no call blocks for longer than two seconds: one does"))
}

/// What a call gives that has to work.
pub(crate) async fn works<T>(calls: impl Future<Output = Result<T, BrokerError>>) -> T {
    match call(calls).await {
        Ok(done) => done,
        Err(error) => panic!("nothing is wrong with the broker, and a call failed: {error}"),
    }
}

/// A text that is another each time, also where a broker remembers what an earlier run has done.
pub(crate) fn unique(what: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{what}-{:016x}", RandomState::new().hash_one(count))
}

/// A channel that nobody has used.
///
/// # Panics
///
/// Never, for what this suite calls its channels.
pub(crate) fn channel(what: &str) -> ChannelName {
    match ChannelName::new(format!("conformance:{}", unique(what))) {
        Ok(name) => name,
        Err(error) => panic!("{what}: {error}"),
    }
}

/// A client.
pub(crate) fn client(number: u128) -> ClientId {
    match format!("{number:032x}").parse() {
        Ok(client) => client,
        Err(error) => panic!("{number}: {error}"),
    }
}

/// An event that says this.
pub(crate) fn text(text: &str) -> Publication {
    Publication {
        type_name: "conformance.Text".into(),
        body: Bytes::copy_from_slice(text.as_bytes()),
        id: None,
        key: None,
        origin: Origin::Server,
        time: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        publisher: None,
        except: Arc::default(),
    }
}

/// The same, with a key.
pub(crate) fn keyed(what: &str, key: &str) -> Publication {
    Publication {
        key: Some(key.into()),
        ..text(what)
    }
}

/// What an event says.
pub(crate) fn body(event: &Published) -> String {
    String::from_utf8_lossy(&event.publication.body).into_owned()
}

/// Checks that events follow each other without a gap behind an offset, in one epoch.
pub(crate) fn assert_without_gaps(events: &[Arc<Published>], behind: Position) {
    for (index, event) in events.iter().enumerate() {
        let expected = Position {
            offset: behind.offset + 1 + index as u64,
            ..behind
        };
        assert_eq!(
            event.position, expected,
            "events have offsets without gaps within an epoch, each once"
        );
    }
}

impl<B> fmt::Debug for NodeUnderTest<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeUnderTest")
            .field("given", &self.given)
            .finish_non_exhaustive()
    }
}
