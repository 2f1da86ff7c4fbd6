//! The messages of the streams, where they come from, and how they are checked: the same for every peer.

use super::shape::StreamShape;
use crate::peers::Counter;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A message of a stream.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Item {
    /// Counts from 0 within its stream. Of a fixed size, so that all messages are of one length.
    #[prost(fixed64, tag = "1")]
    pub(crate) number: u64,
    /// What the message is long by.
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) payload: Bytes,
}

/// What a server's stream is asked for with.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Start {
    /// Bytes of each message's payload.
    #[prost(uint64, tag = "1")]
    pub(crate) payload: u64,
    /// How many messages; 0 is without end.
    #[prost(uint64, tag = "2")]
    pub(crate) items: u64,
}

/// What a server says of a client's stream.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Summary {
    /// How many messages came, all of them in order.
    #[prost(uint64, tag = "1")]
    pub(crate) items: u64,
}

/// What every peer's message of a stream is, whatever its type.
pub(crate) trait Numbered {
    /// A message.
    fn new(number: u64, payload: Bytes) -> Self;
    /// Its number.
    fn number(&self) -> u64;
    /// Bytes of its payload.
    fn payload(&self) -> usize;
}

impl Numbered for Item {
    fn new(number: u64, payload: Bytes) -> Self {
        Self { number, payload }
    }

    fn number(&self) -> u64 {
        self.number
    }

    fn payload(&self) -> usize {
        self.payload.len()
    }
}

/// Numbered messages, whose payload is made once and shared: what is measured is not how a payload comes about.
pub(crate) struct Items {
    payload: Bytes,
    next: u64,
    end: u64,
}

impl Items {
    /// Messages with payloads of `payload` bytes; `items` of them, or without end where that is 0.
    pub(crate) fn new(payload: u64, items: u64) -> Self {
        Self {
            payload: vec![b'x'; usize::try_from(payload).unwrap_or(0)].into(),
            next: 0,
            end: if items == 0 { u64::MAX } else { items },
        }
    }

    /// The next message.
    pub(crate) fn take<T: Numbered>(&mut self) -> Option<T> {
        (self.next < self.end).then(|| {
            self.next += 1;
            T::new(self.next - 1, self.payload.clone())
        })
    }
}

/// Sees to it that messages come in order, and whole.
pub(crate) struct Check {
    /// How many have come.
    pub(crate) items: u64,
    payload: usize,
}

impl Check {
    /// Nothing has come yet.
    pub(crate) fn new(payload: usize) -> Self {
        Self { items: 0, payload }
    }

    /// Takes the next message.
    pub(crate) fn take(&mut self, item: &impl Numbered) -> Result<(), String> {
        if item.number() != self.items || item.payload() != self.payload {
            return Err(format!(
                "message {} with {} bytes came where message {} with {} bytes was to come",
                item.number(),
                item.payload(),
                self.items,
                self.payload
            ));
        }
        self.items += 1;
        Ok(())
    }
}

/// One stream of a running load, on the client.
#[derive(Clone)]
pub(crate) struct Flow {
    pub(crate) shape: StreamShape,
    /// Counts the messages of this stream alone.
    counter: Arc<Counter>,
    stop: Arc<AtomicBool>,
}

impl Flow {
    pub(crate) fn new(shape: StreamShape, counter: Arc<Counter>, stop: Arc<AtomicBool>) -> Self {
        Self { shape, counter, stop }
    }

    /// Says how many messages were taken in all.
    pub(crate) fn count(&self, items: u64) {
        // Nobody else writes it.
        self.counter.0.store(items, Ordering::Relaxed);
    }

    /// Whether the measuring is over.
    pub(crate) fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// How many messages were counted.
    pub(crate) fn counted(&self) -> u64 {
        self.counter.0.load(Ordering::Relaxed)
    }

    /// What the client sends until the measuring is over; with `counted`, each is counted as it is taken.
    pub(crate) fn items<T: Numbered>(&self, counted: bool) -> impl Iterator<Item = T> + Send + use<T> {
        let (flow, mut items) = (self.clone(), Items::new(self.shape.payload as u64, 0));
        std::iter::from_fn(move || {
            if flow.is_over() {
                return None;
            }
            let item = items.take();
            if counted {
                flow.count(items.next);
            }
            item
        })
    }

    /// Whether a server's summary says that everything has come that was counted.
    pub(crate) fn check_summary(&self, items: u64) -> Result<(), String> {
        let sent = self.counted();
        (items == sent)
            .then_some(())
            .ok_or_else(|| format!("{sent} messages were sent, and {items} came"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::shape::SMALL_PAYLOAD;
    use super::*;
    use prost::Message;

    #[test]
    fn the_small_message_is_a_hundred_bytes_on_the_wire() {
        let mut items = Items::new(SMALL_PAYLOAD as u64, 2);
        let (first, second): (Item, Item) = (items.take().expect("one"), items.take().expect("two"));
        // A number of 0 is not written.
        assert_eq!((first.encoded_len(), second.encoded_len()), (91, 100));
        assert_eq!(items.take::<Item>(), None);
    }

    #[test]
    fn messages_out_of_order_or_cut_short_are_noticed() {
        let mut check = Check::new(3);
        assert!(check.take(&Item::new(0, Bytes::from_static(b"abc"))).is_ok());
        assert!(check.take(&Item::new(2, Bytes::from_static(b"abc"))).is_err());
        assert!(check.take(&Item::new(1, Bytes::from_static(b"ab"))).is_err());
    }
}
