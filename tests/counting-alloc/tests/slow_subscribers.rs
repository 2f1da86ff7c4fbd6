//! Ten thousand subscribers, of which a hundred never read: the others have everything, and what the hundred make the server hold
//! is bounded. The figures are those of `docs/threats.md`.

#![allow(clippy::unwrap_used, reason = "a test crate")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use counting_alloc::{Counting, held, peak_of};
use prost::Message;
use rpc_protocol::{Frame, FrameKind, frame::Request};
use rpc_runtime::{
    ConnectInfo, Limits, Server,
    hub::{Anyone, Hub, Namespace, SlowConsumer},
    services::hub::{NamedEvent, SubscribeChannel, SubscribeRequest, gateway},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    runtime::Runtime,
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SUBSCRIBERS: usize = 10_000;
const SILENT: usize = 100;

/// What a pipe holds that was not read.
const PIPE: usize = 4 << 10;

/// What may wait for one client, counted for each as if it were its alone.
const QUEUE: usize = 256 << 10;

/// What a client that does not read holds beside its queue, in bytes: what was moved into its output ahead, 64 KiB and the message
/// on top, in a buffer that has doubled.
const OUTPUT: usize = 160 << 10;

/// Each event has so many bytes; so many are more than pipe, output and queue hold together.
const EVENT: usize = 8 << 10;
const EVENTS: usize = 60;

fn runtime() -> Runtime {
    // All on this thread, which is the one that is counted; and time stands while somebody has something to do.
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}

fn server() -> (Hub, Server) {
    let news = Namespace::<()>::new("news")
        .subscribe(Anyone)
        .slow(SlowConsumer::DropOldest);
    let hub = Hub::builder().namespace(news).build().unwrap();
    let limits = Limits {
        event_queue_bytes: QUEUE,
        ..Limits::default()
    };
    let server = Server::builder()
        .hub(hub.clone())
        .service(gateway())
        .limits(limits);
    (hub, server.build().unwrap())
}

fn connect(server: &Server) -> DuplexStream {
    let (near, far) = tokio::io::duplex(PIPE);
    tokio::spawn(server.serve_connection(far, ConnectInfo::new()));
    near
}

/// The bytes by which a client subscribes.
fn subscribe() -> Vec<u8> {
    let channel = SubscribeChannel {
        channel: "news".to_owned(),
        ..SubscribeChannel::default()
    };
    let request = SubscribeRequest {
        channels: vec![channel],
    };
    let request = Request {
        method_name: "rpc.hub.v1.HubService/Subscribe".to_owned(),
        body: request.encode_to_vec().into(),
        ..Request::default()
    };
    let payload = Frame::new(1, FrameKind::Request(request)).to_bytes();
    assert!(payload.len() < 126);
    // One binary message, with a mask of zeros.
    let mut message = vec![0x82, 0x80 | payload.len() as u8, 0, 0, 0, 0];
    message.extend_from_slice(&payload);
    message
}

/// Lets every task run a few times: the runtime runs some sixty of them between two of these.
async fn let_all_run() {
    for _ in 0..2_000 {
        tokio::task::yield_now().await;
    }
}

async fn settle(until: impl Fn() -> bool) {
    for _ in 0..100_000 {
        if until() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it does not come to rest");
}

fn event() -> NamedEvent {
    NamedEvent {
        kind: "x".repeat(EVENT),
        ..NamedEvent::default()
    }
}

#[test]
fn a_hundred_of_ten_thousand_subscribers_that_never_read_hold_a_bounded_amount_of_memory_and_nobody_else_up()
{
    let runtime = runtime();
    let (hub, server) = server();
    let message = subscribe();
    let read = Arc::new(AtomicUsize::new(0));
    let mut silent = Vec::new();
    runtime.block_on(async {
        for number in 0..SUBSCRIBERS {
            let mut pipe = connect(&server);
            pipe.write_all(&message).await.unwrap();
            if number % (SUBSCRIBERS / SILENT) == 0 {
                silent.push(pipe);
                continue;
            }
            let read = read.clone();
            tokio::spawn(async move {
                let mut buffer = [0; PIPE];
                while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
                    read.fetch_add(count, Ordering::Relaxed);
                }
            });
        }
        // Until all have subscribed, and then until those who read have read what this took.
        while hub
            .channel("news")
            .publish(&NamedEvent::default())
            .await
            .unwrap()
            .reached
            != Some(SUBSCRIBERS)
        {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        }
        // The pipes make room for what they hold when they hold it first.
        hub.channel("news").publish(&event()).await.unwrap();
        for _ in 0..10 {
            let_all_run().await;
        }
    });
    let before = read.load(Ordering::Relaxed);
    let readers = SUBSCRIBERS - SILENT;
    // Looked at when all who read have an event: what is on its way to them is theirs for a moment.
    let rest = held();
    let mut most_held = 0;
    runtime.block_on(async {
        for sent in 1..=EVENTS {
            hub.channel("news").publish(&event()).await.unwrap();
            settle(|| read.load(Ordering::Relaxed) - before >= sent * readers * EVENT).await;
            let_all_run().await;
            most_held = most_held.max(held() - rest);
        }
    });
    // Events are shared: all that wait are those of one queue.
    let most = SILENT * OUTPUT + QUEUE + (4 << 20);
    eprintln!(
        "{SILENT} of {SUBSCRIBERS} that never read: {} KiB",
        most_held / 1_024
    );
    assert!(
        most_held > (SILENT * (64 << 10)) as i64,
        "they hold what was moved into their outputs"
    );
    assert!(most_held <= most as i64, "{most_held} of {most}");
    let held_by = |server: &Server| {
        server
            .sessions()
            .filter(|session| session.stats().queued_bytes > QUEUE as u64 / 2)
            .count()
    };
    assert_eq!(held_by(&server), SILENT, "they are still there");
    drop(silent);
    runtime.block_on(settle(|| server.connections() == readers));
}

#[test]
fn events_that_nobody_shares_take_no_more_than_the_queues_of_those_that_do_not_read() {
    let runtime = runtime();
    let (hub, server) = server();
    let silent: Vec<_> = runtime.block_on(async {
        let pipes = (0..SILENT).map(|_| connect(&server)).collect();
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        pipes
    });
    let before = held();
    let ((), peak) = peak_of(|| {
        runtime.block_on(async {
            for session in server.sessions() {
                let mut sent = 0;
                while hub.client(session.id()).publish(&event()).await.unwrap().reached == Some(1) {
                    tokio::task::yield_now().await;
                    sent += 1;
                }
                // Output and queue were full then.
                assert!((QUEUE / EVENT..2 * QUEUE / EVENT).contains(&sent), "{sent}");
            }
        });
    });
    // One after the other: the one before was closed, and holds its output alone until it is gone.
    let most = SILENT * OUTPUT + 2 * QUEUE;
    eprintln!("{SILENT} that are sent to and never read: {} KiB", peak / 1_024);
    assert!(peak <= most as u64, "{peak} of {most}");
    drop(silent);
    runtime.block_on(settle(|| server.connections() == 0));
    let left = held() - before;
    assert!(left < 1 << 20, "{left}");
}
