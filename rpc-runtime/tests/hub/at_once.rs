//! One session that catches up with many channels at once: what it makes the server hold, and that it is told nothing less for that.

use std::{
    collections::HashMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rpc_protocol::{FrameKind, frame::Response};
use rpc_runtime::{
    Code, Limits, Status,
    bytes::Bytes,
    hub::{
        Anyone, Asks, Broker, BrokerWrapper, ChannelName, History, HistoryQuery, Hub, LocalBroker, Namespace,
        OnSubscribe, Position, Retention, Snapshot,
        broker::{BrokerError, Publication, Published},
    },
    prost::Message,
    services::hub::{
        SubscribeAnswer, SubscribeChannel, SubscribeRequest, SubscribeResponse, Subscribed, Unsubscribed,
    },
};
use tokio::time::{sleep, timeout};

use crate::{
    broker::{Step, rooms_of_steps},
    common::{Peer, Said, builder, said, settle, to},
};

/// What is there of the events that a broker has read.
#[derive(Debug, Default)]
struct Read {
    bytes: AtomicUsize,
    most_bytes: AtomicUsize,
    going_on: AtomicUsize,
    most_going_on: AtomicUsize,
}

fn begin(count: &AtomicUsize, most: &AtomicUsize, more: usize) {
    let now = count.fetch_add(more, Ordering::SeqCst) + more;
    most.fetch_max(now, Ordering::SeqCst);
}

/// The body of an event that was read.
struct Body {
    bytes: Bytes,
    read: Arc<Read>,
}

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.read.bytes.fetch_sub(self.bytes.len(), Ordering::SeqCst);
    }
}

/// A broker as one over a network is: reading takes a tenth of a second, and what was read is the reader's own.
#[derive(Default)]
struct Remote {
    broker: LocalBroker,
    read: Arc<Read>,
}

impl BrokerWrapper for Remote {
    type Broker = LocalBroker;

    fn wrapped(&self) -> &LocalBroker {
        &self.broker
    }

    async fn history(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        query: &HistoryQuery,
    ) -> Result<History, BrokerError> {
        begin(&self.read.going_on, &self.read.most_going_on, 1);
        sleep(Duration::from_millis(100)).await;
        let mut history = self.broker.history(channel, keep, query).await?;
        for event in &mut history.events {
            let bytes = event.publication.body.clone();
            begin(&self.read.bytes, &self.read.most_bytes, bytes.len());
            let read = self.read.clone();
            let publication = Publication {
                body: Bytes::from_owner(Body { bytes, read }),
                ..event.publication.clone()
            };
            let position = event.position;
            *event = Arc::new(Published {
                position,
                publication,
            });
        }
        self.read.going_on.fetch_sub(1, Ordering::SeqCst);
        Ok(history)
    }
}

/// Has no snapshot, and finds that out in so many seconds.
struct Slow(u64);

impl OnSubscribe<(u64,)> for Slow {
    async fn snapshot(&self, _: &Asks, _: &(u64,)) -> Result<Snapshot, Status> {
        sleep(Duration::from_secs(self.0)).await;
        Ok(Snapshot::none())
    }
}

/// Rooms with a history, on such a broker, and slow channels without one.
fn remote() -> (Hub, Arc<Read>) {
    let broker = Remote::default();
    let read = broker.read.clone();
    let rooms = Namespace::<(u64,)>::new("room:{id}")
        .subscribe(Anyone)
        .keep(Retention::of(100, Duration::from_secs(3_600)));
    let slow = |pattern, seconds| {
        let slow = Namespace::<(u64,)>::new(pattern).subscribe(Anyone);
        slow.on_subscribe(Slow(seconds))
    };
    let hub = Hub::builder()
        .namespace(rooms)
        .namespace(slow("slow:{id}", 1))
        .namespace(slow("slower:{id}", 4))
        .broker(broker);
    (hub.build().unwrap(), read)
}

