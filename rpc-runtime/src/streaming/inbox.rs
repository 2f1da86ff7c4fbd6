//! Where the messages of one stream wait between the task of their connection and whoever reads them.

use std::{
    collections::VecDeque,
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use rpc_protocol::frame::Compression;
use tokio::time::Instant;

use crate::{Metadata, Status, rate::Meter};

/// What the reader's side tells the connection. Called from any task, and never with a lock of the inbox held.
pub(crate) trait Feedback: Send + Sync {
    /// Messages that counted so many bytes on the stream's window were read.
    fn consumed(&self, stream_id: u64, bytes: usize);

    /// Nobody reads the stream any more, before its end: what still comes can be left out.
    fn abandoned(&self, stream_id: u64);

    /// A message did not decode, which is the peer's own making.
    fn fault(&self);
}

/// How a stream ended.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) result: Result<(), Status>,
    pub(crate) trailers: Metadata,
}

impl Ending {
    /// The peer has sent everything.
    pub(crate) fn done() -> Self {
        Self {
            result: Ok(()),
            trailers: Metadata::default(),
        }
    }

    pub(crate) fn failed(status: Status) -> Self {
        Self {
            result: Err(status),
            trailers: Metadata::default(),
        }
    }
}

/// Messages that arrived and were not read yet, and how the stream ended.
///
/// ```text
///            finish                     take, once all messages are read
///   open ─────────────▶ ended ─────────────────────────────────────────▶ over
///     └───────────────────┴──────── abandon ─────────────────────────────▶
/// ```
///
/// Its size is bounded by the stream's window: the connection's task puts in what the peer was allowed to send, and the
/// peer is allowed more only when messages were taken out.
pub(crate) struct Inbox {
    stream_id: u64,
    feedback: Arc<dyn Feedback>,
    /// So many counted bytes are read before the connection is told, so that a small message costs it nothing.
    step: usize,
    /// What messages count on, where they do.
    meter: Option<Meter>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    messages: VecDeque<Arrived>,
    ending: Option<Ending>,
    /// Counted bytes that were read and not told yet.
    uncredited: usize,
    /// Nobody reads any more, or the end was read.
    over: bool,
    /// It was ended while the peer goes on sending.
    cut: bool,
    /// The connection is gone on which the stream was: what another one calls by the same id is none of this one's.
    orphaned: bool,
    reader: Option<Waker>,
}

struct Arrived {
    body: Bytes,
    compression: Compression,
    counted: usize,
}

impl Inbox {
    /// `step` is well below half of the stream's window: a reader that has read everything must have told enough for
    /// the peer to go on.
    pub(crate) fn new(stream_id: u64, feedback: Arc<dyn Feedback>, step: usize) -> Arc<Self> {
        Self::of_client(stream_id, feedback, step, None)
    }

    /// The same for a client's stream, whose messages may count on something.
    pub(crate) fn of_client(
        stream_id: u64,
        feedback: Arc<dyn Feedback>,
        step: usize,
        meter: Option<Meter>,
    ) -> Arc<Self> {
        Arc::new(Self {
            stream_id,
            feedback,
            step,
            meter,
            state: Mutex::default(),
        })
    }

    /// Puts a whole message in, which counted so many bytes on the window. Ignored where nobody reads any more.
    #[cfg(test)]
    pub(crate) fn push(&self, body: Bytes, counted: usize) {
        self.push_compressed(body, Compression::NONE, counted);
    }

    /// Puts a client's message in, which arrives now. Where there are more of them than it may send, the stream ends behind
    /// what it has sent before.
    pub(crate) fn receive(&self, body: Bytes, compression: Compression, counted: usize, now: Instant) {
        match &self.meter {
            None => self.push_compressed(body, compression, counted),
            Some(meter) => match meter.take(body.len(), now) {
                Ok(()) => self.push_compressed(body, compression, counted),
                Err(status) => self.cut(status),
            },
        }
    }

    /// Ends the stream though the peer goes on sending: it is told to stop when the reader hears of it.
    #[cold]
    pub(super) fn cut(&self, status: Status) {
        let mut state = self.lock();
        if !state.over && state.ending.is_none() {
            state.ending = Some(Ending::failed(status));
            state.cut = true;
            wake(state);
        }
    }

    /// Puts a whole message in whose body may be compressed: it is inflated where it is read, so that what waits here is bounded by
    /// what the window counts.
    pub(crate) fn push_compressed(&self, body: Bytes, compression: Compression, counted: usize) {
        let mut state = self.lock();
        if state.over || state.ending.is_some() {
            return;
        }
        state.messages.push_back(Arrived {
            body,
            compression,
            counted,
        });
        wake(state);
    }

    /// Says how the stream ended. What was put in before is still read; a second ending is ignored.
    pub(crate) fn finish(&self, ending: Ending) {
        let mut state = self.lock();
        if !state.over && state.ending.is_none() {
            state.ending = Some(ending);
            wake(state);
        }
    }

    /// Ends the stream at once: what was not read yet is dropped.
    pub(crate) fn abort(&self, status: Status) {
        let mut state = self.lock();
        if !state.over {
            let unread = mem::take(&mut state.messages);
            state.ending = Some(Ending::failed(status));
            wake(state);
            drop(unread);
        }
    }

    /// Says that the stream's connection is gone, and the stream ended with it. What was put in before is still read, and nobody
    /// is told.
    pub(crate) fn orphan(&self) {
        self.lock().orphaned = true;
        self.finish(Ending::done());
    }

    /// Counts one undecodable message against the peer.
    pub(crate) fn fault(&self) {
        self.feedback.fault();
    }

    /// The next message, or how the stream ended.
    pub(crate) fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Result<(Bytes, Compression), Ending>> {
        let mut state = self.lock();
        if let Some(Arrived {
            body,
            compression,
            counted,
        }) = state.messages.pop_front()
        {
            state.uncredited += counted;
            // Also after the end: the connection's window waits for it as well.
            let told = if state.uncredited >= self.step && !state.orphaned {
                mem::take(&mut state.uncredited)
            } else {
                0
            };
            drop(state);
            if told > 0 {
                self.feedback.consumed(self.stream_id, told);
            }
            return Poll::Ready(Ok((body, compression)));
        }
        if let Some(ending) = state.ending.take() {
            state.over = true;
            return Poll::Ready(Err(ending));
        }
        if state.over {
            return Poll::Ready(Err(Ending::done()));
        }
        match &mut state.reader {
            Some(reader) => reader.clone_from(cx.waker()),
            reader => *reader = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Nobody reads any more.
    pub(crate) fn abandon(&self) {
        let mut state = self.lock();
        let early = mem::take(&mut state.cut) || !state.over && state.ending.is_none();
        state.over = true;
        state.reader = None;
        let unread = mem::take(&mut state.messages);
        let uncredited = mem::take(&mut state.uncredited);
        let orphaned = state.orphaned;
        drop(state);
        if orphaned {
            return;
        }
        if early {
            self.feedback.abandoned(self.stream_id);
        } else if !unread.is_empty() {
            // The connection's window waits for what is dropped as it does for what is read.
            let dropped: usize = unread.iter().map(|message| message.counted).sum();
            self.feedback.consumed(self.stream_id, uncredited + dropped);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the reader once the lock is free.
fn wake(mut state: MutexGuard<'_, State>) {
    let reader = state.reader.take();
    drop(state);
    if let Some(reader) = reader {
        reader.wake();
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox")
            .field("stream_id", &self.stream_id)
            .finish_non_exhaustive()
    }
}
