//! A session's queue of events: what its client is to be sent and has not taken yet, of all its channels and of what is
//! sent to it directly.
//!
//! Publishers put events in, under a short lock; the connection's task takes them out while little else waits to leave.
//! What is queued is shared by all subscribers; what an entry takes of its own is its place.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::Notify;

use super::SlowConsumer;

/// The number that stands for what is sent directly, and for nothing else.
pub(crate) const DIRECT: u64 = 0;

/// An event for one client.
#[derive(Debug, Clone)]
pub(crate) struct Queued {
    /// The whole WebSocket message.
    pub(crate) message: Bytes,
    /// The number of its channel.
    pub(crate) channel: u64,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Put {
    /// It waits to be sent.
    Queued,
    /// It waits, and so many others of its channel were dropped for it.
    Instead(usize),
    /// It waits, but there is no room for it: whoever publishes is to wait for that.
    Over,
    /// It was dropped: the client takes nothing, and is to be closed.
    Refused,
}

/// The events for one client, in the order in which they are to be sent.
#[derive(Debug, Default)]
pub(crate) struct EventQueue {
    queue: Mutex<Queue>,
    /// Told when there is room again, where somebody has found none.
    room: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<Queued>,
    /// What the messages take together.
    bytes: usize,
    dropped: u64,
    /// Whoever publishes may be waiting for room.
    awaited: bool,
}

impl EventQueue {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while the lock is held.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an event in. At most `most` bytes wait.
    pub(crate) fn put(&self, event: Queued, slow: SlowConsumer, most: usize) -> Put {
        let mut queue = self.lock();
        let size = event.message.len();
        let mut put = Put::Queued;
        if slow == SlowConsumer::KeepLatest {
            let dropped = queue.drop_of(event.channel, usize::MAX);
            if dropped > 0 {
                put = Put::Instead(dropped);
            }
        }
        if queue.bytes + size > most {
            match slow {
                SlowConsumer::DropOldest => {
                    let over = queue.bytes + size - most;
                    put = Put::Instead(queue.drop_of(event.channel, over));
                    if queue.bytes + size > most {
                        // What fills it is of other channels: this one's latest goes as well.
                        queue.dropped += 1;
                        return put;
                    }
                }
                SlowConsumer::Block { .. } => {
                    queue.awaited = true;
                    put = Put::Over;
                }
                SlowConsumer::KeepLatest | SlowConsumer::Disconnect => {
                    queue.dropped += 1;
                    return Put::Refused;
                }
            }
        }
        queue.bytes += size;
        queue.events.push_back(event);
        put
    }

    /// Takes out what comes first.
    pub(crate) fn pop(&self) -> Option<Queued> {
        let mut queue = self.lock();
        let event = queue.events.pop_front()?;
        queue.bytes -= event.message.len();
        if queue.events.is_empty() && queue.events.capacity() > 64 {
            queue.events = VecDeque::new();
        }
        let told = std::mem::take(&mut queue.awaited);
        drop(queue);
        if told {
            self.room.notify_waiters();
        }
        Some(event)
    }

    /// Takes events out as long as `more` wants them, which is told the length of each. Whether any is left.
    pub(crate) fn take(&self, mut each: impl FnMut(Queued) -> bool) -> bool {
        while let Some(event) = self.pop() {
            if !each(event) {
                return !self.lock().events.is_empty();
            }
        }
        false
    }

    /// How many bytes wait.
    pub(crate) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    /// How many events wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().events.len()
    }

    /// How many events were dropped.
    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// Ready when no more than `most` bytes wait.
    pub(crate) async fn has_room(&self, most: usize) {
        loop {
            let told = self.room.notified();
            {
                let mut queue = self.lock();
                if queue.bytes <= most {
                    return;
                }
                queue.awaited = true;
            }
            told.await;
        }
    }

    /// Drops what waits of a channel.
    pub(crate) fn forget(&self, channel: u64) {
        self.lock().drop_of(channel, usize::MAX);
    }
}

impl Queue {
    /// Drops the oldest events of a channel, until they make up `bytes`. Gives how many that were.
    fn drop_of(&mut self, channel: u64, bytes: usize) -> usize {
        let (mut count, mut freed) = (0, 0);
        self.events.retain(|event| {
            let goes = event.channel == channel && freed < bytes;
            if goes {
                count += 1;
                freed += event.message.len();
            }
            !goes
        });
        self.bytes -= freed;
        self.dropped += count as u64;
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(channel: u64, size: usize) -> Queued {
        Queued {
            message: vec![channel as u8; size].into(),
            channel,
        }
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
            assert_eq!(
                queue.put(event(channel, 10), SlowConsumer::DropOldest, 40),
                Put::Queued
            );
        }
        assert_eq!(
            queue.put(event(1, 10), SlowConsumer::DropOldest, 40),
            Put::Instead(1)
        );
        assert_eq!(queue.bytes(), 40);
        assert_eq!(queue.dropped(), 1);
        assert_eq!(channels(&queue), [2, 1, 2, 1]);
        assert_eq!(queue.bytes(), 0);
    }

    #[test]
    fn of_a_channel_that_keeps_the_latest_one_waits() {
        let queue = EventQueue::default();
        queue.put(event(2, 10), SlowConsumer::Disconnect, 100);
        for _ in 0..5 {
            queue.put(event(1, 10), SlowConsumer::KeepLatest, 100);
        }
        assert_eq!(channels(&queue), [2, 1]);
    }

    #[test]
    fn what_does_not_fit_is_refused_where_slow_clients_are_disconnected() {
        let queue = EventQueue::default();
        assert_eq!(queue.put(event(1, 10), SlowConsumer::Disconnect, 15), Put::Queued);
        assert_eq!(
            queue.put(event(1, 10), SlowConsumer::Disconnect, 15),
            Put::Refused
        );
        assert_eq!(channels(&queue), [1]);
    }

    #[tokio::test]
    async fn whoever_blocks_goes_on_when_there_is_room() {
        let queue = EventQueue::default();
        let slow = SlowConsumer::Block {
            at_most: std::time::Duration::from_secs(1),
        };
        assert_eq!(queue.put(event(1, 10), slow, 15), Put::Queued);
        assert_eq!(queue.put(event(1, 10), slow, 15), Put::Over);
        let mut waits = std::pin::pin!(queue.has_room(15));
        let cx = &mut std::task::Context::from_waker(std::task::Waker::noop());
        assert!(waits.as_mut().poll(cx).is_pending());
        queue.pop();
        assert!(waits.as_mut().poll(cx).is_ready());
    }
}