/// Publishes so many events of 60 KiB in a channel, behind one; gives where that is.
async fn published(hub: &Hub, channel: &str, events: usize) -> Position {
    let first = hub.channel(channel).publish(&said("first")).await.unwrap();
    for _ in 0..events {
        let event = said(&"x".repeat(60 << 10));
        hub.channel(channel).publish(&event).await.unwrap();
    }
    first.position.unwrap()
}

fn since(channel: &str, position: Position) -> SubscribeChannel {
    SubscribeChannel {
        since: Some(position.into()),
        ..to(channel)
    }
}

/// Makes calls at once; gives the answers of each.
async fn subscribe_at_once(peer: &mut Peer, calls: Vec<Vec<SubscribeChannel>>) -> Vec<Vec<SubscribeAnswer>> {
    let mut streams = Vec::new();
    for channels in calls {
        streams.push(peer.begin("Subscribe", &SubscribeRequest { channels }).await);
    }
    answers_of(peer, &streams).await
}

async fn answers_of(peer: &mut Peer, streams: &[u64]) -> Vec<Vec<SubscribeAnswer>> {
    let (mut bodies, mut whole) = (HashMap::<_, Vec<u8>>::new(), 0);
    while whole < streams.len() {
        let frame = peer.frame().await;
        let (body, more) = match frame.kind {
            FrameKind::Event(event) => {
                peer.events.push_back(*event);
                continue;
            }
            FrameKind::Response(Response { body, more, .. }) => (body, more),
            FrameKind::Data(data) => (data.body, data.more),
            other => panic!("not an answer: {other:?}"),
        };
        bodies
            .entry(frame.stream_id)
            .or_default()
            .extend_from_slice(&body);
        whole += usize::from(!more);
    }
    let answers = |stream| SubscribeResponse::decode(&*bodies[stream]).unwrap().answers;
    streams.iter().map(answers).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_recovered_for_one_session_is_bounded_however_many_calls_ask_at_once_and_all_of_it_is_told() {
    const CALLS: u64 = 14;
    let (hub, read) = remote();
    let mut calls = Vec::new();
    for number in 0..CALLS {
        let room = format!("room:{number}");
        let position = published(&hub, &room, 15).await;
        // What was recovered is held until the other has an answer.
        calls.push(vec![since(&room, position), to(&format!("slow:{number}"))]);
    }
    let server = builder(&hub).build().unwrap();
    let mut ali = Peer::connect(&server).await;
    ali.announce_wide_windows().await;
    for answers in subscribe_at_once(&mut ali, calls).await {
        assert_eq!((&answers[0].refused, &answers[1].refused), (&None, &None));
        assert_eq!(answers[0].recovered, Some(true));
        assert_eq!(answers[0].events.len(), 15);
    }
    let most = read.most_bytes.load(Ordering::SeqCst);
    // What answers may hold together, one in its turn, and what is just being looked at.
    assert!(most <= 6 << 20, "{most} bytes were there at once");
    assert_eq!(read.bytes.load(Ordering::SeqCst), 0, "nothing is left of it");
}

#[tokio::test(start_paused = true)]
async fn histories_are_read_for_one_session_no_more_than_sixteen_at_once_and_for_another_at_the_same_time() {
    let (hub, read) = remote();
    let mut calls = Vec::new();
    for call in 0..5 {
        let mut channels = Vec::new();
        for number in 0..10 {
            let room = format!("room:{}", call * 10 + number);
            channels.push(since(&room, published(&hub, &room, 0).await));
        }
        calls.push(channels);
    }
    let server = builder(&hub).build().unwrap();
    let mut ali = Peer::connect(&server).await;
    let answers = subscribe_at_once(&mut ali, calls.clone()).await;
    assert!(
        answers
            .iter()
            .flatten()
            .all(|answer| answer.recovered == Some(true))
    );
    assert_eq!(read.most_going_on.load(Ordering::SeqCst), 16);
    let (mut ali, mut bea) = (Peer::connect(&server).await, Peer::connect(&server).await);
    tokio::join!(
        subscribe_at_once(&mut ali, calls.clone()),
        subscribe_at_once(&mut bea, calls)
    );
    assert_eq!(read.most_going_on.load(Ordering::SeqCst), 32);
}

#[tokio::test(start_paused = true)]
async fn what_comes_while_a_session_catches_up_with_many_channels_is_bounded_for_all_of_them_and_none_is_missed()
 {
    const ROOMS: u64 = 12;
    let (hub, steps) = rooms_of_steps();
    let limits = Limits {
        event_queue_bytes: 68 << 10,
        ..Limits::default()
    };
    let server = builder(&hub).limits(limits).build().unwrap();
    let mut ali = Peer::connect(&server).await;
    ali.announce_wide_windows().await;
    let mut channels = Vec::new();
    for number in 0..ROOMS {
        let room = format!("room:{number}");
        channels.push(since(&room, published(&hub, &room, 0).await));
    }
    // While the first histories are on their way, 28 KiB come in each room: two of them are all that is kept.
    let (reads, to) = (Arc::new(AtomicUsize::new(0)), hub.clone());
    let count = reads.clone();
    steps.between(move |step| {
        let is_last = step == Step::HasRead && count.fetch_add(1, Ordering::SeqCst) + 1 == ROOMS as usize;
        let to = to.clone();
        Box::pin(async move {
            for number in 0..if is_last { ROOMS * 7 } else { 0 } {
                let event = said(&"x".repeat(4 << 10));
                to.channel(format!("room:{}", number % ROOMS))
                    .publish(&event)
                    .await
                    .unwrap();
            }
            sleep(Duration::from_secs(1)).await;
        })
    });
    let answers = subscribe_at_once(&mut ali, vec![channels]).await.remove(0);
    let reads = reads.load(Ordering::SeqCst);
    assert_eq!(reads, 2 * ROOMS as usize - 2, "all but two are read again");
    let mut missing = 0;
    for answer in &answers {
        assert_eq!((&answer.refused, answer.recovered), (&None, Some(true)));
        missing += 7 - answer.events.len();
    }
    assert_eq!(missing, 14, "two have had them kept");
    for _ in 0..missing {
        let event = ali.event().await;
        assert_eq!(Said::decode(event.body).unwrap().text.len(), 4 << 10);
    }
    for number in 0..ROOMS {
        hub.channel(format!("room:{number}"))
            .publish(&said("live"))
            .await
            .unwrap();
        assert_eq!(ali.hears::<Said>().await, said("live"));
    }
    ali.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn what_the_server_subscribes_a_session_to_is_kept_whatever_its_own_calls_make_the_server_keep() {
    let (hub, _read) = remote();
    let limits = Limits {
        event_queue_bytes: 68 << 10,
        ..Limits::default()
    };
    let server = builder(&hub).limits(limits).build().unwrap();
    let mut ali = Peer::connect(&server).await;
    let stream_id = ali.begin_to_subscribe(to("slower:1")).await;
    // With one more of these there were more than is kept for it.
    let event = said(&"x".repeat(4 << 10));
    for _ in 0..16 {
        hub.channel("slower:1").publish(&event).await.unwrap();
    }
    let (id, to) = (ali.id(), hub.clone());
    let subscribing = tokio::spawn(async move { to.subscribe(id, "slow:2").await });
    settle().await;
    // For four seconds, of which it takes one.
    for _ in 0..10 {
        hub.channel("slow:2").publish(&event).await.unwrap();
        sleep(Duration::from_millis(400)).await;
    }
    assert_eq!(subscribing.await.unwrap().unwrap(), 1);
    assert_eq!(ali.hears::<Subscribed>().await.channel, "slow:2");
    for _ in 0..10 {
        assert_eq!(ali.hears::<Said>().await, event);
    }
    // Nothing of that was let go of, either.
    assert_eq!(ali.subscribed(stream_id).await.refused, None);
    for _ in 0..16 {
        assert_eq!(ali.hears::<Said>().await, event);
    }
}

/// Is made in five seconds.
struct Long;

impl OnSubscribe<(u64,)> for Long {
    async fn snapshot(&self, _: &Asks, _: &(u64,)) -> Result<Snapshot, Status> {
        sleep(Duration::from_secs(5)).await;
        Ok(Snapshot::none())
    }
}

/// Takes a second, and subscribes its client to the room of the same number.
struct Lobby(Arc<OnceLock<Hub>>);

impl OnSubscribe<(u64,)> for Lobby {
    async fn snapshot(&self, asks: &Asks, (number,): &(u64,)) -> Result<Snapshot, Status> {
        sleep(Duration::from_secs(1)).await;
        let hub = self.0.get().unwrap();
        hub.subscribe(asks.session(), format!("room:{number}")).await?;
        Ok(Snapshot::none())
    }
}

/// A client that has made three calls: the first holds all that answers may hold together, the second has the turn and makes the
/// snapshot of `lobby:5`, and the third waits for the turn with `room:5`. With their streams.
async fn who_waits_for_the_turn() -> (Hub, Peer, [u64; 3]) {
    let itself = Arc::new(OnceLock::new());
    let rooms = Namespace::<(u64,)>::new("room:{id}")
        .subscribe(Anyone)
        .keep(Retention::of(100, Duration::from_secs(3_600)));
    let long = Namespace::<(u64,)>::new("long:{id}")
        .subscribe(Anyone)
        .on_subscribe(Long);
    let lobbies = Namespace::<(u64,)>::new("lobby:{id}")
        .subscribe(Anyone)
        .on_subscribe(Lobby(itself.clone()));
    let hub = Hub::builder().namespace(rooms).namespace(long).namespace(lobbies);
    let hub = hub.broker(Remote::default()).build().unwrap();
    assert!(itself.set(hub.clone()).is_ok());
    let mut asked = Vec::new();
    for number in 1..=6 {
        let room = format!("room:{number}");
        asked.push(since(&room, published(&hub, &room, 15).await));
    }
    let sixth = asked.pop().unwrap();
    let fifth = asked.pop().unwrap();
    asked.push(to("long:1"));
    let mut ali = Peer::connect(&builder(&hub).build().unwrap()).await;
    ali.announce_wide_windows().await;
    let mut streams = [0; 3];
    let calls = [asked, vec![sixth, to("lobby:5")], vec![fifth]];
    for (stream, channels) in streams.iter_mut().zip(calls) {
        *stream = ali.begin("Subscribe", &SubscribeRequest { channels }).await;
        sleep(Duration::from_millis(300)).await;
    }
    (hub, ali, streams)
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_may_subscribe_its_client_to_a_channel_that_waits_for_its_turn() {
    let (hub, mut ali, streams) = who_waits_for_the_turn().await;
    let answered = timeout(Duration::from_secs(20), answers_of(&mut ali, &streams)).await;
    let answers = answered.expect("neither waits for the other for ever");
    for answer in answers[..2].iter().flatten() {
        assert_eq!(answer.refused, None, "{}", answer.channel);
    }
    let refused = answers[2][0].refused.as_ref().unwrap();
    assert_eq!(refused.code, Code::Unavailable as i32);
    assert_eq!(ali.hears::<Subscribed>().await.channel, "room:5");
    hub.channel("room:5").publish(&said("live")).await.unwrap();
    assert_eq!(ali.hears::<Said>().await, said("live"));
    assert_eq!(ali.subscribe("room:5").await.refused, None);
}

#[tokio::test(start_paused = true)]
async fn who_is_put_out_while_it_waits_for_its_turn_is_answered_at_once() {
    let (hub, mut ali, [_, _, third]) = who_waits_for_the_turn().await;
    let kick = Status::aborted("be polite");
    assert_eq!(hub.unsubscribe(ali.id(), "room:5", &kick).unwrap(), 1);
    // Whoever has the turn is answered later.
    let answer = ali.subscribed(third).await;
    assert_eq!(answer.refused.unwrap().message, "be polite");
    assert_eq!(ali.hears::<Unsubscribed>().await.channel, "room:5");
}
