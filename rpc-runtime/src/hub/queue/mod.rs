//! A session's queue of events: what its client is to be sent and has not taken yet, of all its channels and of what is
//! sent to it directly.
//!
//! Publishers put events in, under a short lock; the connection's task takes them out while little else waits to leave.
//! What is queued is shared by all subscribers; what an entry takes of its own is its place. How events wait, and how one is
//! found that is to be dropped, is `line.rs`'s matter.
//!
//! Where events of a channel are dropped while others wait, a *mark* stands in the place of the first of them, and is sent when its
//! turn comes: so the client learns of it where it happened, and without waiting for a later event. There is at most one mark of a
//! channel, in front of all its events: what is dropped is always what comes next behind it.

mod line;

use std::{
    collections::HashMap,
    hash::BuildHasherDefault,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::Notify;

use super::{SlowConsumer, encode};
use line::{Line, NumberHasher};

/// The number that stands for what is sent directly, and for nothing else.
pub(crate) const DIRECT: u64 = 0;

/// Set in the number of a channel that stands for what its subscriber is told of the subscription itself. No policy of the channel
/// drops that, and it goes when the subscription ends: told behind the answer that it has ended, a client would believe in it.
const TOLD: u64 = 1 << 63;

/// So many bytes are copied while publishers wait for the lock: a few events, so that it is taken once for them.
const WHILE_LOCKED: usize = 4 * 1024;

/// What an event counts for beside its message, in bytes: its place in line, and what is kept of it where it is for one client alone.
pub(super) const PLACE: usize = 64;

/// An event on its way to clients: all that it is for share it.
#[derive(Debug, Clone)]
pub(crate) struct Queued(Arc<Event>);

#[derive(Debug)]
struct Event {
    /// The whole WebSocket message; empty for a mark.
    message: Bytes,
    /// The number of its channel.
    channel: u64,
}

impl Queued {
    /// An event of a channel, or one that is sent [`DIRECT`]ly: the whole WebSocket message.
    pub(crate) fn new(message: Bytes, channel: u64) -> Self {
        Self(Arc::new(Event { message, channel }))
    }

    /// Tells a client of its subscription to a channel.
    pub(crate) fn told(message: Bytes, channel: u64) -> Self {
        Self::new(message, channel | TOLD)
    }

    fn mark(channel: u64) -> Self {
        Self::new(Bytes::new(), channel)
    }

    /// The whole WebSocket message.
    pub(crate) fn message(&self) -> &Bytes {
        &self.0.message
    }

    /// The number of its channel.
    pub(super) fn channel(&self) -> u64 {
        self.0.channel
    }

    /// Whether it is for the client itself, which has to have it.
    pub(crate) fn is_direct(&self) -> bool {
        self.0.channel == DIRECT || self.0.channel & TOLD != 0
    }

    /// What it counts for: its message, and its place. A mark counts for nothing, and there is one of a channel at most.
    fn size(&self) -> usize {
        match self.is_mark() {
            true => 0,
            false => self.0.message.len() + PLACE,
        }
    }

    fn is_mark(&self) -> bool {
        self.0.message.is_empty()
    }
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Put {
    /// It waits to be sent.
    Queued,
    /// It waits, and so many others of its channel were dropped for it.
    Instead(usize),
    /// It was dropped, and so many others of its channel before it: what fills the queue is of other channels.
    Dropped(usize),
    /// It waits, but there is no room for it: whoever publishes is to wait for that.
    Over,
    /// It was dropped: the client takes nothing, and is to be closed.
    Refused,
    /// It was dropped: the client is gone, or about to be closed for that.
    Gone,
}

/// The events for one client, in the order in which they are to be sent.
///
/// A line of the processor's cache, and no more: of ten thousand of these each is far away when its turn comes.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(crate) struct EventQueue {
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    line: Line,
    /// What waits counts for so much.
    bytes: usize,
    rare: Option<Box<Rare>>,
}

/// What there is to know of a client that was slow once, or is gone.
#[derive(Debug, Default)]
struct Rare {
    dropped: u64,
    /// Of the channels that have a mark in the line, how many events are missing there.
    missing: HashMap<u64, u64, BuildHasherDefault<NumberHasher>>,
    /// Whoever publishes may be waiting until no more than this waits.
    awaited: Option<usize>,
    /// Told when there is room again; made for the first who finds none.
    room: Option<Arc<Notify>>,
    /// The client is gone: nothing waits for it any more.
    closed: bool,
}

impl EventQueue {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while the lock is held.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an event in. At most `most` bytes wait; twice that where publishers wait for room, or an event takes the place of
    /// the one before it. An event that finds nothing waiting is always taken.
    pub(crate) fn put(&self, event: Queued, slow: SlowConsumer, most: usize) -> Put {
        self.lock().put(event, slow, most)
    }

    /// Takes out what comes first.
    #[cfg(test)]
    pub(crate) fn pop(&self) -> Option<Queued> {
        let mut queue = self.lock();
        let event = queue.pop();
        Self::tell(queue);
        event
    }

    /// Tells whoever waits for room, where there is some.
    #[inline]
    fn tell(mut queue: MutexGuard<'_, Queue>) {
        let bytes = queue.bytes;
        if let Some(rare) = &mut queue.rare
            && rare.awaited.take_if(|most| bytes <= *most).is_some()
            && let Some(room) = rare.room.clone()
        {
            drop(queue);
            room.notify_waiters();
        }
    }

    /// Takes events out as long as `each`, which is given them, wants more. Whether any is left.
    pub(crate) fn take(&self, mut each: impl FnMut(Queued) -> bool) -> bool {
        loop {
            let mut queue = self.lock();
            let mut room = WHILE_LOCKED;
            loop {
                let Some(event) = queue.pop() else {
                    Self::tell(queue);
                    return false;
                };
                let Some(left) = room.checked_sub(event.message().len()) else {
                    Self::tell(queue);
                    if !each(event) {
                        return self.lock().line.len() > 0;
                    }
                    break;
                };
                room = left;
                if !each(event) {
                    let is_any_left = queue.line.len() > 0;
                    Self::tell(queue);
                    return is_any_left;
                }
            }
        }
    }

    /// What waits counts for so many bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    /// How many events wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().waiting()
    }

    /// How many events were dropped because the client was slow.
    pub(crate) fn dropped(&self) -> u64 {
        self.lock().rare.as_ref().map_or(0, |rare| rare.dropped)
    }

    /// Ready when no more than `most` bytes wait, or the client is gone.
    pub(crate) async fn has_room(&self, most: usize) {
        loop {
            let told = {
                let mut queue = self.lock();
                if queue.bytes <= most {
                    return;
                }
                // One client's limit is the same for all who wait.
                let rare = queue.rare();
                rare.awaited = Some(most);
                // Told from here on, though it was not polled yet.
                rare.room.get_or_insert_default().clone().notified_owned()
            };
            told.await;
        }
    }

    /// Lets go of what waits of a channel, and of the subscription to it: the client hears it no more.
    pub(crate) fn forget(&self, channel: u64) {
        let mut queue = self.lock();
        queue.bytes -= queue.line.remove_all_of(channel) + queue.line.remove_all_of(channel | TOLD);
        if let Some(rare) = &mut queue.rare {
            rare.missing.remove(&channel);
        }
        Self::tell(queue);
    }

    /// Lets go of everything, for good: the client is gone.
    pub(crate) fn close(&self) {
        let mut queue = self.lock();
        queue.line = Line::default();
        queue.bytes = 0;
        let rare = queue.rare();
        rare.missing = HashMap::default();
        rare.closed = true;
        Self::tell(queue);
    }
}

