//! What a hub asks of a broker that takes its time: subscribing and unsubscribing of one channel never meet, nobody is cut off.
//!
//! `Stepping` is that broker: it delivers only what was subscribed to, and lets a test do what it likes before and after each call.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use futures_util::future::BoxFuture;
use rpc_runtime::{
    ClientId,
    hub::{
        Anyone, Broker, BrokerWrapper, ChannelName, History, HistoryQuery, Hub, LocalBroker, Member,
        Namespace, Position, Receipt, Retention,
        broker::{Address, BrokerError, MemberChange, Node, Publication, Published, Receiver},
    },
    services::hub::{Joined, Left, SubscribeRequest},
};

use crate::common::{Peer, Said, builder, said, settle, to};

/// What a broker is about to do, or has just done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Subscribe,
    Subscribed,
    Unsubscribe,
    Unsubscribed,
    Read,
    HasRead,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Failure {
    /// It does not reach the broker.
    #[default]
    Unsent,
    /// The broker does it, and the caller does not hear of it.
    Unanswered,
}

impl Failure {
    pub const ALL: [Self; 2] = [Self::Unsent, Self::Unanswered];
}

type Between = dyn Fn(Step) -> BoxFuture<'static, ()> + Send + Sync;

/// What a test has of a `Stepping` broker.
#[derive(Default)]
pub struct Steps {
    /// What is done at each step.
    between: OnceLock<Box<Between>>,
    /// Those until now.
    taken: Mutex<Vec<Step>>,
    /// So many calls fail next, once they are done.
    fail: Mutex<usize>,
    /// So many calls that a client leaves fail next, and how many there were.
    leaves: Mutex<(usize, usize)>,
    /// So long it takes before a client joins, and so many of those calls fail next.
    joins: Mutex<(Duration, usize)>,
    /// How those calls fail.
    how: Mutex<Failure>,
    /// So long it takes before a client leaves.
    before_leaving: Mutex<Duration>,
    /// So long it takes before something is published.
    before_publishing: Mutex<Duration>,
    /// Of this channel it is not known how many are reached.
    unknown: Mutex<Option<String>>,
}

impl Steps {
    /// Has this done at each step.
    pub fn between(&self, between: impl Fn(Step) -> BoxFuture<'static, ()> + Send + Sync + 'static) {
        assert!(self.between.set(Box::new(between)).is_ok());
    }

    /// Has every call take so long, twice.
    pub fn take(&self, time: Duration) {
        self.between(move |_| Box::pin(tokio::time::sleep(time)));
    }

    /// Has publishing take so long.
    pub fn publish_after(&self, time: Duration) {
        *self.before_publishing.lock().unwrap() = time;
    }

    pub fn fail(&self, calls: usize) {
        *self.fail.lock().unwrap() = calls;
    }

    pub fn fail_leaves(&self, calls: usize) {
        *self.leaves.lock().unwrap() = (calls, 0);
    }

    /// Has those calls that a client joins or leaves that fail do so like this.
    pub fn fail_like(&self, how: Failure) {
        *self.how.lock().unwrap() = how;
    }

    /// Has it take so long before a client leaves.
    pub fn leave_after(&self, time: Duration) {
        *self.before_leaving.lock().unwrap() = time;
    }

    /// How often a client was said to leave since then.
    pub fn left(&self) -> usize {
        self.leaves.lock().unwrap().1
    }

    /// Has it take so long before a client joins, and so many of those calls fail.
    pub fn join_after(&self, time: Duration, failing: usize) {
        *self.joins.lock().unwrap() = (time, failing);
    }

    /// Those of subscribing and unsubscribing until now.
    pub fn taken(&self) -> Vec<Step> {
        let taken = self.taken.lock().unwrap();
        let others = [Step::Read, Step::HasRead];
        taken
            .iter()
            .copied()
            .filter(|step| !others.contains(step))
            .collect()
    }

