//! The one timer of a connection, and what it watches over besides the protocol.
//!
//! It is not set anew with every message: it fires at the earliest time that was once known, finds that more time is
//! left, and is set again. A busy connection touches tokio's timer a few times a minute.

use std::{
    future::Future,
    pin::Pin,
    task::{Context as TaskContext, Waker},
};

use rpc_protocol::{CloseCode, ConnectionError};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, Sleep},
};

use super::{Connection, Phase};
use crate::SessionError;

#[derive(Default)]
#[repr(C)]
pub(super) struct Timers {
    /// When the timer fires, and whom it wakes: while both are right, it is not looked at.
    armed: Option<(Instant, Waker)>,
    sleep: Option<Pin<Box<Sleep>>>,
    /// Since when a message has begun and is not whole.
    message_began: Option<Instant>,
    /// Since when the peer takes nothing of what waits for it.
    stalled_since: Option<Instant>,
}

impl Timers {
    pub(super) fn whole_message(&mut self) {
        self.message_began = None;
    }

    pub(super) fn flushed(&mut self) {
        self.stalled_since = None;
    }

    pub(super) fn stalled(&mut self, progress: bool, now: Instant) {
        if progress {
            self.stalled_since = None;
        }
        self.stalled_since.get_or_insert(now);
    }

    /// Whether the timer is set, and not because the peer takes nothing.
    pub(super) fn are_at_rest(&self) -> bool {
        self.armed.is_some() && self.stalled_since.is_none()
    }

    /// Whether the timer is set, to a time that has not come, and wakes this task then.
    #[inline]
    pub(super) fn wake_later(&self, now: Instant, task: &Waker) -> bool {
        let armed = self.armed.as_ref();
        armed.is_some_and(|(at, waker)| now < *at && waker.will_wake(task))
    }

    /// Sees to it that the task is polled at `due`, or somewhat before. Whether that is now.
    pub(super) fn arm(&mut self, due: Instant, now: Instant, cx: &mut TaskContext<'_>) -> bool {
        if self.wake_later(now, cx.waker()) && self.armed.as_ref().is_some_and(|(at, _)| *at <= due) {
            return false;
        }
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        if sleep.deadline() > due || sleep.is_elapsed() {
            sleep.as_mut().reset(due);
        }
        // Without budget the timer is not reached: the task is woken at once, and its next turn asks again.
        let is_reached = tokio::task::coop::has_budget_remaining();
        let is_due = sleep.as_mut().poll(cx).is_ready();
        self.armed = (is_reached && !is_due).then(|| (sleep.deadline(), cx.waker().clone()));
        is_due
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Does what is due.
    pub(super) fn expire(&mut self, now: Instant) {
        if let Phase::Closing(_) = self.phase {
            return;
        }
        let limits = &self.endpoint.limits;
        if self
            .timers
            .stalled_since
            .is_some_and(|since| now >= since + limits.write_stall)
        {
            let (code, reason) = (CloseCode::TooSlow, "the peer does not read what it is sent");
            self.tell_hooks(&SessionError::WebSocket { code, reason });
            self.lose(code, reason, now);
        } else if self
            .timers
            .message_began
            .is_some_and(|since| now >= since + limits.message_time)
        {
            let (code, reason) = (CloseCode::TooSlow, "a message was begun and not finished");
            self.detach(code, reason, now);
            self.close_deaf(code, reason);
        } else if let Some(error) = self.silence(now) {
            if error == ConnectionError::PeerSilent {
                self.shared.hub.on_silent(&self.session);
                if !self.detach(error.close_code(), &error.to_string(), now) {
                    // Nobody is there to answer the close frame, and others are not to wait for that.
                    self.shared.hub.on_gone(&self.session);
                }
            }
            self.close_for(&error);
        } else {
            self.expire_identity(now);
        }
    }

    /// Asks a silent peer whether it is there. An error: it is not. Whoever is not listened to is not silent.
    fn silence(&mut self, now: Instant) -> Option<ConnectionError> {
        let due = self.protocol.poll_timeout()?;
        let is_of_connect = self.gate.as_ref().is_some_and(|gate| gate.is_of_connect());
        if now.into_std() < due || is_of_connect || self.is_shut() {
            return None;
        }
        let output = &mut self.socket.io.output;
        self.protocol.handle_timeout(now.into_std(), output).err()
    }

    /// Sets the timer to what is due next. Whether something is due already.
    pub(super) fn arm(&mut self, now: Instant, cx: &mut TaskContext<'_>) -> bool {
        let limits = &self.endpoint.limits;
        let is_shut = self.is_shut();
        // Nobody is pinged who is yet to be greeted.
        let is_silent = is_shut || self.gate.as_ref().is_some_and(|gate| gate.is_of_connect());
        if !is_shut && !self.is_clogged() && self.socket.is_inside_message() {
            self.timers.message_began.get_or_insert(now);
        } else {
            self.timers.message_began = None;
        }
        let due = [
            self.protocol
                .poll_timeout()
                .filter(|_| !is_silent)
                .map(Instant::from_std),
            self.timers.message_began.map(|since| since + limits.message_time),
            self.timers.stalled_since.map(|since| since + limits.write_stall),
            self.drain_due(),
            self.gate.as_ref().and_then(|gate| gate.until()),
            self.identity_due(),
        ];
        match due.into_iter().flatten().min() {
            Some(due) => self.timers.arm(due, now, cx),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        task::{Wake, Waker},
        time::Duration,
    };

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_asked_last_is_woken_and_an_earlier_time_counts() {
        let (first, second) = (Arc::new(Woken::default()), Arc::new(Woken::default()));
        let (mut timers, began) = (Timers::default(), Instant::now());
        let mut arm = |woken: &Arc<Woken>, seconds| {
            let waker = Waker::from(woken.clone());
            let due = began + Duration::from_secs(seconds);
            timers.arm(due, Instant::now(), &mut TaskContext::from_waker(&waker))
        };
        let woken = || (first.0.load(Ordering::Relaxed), second.0.load(Ordering::Relaxed));
        assert!(!arm(&first, 10));
        // Later is soon enough at the time that is known; somebody else is not yet known.
        assert!(!arm(&first, 20) && !arm(&second, 20));
        assert!(!arm(&second, 5));
        tokio::time::sleep(Duration::from_secs(6)).await;
        assert_eq!(woken(), (0, 1));
        assert!(arm(&second, 5));
        assert!(!arm(&second, 20));
        tokio::time::sleep(Duration::from_secs(15)).await;
        assert_eq!(woken(), (0, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_that_was_not_reached_for_want_of_budget_is_set_in_the_next_turn() {
        let woken = Arc::new(Woken::default());
        let mut timers = Timers::default();
        let due = Instant::now() + Duration::from_secs(10);
        let mut arm = || {
            let waker = Waker::from(woken.clone());
            timers.arm(due, Instant::now(), &mut TaskContext::from_waker(&waker))
        };
        while tokio::task::coop::has_budget_remaining() {
            let waker = Waker::noop();
            let _ = pin!(tokio::task::coop::consume_budget()).poll(&mut TaskContext::from_waker(waker));
        }
        assert!(!arm());
        // Another turn has a budget of its own.
        tokio::task::yield_now().await;
        let before = woken.0.load(Ordering::Relaxed);
        assert_eq!(before, 1, "it has another turn");
        assert!(!arm());
        tokio::time::sleep(Duration::from_secs(11)).await;
        assert_eq!(woken.0.load(Ordering::Relaxed), before + 1, "at its time");
    }
}