impl Queue {
    #[inline]
    fn put(&mut self, event: Queued, slow: SlowConsumer, most: usize) -> Put {
        let size = event.size();
        let bytes = self.bytes + size;
        if slow == SlowConsumer::KeepLatest || bytes > most || self.rare.is_some() {
            return self.put_with_care(event, slow, most);
        }
        self.bytes = bytes;
        self.line.push(event);
        Put::Queued
    }

    /// Where there may be no room, or that was so before.
    fn put_with_care(&mut self, event: Queued, slow: SlowConsumer, most: usize) -> Put {
        if self.rare.as_ref().is_some_and(|rare| rare.closed) {
            return Put::Gone;
        }
        let (size, beyond) = (event.size(), most.saturating_mul(2));
        let mut put = Put::Queued;
        if slow == SlowConsumer::KeepLatest
            && let Some(before) = self.line.latest_of(event.channel())
        {
            let bytes = self.bytes - before.size() + size;
            if bytes > beyond {
                return self.refuse();
            }
            // In its place: an event that is replaced often is sent as soon as one that is not.
            *before = event;
            self.bytes = bytes;
            self.rare().dropped += 1;
            return Put::Instead(1);
        }
        if self.bytes + size > most && self.waiting() > 0 {
            match slow {
                SlowConsumer::DropOldest => {
                    let dropped = self.drop_oldest_of(event.channel(), self.bytes + size - most);
                    if self.bytes + size > most && self.waiting() > 0 {
                        self.drop_newest(event.channel());
                        return Put::Dropped(dropped);
                    }
                    put = Put::Instead(dropped);
                }
                SlowConsumer::Disconnect => return self.refuse(),
                _ if self.bytes + size > beyond => return self.refuse(),
                SlowConsumer::KeepLatest => {}
                SlowConsumer::Block { .. } => put = Put::Over,
            }
        }
        self.bytes += size;
        self.line.push(event);
        put
    }