    async fn step(&self, step: Step) -> Result<(), BrokerError> {
        if step == Step::Subscribe || step == Step::Unsubscribe {
            self.taken.lock().unwrap().push(step);
        }
        if let Some(between) = self.between.get() {
            between(step).await;
        }
        if step == Step::Subscribed || step == Step::Unsubscribed {
            self.taken.lock().unwrap().push(step);
            let mut fail = self.fail.lock().unwrap();
            if *fail > 0 {
                *fail -= 1;
                return Err(BrokerError::Unavailable("it was told to fail".to_owned()));
            }
        }
        Ok(())
    }
}

/// See the module.
pub struct Stepping {
    broker: LocalBroker,
    filter: OnceLock<Arc<Filter>>,
    steps: Arc<Steps>,
}

/// Takes from a node what it has not subscribed to.
struct Filter {
    node: Node,
    subscribed: Mutex<HashSet<ChannelName>>,
}

impl Receiver for Filter {
    fn deliver(&self, channel: &ChannelName, event: &Arc<Published>) -> usize {
        match self.subscribed.lock().unwrap().contains(channel) {
            true => self.node.deliver(channel, event),
            false => 0,
        }
    }

    fn deliver_to(&self, to: &Address, event: &Arc<Published>) -> usize {
        self.node.deliver_to(to, event)
    }
}

impl Stepping {
    pub fn new() -> (Self, Arc<Steps>) {
        let steps = Arc::<Steps>::default();
        let broker = Self {
            broker: LocalBroker::default(),
            filter: OnceLock::new(),
            steps: steps.clone(),
        };
        (broker, steps)
    }

    /// Makes a call, which fails as it was told to.
    async fn fails<T>(
        &self,
        fails: bool,
        call: impl Future<Output = Result<T, BrokerError>>,
    ) -> Result<T, BrokerError> {
        if !fails {
            return call.await;
        }
        let how = *self.steps.how.lock().unwrap();
        if how == Failure::Unanswered {
            call.await?;
        }
        Err(BrokerError::Unavailable("it was told to fail".to_owned()))
    }

    fn filter(&self) -> &Filter {
        self.filter.get().unwrap()
    }
}

impl BrokerWrapper for Stepping {
    type Broker = LocalBroker;

    fn wrapped(&self) -> &LocalBroker {
        &self.broker
    }

    fn start(&self, node: Node) {
        let filter = Arc::new(Filter {
            node,
            subscribed: Mutex::default(),
        });
        self.broker.start(Node::new(7, &filter));
        assert!(self.filter.set(filter).is_ok());
    }

    async fn publish(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        publication: Publication,
    ) -> Result<Receipt, BrokerError> {
        let pause = *self.steps.before_publishing.lock().unwrap();
        tokio::time::sleep(pause).await;
        let mut receipt = self.broker.publish(channel, keep, publication).await?;
        if self.steps.unknown.lock().unwrap().as_deref() == Some(channel.as_str()) {
            receipt.reached = None;
        }
        Ok(receipt)
    }

    async fn subscribe(&self, channel: &ChannelName, keep: &Retention) -> Result<Position, BrokerError> {
        self.steps.step(Step::Subscribe).await?;
        self.filter().subscribed.lock().unwrap().insert(channel.clone());
        let position = self.broker.subscribe(channel, keep).await?;
        self.steps.step(Step::Subscribed).await?;
        Ok(position)
    }

    async fn unsubscribe(&self, channel: &ChannelName) -> Result<(), BrokerError> {
        self.steps.step(Step::Unsubscribe).await?;
        self.filter().subscribed.lock().unwrap().remove(channel);
        self.broker.unsubscribe(channel).await?;
        self.steps.step(Step::Unsubscribed).await
    }

    async fn history(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        query: &HistoryQuery,
    ) -> Result<History, BrokerError> {
        self.steps.step(Step::Read).await?;
        let history = self.broker.history(channel, keep, query).await?;
        self.steps.step(Step::HasRead).await?;
        Ok(history)
    }

