//! Clients that do not read as fast as others publish, by each policy: what becomes of them, and that nobody else notices.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{FutureExt, StreamExt};
use rpc_protocol::{Frame, FrameKind, frame::Event as EventFrame};
use rpc_runtime::{
    Contract, Limits, Server,
    hub::{Anyone, Hub, Namespace, Receipt, Retention, SlowConsumer},
    prost::Message as _,
    services::hub::{ChannelPosition, Dropped},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf},
    task::JoinHandle,
    time::Instant,
};
use tokio_tungstenite::tungstenite::Message;

use crate::common::{Moved, Peer, Said, builder, info, said, settle};

/// What a pipe to a client holds that it has not read.
const PIPE: usize = 64 << 10;

/// What may wait for one client.
const QUEUE: usize = 128 << 10;

/// More than pipe, output and queue hold together, in events of a kilobyte.
const MANY: u64 = 1_000;

fn hub(slow: SlowConsumer, keep: Retention) -> (Hub, Server) {
    let rooms = Namespace::<(u64,)>::new("room:{id}")
        .subscribe(Anyone)
        .keep(keep)
        .slow(slow);
    let hub = Hub::builder().namespace(rooms).build().unwrap();
    let limits = Limits {
        event_queue_bytes: QUEUE,
        ..Limits::default()
    };
    let server = builder(&hub).limits(limits).build().unwrap();
    (hub, server)
}

fn kept() -> Retention {
    let keep = Retention::of(2 * MANY as usize, Duration::from_secs(3_600));
    Retention {
        bytes: 16 << 20,
        recover: 2 * MANY as usize,
        ..keep
    }
}

async fn subscriber(server: &Server) -> Peer {
    let mut peer = Peer::connect_through(server, info(""), PIPE).await;
    peer.announce_wide_windows().await;
    peer.subscribe("room:1").await;
    peer
}

/// An event of a kilobyte.
fn kilobyte(number: u64) -> Said {
    said(&format!("{number:01024}"))
}

fn number_of(event: &EventFrame) -> u64 {
    if event.type_name == Dropped::FULL_NAME {
        return 0;
    }
    Said::decode(event.body.clone()).unwrap().text.parse().unwrap()
}

/// Reads `count` events, from number 1 on.
fn reading(mut peer: Peer, count: u64) -> JoinHandle<Peer> {
    tokio::spawn(async move {
        for number in 1..=count {
            assert_eq!(number_of(&peer.event().await), number);
        }
        peer
    })
}

/// Publishes, which has to take no time at all.
fn publish_at_once(hub: &Hub, number: u64) -> Receipt {
    let publishes = async { hub.channel("room:1").publish(&kilobyte(number)).await.unwrap() };
    publishes.now_or_never().expect("a publisher waits for nobody")
}

/// Publishes events 1 to `MANY`, and lets everybody run in between.
async fn publish_many(hub: &Hub) {
    for number in 1..=MANY {
        publish_at_once(hub, number);
        settle().await;
    }
}

