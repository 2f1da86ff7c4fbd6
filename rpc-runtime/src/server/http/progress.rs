//! How far an HTTP connection is, so that one that does not go on can be told from one that is just slow.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use crate::server::{ServerLimits, shared::later};

/// How long each part of a connection may take.
#[derive(Debug, Clone, Copy)]
struct Times {
    header: Duration,
    idle: Duration,
    stall: Duration,
}

/// Where a connection stands.
///
/// ```text
/// Header ── it is whole ──▶ Answering ── the answer is over ──▶ Idle ── a byte ──▶ Header
/// ```
#[derive(Debug, Clone, Copy)]
enum Phase {
    /// A request's header comes; the first one's time runs from the connection's beginning.
    Header { until: Instant },
    /// The request is answered. That may take as long as the service wants, as long as the client takes and gives.
    Answering,
    /// Another request may come.
    Idle { until: Instant },
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// When bytes moved the last time.
    moved: Instant,
    /// The client does not take what is written.
    full: bool,
    /// The service waits for the request's body.
    hungry: bool,
    /// No request has come yet.
    first: bool,
}

/// How far one connection is.
#[derive(Debug)]
pub(super) struct Progress {
    times: Times,
    state: Mutex<State>,
}

impl Progress {
    /// The first request's header has to be whole at `until`.
    pub(super) fn new(limits: &ServerLimits, until: Instant) -> Arc<Self> {
        Arc::new(Self {
            times: Times {
                header: limits.http_header_time,
                idle: limits.http_idle_time,
                stall: limits.http_stall_time,
            },
            state: Mutex::new(State {
                phase: Phase::Header { until },
                moved: Instant::now(),
                full: false,
                hungry: false,
                first: true,
            }),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request is whole but for its body.
    pub(super) fn asked(&self) {
        let mut state = self.lock();
        state.phase = Phase::Answering;
        state.first = false;
    }

    /// Whether no request has come yet.
    pub(super) fn is_first(&self) -> bool {
        self.lock().first
    }

    fn answered(&self) {
        let mut state = self.lock();
        state.phase = Phase::Idle {
            until: later(self.times.idle),
        };
        state.hungry = false;
    }

    /// Whether the service waits for more of the request's body.
    pub(super) fn hungry(&self, hungry: bool) {
        self.lock().hungry = hungry;
    }

    fn received(&self) {
        let mut state = self.lock();
        state.moved = Instant::now();
        if let Phase::Idle { .. } = state.phase {
            state.phase = Phase::Header {
                until: later(self.times.header),
            };
        }
    }

    fn wrote(&self, pending: bool) {
        let mut state = self.lock();
        state.full = pending;
        if pending {
            return;
        }
        state.moved = Instant::now();
        // What was answered may still be leaving.
        if let Phase::Idle { until } = &mut state.phase {
            *until = later(self.times.idle);
        }
    }

    /// When the connection is given up, as far as can be told now.
    pub(super) fn due(&self) -> Option<Instant> {
        let state = self.lock();
        let stalled = || state.moved.checked_add(self.times.stall);
        match state.phase {
            _ if state.full => stalled(),
            Phase::Header { until } | Phase::Idle { until } => Some(until),
            Phase::Answering if state.hungry => stalled(),
            Phase::Answering => None,
        }
    }

    /// Whether no request is being answered.
    pub(super) fn is_waiting(&self) -> bool {
        !matches!(self.lock().phase, Phase::Answering)
    }
}

/// The end of an answer, when it is dropped.
#[derive(Debug)]
pub(super) struct Over(pub(super) Arc<Progress>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.answered();
    }
}

/// A socket whose progress is watched, until it is upgraded.
#[derive(Debug)]
pub(in crate::server) struct Watched<S> {
    stream: S,
    progress: Arc<Progress>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, progress: Arc<Progress>) -> Self {
        Self { stream, progress }
    }

    /// The socket itself.
    pub(in crate::server) fn into_inner(self) -> S {
        self.stream
    }

    fn note<T>(&self, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        self.progress.wrote(outcome.is_pending());
        outcome
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.progress.received();
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.note(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        if outcome.is_pending() {
            self.progress.wrote(true);
        }
        outcome
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