    async fn join(&self, channel: &ChannelName, member: Member) -> Result<MemberChange, BrokerError> {
        let pause = self.steps.joins.lock().unwrap().0;
        tokio::time::sleep(pause).await;
        let fails = {
            let failing = &mut self.steps.joins.lock().unwrap().1;
            let fails = *failing > 0;
            *failing -= usize::from(fails);
            fails
        };
        self.fails(fails, self.broker.join(channel, member)).await
    }

    async fn leave(&self, channel: &ChannelName, client: ClientId) -> Result<MemberChange, BrokerError> {
        let pause = *self.steps.before_leaving.lock().unwrap();
        tokio::time::sleep(pause).await;
        let fails = {
            let mut leaves = self.steps.leaves.lock().unwrap();
            let fails = leaves.0 > 0;
            leaves.0 -= usize::from(fails);
            leaves.1 += 1;
            fails
        };
        self.fails(fails, self.broker.leave(channel, client)).await
    }
}

/// Rooms for anybody, with a history, on a `Stepping` broker.
pub fn rooms_of_steps() -> (Hub, Arc<Steps>) {
    let (broker, steps) = Stepping::new();
    let rooms = Namespace::<(u64,)>::new("room:{id}")
        .subscribe(Anyone)
        .keep(Retention::of(2_000, Duration::from_secs(3_600)));
    (
        Hub::builder().namespace(rooms).broker(broker).build().unwrap(),
        steps,
    )
}

#[tokio::test(start_paused = true)]
async fn how_many_several_channels_reach_is_known_only_where_it_is_known_of_all() {
    let (hub, steps) = rooms_of_steps();
    let server = builder(&hub).build().unwrap();
    let mut ali = Peer::connect(&server).await;
    ali.subscribe("room:1").await;
    ali.subscribe("room:2").await;
    let reached = async || {
        let to = hub.channels(["room:1", "room:2", "room:3"]);
        to.publish(&said("x")).await.unwrap().reached
    };
    assert_eq!(reached().await, Some(2));
    for unknown in ["room:1", "room:2", "room:3"] {
        *steps.unknown.lock().unwrap() = Some(unknown.to_owned());
        assert_eq!(reached().await, None, "{unknown}");
    }
}