/// What comes up to the close frame, or up to the event with the last number.
async fn rest(peer: &mut Peer) -> (Vec<EventFrame>, Option<u16>) {
    let mut events: Vec<_> = peer.events.drain(..).collect();
    loop {
        if events.last().is_some_and(|event| number_of(event) == MANY) {
            return (events, None);
        }
        match peer.socket.next().await {
            Some(Ok(Message::Close(Some(frame)))) => return (events, Some(frame.code.into())),
            Some(Ok(Message::Binary(message))) => {
                if let FrameKind::Event(event) = Frame::decode(message).unwrap().kind {
                    events.push(*event);
                }
            }
            other => panic!("no close frame, and no last event: {other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_closed_with_4408_and_recovers_everything_when_it_comes_back() {
    let (hub, server) = hub(SlowConsumer::Disconnect, kept());
    let mut slow = subscriber(&server).await;
    let fast = reading(subscriber(&server).await, MANY);
    publish_many(&hub).await;
    fast.await.unwrap();
    let receipt = publish_at_once(&hub, MANY + 1);
    assert_eq!(receipt.reached, Some(1), "it is not counted as reached any more");
    let (events, code) = rest(&mut slow).await;
    assert_eq!(code, Some(4408));
    let last = events.last().unwrap().offset;
    let offsets: Vec<_> = events.iter().map(|event| event.offset).collect();
    assert_eq!(offsets, (1..=last).collect::<Vec<_>>());
    assert!((100..MANY).contains(&last), "{last}");
    let epoch = receipt.position.unwrap().epoch;
    let mut back = Peer::connect(&server).await;
    back.announce_wide_windows().await;
    let answer = back
        .recover("room:1", ChannelPosition { epoch, offset: last })
        .await;
    assert_eq!(answer.recovered, Some(true));
    let missed: Vec<_> = answer.events.iter().map(|event| event.offset).collect();
    assert_eq!(missed, (last + 1..=MANY + 1).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn where_the_oldest_are_dropped_a_slow_client_sees_the_gap_which_history_fills() {
    let (hub, server) = hub(SlowConsumer::DropOldest, kept());
    let mut slow = subscriber(&server).await;
    let fast = reading(subscriber(&server).await, MANY);
    publish_many(&hub).await;
    fast.await.unwrap();
    let (mut events, code) = rest(&mut slow).await;
    assert_eq!(code, None);
    // The gap is where the client is told of it.
    let mark = events
        .iter()
        .position(|event| event.type_name == Dropped::FULL_NAME)
        .unwrap();
    let mark_event = events.remove(mark);
    let dropped = Dropped::decode(mark_event.body).unwrap().count;
    assert_eq!((mark_event.offset, mark_event.channel), (0, events[0].channel));
    assert_eq!(events[mark].offset, events[mark - 1].offset + dropped + 1);
    let offsets: Vec<_> = events.iter().map(|event| event.offset).collect();
    assert!(
        offsets.is_sorted_by(|before, after| before < after),
        "in order, each once"
    );
    let gaps: Vec<_> = offsets.windows(2).filter(|pair| pair[1] != pair[0] + 1).collect();
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    let (before, after) = (gaps[0][0], gaps[0][1]);
    // As much as there is room for, up to the last.
    assert!((MANY - after + 1) as usize * 1_024 > QUEUE * 3 / 4, "{after}");
    let epoch = hub
        .channel("room:1")
        .publish(&kilobyte(0))
        .await
        .unwrap()
        .position
        .unwrap()
        .epoch;
    let answer = slow
        .recover(
            "room:1",
            ChannelPosition {
                epoch,
                offset: before,
            },
        )
        .await;
    assert_eq!(answer.recovered, Some(true));
    let missed: Vec<_> = answer.events.iter().map(|event| event.offset).collect();
    assert_eq!(missed, (before + 1..=MANY + 1).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn where_the_latest_is_kept_a_slow_client_has_that_one_once_it_reads() {
    let (hub, server) = hub(SlowConsumer::KeepLatest, Retention::NONE);
    let mut slow = subscriber(&server).await;
    let fast = reading(subscriber(&server).await, MANY);
    publish_many(&hub).await;
    fast.await.unwrap();
    let (events, code) = rest(&mut slow).await;
    assert_eq!(code, None);
    let numbers: Vec<_> = events.iter().map(number_of).collect();
    assert!(numbers.is_sorted_by(|before, after| before < after));
    // What had left before nothing was read any more, and one.
    assert!(numbers.len() < 2 * PIPE / 1_024 + 20, "{}", numbers.len());
    slow.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn where_publishers_wait_a_client_that_reads_later_has_everything_in_order() {
    let at_most = Duration::from_secs(30);
    let (hub, server) = hub(SlowConsumer::Block { at_most }, Retention::NONE);
    let slow = subscriber(&server).await;
    let fast = reading(subscriber(&server).await, MANY);
    let slow = tokio::spawn(async move {
        // Less than a client may take nothing at all for.
        tokio::time::sleep(Duration::from_secs(5)).await;
        reading(slow, MANY).await.unwrap()
    });
    let began = Instant::now();
    for number in 1..=MANY {
        let receipt = hub.channel("room:1").publish(&kilobyte(number)).await.unwrap();
        assert_eq!(receipt.reached, Some(2));
    }
    let waited = began.elapsed();
    assert!(waited >= Duration::from_secs(5) && waited < at_most, "{waited:?}");
    fast.await.unwrap();
    slow.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn where_publishers_wait_they_wait_so_long_for_all_together_and_then_the_slow_are_closed_with_4408() {
    let at_most = Duration::from_secs(2);
    let (hub, server) = hub(SlowConsumer::Block { at_most }, Retention::NONE);
    let mut slow = Vec::new();
    for _ in 0..5 {
        slow.push(subscriber(&server).await);
    }
    let fast = reading(subscriber(&server).await, MANY);
    let began = Instant::now();
    for number in 1..=MANY {
        hub.channel("room:1").publish(&kilobyte(number)).await.unwrap();
    }
    assert_eq!(
        began.elapsed(),
        at_most,
        "not for each of them, and not for those that are about to be closed"
    );
    fast.await.unwrap();
    for mut slow in slow {
        let (events, code) = rest(&mut slow).await;
        assert_eq!(code, Some(4408));
        assert!(!events.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn publishers_that_are_given_up_do_not_fill_a_queue_without_bound() {
    let at_most = Duration::from_secs(3_600);
    let (hub, server) = hub(SlowConsumer::Block { at_most }, Retention::NONE);
    let mut slow = subscriber(&server).await;
    let session = server.sessions().next().unwrap();
    let mut most = 0;
    for number in 1..=MANY {
        let publishes = async { hub.channel("room:1").publish(&kilobyte(number)).await.unwrap() };
        // Whoever waits does not care.
        let _ = publishes.now_or_never();
        settle().await;
        most = most.max(session.stats().queued_bytes as usize);
    }
    // Twice the bound, and what the output takes ahead.
    assert!(most > QUEUE && most <= 2 * QUEUE + (64 << 10) + 2_048, "{most}");
    assert_eq!(rest(&mut slow).await.1, Some(4408));
}

#[tokio::test(start_paused = true)]
async fn events_that_wait_are_counted_as_queued() {
    let (hub, server) = hub(SlowConsumer::DropOldest, Retention::NONE);
    let _slow = subscriber(&server).await;
    let session = server.sessions().next().unwrap();
    assert_eq!(session.stats().queued_bytes, 0);
    publish_many(&hub).await;
    let queued = session.stats().queued_bytes as usize;
    assert!(queued > QUEUE && queued < QUEUE + 2 * PIPE, "{queued}");
}

#[tokio::test(start_paused = true)]
async fn a_channel_of_another_policy_does_not_suffer_from_one_that_drops() {
    let positions = Namespace::<()>::new("positions")
        .subscribe(Anyone)
        .slow(SlowConsumer::KeepLatest);
    let chat = Namespace::<(u64,)>::new("room:{id}")
        .subscribe(Anyone)
        .slow(SlowConsumer::DropOldest);
    let hub = Hub::builder()
        .namespace(positions)
        .namespace(chat)
        .build()
        .unwrap();
    let limits = Limits {
        event_queue_bytes: QUEUE,
        ..Limits::default()
    };
    let server = builder(&hub).limits(limits).build().unwrap();
    let mut slow = subscriber(&server).await;
    slow.subscribe("positions").await;
    publish_many(&hub).await;
    for to in 0..100 {
        let receipt = hub.channel("positions").publish(&Moved { to }).await.unwrap();
        assert_eq!(receipt.reached, Some(1));
        publish_at_once(&hub, MANY);
        settle().await;
    }
    let mut latest = None;
    while latest != Some(99) {
        let event = slow.event().await;
        if event.type_name == Moved::FULL_NAME {
            latest = Some(Moved::decode(event.body).unwrap().to);
        }
    }
}

/// The server's end of a pipe, which counts how often something is to be written.
struct Counting {
    pipe: DuplexStream,
    writes: Arc<AtomicUsize>,
}

impl AsyncRead for Counting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counting {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.pipe).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_shutdown(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_client_that_is_being_closed_keeps_no_task_busy_until_it_takes_that() {
    let (hub, server) = hub(SlowConsumer::Disconnect, Retention::NONE);
    let writes = Arc::new(AtomicUsize::new(0));
    let (near, pipe) = tokio::io::duplex(PIPE);
    let counting = Counting {
        pipe,
        writes: writes.clone(),
    };
    let serving = tokio::spawn(server.serve_connection(counting, info("")));
    let mut slow = Peer::greeted(near, serving).await;
    slow.announce_wide_windows().await;
    slow.subscribe("room:1").await;
    // Its connection is told of events, and that it is to close, at once.
    for number in 1..=MANY {
        publish_at_once(&hub, number);
    }
    settle().await;
    let before = writes.load(Ordering::Relaxed);
    settle().await;
    assert_eq!(writes.load(Ordering::Relaxed), before);
}
