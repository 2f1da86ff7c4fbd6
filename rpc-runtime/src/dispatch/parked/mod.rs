//! Calls that wait: each with a waker of its own, so that one that became ready is polled and its siblings are not.
//!
//! A slot is empty, or holds a call from the moment its handler was pending until it is answered, cancelled or out of
//! time. The waker of the next empty slot is the one with which handlers are polled for the first time: parking a
//! call is then a move and nothing has to be polled twice.

mod call;

use std::{
    future::Future,
    sync::Arc,
    task::{Context as TaskContext, Waker},
};

use tokio::time::Instant;

use super::{
    call::Turn,
    work::{Detached, Step, Work},
};
use crate::{
    Code,
    contract::MethodDescriptor,
    metrics::Measured,
    session::{Session, mailbox::CallWaker},
    streaming::Inbox,
    trace::Followed,
};
pub(crate) use call::Parked;

/// Slots that are kept when no call is parked.
const KEPT_SLOTS: usize = 4;

/// A call that was cancelled.
pub(crate) struct Cancelled {
    pub(crate) one_way: bool,
    /// `None` where something was said of its end before.
    pub(crate) measured: Option<Measured>,
    /// What works on it has been told to end, and [`Step::Over`] will say when it has. Otherwise it is gone.
    pub(crate) is_ending: bool,
}

struct Slot {
    notify: Arc<CallWaker>,
    /// The same, as a waker.
    waker: Waker,
    /// Stands on the connection's list of calls to be polled.
    listed: bool,
    /// Boxed, because most slots are empty most of the time.
    call: Option<Box<Parked>>,
}

/// What a parked call came to, and whose it is.
pub(crate) struct Progress {
    pub(crate) stream_id: u64,
    pub(crate) method: &'static MethodDescriptor,
    pub(crate) one_way: bool,
    pub(crate) deadline: Option<Instant>,
    pub(crate) bytes: u64,
    pub(crate) followed: Option<Arc<Followed>>,
    pub(crate) measured: Option<Measured>,
    pub(crate) step: Step,
}

/// The calls of one connection that wait.
#[derive(Default)]
pub(crate) struct ParkedCalls {
    slots: Vec<Slot>,
    /// Invariant: exactly the slots without a call.
    empty: Vec<u32>,
    /// Invariant: the sum over all parked calls.
    bytes: u64,
    /// The slots of calls that are streams, by stream id. Invariant: sorted, and exactly those that are indexed.
    streams: Vec<(u64, u32)>,
}

