//! The queue, by itself: its order, its bound, its policies, against a simple model; and what it costs.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use proptest::prelude::*;

use super::*;

/// What an event of `SIZE` bytes counts for.
const SIZE: usize = 10;
const EACH: usize = SIZE + line::PLACE;

const BLOCK: SlowConsumer = SlowConsumer::Block {
    at_most: Duration::from_secs(1),
};

fn event(channel: u64, size: usize) -> Queued {
    Queued {
        message: vec![channel as u8; size].into(),
        channel,
    }
}

fn poll(waits: Pin<&mut impl Future<Output = ()>>) -> Poll<()> {
    waits.poll(&mut Context::from_waker(Waker::noop()))
}

fn channels(queue: &EventQueue) -> Vec<u64> {
    std::iter::from_fn(|| queue.pop())
        .map(|event| event.channel)
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
    assert_eq!(channels(&queue), [1, 2]);
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
    assert_eq!(queue.bytes(), EACH + 15 + line::PLACE);
    let latest = queue.pop().expect("waits");
    assert_eq!((latest.channel, latest.message.len()), (1, 15));
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
        assert!(places <= 10_000, "{places}");
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

#[derive(Debug, Clone)]
enum Step {
    Put { channel: u64, size: usize },
    Pop,
    Forget(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..4u64, 0..40usize).prop_map(|(channel, size)| Step::Put { channel, size }),
        2 => Just(Step::Pop),
        1 => (0..4u64).prop_map(Step::Forget),
    ]
}

/// The policy of each channel.
fn policy(channel: u64) -> SlowConsumer {
    [
        SlowConsumer::Disconnect,
        SlowConsumer::DropOldest,
        SlowConsumer::KeepLatest,
        SlowConsumer::DropOldest,
    ][channel as usize]
}

/// The same, in the simplest way.
#[derive(Default)]
struct Model(Vec<(u64, usize)>);

impl Model {
    fn bytes(&self) -> usize {
        self.0.iter().map(|(_, size)| size + line::PLACE).sum()
    }

    fn put(&mut self, channel: u64, size: usize, most: usize) {
        let fits =
            |model: &Self, most: usize| model.bytes() + size + line::PLACE <= most || model.0.is_empty();
        match policy(channel) {
            SlowConsumer::Disconnect if !fits(self, most) => return,
            SlowConsumer::DropOldest => {
                while !fits(self, most) {
                    match self.0.iter().position(|(other, _)| *other == channel) {
                        Some(place) => drop(self.0.remove(place)),
                        None => return,
                    }
                }
            }
            SlowConsumer::KeepLatest => {
                if let Some(place) = self.0.iter().position(|(other, _)| *other == channel) {
                    if self.bytes() - self.0[place].1 + size <= 2 * most {
                        self.0[place].1 = size;
                    }
                    return;
                }
                if !fits(self, 2 * most) {
                    return;
                }
            }
            _ => {}
        }
        self.0.push((channel, size));
    }
}

proptest! {
    #[test]
    fn whatever_is_put_in_and_taken_out_the_queue_is_as_a_simple_model_has_it(
        steps in proptest::collection::vec(step(), 1..400),
        most in 1..20usize,
    ) {
        let (queue, mut model) = (EventQueue::default(), Model::default());
        let most = most * EACH;
        for step in steps {
            match step {
                Step::Put { channel, size } => {
                    queue.put(event(channel, size), policy(channel), most);
                    model.put(channel, size, most);
                }
                Step::Pop => {
                    let popped = queue.pop().map(|event| (event.channel, event.message.len()));
                    let expected = (!model.0.is_empty()).then(|| model.0.remove(0));
                    prop_assert_eq!(popped, expected);
                }
                Step::Forget(channel) => {
                    queue.forget(channel);
                    model.0.retain(|(other, _)| *other != channel);
                }
            }
            prop_assert_eq!((queue.bytes(), queue.len()), (model.bytes(), model.0.len()));
        }
        let left: Vec<_> = std::iter::from_fn(|| queue.pop())
            .map(|event| (event.channel, event.message.len()))
            .collect();
        prop_assert_eq!(left, model.0);
    }
}