/// Checks that no step was taken while another was under way.
fn assert_one_after_the_other(steps: &[Step]) {
    for pair in steps.chunks(2) {
        let whole = matches!(
            pair,
            [Step::Subscribe, Step::Subscribed] | [Step::Unsubscribe, Step::Unsubscribed]
        );
        assert!(whole, "{steps:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_subscribes_while_a_broker_is_told_that_the_channel_is_left_is_not_cut_off() {
    let (hub, steps) = rooms_of_steps();
    steps.take(Duration::from_secs(1));
    let server = builder(&hub).build().unwrap();
    let (mut ali, mut bea) = (Peer::connect(&server).await, Peer::connect(&server).await);
    ali.subscribe("room:1").await;
    assert!(ali.unsubscribe("room:1").await);
    settle().await;
    assert_eq!(
        steps.taken().last(),
        Some(&Step::Unsubscribe),
        "the broker is about it"
    );
    let answer = bea.subscribe("room:1").await;
    assert_one_after_the_other(&steps.taken());
    assert_eq!(steps.taken().len(), 6, "{:?}", steps.taken());
    // Longer than anything that is still to come takes.
    tokio::time::sleep(Duration::from_secs(10)).await;
    hub.channel("room:1").publish(&said("hello")).await.unwrap();
    let event = bea.event().await;
    assert_eq!((event.channel, event.offset), (answer.number, 1));
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_left_and_wanted_again_before_the_broker_is_told_stays() {
    let (hub, steps) = rooms_of_steps();
    let server = builder(&hub).build().unwrap();
    let (mut ali, mut bea) = (Peer::connect(&server).await, Peer::connect(&server).await);
    let first = ali.subscribe("room:1").await;
    let second = bea.subscribe("room:1").await;
    assert_eq!(
        steps.taken(),
        [Step::Subscribe, Step::Subscribed],
        "once for all subscribers"
    );
    assert_eq!(first.number, second.number);
    ali.unsubscribe("room:1").await;
    assert_eq!(steps.taken().len(), 2, "somebody is left");
    bea.vanish().await;
    assert_eq!(
        steps.taken()[2..],
        [Step::Unsubscribe, Step::Unsubscribed],
        "without a task of its own"
    );
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_and_goes_at_a_slow_broker_hears_everything_while_it_is_there() {
    let (hub, steps) = rooms_of_steps();
    steps.take(Duration::from_millis(70));
    let server = builder(&hub).build().unwrap();
    let mut peers = Vec::new();
    for number in 0..8_u64 {
        let (hub, server) = (hub.clone(), server.clone());
        peers.push(tokio::spawn(async move {
            let mut peer = Peer::connect(&server).await;
            for round in 0..40 {
                let position = peer.subscribe("room:1").await.position.unwrap();
                hub.channel("room:1").publish(&said("x")).await.unwrap();
                let receipt = hub.channel("room:1").publish(&said("y")).await.unwrap();
                let last = receipt.position.unwrap().offset;
                for expected in position.offset + 1..=last {
                    assert_eq!(peer.event().await.offset, expected, "{number} in round {round}");
                }
                tokio::time::sleep(Duration::from_millis(number * 13 % 50)).await;
                assert!(peer.unsubscribe("room:1").await);
                peer.events.clear();
                tokio::time::sleep(Duration::from_millis((number * 31 + round * 17) % 300)).await;
            }
        }));
    }
    for peer in peers {
        peer.await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(10)).await;
    let taken = steps.taken();
    assert_one_after_the_other(&taken);
    assert_eq!(taken.last(), Some(&Step::Unsubscribed));
    assert!(
        taken.len() > 8,
        "they have not all been there all the time: {taken:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_broker_has_failed_everything_can_be_done_again() {
    let (hub, steps) = rooms_of_steps();
    let server = builder(&hub).build().unwrap();
    let mut ali = Peer::connect(&server).await;
    steps.fail(1);
    let refused = ali.try_subscribe("room:1").await.refused.unwrap();
    assert_eq!(refused.code, rpc_runtime::Code::Unavailable as i32);
    // It may have subscribed: it is told otherwise.
    assert_eq!(steps.taken()[2..], [Step::Unsubscribe, Step::Unsubscribed]);
    let receipt = hub.channel("room:1").publish(&said("nobody")).await.unwrap();
    assert_eq!(receipt.reached, Some(0));
    ali.subscribe("room:1").await;
    // It is left, and the broker cannot be told.
    steps.fail(1);
    ali.unsubscribe("room:1").await;
    let answer = ali.subscribe("room:1").await;
    assert_eq!(answer.position.unwrap().offset, 1);
    hub.channel("room:1").publish(&said("hello")).await.unwrap();
    assert_eq!(ali.hears::<Said>().await, said("hello"));
    ali.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn who_goes_while_a_slow_broker_is_told_that_it_has_joined_joins_and_leaves() {
    let (broker, steps) = Stepping::new();
    let rooms = Namespace::<(u64,)>::new("room:{id}")
        .subscribe(Anyone)
        .tell_joins();
    let hub = Hub::builder().namespace(rooms).broker(broker).build().unwrap();
    let server = builder(&hub).build().unwrap();
    let mut watcher = Peer::connect(&server).await;
    watcher.subscribe("room:1").await;
    settle().await;
    watcher.events.clear();
    steps.publish_after(Duration::from_secs(1));
    let mut ali = Peer::connect(&server).await;
    let id = ali.id().to_string();
    let request = SubscribeRequest {
        channels: vec![to("room:1")],
    };
    ali.begin("Subscribe", &request).await;
    settle().await;
    ali.vanish().await;
    let mut joined: Joined = watcher.hears().await;
    while joined.client_id != id {
        joined = watcher.hears().await;
    }
    assert_eq!(watcher.hears::<Left>().await.client_id, id);
}
