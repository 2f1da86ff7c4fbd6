//! Where events wait until a program reads them: bounded, so that a program that does not read costs no more than that.
//!
//! What does not fit is left out. Whoever puts events in knows whether they can be had again: it is told that the inbox is
//! full, or has the inbox count what is missing and say so in its place.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use super::{
    error::{Gap, GapCause, SubscriptionError},
    received::{Raw, ReceivedKind},
};

/// How much may wait to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Capacity {
    pub(super) events: usize,
    pub(super) bytes: usize,
}

/// What waits to be read.
#[derive(Debug)]
pub(super) enum Item {
    Event {
        raw: Arc<Raw>,
        /// Of the channel's history, where it has one.
        epoch: Option<u64>,
        kind: ReceivedKind,
    },
    Gap(Gap),
}

/// What reading gives.
#[derive(Debug)]
pub(super) enum Taken {
    Item(Item),
    /// The last one, once; then nothing.
    End(Option<SubscriptionError>),
}

#[derive(Debug)]
pub(super) struct Inbox(Mutex<State>);

#[derive(Debug)]
struct State {
    items: VecDeque<Item>,
    /// How many of them are events.
    events: usize,
    /// What the events in it take.
    bytes: usize,
    capacity: Capacity,
    /// So many were left out behind the last item, and will not come.
    missed: u64,
    /// Something was left out behind the last item that is to be asked for again once everything was read.
    behind: bool,
    over: bool,
    /// Why, until it was told.
    end: Option<SubscriptionError>,
    reader: Option<Waker>,
}

impl Inbox {
    pub(super) fn new(capacity: Capacity) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            items: VecDeque::new(),
            events: 0,
            bytes: 0,
            capacity,
            missed: 0,
            behind: false,
            over: false,
            end: None,
            reader: None,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an event in, if there is room; one always fits into an empty inbox. Whoever reads is to be woken.
    pub(super) fn put(
        &self,
        raw: &Arc<Raw>,
        epoch: Option<u64>,
        kind: ReceivedKind,
        woken: &mut Vec<Waker>,
    ) -> bool {
        let mut state = self.lock();
        let put = state.put(raw, epoch, kind);
        if put {
            woken.extend(state.reader.take());
        } else {
            // Whoever has put it in asks for it again when everything was read.
            state.behind = true;
        }
        put
    }

    /// Whether an event fits in. Where it does not, that is asked for again once everything was read.
    pub(super) fn has_room(&self, raw: &Raw) -> bool {
        let mut state = self.lock();
        let has_room = state.over || state.has_room(raw.cost());
        state.behind |= !has_room;
        has_room
    }

    /// Puts an event in that cannot be had again. What does not fit is counted, and so is everything behind it until that was
    /// told. Whether it was put in.
    pub(super) fn put_or_miss(&self, raw: &Arc<Raw>, kind: ReceivedKind, woken: &mut Vec<Waker>) -> bool {
        let mut state = self.lock();
        let put = state.missed == 0 && state.put(raw, None, kind);
        state.missed += u64::from(!put);
        woken.extend(state.reader.take());
        put
    }

    /// Says that events are missing here. There is always room for that: gaps do not follow each other.
    pub(super) fn put_gap(&self, gap: Gap, woken: &mut Vec<Waker>) {
        let mut state = self.lock();
        if state.over {
            return;
        }
        match state.items.back_mut() {
            // Nothing was given in between: it is one gap.
            Some(Item::Gap(before)) => {
                before.next = gap.next;
                before.missed = None;
                before.cause = gap.cause;
            }
            _ => state.items.push_back(Item::Gap(gap)),
        }
        woken.extend(state.reader.take());
    }

    /// Nothing more comes; what waits can be read still. The first end counts.
    pub(super) fn finish(&self, end: Option<SubscriptionError>, woken: &mut Vec<Waker>) {
        let mut state = self.lock();
        if !state.over {
            state.over = true;
            state.behind = false;
            state.end = end;
            woken.extend(state.reader.take());
        }
    }

    /// Lets go of everything: nobody reads any more.
    pub(super) fn clear(&self) {
        let mut state = self.lock();
        state.over = true;
        state.end = None;
        state.missed = 0;
        state.items = VecDeque::new();
        (state.events, state.bytes) = (0, 0);
    }

    /// Gives it more room: it is read from now on.
    pub(super) fn widen(&self, capacity: Capacity) {
        self.lock().capacity = capacity;
    }

    /// How many items wait.
    pub(super) fn len(&self) -> usize {
        self.lock().items.len()
    }

    /// The next item. `true` beside it: everything was read, and something behind it is to be asked for again.
    pub(super) fn poll_take(&self, cx: &Context<'_>) -> (Poll<Taken>, bool) {
        let mut state = self.lock();
        if let Some(item) = state.items.pop_front() {
            if let Item::Event { raw, .. } = &item {
                state.events -= 1;
                state.bytes -= raw.cost();
            }
            let drained = state.items.is_empty() && std::mem::take(&mut state.behind);
            if state.items.is_empty() && state.items.capacity() > 64 {
                state.items = VecDeque::new();
            }
            return (Poll::Ready(Taken::Item(item)), drained);
        }
        if state.missed > 0 {
            let missed = std::mem::take(&mut state.missed);
            let gap = Gap {
                last: None,
                next: None,
                missed: Some(missed),
                cause: GapCause::NotRead,
            };
            return (Poll::Ready(Taken::Item(Item::Gap(gap))), false);
        }
        if state.over {
            return (Poll::Ready(Taken::End(state.end.take())), false);
        }
        match &mut state.reader {
            Some(reader) => reader.clone_from(cx.waker()),
            reader => *reader = Some(cx.waker().clone()),
        }
        (Poll::Pending, false)
    }
}

impl State {
    /// One always fits into an empty inbox. Gaps take no room: what is behind one has that which there was in front of it.
    fn has_room(&self, cost: usize) -> bool {
        let Capacity { events, bytes } = self.capacity;
        self.events == 0 || self.events < events && self.bytes + cost <= bytes
    }

    fn put(&mut self, raw: &Arc<Raw>, epoch: Option<u64>, kind: ReceivedKind) -> bool {
        if self.over {
            // It is as good as read: nobody shall ask for it again.
            return true;
        }
        let cost = raw.cost();
        if !self.has_room(cost) {
            return false;
        }
        self.events += 1;
        self.bytes += cost;
        self.items.push_back(Item::Event {
            raw: raw.clone(),
            epoch,
            kind,
        });
        true
    }
}
