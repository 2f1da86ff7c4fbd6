//! Calls that wait: each with a waker of its own, so that one that became ready is polled and its siblings are not.
//!
//! A slot is empty, or holds a call from the moment its handler was pending until it is answered, cancelled or out of
//! time. The waker of the next empty slot is the one with which handlers are polled for the first time: parking a
//! call is then a move and nothing has to be polled twice.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Waker},
};

use tokio::time::{Instant, Sleep};

use super::{
    call::{Failure, Step, Work},
    panics,
};
use crate::{
    contract::MethodDescriptor,
    session::{Session, mailbox::CallWaker},
};

/// Slots that are kept when no call is parked.
const KEPT_SLOTS: usize = 4;

/// A call that waits.
pub(crate) struct Parked {
    stream_id: u64,
    method: &'static MethodDescriptor,
    /// `None` once the call is over.
    work: Option<Work>,
    /// Armed when the call was parked, not before.
    timer: Option<Pin<Box<Sleep>>>,
    /// What the request takes in memory.
    bytes: u64,
    /// Nothing is owed for the call any more: only the end of its work is waited for.
    stopped: bool,
}

impl Parked {
    pub(crate) fn new(
        stream_id: u64,
        method: &'static MethodDescriptor,
        deadline: Option<Instant>,
        work: Work,
        bytes: u64,
    ) -> Self {
        let timer = deadline.map(|deadline| Box::pin(tokio::time::sleep_until(deadline)));
        Self {
            stream_id,
            method,
            work: Some(work),
            timer,
            bytes,
            stopped: false,
        }
    }

    /// Goes on with the call: what came of it, if anything did.
    fn poll(&mut self, cx: &mut TaskContext<'_>) -> Option<Step> {
        match self.work.take()?.poll(cx) {
            Ok(_) if self.stopped => return Some(Step::Over),
            Ok(step) => return Some(step),
            Err(work) => self.work = Some(work),
        }
        let late = self
            .timer
            .as_mut()
            .is_some_and(|timer| timer.as_mut().poll(cx).is_ready());
        if !late {
            return None;
        }
        self.stop();
        Some(match self.work {
            None => Step::Failed(Failure::DeadlineExceeded),
            Some(_) => Step::Late,
        })
    }

    /// Stops what is done for the call; what has yet to end stays in `work`.
    fn stop(&mut self) {
        self.work = self.work.take().and_then(Work::stop);
        self.timer = None;
        self.stopped = true;
    }
}

/// What became of a call that was cancelled.
pub(crate) enum Cancelled {
    /// It is gone.
    Dropped,
    /// What works on it has been told to end, and [`Step::Over`] will say when it has.
    Ending,
}

struct Slot {
    notify: Arc<CallWaker>,
    /// The same, as a waker.
    waker: Waker,
    /// Boxed, because most slots are empty most of the time.
    call: Option<Box<Parked>>,
}

/// What a parked call came to, and whose it is.
pub(crate) struct Progress {
    pub(crate) stream_id: u64,
    pub(crate) method: &'static MethodDescriptor,
    pub(crate) deadline: Option<Instant>,
    pub(crate) bytes: u64,
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
    pub(crate) fn next_waker(&mut self, session: &Arc<Session>) -> &Waker {
        let slot = match self.empty.last() {
            Some(&slot) => slot,
            None => {
                // At most as many as streams may be open, and one.
                let slot = self.slots.len() as u32;
                let notify = CallWaker::new(session.clone(), slot);
                self.slots.push(Slot {
                    waker: notify.clone().into(),
                    notify,
                    call: None,
                });
                self.empty.push(slot);
                slot
            }
        };
        &self.slots[slot as usize].waker
    }

    /// Parks a call. A handler was polled with [`next_waker`](Self::next_waker) already and is not polled again before
    /// it is woken; timers and tasks are polled here for the first time. What came of it meanwhile, if anything.
    pub(crate) fn park(&mut self, session: &Arc<Session>, mut call: Parked) -> Option<Progress> {
        let cx = &mut TaskContext::from_waker(self.next_waker(session));
        let waits = matches!(call.work, Some(Work::Inline(_)))
            && call
                .timer
                .as_mut()
                .is_none_or(|timer| timer.as_mut().poll(cx).is_pending());
        let slot = self.empty.pop()?;
        self.bytes += call.bytes;
        self.slots[slot as usize].call = Some(Box::new(call));
        if waits { None } else { self.poll(slot) }
    }

    /// Polls the call in a slot that was woken.
    pub(crate) fn poll(&mut self, slot: u32) -> Option<Progress> {
        let place = self.slots.get_mut(slot as usize)?;
        // Before the poll: a call that is woken while it is polled is polled again.
        place.notify.rearm();
        let call = place.call.as_mut()?;
        let deadline = call.timer.as_ref().map(|timer| timer.deadline());
        let step = call.poll(&mut TaskContext::from_waker(&place.waker));
        let (stream_id, method, bytes) = (call.stream_id, call.method, call.bytes);
        if call.work.is_none() {
            place.call = None;
            self.empty.push(slot);
            self.bytes -= bytes;
        }
        Some(Progress {
            stream_id,
            method,
            deadline,
            bytes,
            step: step?,
        })
    }

    /// Cancels the call of a stream: the future of a handler is dropped before this returns.
    pub(crate) fn cancel(&mut self, stream_id: u64) -> Cancelled {
        for (slot, place) in self.slots.iter_mut().enumerate() {
            let Some(call) = place.call.as_mut().filter(|call| call.stream_id == stream_id) else {
                continue;
            };
            call.stop();
            if call.work.is_some() {
                return Cancelled::Ending;
            }
            self.bytes -= call.bytes;
            place.call = None;
            // There are fewer slots than streams may be open.
            self.empty.push(slot as u32);
            break;
        }
        Cancelled::Dropped
    }

    /// Cancels all of them.
    pub(crate) fn cancel_all(&mut self) {
        for slot in std::mem::take(&mut self.slots) {
            panics::drop_quietly(slot.call);
        }
        self.empty.clear();
        self.bytes = 0;
    }

    /// Lets go of what a burst left behind.
    pub(crate) fn shrink(&mut self) {
        if self.is_empty() && self.slots.len() > KEPT_SLOTS {
            *self = Self::default();
        }
    }
}
