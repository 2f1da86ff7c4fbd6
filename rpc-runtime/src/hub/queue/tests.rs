//! The queue, by itself: its order, its bound, its policies, and what it costs.

mod model;

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use super::*;

/// What an event of `SIZE` bytes counts for.
const SIZE: usize = 10;
const EACH: usize = SIZE + PLACE;

const BLOCK: SlowConsumer = SlowConsumer::Block {
    at_most: Duration::from_secs(1),
};

fn event(channel: u64, size: usize) -> Queued {
    Queued::new(vec![channel as u8; size].into(), channel)
}

fn poll(waits: Pin<&mut impl Future<Output = ()>>) -> Poll<()> {
    waits.poll(&mut Context::from_waker(Waker::noop()))
}

/// How many events are missing, where it is a mark.
fn missing(event: &Queued) -> Option<u64> {
    // Behind the header of a short WebSocket message.
    let frame = event.message().get(2..).map(Bytes::copy_from_slice)?;
    let frame = rpc_protocol::Frame::decode(frame).ok()?;
    match frame.kind {
        rpc_protocol::FrameKind::Event(frame) => {
            assert_eq!(
                (&*frame.type_name, frame.channel, frame.offset),
                ("rpc.hub.v1.Dropped", event.channel(), 0)
            );
            let told = <crate::services::hub::Dropped as prost::Message>::decode(frame.body);
            Some(told.expect("says how many").count)
        }
        _ => None,
    }
}

fn channels(queue: &EventQueue) -> Vec<u64> {
    std::iter::from_fn(|| queue.pop())
        .map(|event| event.channel())
        .collect()
}

#[test]
fn a_full_queue_drops_the_oldest_of_the_channel_and_no_others() {
    let queue = EventQueue::default();
    for channel in [1, 2, 1, 2] {
        let put = queue.put(event(channel, SIZE), SlowConsumer::DropOldest, 4 * EACH);
        assert_eq!(put, Put::Queued);
    }
    let put = queue.put(event(1, SIZE), SlowConsumer::DropOldest, 4 * EACH);
    assert_eq!(put, Put::Instead(1));
    assert_eq!((queue.bytes(), queue.len(), queue.dropped()), (4 * EACH, 4, 1));
    // In the place of the one that is missing.
    let mark = queue.pop().expect("waits");
    assert_eq!((mark.channel(), missing(&mark)), (1, Some(1)));
    assert_eq!(channels(&queue), [2, 1, 2, 1]);
    assert_eq!(queue.bytes(), 0);
}

#[test]
fn a_queue_that_others_fill_takes_no_event_of_a_channel_that_drops() {
    let queue = EventQueue::default();
    queue.put(event(1, SIZE), SlowConsumer::Disconnect, 2 * EACH);
    queue.put(event(2, SIZE), SlowConsumer::DropOldest, 2 * EACH);
    let put = queue.put(event(3, SIZE), SlowConsumer::DropOldest, 2 * EACH);
    assert_eq!(put, Put::Dropped(0));
    let put = queue.put(event(3, SIZE), SlowConsumer::DropOldest, 2 * EACH);
    assert_eq!(put, Put::Dropped(0));
    assert_eq!((queue.bytes(), queue.len()), (2 * EACH, 2));
    // Nothing has to be published behind it for the client to learn that something is missing.
    let waiting: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
    let marks: Vec<_> = waiting
        .iter()
        .map(|event| (event.channel(), missing(event)))
        .collect();
    assert_eq!(marks, [(1, None), (2, None), (3, Some(2))]);
    assert!(!queue.take(|_| true));
}

#[test]
fn a_mark_alone_is_something_to_send_and_goes_with_its_channel() {
    let full = || {
        let queue = EventQueue::default();
        queue.put(event(1, SIZE), SlowConsumer::Disconnect, EACH);
        queue.put(event(3, SIZE), SlowConsumer::DropOldest, EACH);
        queue
    };
    let queue = full();
    assert!(queue.take(|_| false), "the mark is left");
    assert_eq!((queue.bytes(), queue.len()), (0, 0));
    assert_eq!(missing(&queue.pop().expect("waits")), Some(1));
    let queue = full();
    queue.forget(3);
    assert_eq!(channels(&queue), [1]);
    let queue = full();
    queue.close();
    assert_eq!(channels(&queue), [0; 0]);
    // What comes when nothing but marks waits is taken, however long it is.
    let queue = full();
    queue.forget(1);
    let put = queue.put(event(2, 1_000), SlowConsumer::DropOldest, EACH);
    assert_eq!(put, Put::Queued);
}

#[test]
fn of_a_channel_that_keeps_the_latest_one_waits_where_the_first_stood() {
    let queue = EventQueue::default();
    queue.put(event(1, SIZE), SlowConsumer::KeepLatest, 10 * EACH);
    queue.put(event(2, SIZE), SlowConsumer::Disconnect, 10 * EACH);
    for size in 11..16 {
        let put = queue.put(event(1, size), SlowConsumer::KeepLatest, 10 * EACH);
        assert_eq!(put, Put::Instead(1));
    }
    assert_eq!(queue.bytes(), EACH + 15 + PLACE);
    let latest = queue.pop().expect("waits");
    assert_eq!((latest.channel(), latest.message().len()), (1, 15));
    assert_eq!(channels(&queue), [2]);
    assert_eq!(queue.dropped(), 5);
}