impl ParkedCalls {
    /// Whether no call waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.slots.len() == self.empty.len()
    }

    /// What the requests of all parked calls take in memory.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The waker for the next call that may have to be parked.
    #[inline]
    pub(crate) fn next_waker(&mut self, session: &Arc<Session>) -> &Waker {
        let slot = match self.empty.last() {
            Some(&slot) => slot,
            None => self.add_slot(session),
        };
        &self.slots[slot as usize].waker
    }

    #[cold]
    fn add_slot(&mut self, session: &Arc<Session>) -> u32 {
        // At most as many as streams may be open, and one.
        let slot = self.slots.len() as u32;
        let notify = CallWaker::new(session.clone(), slot);
        self.slots.push(Slot {
            waker: notify.clone().into(),
            notify,
            listed: false,
            call: None,
        });
        self.empty.push(slot);
        slot
    }

    /// Parks a call. A handler that answers once was polled with [`next_waker`](Self::next_waker) already and is not
    /// polled again before it is woken; all else is polled here for the first time. What came of it meanwhile, if
    /// anything.
    pub(crate) fn park(
        &mut self,
        session: &Arc<Session>,
        mut call: Parked,
        turn: &mut Turn<'_>,
    ) -> Option<Progress> {
        let cx = &mut TaskContext::from_waker(self.next_waker(session));
        let waits = matches!(call.work, Some(Work::Inline(_)))
            && call
                .timer
                .as_mut()
                .is_none_or(|timer| timer.as_mut().poll(cx).is_pending());
        let slot = self.place(call)?;
        if waits { None } else { self.poll(slot, turn) }
    }

    /// Parks a call that is a stream without polling it yet. Its slot, which is now to be put on the list of those to be
    /// polled.
    pub(crate) fn park_unpolled(&mut self, session: &Arc<Session>, call: Parked) -> Option<u32> {
        // Makes the slot.
        self.next_waker(session);
        let slot = self.place(call)?;
        self.list(slot).then_some(slot)
    }

    fn place(&mut self, call: Parked) -> Option<u32> {
        let slot = self.empty.pop()?;
        self.bytes += call.bytes;
        if call.is_indexed() {
            let at = self.streams.partition_point(|(id, _)| *id < call.stream_id);
            self.streams.insert(at, (call.stream_id, slot));
        }
        self.slots[slot as usize].call = Some(Box::new(call));
        Some(slot)
    }

    /// Polls the call in a slot that was woken.
    pub(crate) fn poll(&mut self, slot: u32, turn: &mut Turn<'_>) -> Option<Progress> {
        self.slots.get_mut(slot as usize)?.listed = false;
        self.step(slot, |call, cx| call.poll(cx, turn))
    }

    /// Whether the call in a slot is to be put on the list of those to be polled: it does not stand there yet.
    pub(crate) fn list(&mut self, slot: u32) -> bool {
        self.slots
            .get_mut(slot as usize)
            .is_some_and(|place| !std::mem::replace(&mut place.listed, true))
    }

    /// Looks whether the time of a call is over that was woken and cannot go on now. It stays on the list.
    pub(crate) fn poll_timer(&mut self, slot: u32) -> Option<Progress> {
        self.step(slot, Parked::poll_timer)
    }

    fn step(
        &mut self,
        slot: u32,
        poll: impl FnOnce(&mut Parked, &mut TaskContext<'_>) -> Option<Step>,
    ) -> Option<Progress> {
        let place = self.slots.get_mut(slot as usize)?;
        // Before the poll: a call that is woken while it is polled is polled again.
        place.notify.rearm();
        let call = place.call.as_mut()?;
        let deadline = call.timer.as_ref().map(|timer| timer.deadline());
        let step = poll(call, &mut TaskContext::from_waker(&place.waker));
        let (stream_id, method, one_way, bytes) = (call.stream_id, call.method, call.one_way, call.bytes);
        let (followed, measured) = (call.followed.clone(), call.measured);
        if call.work.is_none() {
            self.clear(slot);
        }
        Some(Progress {
            stream_id,
            method,
            one_way,
            deadline,
            bytes,
            followed,
            measured,
            step: step?,
        })
    }

    /// Whether polling the call in a slot may write.
    pub(crate) fn writes(&self, slot: u32) -> bool {
        self.slots
            .get(slot as usize)
            .and_then(|place| place.call.as_ref())
            .is_some_and(|call| call.writes())
    }

    /// The slot of a call that is a stream.
    pub(crate) fn slot_of(&self, stream_id: u64) -> Option<u32> {
        let (first, _) = *self.streams.first()?;
        // Streams that were opened one after the other have their slots one after the other.
        let guess = stream_id.checked_sub(first)? as usize;
        match self.streams.get(guess) {
            Some((id, slot)) if *id == stream_id => Some(*slot),
            _ => {
                let at = self
                    .streams
                    .binary_search_by_key(&stream_id, |(id, _)| *id)
                    .ok()?;
                Some(self.streams[at].1)
            }
        }
    }

    /// Where the messages of a client's stream go, and where they are counted.
    pub(crate) fn input(&self, stream_id: u64) -> Option<(&Arc<Inbox>, Option<&Followed>)> {
        let slot = self.slot_of(stream_id)?;
        let call = self.slots[slot as usize].call.as_ref()?;
        Some((call.input.as_ref()?, call.followed.as_deref()))
    }

    /// Cancels the call of a stream: the future of a handler is dropped before this returns. `None` where there is no such
    /// call. `code` is what is said of it where it is followed.
    pub(crate) fn cancel(&mut self, stream_id: u64, code: Code) -> Option<Cancelled> {
        let slot = match self.slot_of(stream_id) {
            Some(slot) => slot,
            // There are fewer slots than streams may be open.
            None => self.slots.iter().position(|place| {
                place
                    .call
                    .as_ref()
                    .is_some_and(|call| call.stream_id == stream_id)
            })? as u32,
        };
        let call = self.slots[slot as usize].call.as_mut()?;
        let mut cancelled = Cancelled {
            one_way: call.one_way,
            measured: call.measured.filter(|_| !call.stopped),
            is_ending: false,
        };
        if let Some(followed) = &call.followed {
            followed.finish(code);
        }
        call.stop();
        if call.work.is_some() {
            // It has to be asked once for its end, to be heard of.
            self.slots[slot as usize].waker.wake_by_ref();
            cancelled.is_ending = true;
        } else {
            self.clear(slot);
        }
        Some(cancelled)
    }

    /// The streams of all calls for which something is owed still.
    pub(crate) fn running(&self) -> Vec<u64> {
        let calls = self.slots.iter().filter_map(|place| place.call.as_ref());
        calls
            .filter(|call| !call.stopped)
            .map(|call| call.stream_id)
            .collect()
    }

    /// The streams of all calls for which something is owed still, which were begun while a user was known and whose
    /// methods ask who that is; with `all`, whatever the methods ask.
    pub(crate) fn of_users(&self, all: bool) -> Vec<u64> {
        let calls = self.slots.iter().filter_map(|place| place.call.as_ref());
        calls
            .filter(|call| !call.stopped && call.by_user)
            .filter(|call| all || call.method.auth || !call.method.guards.is_empty())
            .map(|call| call.stream_id)
            .collect()
    }

    /// The measures of all calls of whose end nothing was said.
    pub(crate) fn measured(&self) -> impl Iterator<Item = Measured> {
        let calls = self.slots.iter().filter_map(|place| place.call.as_ref());
        calls
            .filter(|call| !call.stopped)
            .filter_map(|call| call.measured)
    }

    /// Cancels all of them, because the connection is over. Methods of sessions go on: they are given back.
    pub(crate) fn cancel_all(&mut self) -> Vec<Detached> {
        let mut detached = Vec::new();
        for slot in std::mem::take(&mut self.slots) {
            let Some(mut call) = slot.call else { continue };
            if let Some(input) = call.input.take() {
                // A session's method reads on to here; all others are dropped, now or by the tasks that have them.
                input.orphan();
            }
            detached.extend(call.work.take().and_then(Work::detach));
        }
        self.empty.clear();
        self.streams.clear();
        self.bytes = 0;
        detached
    }

    /// Empties a slot whose work is over.
    fn clear(&mut self, slot: u32) {
        let Some(mut call) = self.slots[slot as usize].call.take() else {
            return;
        };
        call.end_input();
        self.empty.push(slot);
        self.bytes -= call.bytes;
        if let Ok(at) = self.streams.binary_search_by_key(&call.stream_id, |(id, _)| *id) {
            self.streams.remove(at);
        }
    }

    /// Lets go of what a burst left behind.
    pub(crate) fn shrink(&mut self) {
        if self.is_empty() && self.slots.len() > KEPT_SLOTS {
            *self = Self::default();
        }
    }
}