    /// Takes out what comes first. A mark is what its client is told in its place.
    #[inline]
    fn pop(&mut self) -> Option<Queued> {
        let event = self.line.pop()?;
        self.bytes -= event.size();
        match event.is_mark() {
            true => Some(self.tell_missing(event)),
            false => Some(event),
        }
    }

    #[cold]
    fn tell_missing(&mut self, mark: Queued) -> Queued {
        let channel = mark.channel();
        let missing = self.rare().missing.remove(&channel);
        Queued::new(encode::dropped(channel, missing.unwrap_or_default()), channel)
    }

    #[cold]
    fn refuse(&mut self) -> Put {
        self.rare().dropped += 1;
        Put::Refused
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// How many events wait, beside marks.
    fn waiting(&self) -> usize {
        let marks = self.rare.as_ref().map_or(0, |rare| rare.missing.len());
        self.line.len() - marks
    }

    /// Drops the oldest events of a channel, until they make up `bytes`. Gives how many that were.
    fn drop_oldest_of(&mut self, channel: u64, bytes: usize) -> usize {
        let rare = self.rare.get_or_insert_default();
        let (mut count, mut freed) = (0, 0);
        while freed < bytes {
            if let Some(missing) = rare.missing.get_mut(&channel) {
                let Some(event) = self.line.remove_second_of(channel) else {
                    break;
                };
                *missing += 1;
                freed += event.size();
            } else {
                // It is the first of those that are missing: what is left of it is the mark.
                let Some(event) = self.line.oldest_of(channel) else {
                    break;
                };
                freed += event.size();
                *event = Queued::mark(channel);
                rare.missing.insert(channel, 1);
            }
            count += 1;
        }
        self.bytes -= freed;
        rare.dropped += count as u64;
        count
    }

    /// Drops an event that was to be put in: none of its channel waits.
    fn drop_newest(&mut self, channel: u64) {
        let rare = self.rare();
        rare.dropped += 1;
        let missing = rare.missing.entry(channel).or_default();
        *missing += 1;
        if *missing == 1 {
            self.line.push(Queued::mark(channel));
        }
    }
}

#[cfg(test)]
mod tests;
