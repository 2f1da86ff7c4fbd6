//! One call that waits: its work, its time, and how both are ended.

use std::{future::Future, pin::Pin, sync::Arc, task::Context as TaskContext};

use tokio::time::{Instant, Sleep};

use crate::{
    Code, Status,
    contract::MethodDescriptor,
    dispatch::{
        call::{Failure, Turn},
        work::{Pending, Step, Work},
    },
    metrics::Measured,
    streaming::Inbox,
    trace::{self, Followed},
};

/// A call that waits.
pub(crate) struct Parked {
    pub(super) stream_id: u64,
    pub(super) method: &'static MethodDescriptor,
    /// Nothing is sent back.
    pub(super) one_way: bool,
    /// A user was known when it was begun.
    pub(super) by_user: bool,
    /// Where the messages of the client's stream go.
    pub(super) input: Option<Arc<Inbox>>,
    pub(super) followed: Option<Arc<Followed>>,
    pub(super) measured: Option<Measured>,
    /// `None` once the call is over.
    pub(super) work: Option<Work>,
    /// Armed when the call was parked, not before.
    pub(super) timer: Option<Pin<Box<Sleep>>>,
    /// What the request takes in memory.
    pub(super) bytes: u64,
    /// Nothing is owed for the call any more: only the end of its work is waited for.
    pub(super) stopped: bool,
}

impl Parked {
    pub(crate) fn new(
        stream_id: u64,
        method: &'static MethodDescriptor,
        one_way: bool,
        deadline: Option<Instant>,
        followed: Option<Arc<Followed>>,
        measured: Option<Measured>,
        pending: Pending,
    ) -> Self {
        let Pending { work, bytes, input } = pending;
        let timer = deadline.map(|deadline| Box::pin(tokio::time::sleep_until(deadline)));
        Self {
            stream_id,
            method,
            one_way,
            by_user: false,
            input,
            followed,
            measured,
            work: Some(work),
            timer,
            bytes,
            stopped: false,
        }
    }

    /// Says whether a user was known when it was begun.
    pub(crate) fn begun_by_user(mut self, by_user: bool) -> Self {
        self.by_user = by_user;
        self
    }

    /// Goes on with the call: what came of it, if anything did.
    pub(super) fn poll(&mut self, cx: &mut TaskContext<'_>, turn: &mut Turn<'_>) -> Option<Step> {
        let turn = &mut Turn {
            protocol: turn.protocol,
            output: turn.output,
            compress_above: turn.compress_above,
            followed: self.followed.as_deref(),
            answered: Code::Ok,
        };
        match self.work.take()?.poll(cx, turn) {
            Ok(_) if self.stopped => return Some(Step::Over),
            Ok(step) => return Some(step),
            Err(work) => self.work = Some(work),
        }
        self.poll_timer(cx)
    }

    /// Ends the call if its time is over.
    pub(super) fn poll_timer(&mut self, cx: &mut TaskContext<'_>) -> Option<Step> {
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
            Some(_) => {
                // Whoever has yet to end has to be asked for it once, to be heard of.
                cx.waker().wake_by_ref();
                Step::Late
            }
        })
    }

    /// Stops what is done for the call; what has yet to end stays in `work`.
    pub(super) fn stop(&mut self) {
        // What the handler logs while it is dropped belongs to its call.
        self.work = trace::enter(self.followed.as_ref(), || self.work.take().and_then(Work::stop));
        self.timer = None;
        self.stopped = true;
        self.end_input();
    }

    /// Ends what a handler may still read, elsewhere.
    pub(super) fn end_input(&mut self) {
        if let Some(input) = self.input.take() {
            input.abort(Status::cancelled("the call is over"));
        }
    }

    /// Whether it is to be found by its stream: messages come for it, or room to write.
    pub(super) fn is_indexed(&self) -> bool {
        self.input.is_some() || self.writes()
    }

    /// Whether polling it may write.
    pub(crate) fn writes(&self) -> bool {
        self.work.as_ref().is_some_and(Work::writes)
    }
}