#[test]
fn what_does_not_fit_is_refused_where_slow_clients_are_disconnected() {
    let queue = EventQueue::default();
    let put = |size| queue.put(event(1, size), SlowConsumer::Disconnect, 2 * EACH - 1);
    assert_eq!(put(SIZE), Put::Queued);
    assert_eq!(put(SIZE), Put::Refused);
    assert_eq!(channels(&queue), [1]);
}

#[test]
fn an_event_that_finds_nothing_waiting_is_taken_however_long_it_is() {
    for slow in [
        SlowConsumer::Disconnect,
        SlowConsumer::DropOldest,
        SlowConsumer::KeepLatest,
        BLOCK,
    ] {
        let queue = EventQueue::default();
        assert!(
            matches!(queue.put(event(1, 1_000), slow, 100), Put::Queued),
            "{slow:?}"
        );
    }
}

#[test]
fn twice_the_bound_is_never_exceeded_whatever_the_policy_is() {
    for slow in [
        SlowConsumer::Disconnect,
        SlowConsumer::DropOldest,
        SlowConsumer::KeepLatest,
        BLOCK,
    ] {
        let queue = EventQueue::default();
        let refused =
            (1..100).filter(|&channel| queue.put(event(channel, SIZE), slow, 5 * EACH) == Put::Refused);
        let refused = refused.count();
        let expected = match slow {
            SlowConsumer::Disconnect => (5, 94),
            SlowConsumer::DropOldest => (5, 0),
            _ => (10, 89),
        };
        assert_eq!((queue.len(), refused), expected, "{slow:?}");
    }
}

#[tokio::test]
async fn whoever_blocks_goes_on_when_there_is_room() {
    let queue = EventQueue::default();
    let most = 2 * EACH - 1;
    assert_eq!(queue.put(event(1, SIZE), BLOCK, most), Put::Queued);
    assert_eq!(queue.put(event(1, SIZE), BLOCK, most), Put::Over);
    let mut waits = std::pin::pin!(queue.has_room(most));
    assert!(poll(waits.as_mut()).is_pending());
    queue.pop();
    assert!(poll(waits.as_mut()).is_ready());
}

#[tokio::test]
async fn whoever_blocks_goes_on_when_the_client_is_gone_or_hears_the_channel_no_more() {
    for gone in [true, false] {
        let queue = EventQueue::default();
        queue.put(event(1, SIZE), BLOCK, EACH);
        queue.put(event(1, SIZE), BLOCK, EACH);
        let mut waits = std::pin::pin!(queue.has_room(EACH));
        assert!(poll(waits.as_mut()).is_pending());
        if gone {
            queue.close();
            assert_eq!(queue.put(event(1, SIZE), BLOCK, EACH), Put::Gone);
        } else {
            queue.forget(1);
        }
        assert!(poll(waits.as_mut()).is_ready());
        assert_eq!((queue.bytes(), queue.len()), (0, 0));
    }
}

#[test]
fn a_publisher_pays_the_same_however_much_waits_for_a_client_that_does_not_read() {
    let most = 10_000 * EACH;
    for others in [0, 5_000, 10_000] {
        let queue = EventQueue::default();
        for number in 0..10_000 {
            let (channel, slow) = match number < others {
                true => (9, SlowConsumer::Disconnect),
                false => (1 + number % 3, SlowConsumer::DropOldest),
            };
            assert_eq!(queue.put(event(channel, SIZE), slow, most), Put::Queued);
        }
        for number in 0..100_000 {
            queue.put(event(1 + number % 3, SIZE), SlowConsumer::DropOldest, most);
            assert!(queue.bytes() <= most);
        }
        let looked_at = queue.lock().line.looked_at;
        // The chains once, and then three places for each event that was dropped.
        assert!(looked_at <= 10_000 + 3 * 100_000, "{others}: {looked_at}");
        let places = queue.lock().line.len();
        assert!(places <= 10_000 + 3, "{places}, with the marks of three channels");
    }
    let queue = EventQueue::default();
    for number in 0..100_000 {
        queue.put(event(1 + number % 100, SIZE), SlowConsumer::KeepLatest, most);
    }
    assert_eq!((queue.len(), queue.dropped()), (100, 99_900));
    assert!(queue.lock().line.looked_at <= 1);
}

#[test]
fn a_client_that_reads_has_no_chains_kept_for_it() {
    let queue = EventQueue::default();
    for _ in 0..100 {
        queue.put(event(1, SIZE), SlowConsumer::DropOldest, 5 * EACH);
        queue.put(event(2, SIZE), SlowConsumer::Disconnect, 5 * EACH);
        assert_eq!(channels(&queue), [1, 2]);
    }
    assert_eq!(queue.lock().line.looked_at, 0);
}

#[test]
fn what_takes_the_place_of_the_last_event_of_all_has_no_chains_kept_for_it() {
    let queue = EventQueue::default();
    for size in 1..100 {
        queue.put(event(2, size), SlowConsumer::KeepLatest, 5 * EACH);
    }
    assert_eq!(queue.lock().line.looked_at, 0);
    assert_eq!((queue.len(), queue.bytes(), queue.dropped()), (1, 99 + PLACE, 98));
    // Once they are there, they are asked only for what is not the last.
    queue.put(event(3, SIZE), SlowConsumer::KeepLatest, 5 * EACH);
    for number in 0..100 {
        assert_eq!(
            queue.put(event(2 + number % 2, SIZE), SlowConsumer::KeepLatest, 5 * EACH),
            Put::Instead(1)
        );
    }
    assert_eq!(queue.lock().line.looked_at, 1);
    assert_eq!(channels(&queue), [2, 3]);
}
